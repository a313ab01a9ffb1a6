"""Publish: is tonight's product worse than what was accepted, and how sure is that?

Reads the evaluation set, responses, baseline, verdicts, labels, certificates and signals, and what the journal's ledger
says of the calls; writes one report, the gate's word, the metrics and tonight's row of the history. Asks nobody.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple, get_args

import numpy as np
from pydantic import Field

from assay.calibration import certificate
from assay.calibration.certificate import JUDGES, AnchorNight, Certificate
from assay.errors import InsufficientDataError
from assay.evalset import health
from assay.evalset.health import Rules
from assay.judges.prompt import JUDGES_FOLDER
from assay.models.journal import Journal
from assay.project import files
from assay.project.certificates import CALIBRATION, read_certificates, read_refusals
from assay.project.distribution import tool_version
from assay.project.params import overrides, read_params
from assay.project.release_notes import RELEASES, released
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.tables.anchors import NIGHTS
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.tables.labels import labelled
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import TAXONOMY, read_taxonomy
from assay.records.case import Case
from assay.records.category import Category
from assay.records.history import CaseNight, unfolded
from assay.records.label import Item, Label
from assay.records.ledger import Spent
from assay.records.record import Record, digest
from assay.records.response import Response
from assay.records.signal import Signal
from assay.records.verdict import IDENTICAL, Subject, Verdict
from assay.report import cases, content, correction, costs, findings, gate, judged, metrics, wording
from assay.report.cases import Filed, ReportedCase, of_accepted
from assay.report.category_rates import both_rates
from assay.report.page import render
from assay.report.trials import steadiness
from assay.report.watch import watched
from assay.stages.declaration import Output, Stage

LOST = ("wire", "judge")
TOLD_APART = {("fail", "pass"), ("pass", "fail")}
"""Outcomes with the target and with the baseline."""
PLOT = {"x": "change", "y": "category", "title": "Change of the pass rate by category"}


class Settings(Record):
    """The section `publish` of params.yaml."""

    max_error_share: float = Field(default=0.02, ge=0, le=1)
    """Beyond it the run is incomplete."""
    max_drop: float = Field(default=0.05, gt=0, le=1)
    """A drop of the pass rate that is tolerated without proof of absence."""
    slice_fdr: float = Field(default=0.1, gt=0, lt=1)
    """False discovery rate over the categories."""
    draws: int = Field(default=20_000, ge=1000)
    seed: int = 1
    health: Rules = Rules()
    """When `assay health` proposes to retire a case."""


STAGE = Stage(
    name="publish",
    doc=__doc__ or "",
    settings=Settings,
    reads=(
        *(TAXONOMY, JUDGES_FOLDER, CASES.path, RESPONSES.path, "data/baseline", VERDICTS.path),
        *("data/labels", CALIBRATION, SIGNALS.path, RELEASES),
    ),
    writes=(
        Output(path=REPORT),
        Output(path=GATE, in_git=True),
        Output(path=HISTORY.path, in_git=True, persist=True),
        Output(path=METRICS, in_git=True, kind="metrics"),
        Output(path=SLICES, in_git=True, kind="plots", plot=PLOT),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Night:
    """Everything that the stage reads."""

    cases: list[Case]
    taxonomy: list[Category]
    responses: list[Response]
    baseline: list[Response]
    verdicts: list[Verdict]
    items: list[Item]
    labels: list[Label]
    signals: list[Signal]
    certificates: dict[str, Certificate]
    refusals: dict[str, str]
    anchors: list[AnchorNight]
    history: list[CaseNight]
    ledger: list[Spent]
    """Of the run that asked for the responses; empty where no journal was kept."""
    provenance: content.Provenance

    @cached_property
    def outcomes(self) -> dict[tuple[Subject, bool], findings.Outcomes]:
        """Return each version's outcome on every case, by all scorers, and (True) by checks alone."""
        responses: dict[Subject, list[Response]] = {"target": self.responses, "baseline": self.baseline}
        return {
            (version, checks_only): findings.outcomes(version, self.cases, rows, self.verdicts, checks_only=checks_only)
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
            history=unfolded(self.history),
        )


class Summary(NamedTuple):
    """Two small tables for a control room."""

    newly_failing: list[dict[str, str]]
    """With the failing cases that have nothing to be compared with: before the first baseline, all of them."""
    coverage: list[dict[str, str]]
    """Where the planned cases went, then what each stage used; every row has the same columns."""


