"""Calibrate: does the judge agree with people on answers that it was not tuned on?

Reads labels, the labelled items and tonight's verdicts on them; writes one certificate a judge, what it rests on, and a
row a night of how far the anchors have moved since. Asks the judge, for the audits of a new certificate. A certificate
that exists is kept, so that a night cannot renew what a person should: it expires, or the judge changes.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
from prefect import task
from pydantic import Field

from assay.calibration.assessment import assess
from assay.calibration.audits import drift
from assay.calibration.policy import PairwisePolicy, PassFailPolicy
from assay.calibration.rated import Rated, join, only_natural, require_unseen
from assay.certificate import JUDGES, AnchorNight, Certificate, Figure, Seen
from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.judges import prompt
from assay.records import Item, Label, Record, Response, Verdict, digest
from tasks import door, store
from tasks.audit import audit

SEED = 20140
"""Of the bootstrap of the human ceiling; fixed, so that equal labels and verdicts give an equal certificate."""
AUDITED = ("flips", "injected")
"""Figures that a judge has to be asked for."""
LOST = {"correctness": "fail", "preference": "b"}
"""The outcome by which tonight's answer does not pass."""


class Policies(Record):
    """What each judge must reach."""

    correctness: PassFailPolicy
    preference: PairwisePolicy


class Settings(Record):
    """The section `calibrate` of params.yaml."""

    valid_days: int = Field(ge=1, le=366)
    audit_items: int = Field(default=96, ge=0)
    """Held-out items that are asked again, and attempts of the injection suite; 0 leaves the audits out."""
    policy: Policies


class Evidence(NamedTuple):
    """Everything that the stage reads."""

    items: list[Item]
    labels: list[Label]
    verdicts: list[Verdict]
    seen: list[Seen]
    """What the certificates that exist rest on."""
    nights: list[AnchorNight]
    accepted: str
    """The version whose answers were accepted; empty when there is none."""

    def said(self, judge: str) -> list[Verdict]:
        """Return what a judge said of the anchors tonight."""
        return [verdict for verdict in self.verdicts if (verdict.subject, verdict.scorer) == ("anchor", judge)]


def rate(judge: str, evidence: Evidence, frame: str) -> tuple[Rated, Rated]:
    """Return what people and the judge said of the items that count, and of all.

    Args:
        judge: The judge.
        evidence: Labels and verdicts.
        frame: Only labels of this sampling frame; empty for all.

    Raises:
        InsufficientDataError: There is nothing to compare; the text says what to add.
        DataError: An item is in both splits, or the judge's prompt shows what it is to be tested with.
    """
    asked = prompt.load(judge)
    labels = [label for label in evidence.labels if not frame or label.sampling_frame == frame]
    if frame and not labels:
        known = sorted({label.sampling_frame for label in evidence.labels})
        raise InsufficientDataError(
            f"no label was drawn from {frame!r}, expected one of {', '.join(known)}: choose one"
        )
    require_unseen(f"{asked.system} {asked.source}", evidence.items, labels)
    everything = join(asked.question, evidence.items, labels, evidence.said(judge))
    return only_natural(everything, evidence.items), everything


def certify(
    judge: str,
    settings: Settings,
    evidence: Evidence,
    rated: tuple[Rated, Rated],
    now: datetime,
    *,
    frame: str = "",
    audits: Sequence[Figure] = (),
    looks: int = 0,
) -> Certificate:
    """Return the certificate of one judge, met or not.

    Args:
        judge: The judge.
        settings: The policy, and how long it holds.
        evidence: Labels and items, for their hash.
        rated: As from `rate`.
        now: When it is issued.
        frame: As for `rate`.
        audits: Figures that the judge had to be asked for.
        looks: How often these labels were looked at before.

    Raises:
        InsufficientDataError: The labels cannot carry a certificate at all; the text says what to add.
        DataError: The verdicts come from more than one judge.
    """
    found, everything = rated
    policy = getattr(settings.policy, judge)
    worth = assess(found, everything, policy, rng=np.random.default_rng(SEED), audits=audits)
    return Certificate(
        judge=judge,
        question=prompt.load(judge).question,
        fingerprint=_one_fingerprint(judge, everything.judge),
        labels=digest([row.model_dump() for row in (*evidence.items, *evidence.labels)]),
        frame=frame,
        looks=looks + 1,
        split="heldout",
        items=len(found.items),
        unscored=len(everything.unscored),
        undecided=everything.undecided,
        annotators=sorted({label.annotator for label in found.labels}),
        **vars(worth),
        issued=now,
        expires=now + timedelta(days=settings.valid_days),
    )


def _one_fingerprint(judge: str, verdicts: Sequence[Verdict]) -> str:
    found = {verdict.fingerprint for verdict in verdicts}
    if len(found) > 1:
        raise DataError(
            f"data/verdicts: the anchors were judged by {len(found)} versions of {judge}, expected one: "
            "pin the model in params.yaml and run `assay nightly` again"
        )
    return found.pop()


def saw(judge: str, rated: Rated, verdicts: Sequence[Verdict]) -> list[Seen]:
    """Return what a new certificate rests on: the judge's word on every anchor, beside people's where it counts."""
    human = dict(zip((item.item_id for item in rated.items), rated.human, strict=True))
    return [
        Seen(judge=judge, item_id=verdict.item_id, human=human.get(verdict.item_id), outcome=verdict.outcome)
        for verdict in verdicts
        if verdict.status == "ok"
    ]


