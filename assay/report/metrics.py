"""The report in numbers for machines: DVC's metrics and plots."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from assay.report.content import Judge, Report
from assay.report.costs import Answers, Spending, total
from assay.report.findings import Accounting, Rate
from assay.report.grounds import Grounds
from assay.report.trials import Steadiness

COLUMNS = ["category", "n", "baseline", "target", "change", "low", "high", "level"]
"""Of the plot by category."""
BASIS = {"labels", "split", "note"}
"""What a corrected rate rests on."""
TRIALS = {"k", "cases", "left_out", "always", "sometimes", "never"}


def metrics(report: Report) -> dict[str, Any]:
    """Return the figures that DVC shows and compares between commits; every rate with its interval and n."""
    found: dict[str, Any] = {
        "verdict": report.gate.word,
        "cases": _parts(report.target),
        "calibrated": bool(report.judges) and all(judge.standing == "valid" for judge in report.judges if judge.blocks),
    }
    if report.everything:
        found["pass_rate"] = _figure(report.everything.target)
        found["change"] = _figure(report.everything.change)
    if report.grounds:
        found["judge_transfer"] = _of_grounds(report.grounds)
    if report.judges:
        found["judges"] = {judge.name: _of_judge(judge) for judge in report.judges}
    found |= _of_failures(report.target) | _of_trials(report.steadiness) | _of_answers(report.answers)
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
    found: dict[str, Any] = {"kind": grounds.kind}
    if grounds.kind != "labelled":
        found |= {"laxer": round(grounds.laxer, 6), "stricter": round(grounds.stricter, 6)}
    return found | ({"change": _figure(grounds.change)} if grounds.change else {})


def _of_judge(judge: Judge) -> dict[str, Any]:
    """Return what one judge says of tonight, and what that is worth."""
    found: dict[str, Any] = {"standing": judge.standing, "version": judge.version}
    if judge.corrected:
        found["pass_rate"] = _figure(judge.corrected.raw)
        if judge.corrected.rate:
            found["corrected_pass_rate"] = _figure(judge.corrected.rate)
        found["corrected_by"] = judge.corrected.model_dump(include=BASIS)
    if judge.change and judge.change.rate:
        found["change"] = _figure(judge.change.rate) | {"changed": judge.change.changed}
    if judge.pairs:
        found["win_rate"] = _figure(judge.pairs.win_rate)
    found |= {"said": judge.said} if judge.said else {}
    return found | ({"unasked": judge.unasked} if judge.unasked else {})


def _parts(target: Accounting) -> dict[str, int]:
    return target.model_dump(exclude={"reasons", "format_failed"})


def _of_failures(target: Accounting) -> dict[str, Any]:
    """Return what the product failed by, and the rate of the answered cases with the share of the others beside it."""
    found: dict[str, Any] = {"product_failed": {"answer": target.answer_failed, "format": target.format_failed}}
    if target.answered:
        found["answered_pass_rate"] = _figure(target.answered)
    if target.planned:
        found["error_share"] = round(target.lost / target.planned, 6)
    return found


def _of_trials(steady: Steadiness | None) -> dict[str, Any]:
    if steady is None:
        return {}
    found: dict[str, Any] = {"trials": steady.model_dump(include=TRIALS)}
    found |= {f"pass_hat_{of}": _figure(one) for of, one in enumerate(steady.all_of, 1)}
    return found | ({f"pass_at_{steady.k}": _figure(steady.any_of)} if steady.any_of else {})


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


def _figure(found: Rate) -> dict[str, float]:
    return {
        "estimate": round(found.estimate, 6),
        "low": round(found.low, 6),
        "high": round(found.high, 6),
        "n": found.n,
    }


def slices_csv(report: Report) -> str:
    """Return the change by category as CSV, for `dvc plots`; a category is an identifier, so no cell is a formula."""
    sheet = io.StringIO()
    writer = csv.writer(sheet, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in report.everything.slices if report.everything else []:
        shares = (row.baseline.estimate, row.target.estimate, row.change.estimate, row.change.low, row.change.high)
        writer.writerow([row.category, row.n, *(f"{share:.6f}" for share in (*shares, row.change.level))])
    return sheet.getvalue()