def judges(night: Night, now: datetime) -> list[content.Judge]:
    """Return each judge that was asked tonight, with what its certificate is worth.

    One certificate holds for one fingerprint, so every verdict that a judge gave tonight must bear it: verdicts of two
    judges under one name are those of a changed judge. A call that failed says nothing of who would have answered. A
    judge that has begun to say something else of the anchors is a changed judge too, whatever its fingerprint.
    """
    found = []
    for name in JUDGES:
        rows = [verdict for verdict in night.verdicts if verdict.scorer == name]
        said = {row.fingerprint for row in rows if row.status != "error" and row.fingerprint != IDENTICAL}
        held = night.certificates.get(name)
        silent = held.fingerprint if held else ""
        worth = certificate.standing(held, "+".join(sorted(said)) or silent, now)
        watch = watched(night.anchors, name, judges=len(JUDGES)) if held else None
        if watch and watch.state == "judge" and worth == "valid":
            worth = "judge-changed"
        if rows:
            note = night.refusals.get(name, "")
            found.append(content.Judge(name=name, standing=worth, certificate=held, note=note, watch=watch))
    return found


def comparison(night: Night, settings: Settings, *, checks_only: bool) -> findings.Comparison | None:
    """Compare target and baseline; None when no case has an outcome in both."""
    categories = {case.case_id: case.category for case in night.cases}
    scorers = "checks" if checks_only else "all"
    mine, theirs = night.outcomes["target", checks_only], night.outcomes["baseline", checks_only]
    try:
        return findings.compare(scorers, categories, mine, theirs, fdr=settings.slice_fdr)  # type: ignore[arg-type]
    except InsufficientDataError:
        return None


def decide(
    night: Night,
    settings: Settings,
    trusted: Sequence[content.Judge],
    everything: findings.Comparison | None,
    checks: findings.Comparison | None,
    reported: Sequence[ReportedCase],
) -> gate.Gate:
    """Return the gate's word; a judge of single answers that may not be believed leaves the decision to the checks."""
    standings = [judge.standing for judge in trusted]
    is_believed = (findings.JUDGE, "valid") in {(judge.name, judge.standing) for judge in trusted}
    basis = everything if is_believed else checks
    mine, theirs = night.outcomes["target", False].by_case, night.outcomes["baseline", False].by_case
    target = findings.account(night.outcomes["target", False])
    lost = [case_id for case_id in mine if mine[case_id] in LOST or theirs[case_id] == "judge"]
    found = gate.Evidence(
        error_share=len(lost) / target.planned,
        unscorable_share=target.unscorable / target.planned,
        max_error_share=settings.max_error_share,
        worse=basis.worse if basis else [],
        low=basis.change.low if basis else None,
        max_drop=settings.max_drop,
        standings=standings,
        is_set_compared=night.provenance.without_baseline == 0,
        has_baseline=bool(night.baseline),
    )
    word, reason, then = gate.decide(found)
    failing = wording.failures(reported, has_baseline=bool(night.baseline), is_judge_believed=is_believed)
    sentence = wording.sentence(word, reason, target, basis, failing)
    return gate.Gate(word=word, reason=reason, next=then, sentence=sentence)


def reported(night: Night, settings: Settings) -> list[ReportedCase]:
    """Return every case of the night, those of categories that got worse first."""
    compared = (comparison(night, settings, checks_only=checks_only) for checks_only in (False, True))
    basis = next((found for found in compared if found), None)
    return cases.reported(night.filed, basis.worse if basis else [])


def report(night: Night, settings: Settings, now: datetime) -> content.Report:
    """Compose everything that the page and the metrics say."""
    trusted = judges(night, now)
    everything = comparison(night, settings, checks_only=False)
    checks = comparison(night, settings, checks_only=True)
    rng = np.random.default_rng(settings.seed)
    every_case = reported(night, settings)
    groups = {group: [case for case in every_case if case.group == group] for group in get_args(cases.Group)}
    return content.Report(
        produced=now,
        gate=decide(night, settings, trusted, everything, checks, every_case),
        provenance=night.provenance,
        target=findings.account(night.outcomes["target", False]),
        baseline=findings.account(night.outcomes["baseline", False]) if night.baseline else None,
        everything=everything,
        checks=checks,
        rates=both_rates(night.cases, night.outcomes["target", False], night.outcomes["target", True]),
        corrected=correction.corrected(
            night.verdicts, night.responses, night.items, night.labels, rng=rng, draws=settings.draws
        ),
        change=judged.change(night.verdicts, night.responses, night.baseline, night.items, night.labels),
        preference=findings.preference(night.verdicts),
        controlled=judged.at_equal_lengths(night.verdicts, night.responses, night.baseline),
        steadiness=steadiness(night.cases, night.responses, night.verdicts),
        judges=trusted,
        signals=night.signals,
        spent=costs.spending(night.ledger),
        answers=costs.answers(night.responses),
        newly_failing=groups["newly-failing"],
        failing=groups["failing"],
        standing=groups["standing"],
        unscored=groups["unscored"],
        fixed=groups["fixed"],
    )


