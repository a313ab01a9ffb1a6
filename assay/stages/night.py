"""The inputs of `publish`: everything that the stage reads of one night, and which parts of its report failed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from assay.calibration.certificate import AnchorNight, Certificate
from assay.evalset.families import families
from assay.judges import prompt, questions
from assay.judges.prompt import JudgePrompt
from assay.project import failures, files
from assay.project.certificates import read_certificates, read_refusals
from assay.project.distribution import tool_version
from assay.project.journal import has_journal, open_journal
from assay.project.params import overrides
from assay.project.release_notes import released
from assay.project.run_id import began
from assay.project.tables.anchors import NIGHTS
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.tables.labels import labelling
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import read_taxonomy
from assay.records.case import Case
from assay.records.category import Category
from assay.records.history import CaseNight, unfolded
from assay.records.label import Labelling
from assay.records.ledger import Spent
from assay.records.optional import Failure, Guard
from assay.records.parts import PARTS
from assay.records.record import digest
from assay.records.response import Response
from assay.records.run import is_run_id
from assay.records.signal import Signal
from assay.records.verdict import Subject, Verdict
from assay.report import content, findings
from assay.report.cases import Filed, of_accepted

Value = TypeVar("Value")
Default = TypeVar("Default")


@dataclass(frozen=True, kw_only=True)
class Night:
    """Everything that the stage reads."""

    cases: list[Case]
    taxonomy: list[Category]
    responses: list[Response]
    baseline: list[Response]
    verdicts: list[Verdict]
    judges: list[JudgePrompt]
    labelling: Labelling
    signals: list[Signal]
    certificates: dict[str, Certificate]
    refusals: dict[str, str]
    anchors: list[AnchorNight]
    history: list[CaseNight] | None
    """None where it cannot be read."""
    ledger: list[Spent]
    """Of the run that asked for the responses; empty where no journal was kept."""
    provenance: content.Provenance
    elsewhere: list[Failure]
    """What failed in the stages before."""
    guard: Guard = field(default_factory=Guard)
    """Knows which parts of the report failed."""

    @property
    def run(self) -> str:
        """Return the id of the run that filed the responses; empty where they are of before runs had ids."""
        return "+".join(sorted({response.run for response in self.responses} - {""}))

    @property
    def failures(self) -> list[Failure]:
        """Return all that has failed so far."""
        return [*self.elsewhere, *self.guard.failures]

    def part(self, name: str, compute: Callable[[], Value], otherwise: Default) -> Value | Default:
        """Return one of `PARTS`; `otherwise` where it fails, which the guard then knows."""
        return self.guard.optional(PARTS[name], compute, otherwise)

    def unasked(self, judge: JudgePrompt) -> int:
        """Return of how many cases a judge was not asked although it applies: something that it requires is missing."""
        answered = {row.case_id: row for row in reversed(self.responses) if row.status == "ok"}
        return questions.unasked(judge, self.cases, answered)

    @cached_property
    def excepted(self) -> dict[str, list[str]]:
        """Return by judge the categories in which people and it surely disagree too often."""
        return {name: held.excepted for name, held in self.certificates.items()}

    @cached_property
    def families(self) -> dict[str, str]:
        """Return by case what it and its like were made from."""
        return families(self.cases)

    @cached_property
    def outcomes(self) -> dict[tuple[Subject, bool], findings.Outcomes]:
        """Return each version's outcome on every case, by all scorers, and (True) by checks alone."""
        responses: dict[Subject, list[Response]] = {"target": self.responses, "baseline": self.baseline}
        return {
            (version, checks_only): findings.outcomes(
                version,
                self.cases,
                rows,
                self.verdicts,
                self.judges,
                checks_only=checks_only,
                excepted=self.excepted,
            )
            for version, rows in responses.items()
            for checks_only in (False, True)
        }

    @cached_property
    def filed(self) -> Filed:
        """Return what the night filed of its cases."""
        return Filed(
            night=self.provenance.epoch,
            cases=self.cases,
            severities={category.category: category.severity for category in self.taxonomy},
            responses={"target": self.responses, "baseline": self.baseline},
            verdicts=self.verdicts,
            target=self.outcomes["target", False],
            baseline=self.outcomes["baseline", False],
            charted=frozenset(judge.name for judge in self.judges if not judge.declared.blocks),
            history=None if self.history is None else unfolded(self.history),
        )


