"""Calibrate: does the judge agree with people on answers that it was not tuned on?

Reads labels, the labelled items and tonight's verdicts on them, writes one certificate a judge. Asks no model. A
certificate that exists is kept, so that a night cannot renew what a person should: it expires, or the judge changes.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from prefect import task
from pydantic import Field

from assay import calibration
from assay.certificate import JUDGES, Certificate
from assay.errors import DataError, InsufficientDataError
from assay.judges import prompt
from assay.records import Item, Label, Record, Verdict, digest
from tasks import door, store

SEED = 20140
"""Of the bootstrap of the human ceiling; fixed, so that equal labels and verdicts give an equal certificate."""


class Policies(Record):
    """What each judge must reach."""

    correctness: calibration.PassFailPolicy
    preference: calibration.PairwisePolicy


class Settings(Record):
    """The section `calibrate` of params.yaml."""

    valid_days: int = Field(ge=1, le=366)
    policy: Policies


def certify(
    judge: str,
    settings: Settings,
    items: Sequence[Item],
    labels: Sequence[Label],
    verdicts: Sequence[Verdict],
    now: datetime,
) -> Certificate:
    """Return the certificate of one judge, met or not.

    Raises:
        InsufficientDataError: The labels cannot carry a certificate at all; the text says what to add.
        DataError: The verdicts come from more than one judge, or an item is in both splits.
    """
    question = prompt.load(judge).question
    pairwise = question == "pairwise"
    said = [verdict for verdict in verdicts if verdict.subject == "anchor" and verdict.scorer == judge]
    everything = calibration.rated(question, items, labels, said)
    found, rng = calibration.only_natural(everything, items), np.random.default_rng(SEED)
    rivals = calibration.trivial(found)
    if pairwise:
        figures = calibration.pairwise_figures(found, rng)
        floors = calibration.pairwise_floors(settings.policy.preference, found, figures, rivals)
    else:
        figures = calibration.pass_fail_figures(found, rng)
        floors = calibration.pass_fail_floors(settings.policy.correctness, found, figures, rivals)
    return Certificate(
        judge=judge,
        question=question,
        fingerprint=_one_fingerprint(judge, everything.judge),
        labels=digest([row.model_dump() for row in (*items, *labels)]),
        split="heldout",
        items=len(found.items),
        unscored=len(everything.unscored),
        undecided=everything.undecided,
        annotators=sorted({label.annotator for label in found.labels}),
        figures=figures,
        confusion=calibration.confusion(found, calibration.PAIRWISE if pairwise else calibration.PASS_FAIL),
        slices=calibration.slices(everything),
        trivial=rivals,
        floors=floors,
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


@task
def calibrate(now: datetime, judges: Sequence[str] = JUDGES, *, renew: bool = False) -> list[Certificate]:
    """Issue the certificates that are missing, or anew where a person asks for it; return those of `judges`.

    A night goes on without a certificate and says why there is none; a person who asked is told so at once.
    """
    settings = store.params("calibrate", Settings)
    (items, labels), verdicts = store.labelled(), store.read("verdicts", Verdict)
    kept = store.certificates()
    refused = {judge: why for judge, why in store.refusals().items() if judge not in judges}
    for judge in judges:
        if renew or judge not in kept:
            try:
                kept[judge] = certify(judge, settings, items, labels, verdicts, now)
            except InsufficientDataError as refusal:
                if renew:
                    raise
                refused[judge] = str(refusal)
    store.write_certificates(kept, refused)
    return [kept[judge] for judge in judges if judge in kept]


if __name__ == "__main__":
    door.run(lambda: calibrate.fn(datetime.now(UTC)))
