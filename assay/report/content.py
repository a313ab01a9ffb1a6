"""What the report says, complete and without a pixel: the page is drawn from this record alone."""

from collections.abc import Iterable
from datetime import datetime

from pydantic import Field

from assay.calibration.certificate import Certificate, Standing
from assay.judges.declaration import Question
from assay.records.history import CaseNight
from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.records.record import Record
from assay.records.signal import Signal
from assay.report.cases import ReportedCase
from assay.report.category_rates import CategoryRates
from assay.report.comparison import Comparison
from assay.report.correction import Corrected
from assay.report.costs import Answers, Spending
from assay.report.findings import Accounting, Preference
from assay.report.gate import Gate
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.judged import Change, Controlled
from assay.report.trend import Point
from assay.report.trials import Steadiness
from assay.report.watch import Watch


class Judge(Record):
    """One judge: what it says of tonight, its certificate, and what that is worth today."""

    name: str
    question: Question = "pass-fail"
    version: str = ""
    """Of its folder, such as `tone@3f2a`."""
    description: str = ""
    blocks: bool = True
    """False: it is charted, and decides nothing."""
    spoke: bool = True
    """It was asked about an answer or a pair of tonight, so that something rests on it."""
    unasked: int = 0
    """Cases that it applies to and was not asked about, since something that it requires is missing."""
    said: dict[str, int] = Field(default={})
    """Of a judge with a scale of its own: how often it gave each label or score tonight."""
    corrected: Corrected | None = None
    change: Change | None = None
    """None where it has no case with a verdict on both versions."""
    pairs: Preference | None = None
    controlled: Controlled | None = None
    """The preference at equal lengths; None where no pair was judged."""
    standing: Standing
    certificate: Certificate | None
    note: str
    watch: Watch | None = None
    """What the nights since the certificate say; None before the first."""
    watch_note: str = ""
    """Why there is no watch where it failed."""


def behind(judges: Iterable[Judge]) -> list[Judge]:
    """Return the judges that cases rest on tonight: of single answers, that block, and that were asked."""
    return [judge for judge in judges if judge.blocks and judge.spoke and judge.question != "pairwise"]


def trust(judges: Iterable[Judge]) -> Standing:
    """Return what the least trusted of the judges is worth that cases rest on; `none` where there is no such judge."""
    found = [judge.standing for judge in behind(judges)]
    return next((one for one in found if one != "valid"), "valid") if found else "none"


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
    grounds: Grounds | None = None
    """What the gate takes from the judges' word; None where it takes none."""
    provenance: Provenance
    target: Accounting
    baseline: Accounting | None
    """None where there is no baseline yet."""
    everything: Comparison | None
    """None when no case has an outcome in both versions."""
    checks: Comparison | None
    rates: list[CategoryRates]
    """Tonight's pass rates by category, by all scorers and by checks alone; empty where no case has an outcome."""
    trend: list[Point] = Field(default=[])
    """The nights until tonight, tonight included; empty where the history could not be read."""
    steadiness: Steadiness | None
    """None where each case has one trial."""
    judges: list[Judge]
    joint: Joint | None = None
    """None where no case rests on several judges."""
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
    row: CaseNight | None = None
    """What the history keeps of the night; None where that could not be computed."""

    @property
    def trust(self) -> Standing:
        """Return what the outcomes by all scorers are worth: as much as the least trusted judge behind them.

        Where the judges are known and none of them is behind an outcome, checks alone are, which need no certificate.
        """
        return "valid" if self.judges and not behind(self.judges) else trust(self.judges)

    def lost(self, part: str) -> str:
        """Return as a sentence why a part, one of `PARTS`, is missing or not whole; empty where it is whole."""
        notes = [str(failure) for failure in self.failures if failure.part == PARTS[part]]
        return f"{notes[0][0].upper()}{notes[0][1:]}" if notes else ""