def remembered(night: Night, trusted: Sequence[content.Judge]) -> CaseNight:
    """Return tonight's row of the history: the outcome of each case by the scorers that may be believed."""
    judge = next((row for row in trusted if row.name == findings.JUDGE and row.standing == "valid"), None)
    mine, theirs = (night.outcomes[of, judge is None].by_case for of in ("target", "baseline"))
    decided = {case.case_id for case in night.cases if mine.get(case.case_id) in {"pass", "fail"}}
    shown = {} if judge else _shown_outcomes(night.outcomes["target", False])
    return CaseNight(
        night=night.provenance.epoch,
        target=night.provenance.target,
        judge=judge.certificate.fingerprint if judge and judge.certificate else "",
        evaluation_set=night.provenance.evaluation_set,
        cases=len(night.cases),
        failed=sorted(name for name in decided if mine[name] == "fail"),
        unscored=sorted({case.case_id for case in night.cases} - decided),
        differing=sorted(name for name in decided if (mine[name], theirs.get(name)) in TOLD_APART),
        revisions={case.case_id: case.revision() for case in night.cases},
        **shown,
    )


def _shown_outcomes(outcomes: findings.Outcomes) -> dict[str, list[str]]:
    """Return what the report lists of a night whose judge may not be believed, for since when a case fails."""
    by_case = sorted(outcomes.by_case.items())
    return {
        "shown_failed": [name for name, outcome in by_case if outcome == "fail"],
        "shown_unscored": [name for name, outcome in by_case if outcome not in ("pass", "fail")],
    }


def summary(found: content.Report) -> Summary:
    """Return the report's tables without anything that a model or a user wrote."""
    failing = [
        {"case": case.case_id, "category": case.category, "severity": case.severity}
        for case in [*found.newly_failing, *found.failing]
    ]
    return Summary(failing, wording.coverage(found.target, found.spent))


def gather() -> Night:
    """Read everything that the stage needs."""
    cases, responses, baseline = (
        CASES.read(),
        RESPONSES.read(),
        BASELINE.read(may_be_absent=True),
    )
    revisions = {case.case_id: case.revision() for case in cases}
    responses = [response for response in responses if revisions.get(response.case_id) == response.revision]
    accepted = [response for response in baseline if revisions.get(response.case_id) == response.revision]
    items, labels = labelled()
    provenance = content.Provenance(
        target="+".join(sorted({response.target for response in responses})),
        baseline="+".join(sorted({response.target for response in accepted})),
        evaluation_set=digest(revisions),
        released=released(digest(revisions)),
        cases=len(cases),
        without_baseline=len(revisions.keys() - {response.case_id for response in accepted}),
        epoch="+".join(sorted({response.epoch for response in responses})),
        anchors=len(items),
        parameters=digest((files.root() / "params.yaml").read_text(encoding="utf8")),
        assay=tool_version(),
        overrides=overrides().said(),
    )
    return Night(
        cases=cases,
        taxonomy=read_taxonomy(),
        responses=responses,
        baseline=accepted,
        verdicts=of_accepted(VERDICTS.read(), responses, accepted),
        items=items,
        labels=labels,
        signals=SIGNALS.read(),
        certificates=read_certificates(),
        refusals=read_refusals(),
        anchors=NIGHTS.read(may_be_absent=True),
        history=HISTORY.read(may_be_absent=True),
        ledger=ledger({response.epoch for response in responses}),
        provenance=provenance,
    )


def ledger(runs: Iterable[str]) -> list[Spent]:
    """Return what the stages of these runs used; nothing where no journal was kept, as in a clone of the project."""
    file = files.private("journal.sqlite")
    if not file.is_file():
        return []
    with Journal(file) as journal:
        return [spent for run in sorted(runs) for spent in journal.ledger(run)]


def run(now: datetime) -> tuple[gate.Gate, Summary]:
    """Write the report, the gate's word and the metrics; return the gate and what a control room shows."""
    night = gather()
    found = report(night, read_params("publish", Settings), now)
    files.write_bytes(REPORT, render(found).encode())
    files.write_json(METRICS, metrics.metrics(found))
    files.write_bytes(SLICES, metrics.slices_csv(found).encode())
    HISTORY.write(health.recorded(night.history, remembered(night, found.judges)))
    files.write_json(GATE, found.gate.model_dump())
    return found.gate, summary(found)