def moved(judge: str, certificate: Certificate, seen: Sequence[Seen], evidence: Evidence, now: datetime) -> AnchorNight:
    """Return how far tonight's verdicts lie from those that the certificate rests on, and how the product did."""
    before = {row.item_id: row.outcome for row in seen if row.judge == judge}
    anchors = [verdict for verdict in evidence.said(judge) if verdict.status == "ok" and verdict.item_id in before]
    subject = "pair" if certificate.question == "pairwise" else "target"
    own = [row for row in evidence.verdicts if (row.subject, row.scorer, row.status) == (subject, judge, "ok")]
    return AnchorNight(
        judge=judge,
        night=f"{now:%Y-%m-%d}",
        issued=certificate.issued,
        baseline=evidence.accepted,
        anchors=len(anchors),
        flips=sum(verdict.outcome != before[verdict.item_id] for verdict in anchors),
        judged=len(own),
        passed=sum(verdict.outcome != LOST[judge] for verdict in own),
    )


def gather() -> Evidence:
    """Read everything that the stage needs."""
    items, labels = store.labelled()
    accepted = {row.target for row in store.stream("baseline", Response, may_be_absent=True)}
    return Evidence(
        items,
        labels,
        store.read("verdicts", Verdict),
        store.read("seen", Seen, may_be_absent=True),
        store.read("nights", AnchorNight, may_be_absent=True),
        "+".join(sorted(accepted)),
    )


def file(
    evidence: Evidence,
    certificates: Mapping[str, Certificate],
    refused: Mapping[str, str],
    fresh: Mapping[str, list[Seen]],
    now: datetime,
) -> None:
    """Write the certificates, what they rest on, and tonight's row of each."""
    seen = [row for row in evidence.seen if row.judge in certificates and row.judge not in fresh]
    seen += [row for rows in fresh.values() for row in rows]
    tonight = [moved(judge, held, seen, evidence, now) for judge, held in certificates.items()]
    written = {(row.judge, row.night) for row in tonight}
    nights = [row for row in evidence.nights if (row.judge, row.night) not in written]
    store.write("seen", seen)
    store.write("nights", [*nights, *tonight])
    store.write_certificates(certificates, refused)


@task
def calibrate(
    now: datetime, judges: Sequence[str] = JUDGES, *, renew: bool = False, frame: str = ""
) -> list[Certificate]:
    """Issue the certificates that are missing, or anew where a person asks for it; return those of `judges`.

    A night goes on without a certificate and says why there is none; a person who asked is told so at once.
    """
    settings, evidence, kept = store.params("calibrate", Settings), gather(), store.certificates()
    refused = {judge: why for judge, why in store.refusals().items() if judge not in judges}
    fresh: dict[str, list[Seen]] = {}
    for judge in judges:
        if renew or judge not in kept:
            try:
                kept[judge], fresh[judge] = issue(judge, settings, evidence, kept.get(judge), now, frame)
            except InsufficientDataError as refusal:
                if renew:
                    raise
                refused[judge] = str(refusal)
    file(evidence, kept, refused, fresh, now)
    return [kept[judge] for judge in judges if judge in kept]


@task
def try_out(now: datetime, judge: str, demands: Mapping[str, float], frame: str = "") -> Certificate:
    """Return the certificate that a judge would have under other demands; nothing is filed, nobody is asked."""
    settings, evidence = store.params("calibrate", Settings), gather()
    changed = settings.model_copy(update={"policy": other(settings.policy, judge, demands)})
    held = store.certificates().get(judge)
    audits = [figure for figure in held.figures if figure.name in AUDITED] if held else []
    return certify(judge, changed, evidence, rate(judge, evidence, frame), now, frame=frame, audits=audits)


def other(policies: Policies, judge: str, demands: Mapping[str, float]) -> Policies:
    """Return the policies with other demands on one judge.

    Raises:
        ConfigError: A demand is none that is made of this judge.
    """
    policy = getattr(policies, judge)
    if unknown := sorted(demands.keys() - type(policy).model_fields.keys()):
        raise ConfigError(
            f"the policy of {judge} knows no {', '.join(unknown)}, expected one of "
            f"{', '.join(type(policy).model_fields)}: leave it empty"
        )
    changed = type(policy).model_validate(policy.model_dump() | dict(demands))
    return policies.model_copy(update={judge: changed})


def issue(
    judge: str, settings: Settings, evidence: Evidence, before: Certificate | None, now: datetime, frame: str
) -> tuple[Certificate, list[Seen]]:
    """Return a judge's new certificate and what it rests on; the judge is asked for its audits."""
    rated = rate(judge, evidence, frame)
    audits = audit(rated[0], settings.audit_items, now)
    audits += drift(rated[0], [row for row in evidence.seen if row.judge == judge], audits)
    looks = before.looks if before else 0
    found = certify(judge, settings, evidence, rated, now, frame=frame, audits=audits, looks=looks)
    return found, saw(judge, rated[1], evidence.said(judge))


if __name__ == "__main__":
    door.run(lambda: calibrate.fn(datetime.now(UTC)))
