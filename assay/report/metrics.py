"""The report in numbers for machines: DVC's metrics and plots; every judged figure has its basis beside it."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from assay.report import basis
from assay.report.content import Judge, Report
from assay.report.costs import Answers, Spending, total
from assay.report.findings import Accounting, Rate
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.trials import Steadiness

COLUMNS = ["category", "n", "baseline", "target", "change", "low", "high", "level", "basis"]
"""Of the plot by category."""
BEHIND = {"labels", "split", "note"}
"""What a corrected rate rests on."""
TRIALS = {"k", "cases", "left_out", "always", "sometimes", "never"}


def metrics(report: Report) -> dict[str, Any]:
    """Return the figures that DVC shows and compares between commits; every rate with its interval and n."""
    blocking = [judge.standing for judge in report.judges if judge.blocks and judge.spoke]
    of_cases = basis.of_cases(report)
    found: dict[str, Any] = {
        "verdict": report.gate.word,
        "cases": _parts(report.target),
        "calibrated": bool(blocking) and set(blocking) == {"valid"},
        "basis": of_cases,
    }
    if report.everything:
        of_both = ", ".join(filter(None, (of_cases, report.everything.trials)))
        found["pass_rate"] = _figure(report.everything.target, of_both)
        found["change"] = _figure(report.everything.change, of_both)
    if report.grounds:
        found["judge_transfer"] = _of_grounds(report.grounds)
    found |= _of_joint(report.joint) if report.joint else {}
    if report.judges:
        found["judges"] = {judge.name: _of_judge(judge) for judge in report.judges}
    found |= _of_failures(report, of_cases) | _of_trials(report.steadiness, of_cases) | _of_answers(report.answers)
    if report.spent:
        found["used"] = {name: _used([row for row in report.spent if row.stage == name]) for name in _stages(report)}
        found["used"]["all"] = _used(report.spent)
    if report.provenance.overrides:
        found["overrides"] = report.provenance.overrides
    if not (report.lost("signals") and not report.signals):
        found["alerts"] = sum(signal.state == "alert" for signal in report.signals)
    return found


def _of_grounds(grounds: Grounds) -> dict[str, Any]:
    """Return what the gate takes from the judges' word, and until where that holds."""
    found: dict[str, Any] = {"basis": grounds.kind}
    if grounds.kind != "labelled":
        found |= {"laxer": round(grounds.laxer, 6), "stricter": round(grounds.stricter, 6)}
    return found | ({"change": _figure(grounds.change, basis.of_grounds(grounds))} if grounds.change else {})


def _of_joint(joint: Joint) -> dict[str, Any]:
    """Return what people say of whole cases by the labels of all judges, as far as those carry it."""
    behind, found = basis.of_joint(joint), dict[str, Any]()
    if joint.rate:
        found["corrected_pass_rate"] = _figure(joint.rate, behind)
    if joint.change and joint.change.rate:
        found["corrected_change"] = _figure(joint.change.rate, basis.of_change(joint.change))
    told = joint.model_dump(include={"judges", "labels", "note"})
    return found | {"joint": told | {"basis": behind}}


def _of_judge(judge: Judge) -> dict[str, Any]:
    """Return what one judge says of tonight, and what that is worth."""
    found: dict[str, Any] = {"standing": judge.standing, "version": judge.version}
    if judge.corrected:
        found["pass_rate"] = _figure(judge.corrected.raw, basis.of_judge(judge))
        if judge.corrected.rate:
            found["corrected_pass_rate"] = _figure(judge.corrected.rate, basis.of_corrected(judge.corrected))
        found["corrected_by"] = judge.corrected.model_dump(include=BEHIND)
    if judge.change and judge.change.rate:
        told = judge.change.model_dump(include={"changed", "labels", "note"})
        found["change"] = _figure(judge.change.rate, basis.of_change(judge.change)) | told
    if judge.pairs:
        found["win_rate"] = _figure(judge.pairs.win_rate, basis.of_judge(judge))
    found |= {"said": judge.said} if judge.said else {}
    if judge.certificate and judge.certificate.excepted:
        found["excepted"] = judge.certificate.excepted
    return found | ({"unasked": judge.unasked} if judge.unasked else {})


def _parts(target: Accounting) -> dict[str, int]:
    return target.model_dump(exclude={"reasons", "format_failed"})


def _of_failures(report: Report, of_cases: str) -> dict[str, Any]:
    """Return what the product failed by, and the rate of the answered cases with the share of the others beside it."""
    target, k = report.target, report.steadiness.k if report.steadiness else 1
    found: dict[str, Any] = {"product_failed": {"answer": target.answer_failed, "format": target.format_failed}}
    if target.answered:
        every = f", all {k} trials of a case pass" if k > 1 else ""
        found["answered_pass_rate"] = _figure(target.answered, f"{of_cases}{every}")
    if target.planned:
        found["error_share"] = round(target.lost / target.planned, 6)
    return found


def _of_trials(steady: Steadiness | None, of_cases: str) -> dict[str, Any]:
    if steady is None:
        return {}
    found: dict[str, Any] = {"trials": steady.model_dump(include=TRIALS)}
    found |= {f"pass_hat_{of}": _figure(one, of_cases) for of, one in enumerate(steady.all_of, 1)}
    return found | ({f"pass_at_{steady.k}": _figure(steady.any_of, of_cases)} if steady.any_of else {})


def _of_answers(told: Answers | None) -> dict[str, Any]:
    if told is None:
        return {}
    found: dict[str, Any] = {
        "latency_s": {"p50": told.p50.value_s, "p95": told.p95.value_s, "n": told.p50.n},
        "endings": told.endings | {"n": told.ended},
    }
    if told.cost_a_case_usd is not None:
        found["cost_a_case_usd"] = round(told.cost_a_case_usd, 6)
    return found


def _stages(report: Report) -> list[str]:
    return sorted({row.stage for row in report.spent})


def _used(rows: Sequence[Spending]) -> dict[str, float]:
    """Return what rows of the ledger come to; without a declared price there is no cost."""
    found: dict[str, float] = total(rows).model_dump(exclude={"run", "stage"}, exclude_none=True)
    return found | ({"cost_usd": round(found["cost_usd"], 6)} if "cost_usd" in found else {})


def _figure(found: Rate, of: str) -> dict[str, Any]:
    return {
        "estimate": round(found.estimate, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "n": found.n,
        "basis": of,
    }


def slices_csv(report: Report) -> str:
    """Return the change by category as CSV, for `dvc plots`; a category is an identifier, so no cell is a formula."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    of_cases = basis.of_cases(report)
    for row in report.everything.slices if report.everything else []:
        shares = (row.baseline.estimate, row.target.estimate, row.change.estimate, row.change.low, row.change.high)
        writer.writerow([row.category, row.n, *(f"{share:.6f}" for share in (*shares, row.change.level)), of_cases])
    return sheet.getvalue()
