"""The history: the outcome of each case in one run."""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Protocol, TypeVar

from pydantic import Field

from assay.records.record import Name, Record

KEPT = 90
"""Dates of history, each with all its runs."""


class Dated(Protocol):
    """A row of one run of one date."""

    @property
    def night(self) -> str:
        """Return the date of the run."""

    @property
    def run(self) -> str:
        """Return the id of the run, which sorts by time."""


Row = TypeVar("Row", bound=Dated)


def place(row: Dated) -> tuple[str, str]:
    """Return where a row stands among those of other runs: by date, and of one date by run."""
    return row.night, row.run


class CaseNight(Record):
    """What came of each case in one run: enough to see, many nights later, which cases still tell anything."""

    omitted_where_empty: ClassVar = ("run", "accepted", "asked", "kept", "passed", "of", "worse")
    night: str
    """The date of the run."""
    run: str = ""
    """Id of the run; empty in a row of before runs had ids. A date with several runs has a row for each."""
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
    accepted: str = ""
    """Id of the run whose answers are the baseline; empty where there is none, and in rows of before this was kept."""
    asked: int = Field(default=0, ge=0)
    """Answers that the run asked for itself."""
    kept: int = Field(default=0, ge=0)
    """Answers that it kept of an earlier run, so that they say nothing new."""
    passed: int = Field(default=0, ge=0)
    """Trials that pass, of the cases that have an outcome."""
    of: int = Field(default=0, ge=0)
    """Their trials."""
    worse: list[str] = Field(default=[])
    """Where the target was worse than the baseline: categories, or `overall`."""

    @property
    def is_fresh(self) -> bool:
        """Tell whether all answers were asked by this run."""
        return self.asked > 0 and not self.kept


def unfolded(history: Sequence[CaseNight]) -> list[CaseNight]:
    """Return the history with all revisions in every row."""
    nights: list[CaseNight] = []
    for row in history:
        revisions = row.revisions or (nights[-1].revisions if nights else {})
        nights.append(row.model_copy(update={"revisions": revisions}))
    return nights


def folded(history: Iterable[CaseNight]) -> list[CaseNight]:
    """Return an unfolded history as it is filed: in order, the last 90 dates, revisions only where a set is new."""
    rows = sorted(history, key=place)
    dates = sorted({row.night for row in rows})[-KEPT:]
    before = ""
    nights: list[CaseNight] = []
    for row in rows:
        if row.night in dates:
            is_known = row.evaluation_set == before
            nights.append(row.model_copy(update={"revisions": {}}) if is_known else row)
            before = row.evaluation_set
    return nights


def last_runs(rows: Iterable[Row]) -> list[Row]:
    """Return the last run of each date, by date: whoever counts nights counts a date once, however often it was run."""
    return list({row.night: row for row in sorted(rows, key=place)}.values())
