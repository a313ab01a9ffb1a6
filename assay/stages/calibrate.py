"""Calibrate: does the judge agree with people on answers that it was not tuned on?

Reads labels, the labelled items and tonight's verdicts on them; writes one certificate a judge, what it rests on, and a
row a run of how far the anchors have moved since. Asks the judge, for the audits of a new certificate. A certificate
that exists is kept, so that a night cannot renew what a person should: it expires, or the judge changes.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from pydantic import Field

from assay.calibration import rubrics
from assay.calibration.assessment import assess
from assay.calibration.audits import drift
from assay.calibration.certificate import AnchorNight, Certificate, Figure, Seen
from assay.calibration.policy import PairwisePolicy, PassFailPolicy, held_to, policy_of, preset
from assay.calibration.ratings import Rated, join, only_natural, require_unseen
from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.judges import prompt
from assay.judges.prompt import JUDGES_FOLDER, JudgePrompt
from assay.project import failures, run_id
from assay.project.certificates import CALIBRATION, read_certificates, read_refusals, write_certificates
from assay.project.params import read_params
from assay.project.run_id import begun
from assay.project.tables.anchors import NIGHTS, SEEN
from assay.project.tables.labels import labelling
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import TAXONOMY
from assay.records.label import Labelling
from assay.records.optional import Guard
from assay.records.parts import PARTS
from assay.records.record import Record, digest
from assay.records.run import is_run_id
from assay.records.verdict import Verdict
from assay.stages.audit import audit
from assay.stages.declaration import Output, Stage
from assay.text import printable

SEED = 20140
"""Of the bootstrap of the human ceiling; fixed, so that equal labels and verdicts give an equal certificate."""
AUDITED = ("flips", "injected")
"""Figures that a judge has to be asked for."""


class Settings(Record):
    """The section `calibrate` of params.yaml."""

    valid_days: int = Field(default=30, ge=1, le=366)
    """How long a certificate holds."""
    audit_items: int = Field(default=96, ge=0)
    """Held-out items that are asked again, and attempts of the injection suite; 0 leaves the audits out."""
    epsilon: float = Field(default=0.1, ge=0, lt=1)
    """How much better people may be in the alternative annotator test, and the judge still stand in for one of them."""
    policy: dict[str, dict[str, Any]] = Field(default={})
    """By judge: demands that go before those of its judge.yaml."""


STAGE = Stage(
    name="calibrate",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, JUDGES_FOLDER, RESPONSES.path, "data/baseline", "data/labels", VERDICTS.path),
    writes=(Output(path=CALIBRATION, in_git=True, persist=True),),
    asks="the judge model, for audits",
)


class Evidence(NamedTuple):
    """Everything that the stage reads."""

    labelling: Labelling
    verdicts: list[Verdict]
    seen: list[Seen]
    """What the certificates that exist rest on."""
    nights: list[AnchorNight]
    accepted: str
    """The version whose answers were accepted; empty when there is none."""
    asked_by: Mapping[tuple[str, int], str]
    """By case and trial: the run that asked the product, empty where nobody said."""

    def said(self, judge: str) -> list[Verdict]:
        """Return what a judge said of its anchors tonight."""
        mine = {item.item_id for item in self.labelling.of(judge).items}
        return [
            verdict
            for verdict in self.verdicts
            if (verdict.subject, verdict.scorer) == ("anchor", judge) and verdict.item_id in mine
        ]


def policy(settings: Settings, judge: JudgePrompt) -> PassFailPolicy | PairwisePolicy:
    """Return what is demanded of a judge.

    Raises:
        ConfigError: A demand is none that is made of such a judge.
    """
    over = settings.policy.get(judge.name, {})
    where = (
        f"params.yaml: calibrate.policy.{judge.name}" if over else f"{JUDGES_FOLDER}/{judge.name}/judge.yaml: policy"
    )
    return policy_of(judge.declared, over, where)


def require_policies(settings: Settings) -> None:
    """Refuse demands that no judge of the project could be held against.

    Raises:
        ConfigError: The text names the judge and the demand.
    """
    strange = sorted(set(settings.policy) - set(prompt.names()))
    if strange:
        raise ConfigError(
            f"params.yaml: calibrate.policy.{printable(strange[0][:80])} is of no judge, expected one of the project's "
            f"({', '.join(prompt.names()) or 'none yet'}): correct the name, or make it with `assay judges new`"
        )
    for judge in prompt.load_all():
        policy(settings, judge)


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
    asked, about = prompt.load(judge), evidence.labelling.of(judge)
    labels = [label for label in about.labels if not frame or label.sampling_frame == frame]
    if frame and not labels:
        known = sorted({label.sampling_frame for label in about.labels})
        raise InsufficientDataError(
            f"no label was drawn from {frame!r}, expected one of {', '.join(known)}: choose one"
        )
    require_unseen(f"{asked.system} {asked.source}", evidence.labelling.items, evidence.labelling.labels)
    everything = join(judge, about.items, labels, evidence.said(judge))
    return only_natural(everything, about.items), everything


def require_labels(judge: str, frame: str = "") -> None:
    """Refuse a calibration without a held-out label for a judge's question, before the judge is asked anything.

    Raises:
        InsufficientDataError: There is none; the text says how to get some.
    """
    prompt.load(judge)
    heldout = [row for row in labelling().of(judge).labels if row.split == "heldout"]
    if not [row for row in heldout if not frame or row.sampling_frame == frame]:
        raise InsufficientDataError(
            f"no held-out item has a label for {judge}{f' drawn from {frame!r}' if frame else ''}, expected some: "
            f"`assay labels draw --judge {judge}` draws answers for people to label"
        )


def chosen(judges: Sequence[str]) -> Sequence[str]:
    """Return the judges that a person names, once all are known; for none all that have a held-out label.

    Raises:
        ConfigError: One is none of the project.
        InsufficientDataError: No judge has a held-out label.
    """
    for name in judges:
        prompt.load(name)
    if judges:
        return judges
    everything = labelling()
    found = [name for name in prompt.names() if any(row.split == "heldout" for row in everything.of(name).labels)]
    if not found:
        raise InsufficientDataError(
            f"no judge of {', '.join(prompt.names()) or 'the project'} has a held-out label, expected some: "
            "`assay labels draw` draws answers for people to label"
        )
    return found


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
    (found, everything), asked = rated, prompt.load(judge)
    about = evidence.labelling.of(judge)
    demanded, rng = policy(settings, asked), np.random.default_rng(SEED)
    worth = assess(found, everything, demanded, rng=rng, audits=audits, scale=asked.declared, epsilon=settings.epsilon)
    return Certificate(
        judge=judge,
        question=asked.declared.question,
        policy=preset(asked.declared, settings.policy.get(judge, {})),
        version=asked.version,
        note=rubrics.note(found.labels, asked.rubric_version),
        fingerprint=_one_fingerprint(judge, everything.judge),
        labels=digest([*about.items, *about.labels]),
        frame=frame,
        looks=looks + 1,
        split="heldout",
        items=len(found.items),
        unscored=len(everything.unscored),
        undecided=everything.undecided,
        annotators=sorted({label.annotator for label in found.labels}),
        **vars(worth),
        epsilon=settings.epsilon,
        run=begun(now).id,
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


def moved(
    judge: str, certificate: Certificate, seen: Sequence[Seen], evidence: Evidence, now: datetime
) -> AnchorNight | None:
    """Return how far tonight's verdicts lie from those that the certificate rests on, and how the product did.

    Only what the last run that asked the judge has asked counts, of the judge and of the product; None where an earlier
    row has counted it already.
    """
    verdicts = evidence.said(judge)
    asked_by = max((verdict.source_run for verdict in verdicts), default="")
    is_counted = any((row.judge, row.run) == (judge, asked_by) for row in evidence.nights)
    if asked_by and asked_by != begun(now).id and is_counted:
        return None
    before = {row.item_id: row.outcome for row in seen if row.judge == judge}
    asked = [verdict for verdict in verdicts if verdict.source_run == asked_by]
    anchors = [verdict for verdict in asked if verdict.status == "ok" and verdict.item_id in before]
    subject = "pair" if certificate.question == "pairwise" else "target"
    own = [
        row
        for row in evidence.verdicts
        if (row.subject, row.scorer, row.status) == (subject, judge, "ok")
        and evidence.asked_by.get((row.item_id, row.trial), "") in ("", asked_by)
    ]
    return AnchorNight(
        judge=judge,
        night=f"{run_id.began(asked_by) if is_run_id(asked_by) else now:%Y-%m-%d}",
        run=asked_by,
        issued=certificate.issued,
        fingerprint=certificate.fingerprint,
        baseline=evidence.accepted,
        anchors=len(anchors),
        flips=sum(verdict.outcome != before[verdict.item_id] for verdict in anchors),
        judged=len(own),
        passed=sum(verdict.outcome not in ("fail", "b") for verdict in own),
    )


def gather() -> Evidence:
    """Read everything that the stage needs."""
    accepted = {row.target for row in BASELINE.stream(may_be_absent=True)}
    return Evidence(
        labelling(),
        VERDICTS.read(),
        SEEN.read(may_be_absent=True),
        NIGHTS.read(may_be_absent=True),
        "+".join(sorted(accepted)),
        {(row.case_id, row.trial): row.source_run for row in RESPONSES.stream(may_be_absent=True)},
    )


def file(
    evidence: Evidence,
    certificates: Mapping[str, Certificate],
    refused: Mapping[str, str],
    fresh: Mapping[str, list[Seen]],
    now: datetime,
    guard: Guard,
) -> None:
    """Write the certificates, what they rest on, and this run's row of each; rows of other runs stay as they are."""
    seen = [row for row in evidence.seen if row.judge in certificates and row.judge not in fresh]
    seen += [row for rows in fresh.values() for row in rows]
    rows = {
        judge: guard.optional(PARTS["anchors"], partial(moved, judge, held, seen, evidence, now), None)
        for judge, held in certificates.items()
    }
    tonight = [row for row in rows.values() if row]
    written = {(row.judge, row.night, row.run) for row in tonight}
    nights = [row for row in evidence.nights if (row.judge, row.night, row.run) not in written]
    SEEN.write(seen)
    NIGHTS.write([*nights, *tonight])
    write_certificates(certificates, refused)