def gather() -> Night:
    """Read everything that the stage needs."""
    none = list[Signal]()
    guard, elsewhere = Guard(), failures.read(("calibrate", "monitor"))
    # What monitoring left of an older day is no signal of tonight.
    is_monitored = PARTS["signals"] not in {failure.part for failure in elsewhere}
    cases = CASES.read()
    responses = answers(RESPONSES.read(), cases)
    accepted = answers(BASELINE.read(may_be_absent=True), cases)
    revisions = {case.case_id: case.revision() for case in cases}
    about = labelling()
    provenance = content.Provenance(
        target="+".join(sorted({response.target for response in responses})),
        baseline="+".join(sorted({response.target for response in accepted})),
        evaluation_set=digest(revisions),
        released=released(digest(revisions)),
        cases=len(cases),
        without_baseline=len(revisions.keys() - {response.case_id for response in accepted}),
        epoch=date_of(responses),
        anchors=len(about.items),
        parameters=digest((files.root() / "params.yaml").read_text(encoding="utf8")),
        assay=tool_version(),
        overrides=overrides().said(),
    )
    return Night(
        cases=cases,
        taxonomy=read_taxonomy(),
        responses=responses,
        baseline=accepted,
        verdicts=of_accepted(scores(VERDICTS.read(), responses, cases), responses, accepted),
        judges=prompt.load_all(),
        labelling=about,
        signals=guard.optional(PARTS["signals"], SIGNALS.read, none) if is_monitored else none,
        certificates=read_certificates(),
        refusals=read_refusals(),
        anchors=NIGHTS.read(may_be_absent=True),
        history=guard.optional(PARTS["history"], lambda: HISTORY.read(may_be_absent=True), None),
        ledger=guard.optional(
            PARTS["spent"], lambda: ledger({response.run or response.epoch for response in responses}), list[Spent]()
        ),
        provenance=provenance,
        elsewhere=elsewhere,
        guard=guard,
    )


def answers(responses: Iterable[Response], cases: Iterable[Case]) -> list[Response]:
    """Return the responses to what the cases ask today, whatever was expected of them when they were given."""
    by_id = {case.case_id: case for case in cases}
    return [row for row in responses if row.case_id in by_id and row.answers(by_id[row.case_id])]


def scores(verdicts: Iterable[Verdict], responses: Iterable[Response], cases: Iterable[Case]) -> list[Verdict]:
    """Return the verdicts by the cases as they are today, and those on labelled items.

    The table is made with a run's responses, for the set as it was then. What it says of a case that somebody has
    corrected since, or of another run's responses, stands for nothing until a run scores them.

    Args:
        verdicts: As filed, of both versions.
        responses: Of the target.
        cases: The set.
    """
    revisions = {case.case_id: case.revision() for case in cases}
    scored = {row.case_id: row.run for row in responses if row.revision == revisions.get(row.case_id)}
    return [row for row in verdicts if row.subject == "anchor" or scored.get(row.item_id) == row.run]


def date_of(responses: Iterable[Response]) -> str:
    """Return the date of the run that filed responses, whenever each of them was asked for."""
    filed_by = {response.run: response.epoch for response in responses}
    dates = {f"{began(run):%Y-%m-%d}" if is_run_id(run) else epoch for run, epoch in filed_by.items()}
    return "+".join(sorted(dates))


def ledger(runs: Iterable[str]) -> list[Spent]:
    """Return what the stages of these runs used; nothing where no journal was kept, as in a clone of the project."""
    if not has_journal():
        return []
    with open_journal() as journal:
        return [spent for run in sorted(runs) for spent in journal.ledger(run)]
