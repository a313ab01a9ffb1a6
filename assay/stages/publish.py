"""Publish: is tonight's product worse than what was accepted, and how sure is that?

Reads the evaluation set, responses, baseline, verdicts, labels, certificates and signals, and what the journal's ledger
says of the calls; writes one report, the gate's word, the metrics and tonight's row of the history. Asks nobody.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import NamedTuple

import numpy as np
from pydantic import Field

from assay.calibration import certificate
from assay.calibration.certificate import JUDGES
from assay.errors import InsufficientDataError
from assay.evalset import health
from assay.evalset.health import Rules
from assay.judges.prompt import JUDGES_FOLDER
from assay.project import failures, files, results
from assay.project.certificates import CALIBRATION
from assay.project.params import read_params
from assay.project.release_notes import RELEASES
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.tables.responses import RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import TAXONOMY
from assay.records.case import Case
from assay.records.history import CaseNight
from assay.records.parts import ESSENTIAL, PARTS
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import IDENTICAL, Verdict
from assay.report import content, correction, costs, findings, gate, judged, metrics, wording
from assay.report.page import render
from assay.report.trials import steadiness
from assay.report.watch import watched
from assay.stages.declaration import Output, Stage
from assay.stages.night import Night, gather

SEVERITY = ("critical", "high", "medium", "low")
LOST = ("wire", "judge")
CHANGES = {
    "newly failing": {("fail", "pass")},
    "fixed": {("pass", "fail")},
    "unscored": {(lost, theirs) for lost in LOST for theirs in (*LOST, "pass", "fail")},
}
"""Outcomes with the target and with the baseline."""
TOLD_APART = CHANGES["newly failing"] | CHANGES["fixed"]
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


class Summary(NamedTuple):
    """Two small tables for a control room."""

    newly_failing: list[dict[str, str]]
    coverage: list[dict[str, str]]
    """Where the planned cases went, then what each stage used; every row has the same columns."""
    failures: Sequence[str] = ()
    """Parts of the run that failed, one sentence each."""


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
        over, known = f"the watch over {name}", len(night.guard.failures)
        look = partial(watched, night.anchors, name, judges=len(JUDGES))
        watch = night.guard.optional(over, look, None) if held else None
        lost = "; ".join(map(str, night.guard.failures[known:]))
        if watch and watch.state == "judge" and worth == "valid":
            worth = "judge-changed"
        if rows:
            note = night.refusals.get(name, "")
            found.append(
                content.Judge(name=name, standing=worth, certificate=held, note=note, watch=watch, watch_note=lost)
            )
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
) -> gate.Gate:
    """Return the gate's word; a judge of single answers that may not be believed leaves the decision to the checks."""
    standings = [judge.standing for judge in trusted]
    basis = everything if (findings.JUDGE, "valid") in {(judge.name, judge.standing) for judge in trusted} else checks
    mine, theirs = night.outcomes["target", False].by_case, night.outcomes["baseline", False].by_case
    target = findings.account(night.outcomes["target", False])
    lost = [case_id for case_id in mine if mine[case_id] in LOST or theirs[case_id] == "judge"]
    found = gate.Evidence(
        error_share=len(lost) / target.planned,
        max_error_share=settings.max_error_share,
        worse=basis.worse if basis else [],
        low=basis.change.low if basis else None,
        max_drop=settings.max_drop,
        standings=standings,
        is_set_compared=night.provenance.without_baseline == 0,
    )
    word, reason, then = gate.decide(found)
    return gate.Gate(word=word, reason=reason, next=then, sentence=wording.sentence(word, reason, target, basis))


def verdict(
    night: Night,
    settings: Settings,
    trusted: Sequence[content.Judge],
    everything: findings.Comparison | None,
    checks: findings.Comparison | None,
) -> gate.Gate:
    """Return the gate's word; `incomplete` where a part that it rests on could not be computed."""
    found = night.part("gate", lambda: decide(night, settings, trusted, everything, checks), None)
    essential = {PARTS[name] for name in ESSENTIAL}
    missing = [str(failure) for failure in night.guard.failures if failure.part in essential]
    if found and not missing:
        return found
    target, reason = findings.account(night.outcomes["target", False]), "; ".join(missing)
    return gate.Gate(
        word="incomplete",
        reason=reason,
        next="run `assay doctor`, which names the file with the traceback, and report the bug",
        sentence=wording.sentence("incomplete", reason, target, None),
    )


def changed(night: Night, kind: str, worse: Sequence[str]) -> list[content.ChangedCase]:
    """Return the cases that newly fail, are fixed, or have no outcome: worse categories first, then by severity."""
    mine, theirs = night.outcomes["target", False].by_case, night.outcomes["baseline", False].by_case
    wanted = CHANGES[kind]
    severities = {category.category: category.severity for category in night.taxonomy}
    cases = [case for case in night.cases if (mine[case.case_id], theirs[case.case_id]) in wanted]
    cases.sort(
        key=lambda case: (
            case.category not in worse,
            SEVERITY.index(severities[case.category]),
            case.category,
            case.case_id,
        )
    )
    answers = {"target": _shown(night, "target"), "baseline": _shown(night, "baseline")}
    return [_changed_case(case, severities[case.category], answers, night.verdicts) for case in cases]


def _shown(night: Night, subject: str) -> dict[str, Response]:
    """Return the trial of each case that a reader has to see: the first that has no answer, or that did not pass."""
    fell = {(row.item_id, row.trial) for row in night.verdicts if row.subject == subject and row.outcome != "pass"}
    responses = night.responses if subject == "target" else night.baseline
    ordered = sorted(
        responses, key=lambda row: (row.status == "ok", (row.case_id, row.trial) not in fell, row.trial), reverse=True
    )
    return {response.case_id: response for response in ordered}


