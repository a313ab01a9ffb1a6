"""What the report says, complete and without a pixel: the page is drawn from this record alone."""

from datetime import datetime

from pydantic import Field

from assay.calibration.certificate import Certificate, Standing
from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.records.record import Record
from assay.records.signal import Signal
from assay.report.cases import ReportedCase
from assay.report.category_rates import CategoryRates
from assay.report.costs import Answers, Spending
from assay.report.findings import Accounting, Comparison, Preference, Rate
from assay.report.gate import Gate
from assay.report.judged import Change, Controlled
from assay.report.trials import Steadiness
from assay.report.watch import Watch


class Corrected(Record):
    """The judged pass rate as people would have it."""

    raw: Rate
    rate: Rate | None
    """None where the labels cannot carry it; `note` says why."""
    labels: int
    """Human labels behind the correction."""
    frame: str
    """What those labels were drawn from."""
    note: str


class Judge(Record):
    """One judge with its certificate and what that is worth today."""

    name: str
    standing: Standing
    certificate: Certificate | None
    note: str
    watch: Watch | None = None
    """What the nights since the certificate say; None before the first."""
    watch_note: str = ""
    """Why there is no watch where it failed."""


class Provenance(Record):
    """What exactly was run, so that it can be run again."""

    target: str
    baseline: str
    evaluation_set: str
    """Content hash of the evaluation set."""
    released: str
    """The release that has this content, such as `evalset@v1.0.0`; empty when it was never released."""
    cases: int
    without_baseline: int
    """Cases that have no accepted answer to what they ask today."""
    epoch: str
    """The date of the run."""
    anchors: int
    parameters: str
    """Hash of params.yaml."""
    overrides: str = ""
    """What differed from params.yaml in this run, as it is said on the command line."""
    assay: str
    """Version of Assay."""


class Report(Record):
    """One night, ready to be drawn."""

    produced: datetime
    gate: Gate
    provenance: Provenance
    target: Accounting
    baseline: Accounting | None
    """None where there is no baseline yet."""
    everything: Comparison | None
    """None when no case has an outcome in both versions."""
    checks: Comparison | None
    rates: list[CategoryRates]
    """Tonight's pass rates by category, by all scorers and by checks alone; empty where no case has an outcome."""
    corrected: Corrected | None
    change: Change | None
    """None where the judge has no case with a verdict on both versions."""
    preference: Preference | None
    controlled: Controlled | None
    """The preference at equal lengths; None where no pair was judged."""
    steadiness: Steadiness | None
    """None where each case has one trial."""
    judges: list[Judge]
    signals: list[Signal]
    spent: list[Spending]
    """By stage; empty where no ledger was kept."""
    answers: Answers | None
    """None where nothing was answered."""
    newly_failing: list[ReportedCase]
    """Categories that got worse first, then the most severe; so are the lists below."""
    failing: list[ReportedCase]
    """Cases that fail and have no outcome with the baseline; all that fail where there is none yet."""
    standing: list[ReportedCase]
    """Cases that fail with both versions."""
    unscored: list[ReportedCase]
    fixed: list[ReportedCase]
    failures: list[Failure] = Field(default=[])
    """Parts that could not be computed, or not wholly; what stands in their place."""

    def lost(self, part: str) -> str:
        """Return as a sentence why a part, one of `PARTS`, is missing or not whole; empty where it is whole."""
        notes = [str(failure) for failure in self.failures if failure.part == PARTS[part]]
        return f"{notes[0][0].upper()}{notes[0][1:]}" if notes else ""