def run(now: datetime, judges: Sequence[str] = (), *, renew: bool = False, frame: str = "") -> list[Certificate]:
    """Issue the certificates that are missing, or anew where a person asks for it; return those of `judges`.

    A night goes on without a certificate and says why there is none; a person who asked is told so at once.

    Args:
        now: The moment.
        judges: Their names; none for all of the project.
        renew: Issue a new certificate in place of one that exists.
        frame: As for `rate`.
    """
    judges = judges or prompt.names()
    settings, evidence, kept = read_params("calibrate", Settings), gather(), read_certificates()
    refused = {judge: why for judge, why in read_refusals().items() if judge not in judges}
    fresh: dict[str, list[Seen]] = {}
    guard = Guard()
    for judge in judges:
        if renew or judge not in kept:
            try:
                kept[judge], fresh[judge] = issue(judge, settings, evidence, kept.get(judge), now, frame, guard)
            except InsufficientDataError as refusal:
                if renew:
                    raise
                refused[judge] = str(refusal)
        elif judge in prompt.names():
            of_today = prompt.load(judge)
            named = preset(of_today.declared, settings.policy.get(judge, {}))
            kept[judge] = held_to(policy(settings, of_today), kept[judge], named)
    file(evidence, kept, refused, fresh, now, guard)
    failures.keep(STAGE.name, guard)
    return [kept[judge] for judge in judges if judge in kept]


