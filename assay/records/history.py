"""The history: the outcome of each case in one night."""

from pydantic import Field

from assay.records.record import Name, Record


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
