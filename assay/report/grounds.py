"""What the gate takes from judges' word on a new version, and until where that holds."""

from typing import Literal

from pydantic import Field

from assay.records.record import Record
from assay.report.findings import Rate

Kind = Literal["assumed", "tested", "labelled"]


class Grounds(Record):
    """What the gate takes from the judges' word."""

    kind: Kind
    worse: list[str]
    """Where the target is worse, as far as this may say so."""
    change: Rate | None
    """Of the pass rate, as people would have it; None where this cannot tell, and `wanting` says why."""
    laxer: float = 0
    """How much lower a judge's TNR may be on the new version before a drop is no longer excluded."""
    places: dict[str, float] = Field(default={})
    """Of each place that is worse, how much lower its TPR may be there before that may be the judge alone."""
    sentence: str
    """What it rests on, and until where it holds."""
    labels: int = 0
    """Cases labelled in both versions that `change` rests on; 0 where it rests on the judges' word."""
    wanting: str = ""
    """Why the target may not pass on this, whatever the change; empty where it may."""
    suspected: list[str] = Field(default=[])
    """Where the judges alone say that it is worse, and this does not take it from them."""

    @property
    def stricter(self) -> float:
        """Return how much lower a judge's TPR may be before all that is worse may be the judge alone."""
        return max(self.places.values(), default=0.0)