def _changed_case(
    case: Case, severity: str, answers: Mapping[str, Mapping[str, Response]], verdicts: Sequence[Verdict]
) -> content.ChangedCase:
    mine, theirs = answers["target"].get(case.case_id), answers["baseline"].get(case.case_id)
    said = [verdict for verdict in verdicts if verdict.subject == "target" and verdict.item_id == case.case_id]
    in_trials = any(verdict.trial for verdict in said)
    why = [_reason(verdict, is_one_of_many=in_trials) for verdict in said if verdict.outcome != "pass"]
    if mine is None or mine.status == "error":
        why = [f"no response: {mine.error_kind if mine else 'none on file'}. {mine.error if mine else ''}".strip()]
    return content.ChangedCase(
        case_id=case.case_id,
        category=case.category,
        layer=case.layer,
        severity=severity,
        turns=case.turns,
        reference=case.reference,
        baseline_text=theirs.text if theirs else "",
        target_text=mine.text if mine else "",
        baseline_calls=theirs.tool_calls if theirs else [],
        target_calls=mine.tool_calls if mine else [],
        why=why,
    )


def _reason(verdict: Verdict, *, is_one_of_many: bool) -> str:
    """Return why a verdict is no pass, in which of several trials, and whether the format alone is at fault."""
    trial = f"trial {verdict.trial + 1}, " if is_one_of_many else ""
    fault = "format: " if verdict.fault == "format" else ""
    return f"{trial}{verdict.scorer}: {verdict.outcome}. {fault}{verdict.detail}".strip()


def report(night: Night, settings: Settings, now: datetime) -> content.Report:
    """Compose everything that the page and the metrics say."""
    part, nobody = night.part, list[content.Judge]()
    trusted = part("judges", lambda: judges(night, now), nobody)
    everything = part("everything", lambda: comparison(night, settings, checks_only=False), None)
    checks = part("checks", lambda: comparison(night, settings, checks_only=True), None)
    rng = np.random.default_rng(settings.seed)
    basis = everything or checks
    worse = basis.worse if basis else []
    correct = partial(correction.corrected, night.verdicts, night.responses, night.items, night.labels)
    none = list[content.ChangedCase]()
    return content.Report(
        produced=now,
        gate=verdict(night, settings, trusted, everything, checks),
        provenance=night.provenance,
        target=findings.account(night.outcomes["target", False]),
        baseline=findings.account(night.outcomes["baseline", False]),
        everything=everything,
        checks=checks,
        corrected=part("corrected", lambda: correct(rng=rng, draws=settings.draws), None),
        change=part(
            "change",
            lambda: judged.change(night.verdicts, night.responses, night.baseline, night.items, night.labels),
            None,
        ),
        preference=part("preference", lambda: findings.preference(night.verdicts), None),
        controlled=part(
            "controlled", lambda: judged.at_equal_lengths(night.verdicts, night.responses, night.baseline), None
        ),
        steadiness=part("steadiness", lambda: steadiness(night.cases, night.responses, night.verdicts), None),
        judges=trusted,
        signals=night.signals,
        spent=part("spent", lambda: costs.spending(night.ledger), list[costs.Spending]()),
        answers=part("answers", lambda: costs.answers(night.responses), None),
        newly_failing=part("newly_failing", lambda: changed(night, "newly failing", worse), none),
        fixed=part("fixed", lambda: changed(night, "fixed", worse), none),
        unscored=part("unscored", lambda: changed(night, "unscored", worse), none),
        failures=night.failures,
    )


def remembered(night: Night, trusted: Sequence[content.Judge]) -> CaseNight:
    """Return tonight's row of the history: the outcome of each case by the scorers that may be believed."""
    judge = next((row for row in trusted if row.name == findings.JUDGE and row.standing == "valid"), None)
    mine, theirs = (night.outcomes[of, judge is None].by_case for of in ("target", "baseline"))
    decided = {case.case_id for case in night.cases if mine.get(case.case_id) in {"pass", "fail"}}
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
    )


def summary(found: content.Report) -> Summary:
    """Return the report's tables without anything that a model or a user wrote."""
    failing = [
        {"case": case.case_id, "category": case.category, "severity": case.severity} for case in found.newly_failing
    ]
    return Summary(failing, wording.coverage(found.target, found.spent))


def file_results(night: Night, found: content.Report) -> None:
    """Write the metrics, the plot and tonight's row of the history, each for itself; DVC expects all three files."""
    only_columns = ",".join(metrics.COLUMNS) + "\n"

    def write_history() -> None:
        HISTORY.write(health.recorded(HISTORY.read(may_be_absent=True), remembered(night, found.judges)))

    figures = night.part("metrics", lambda: files.json_bytes(metrics.metrics(found)), None)
    files.write_bytes(METRICS, figures or files.json_bytes({"verdict": found.gate.word}))
    files.write_bytes(SLICES, night.part("slices", lambda: metrics.slices_csv(found), only_columns).encode())
    night.part("history", write_history, None)
    if not HISTORY.exists():
        HISTORY.write([])


def run(now: datetime) -> tuple[gate.Gate, Summary]:
    """Write the report, the gate's word and the metrics; return the gate and what a control room shows."""
    night = gather()
    found = report(night, read_params("publish", Settings), now)
    file_results(night, found)
    of_run = found.gate.model_copy(update=dict(results.times()))
    found = found.model_copy(update={"gate": of_run, "failures": night.failures})
    files.write_bytes(REPORT, render(found, night.guard).encode())
    failures.keep("publish", night.guard)
    files.write_json(GATE, found.gate.model_dump(mode="json"))
    return found.gate, summary(found)._replace(failures=[str(failure) for failure in night.failures])
