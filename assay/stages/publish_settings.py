"""The section `publish` of params.yaml."""

from typing import Any

from pydantic import Field, model_validator

from assay.evalset.health import Rules
from assay.records.record import Record
from assay.report.grounds import Kind


class Settings(Record):
    """The section `publish` of params.yaml."""

    max_error_share: float = Field(default=0.02, ge=0, le=1)
    """Beyond it the run is incomplete."""
    max_drop: float = Field(default=0.05, gt=0, le=1)
    """A drop of the pass rate that is tolerated without proof of absence."""
    false_months: float = Field(default=0.05, gt=0, lt=1)
    """Chance that a month of nights calls a version worse that is like the baseline: half of it for the rate over all
    cases, half for the categories together. A single comparison does so less often still."""
    judge_transfer: Kind = "assumed"
    """Why a judge is believed on a new version: it is `assumed` to err there as on the labelled answers, `tested` by
    labels on both versions' answers, or the change itself is `labelled`."""
    draws: int = Field(default=20_000, ge=1000)
    seed: int = 1
    health: Rules = Rules()
    """When `assay health` proposes to retire a case."""
    keep: int = Field(default=90, ge=0)
    """Runs whose files are kept; of an older one only its record in Git, and all of the accepted baseline's run."""

    @model_validator(mode="before")
    @classmethod
    def _gone(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        """Say of a parameter of before what has taken its place."""
        if isinstance(given, dict) and "slice_fdr" in given:
            raise ValueError("slice_fdr is gone, false_months is for categories and the whole: take the line out")
        return given
