"""The report in words: the first sentence, the rate of what was answered, and what the run used."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from assay.report.cases import FAILING, Filed
from assay.report.comparison import Comparison, SliceRow
from assay.report.costs import Spending, total
from assay.report.findings import Accounting, Rate
from assay.report.gate import NO_BASELINE, Word


class Failures(NamedTuple):
    """What the first sentence says of the failing cases."""

    categories: list[str]
    """Of the cases that newly fail, or of all that fail where there is no baseline; one entry a case."""
    has_baseline: bool
    is_judge_believed: bool
    cut: int
    """Answers that were cut at the token limit."""


def failures(filed: Filed, *, has_baseline: bool, is_judge_believed: bool) -> Failures:
    """Return what the first sentence says of tonight's failing cases."""
    wanted = ("newly-failing",) if has_baseline else FAILING
    categories = [case.category for case in filed.cases if filed.group_of(case.case_id) in wanted]
    return Failures(categories, has_baseline, is_judge_believed, sum(filed.cut.values()))


def percent(share: float) -> str:
    """Return a share as a person reads it."""
    return f"{100 * share:.1f} %"


def money(usd: float) -> str:
    """Return what a run cost: to the cent from a dollar on, below that with four decimals."""
    return f"${usd:,.2f}" if usd >= 1 else f"${usd:.4f}"


def with_interval(found: Rate) -> str:
    """Return a share with its 95 % interval, such as `84.5 % (79.2 to 88.7)`."""
    return f"{percent(found.estimate)} ({100 * found.low:.1f} to {100 * found.high:.1f})"


def sentence(
    word: Word,
    reason: str,
    target: Accounting,
    basis: Comparison | None,
    failing: Failures | None = None,
    worse: Collection[str] | None = None,
) -> str:
    """Return the headline of the report: the word, where, how much, how sure, and whose the failures are.

    Args:
        word: The gate's word.
        reason: Why, for every word but a regression or a pass.
        target: Where the planned cases went.
        basis: The comparison that the decision rests on.
        failing: Which cases fail; where left out, the headline counts none.
        worse: Where the target is worse; what the basis says of it where left out.
    """
    ends = _failures(target) + (_cut(failing.cut) if failing else "")
    if word not in ("regression", "pass"):
        reason = "; ".join([reason, *(_failing(failing, reason) if failing else [])])
    if basis is None:
        uncompared = "" if failing and not failing.has_baseline else "Nothing can be compared. "
        return f"{word.upper()}: {reason}. {uncompared}{ends}"
    change = basis.change
    kind = "by checks alone, " if basis.scorers == "checks" else ""
    level = (
        f"{kind}{with_interval(basis.target)} of {basis.target.n} cases pass, was {percent(basis.baseline.estimate)} "
        f"(change {_points(change.estimate)} points, {_points(change.low)} to {_points(change.high)})"
    )
    if word == "regression":
        named = basis.worse if worse is None else worse
        drops = "; ".join(_drop(row) for row in basis.slices if row.category in named)
        count = "; ".join([*filter(None, [basis.over_nights]), *(_failing(failing, reason) if failing else [])])
        where = f"in {drops}" if drops else f"over all cases{': ' if count else ''}{count}"
        return f"REGRESSION {where}. Overall {level}. {ends}"
    if word == "pass":
        return f"PASS: {level}. {ends}"
    return f"{word.upper()}: {reason}. So far {level}. {ends}"


def _failing(failing: Failures, reason: str) -> list[str]:
    """Return, for the first sentence, that there is no baseline, and how many cases fail and where most of them do."""
    none = [] if failing.has_baseline or reason == NO_BASELINE else [NO_BASELINE]
    n, verb = len(failing.categories), "newly fail" if failing.has_baseline else "fail"
    scorers = "" if failing.is_judge_believed else " by all scorers"
    if not n:
        return [*none, f"no case {verb}s{scorers}"]
    ((category, most),) = Counter(failing.categories).most_common(1)
    where = f"in {category}" if n == 1 else f"all in {category}" if most == n else f"most in {category} ({most})"
    return [*none, f"1 case {verb}s{scorers}, {where}" if n == 1 else f"{n} cases {verb}{scorers}, {where}"]


