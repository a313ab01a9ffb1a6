"""The history: the outcome of each case in one night."""

from collections.abc import Sequence

from pydantic import Field

from assay.records.record import Name, Record

KEPT = 90
"""Nights of history."""


class CaseNight(Record):
    """What came of each case in one night: enough to see, many nights later, which cases still tell anything."""

    night: str
    """The date of the run."""
    target: str
    """Fingerprint of the target."""
    judge: str
    """Fingerprint of the judge of single answers; empty where checks alone could be believed."""
    evaluation_set: str
    """Hash of the set's revisions."""
    cases: int = Field(ge=0)
    failed: list[Name]
    unscored: list[Name]
    """Cases without an outcome."""
    differing: list[Name]
    """Cases in which target and baseline have different outcomes."""
    revisions: dict[Name, str]
    """The set, case by case; empty where it is that of the row before."""
    shown_failed: list[Name] | None = None
    """Cases that failed by all scorers, as the report lists them; None where `failed` is that."""
    shown_unscored: list[Name] | None = None
    """Cases without an outcome by all scorers; None where `unscored` is that."""


def unfolded(history: Sequence[CaseNight]) -> list[CaseNight]:
    """Return the history with all revisions in every row."""
    nights: list[CaseNight] = []
    for row in history:
        revisions = row.revisions or (nights[-1].revisions if nights else {})
        nights.append(row.model_copy(update={"revisions": revisions}))
    return nights
