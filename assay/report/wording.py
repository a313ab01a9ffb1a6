"""The report in words and in numbers for machines: the first sentence, DVC's metrics and plots."""

import csv
import io
from typing import Any

from assay.gate import Word
from assay.report.content import Report
from assay.report.findings import Accounting, Comparison, Rate, SliceRow


def percent(share: float) -> str:
    """Return a share as a person reads it."""
    return f"{100 * share:.1f} %"


def with_interval(found: Rate) -> str:
    """Return a share with its 95 % interval, such as `84.5 % (79.2 to 88.7)`."""
    return f"{percent(found.estimate)} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def sentence(word: Word, reason: str, target: Accounting, basis: Comparison | None) -> str:
    """Return the headline of the report: the word, where, how much, how sure, and whose the failures are.

    Args:
        word: The gate's word.
        reason: Why, for every word but a regression or a pass.
        target: Where the planned cases went.
        basis: The comparison that the decision rests on.
    """
    if basis is None:
        return f"{word.upper()}: {reason}. Nothing can be compared. {_failures(target)}"
    change = basis.change
    kind = "by checks alone, " if basis.scorers == "checks" else ""
    level = (
        f"{kind}{with_interval(basis.target)} of {basis.target.n} cases pass, was {percent(basis.baseline.estimate)} "
        f"(change {_points(change.estimate)} points, {_points(change.low)} to {_points(change.high)})"
    )
    if word == "regression":
        drops = "; ".join(_drop(row) for row in basis.slices if row.is_worse)
        return f"REGRESSION {f'in {drops}' if drops else 'over all cases'}. Overall {level}. {_failures(target)}"
    if word == "pass":
        return f"PASS: {level}. {_failures(target)}"
    return f"{word.upper()}: {reason}. So far {level}. {_failures(target)}"


def _failures(target: Accounting) -> str:
    """Tell apart whose failures they are: only the product's count against it."""
    return (
        f"Of {target.planned} planned cases the product failed {target.product_failed}, "
        f"the judge {target.judge_failed}, the wire {target.wire_failed}."
    )


def _drop(row: SliceRow) -> str:
    fixed = "1 is fixed" if row.gained == 1 else f"{row.gained} are fixed"
    levels = f"{percent(row.baseline.estimate)} to {percent(row.target.estimate)}"
    return f"{row.category}: {row.lost} of {row.n} cases newly fail, {fixed} ({levels})"


def _points(change: float) -> str:
    return f"{100 * change:+.1f}"


def metrics(report: Report) -> dict[str, Any]:
    """Return the figures that DVC shows and compares between commits; every rate with its interval and n."""
    found: dict[str, Any] = {
        "verdict": report.gate.word,
        "cases": _parts(report.target),
        "calibrated": bool(report.judges) and all(judge.standing == "valid" for judge in report.judges),
    }
    if report.everything:
        found["pass_rate"] = _figure(report.everything.target)
        found["change"] = _figure(report.everything.change)
    if report.corrected and report.corrected.rate:
        found["corrected_pass_rate"] = _figure(report.corrected.rate)
    if report.preference:
        found["win_rate"] = _figure(report.preference.win_rate)
    found["alerts"] = sum(signal.state == "alert" for signal in report.signals)
    return found


def _parts(target: Accounting) -> dict[str, int]:
    parts = target.model_dump()
    del parts["reasons"]
    return parts


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
    writer.writerow(["category", "n", "baseline", "target", "change", "low", "high"])
    for row in report.everything.slices if report.everything else []:
        shares = (row.baseline.estimate, row.target.estimate, row.change.estimate, row.change.low, row.change.high)
        writer.writerow([row.category, row.n, *(f"{share:.6f}" for share in shares)])
    return sheet.getvalue()