def _cut(answers: int) -> str:
    if not answers:
        return ""
    return (
        f" {answers} answers were cut at the token limit." if answers > 1 else " 1 answer was cut at the token limit."
    )


def policies(by_judge: Mapping[str, str]) -> str:
    """Return by which policies judges were certified, as the end of a headline; empty where all are the default."""
    said = ", ".join(f"{judge} is certified by the {policy} policy" for judge, policy in sorted(by_judge.items()))
    return f" {said[:1].upper()}{said[1:]}." if said else ""


def exceptions(by_judge: Mapping[str, Sequence[str]], undecided: int) -> str:
    """Return for which categories judges are not certified, as the end of a headline; empty where there is none.

    Args:
        by_judge: Their categories.
        undecided: Cases that nobody decides for that.
    """
    said = [f"{judge} is certified except for {', '.join(names)}" for judge, names in sorted(by_judge.items()) if names]
    if not said:
        return ""
    left = f"; {undecided} cases there are decided by nobody" if undecided else "; there its word does not count"
    return f" {'; '.join(said)}{left}."


def _failures(target: Accounting) -> str:
    """Tell apart whose failures they are: only the product's count against it."""
    kinds = f" ({target.answer_failed} by a wrong answer, {target.format_failed} by format alone)"
    return (
        f"Of {target.planned} planned cases the product failed {target.product_failed}"
        f"{kinds if target.product_failed else ''}, "
        f"the judge {target.judge_failed}, the wire {target.wire_failed}"
        f"{f', and nothing scores {target.unscorable}' if target.unscorable else ''}."
    )


def answered(target: Accounting, trials: int = 1) -> str:
    """Return the pass rate of the answered cases, with the share of planned cases that are not among them beside it.

    Args:
        target: Where the cases went.
        trials: Of each case; of several it passes where all do, which is another rate than the mean over them.
    """
    if not target.planned:
        return "No case was planned."
    where = f"{target.wire_failed} on the wire, {target.judge_failed} at the judge"
    where += f", {target.unscorable} that nothing scores" if target.unscorable else ""
    if target.answered is None:
        return f"None of {target.planned} planned cases has an outcome: {where}."
    every = f" in all {trials} trials" if trials > 1 else ""
    lost = f"{target.lost} of {target.planned} planned ({percent(target.lost / target.planned)}) were lost: {where}"
    return f"{with_interval(target.answered)} of {target.answered.n} answered cases pass{every}; {lost}."


def _drop(row: SliceRow) -> str:
    fixed = "1 is fixed" if row.gained == 1 else f"{row.gained} are fixed"
    levels = f"{percent(row.baseline.estimate)} to {percent(row.target.estimate)}"
    change = f"{_points(row.change.estimate)} points, {_points(row.change.low)} to {_points(row.change.high)}"
    stands = "; it stands since an earlier look" if row.stands else ""
    return f"{row.category}: {row.lost} of {row.n} cases newly fail, {fixed} ({levels}; {change}){stands}"


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
    } | ({"nothing scores them": target.unscorable} if target.unscorable else {})
    found = [{"what": f"cases, {name}", "value": f"{count:,}"} for name, count in cases.items()]
    return found + [{"what": f"used by {row.stage} of run {row.run}", "value": _sum(row)} for row in rows]


def _sum(row: Spending) -> str:
    tokens = row.prompt_tokens + row.completion_tokens
    return f"{row.calls:,} calls ({row.failed:,} failed), {row.requests:,} requests, {tokens:,} tokens, {_cost(row)}"


def _cost(row: Spending) -> str:
    return "no price declared" if row.cost_usd is None else money(row.cost_usd)
