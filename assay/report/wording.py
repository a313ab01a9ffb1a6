"""The report in words: the first sentence, the rate of what was answered, and what the run used."""

from collections.abc import Sequence

from assay.report.costs import Spending, total
from assay.report.findings import Accounting, Comparison, Rate, SliceRow
from assay.report.gate import Word


def percent(share: float) -> str:
    """Return a share as a person reads it."""
    return f"{100 * share:.1f} %"


def money(usd: float) -> str:
    """Return what a run cost: to the cent from a dollar on, below that with four decimals."""
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:.4f}"


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
    kinds = f" ({target.answer_failed} by a wrong answer, {target.format_failed} by format alone)"
    return (
        f"Of {target.planned} planned cases the product failed {target.product_failed}"
        f"{kinds if target.product_failed else ''}, "
        f"the judge {target.judge_failed}, the wire {target.wire_failed}."
    )


def answered(target: Accounting) -> str:
    """Return the pass rate of the answered cases, with the share of planned cases that are not among them beside it."""
    if not target.planned:
        return "No case was planned."
    where = f"{target.wire_failed} on the wire, {target.judge_failed} at the judge"
    if target.answered is None:
        return f"None of {target.planned} planned cases has an outcome: {where}."
    lost = f"{target.lost} of {target.planned} planned ({percent(target.lost / target.planned)}) were lost: {where}"
    return f"{with_interval(target.answered)} of {target.answered.n} answered cases pass; {lost}."


def _drop(row: SliceRow) -> str:
    fixed = "1 is fixed" if row.gained == 1 else f"{row.gained} are fixed"
    levels = f"{percent(row.baseline.estimate)} to {percent(row.target.estimate)}"
    return f"{row.category}: {row.lost} of {row.n} cases newly fail, {fixed} ({levels})"


def _points(change: float) -> str:
    return f"{100 * change:+.1f}"


def used(rows: Sequence[Spending]) -> list[str]:
    """Return a run's ledger in two lines: what it came to, and by stage; nothing where there is none."""
    if not rows:
        return []
    parts = [f"{row.stage} {row.requests:,} requests" + (f", {_cost(row)}" if row.cost_usd else "") for row in rows]
    return [f"run {total(rows).run} used {_sum(total(rows))}", f"by stage: {'; '.join(parts)}"]


def coverage(target: Accounting, rows: Sequence[Spending]) -> list[dict[str, str]]:
    """Return where the planned cases went and what each stage used, as rows of one table for a control room."""
    cases = {
        "planned": target.planned,
        "passed": target.passed,
        "the product failed: wrong answer": target.answer_failed,
        "the product failed: format alone": target.format_failed,
        "the judge failed": target.judge_failed,
        "the wire failed": target.wire_failed,
    }
    found = [{"what": f"cases, {name}", "value": f"{count:,}"} for name, count in cases.items()]
    return found + [{"what": f"used by {row.stage} of run {row.run}", "value": _sum(row)} for row in rows]


def _sum(row: Spending) -> str:
    tokens = row.prompt_tokens + row.completion_tokens
    return f"{row.calls:,} calls ({row.failed:,} failed), {row.requests:,} requests, {tokens:,} tokens, {_cost(row)}"


def _cost(row: Spending) -> str:
    return "no price declared" if row.cost_usd is None else money(row.cost_usd)