def try_out(now: datetime, judge: str, demands: Mapping[str, float], frame: str = "") -> Certificate:
    """Return the certificate that a judge would have under other demands; nothing is filed, nobody is asked."""
    settings, evidence = read_params("calibrate", Settings), gather()
    changed = other(settings, judge, demands)
    held = read_certificates().get(judge)
    audits = [figure for figure in held.figures if figure.name in AUDITED] if held else []
    return certify(judge, changed, evidence, rate(judge, evidence, frame), now, frame=frame, audits=audits)


def other(settings: Settings, judge: str, demands: Mapping[str, float]) -> Settings:
    """Return the settings with other demands on one judge."""
    over = {**settings.policy.get(judge, {}), **demands}
    return settings.model_copy(update={"policy": {**settings.policy, judge: over}})


def issue(
    judge: str,
    settings: Settings,
    evidence: Evidence,
    before: Certificate | None,
    now: datetime,
    frame: str,
    guard: Guard,
) -> tuple[Certificate, list[Seen]]:
    """Return a judge's new certificate and what it rests on; the judge is asked for its audits."""
    rated = rate(judge, evidence, frame)
    mine = Guard()
    audits = audit(prompt.load(judge), rated[0], settings.audit_items, now, mine)
    seen = [row for row in evidence.seen if row.judge == judge]
    audits += mine.optional(PARTS["drift"], lambda: drift(rated[0], seen, audits), [])
    guard.take(mine, f"of {judge}")
    looks = before.looks if before else 0
    found = certify(judge, settings, evidence, rated, now, frame=frame, audits=audits, looks=looks)
    return found, saw(judge, rated[1], evidence.said(judge))
