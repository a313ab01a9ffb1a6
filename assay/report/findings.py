"""What a run found: every number of the report, computed from verdicts, before anything is drawn.

A case is the unit. It passes when all its blocking scorers pass in all its trials, and it has no outcome when any of
them gave none or is missing: an error can neither raise nor lower a rate. Two versions are compared by the share of its
trials that each case passes, since the trials of one version may be more than those of the other. Preference is read
from the first trial alone, since an interval over all of them would count one case several times.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np

from assay.errors import InsufficientDataError
from assay.judges.prompt import JudgePrompt
from assay.judges.questions import expects
from assay.records.case import Case
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import IDENTICAL, Subject, Verdict
from assay.stats import paired, pairs
from assay.stats.paired import Trials
from assay.stats.rates import Interval, wilson, wilson_bounds, z_quantile
from assay.stats.slices import ALPHA, SliceCounts, SliceFinding, find_drops

CaseOutcome = Literal["pass", "fail", "wire", "judge", "unscorable"]
"""`wire`: a call to the product failed; `judge`: a scorer gave no verdict; `unscorable`: the case has no expectation,
and no blocking judge is asked about it. None of them is an outcome of the product."""
LEVEL = 0.95
NOTHING_SCORES = "nothing scores this case: add an expectation, or what a judge requires (`assay judges` lists it)"


class Rate(Record):
    """A share with its interval, the number of cases behind it and how it was estimated."""

    estimate: float
    low: float
    high: float
    n: int
    method: str
    level: float = 0.95
    """Confidence level of the interval; higher where the figure was selected among many."""


class Accounting(Record):
    """Where every planned case went; the parts sum to `planned`."""

    planned: int
    passed: int
    product_failed: int
    format_failed: int
    """Of `product_failed`: what failed could not be read as what it had to be, and nothing was found wrong in it."""
    judge_failed: int
    wire_failed: int
    unscorable: int = 0
    """Cases with neither an expectation nor a reference: nobody was asked about them."""
    reasons: dict[str, int]
    """Of the failures of judge and wire, by kind."""

    @property
    def answer_failed(self) -> int:
        """Return the failures of the product that are wrong answers."""
        return self.product_failed - self.format_failed

    @property
    def answered(self) -> Rate | None:
        """Return the pass rate of the cases that have an outcome; None where none has."""
        n = self.passed + self.product_failed
        return rate(wilson(self.passed, n)) if n else None

    @property
    def lost(self) -> int:
        """Return the planned cases without an outcome."""
        return self.judge_failed + self.wire_failed + self.unscorable


class SliceRow(Record):
    """One category: both rates, the paired change and whether it is a drop beyond chance."""

    category: str
    n: int
    target: Rate
    baseline: Rate
    change: Rate
    """Of a category that is worse, which was selected among many, the interval is at the FCR-adjusted level."""
    gained: int
    lost: int
    adjusted_p: float | None
    """Exact, one-sided, after Holm over all categories."""
    is_worse: bool


class Comparison(Record):
    """Target against baseline on the cases that both answered, all scorers or checks alone."""

    scorers: Literal["all", "checks"]
    target: Rate
    baseline: Rate
    change: Rate
    gained: int
    lost: int
    p_value: float
    trials: str = ""
    """How many trials are compared with how many; empty where there is one of each."""
    detectable: str
    """The smallest change that this many cases can find, in words."""
    slices: list[SliceRow]
    """The largest drop first."""
    is_worse: bool
    """Over all cases, beyond chance at the level of the comparison."""
    alpha: float
    """That level, one-sided; the categories together have one as large."""

    @property
    def worse(self) -> list[str]:
        """Return where the target is worse beyond chance: categories, or `overall`."""
        return [row.category for row in self.slices if row.is_worse] or (["overall"] if self.is_worse else [])


class Preference(Record):
    """How often the pairwise judge prefers the target, ties as half, and how often the order decided."""

    win_rate: Rate
    conflict: Rate
    wins: int
    ties: int
    losses: int
    unscored: int
    identical: int


class Outcomes(NamedTuple):
    """Each planned case's outcome under one choice of scorers, with the reason where there is none."""

    by_case: dict[str, CaseOutcome]
    reasons: Counter[str]
    format_only: frozenset[str] = frozenset()
    """Failed cases of which every failed verdict is of their format."""
    trials: Mapping[str, tuple[int, int]] = MappingProxyType({})
    """Of each case that has an outcome: trials that pass, and trials; empty where nobody counted them."""


def outcomes(
    subject: Subject,
    cases: Iterable[Case],
    responses: Iterable[Response],
    verdicts: Iterable[Verdict],
    judges: Sequence[JudgePrompt],
    *,
    checks_only: bool,
) -> Outcomes:
    """Fold verdicts into one outcome a case; with `checks_only`, cases that no check decides are left out.

    Args:
        subject: Which version.
        cases: The evaluation set.
        responses: Of this version.
        verdicts: Of any.
        judges: Of the project; those that block count.
        checks_only: Judges are left out.
    """
    blocking = [] if checks_only else blocking_of(judges)
    counted = {judge.name for judge in blocking}
    answered: dict[str, list[Response]] = defaultdict(list)
    for response in responses:
        answered[response.case_id].append(response)
    said: dict[str, list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        if verdict.subject == subject and (verdict.scorer.startswith("check:") or verdict.scorer in counted):
            said[verdict.item_id].append(verdict)
    reasons: Counter[str] = Counter()
    found: dict[str, CaseOutcome] = {}
    misshapen: set[str] = set()
    trials: dict[str, tuple[int, int]] = {}
    for case in cases:
        if checks_only and not case.expectations:
            continue
        scorers = scorers_of(case, answered[case.case_id], blocking)
        outcome = outcome_of(answered[case.case_id], said[case.case_id], scorers, reasons)
        found[case.case_id] = outcome
        if outcome in ("pass", "fail"):
            fell = {one.trial for one in said[case.case_id] if one.outcome != "pass"}
            of = {row.trial for row in answered[case.case_id]}
            trials[case.case_id] = (len(of - fell), len(of))
        if outcome == "fail" and all(one.fault == "format" for one in said[case.case_id] if one.outcome == "fail"):
            misshapen.add(case.case_id)
    return Outcomes(found, reasons, frozenset(misshapen), trials)


def blocking_of(judges: Iterable[JudgePrompt]) -> list[JudgePrompt]:
    """Return the judges without whose pass no case passes."""
    return [
        judge
        for judge in judges
        if judge.declared.blocks and not judge.declared.is_pair and judge.declared.scope == "cases"
    ]


def scorers_of(case: Case, responses: Iterable[Response], blocking: Sequence[JudgePrompt]) -> dict[int, int]:
    """Return how many verdicts each trial of a case must have."""
    return {
        response.trial: len(case.expectations) + sum(expects(judge, case, response) for judge in blocking)
        for response in responses
    }


def outcome_of(
    responses: Sequence[Response], verdicts: Sequence[Verdict], scorers: Mapping[int, int], reasons: Counter[str]
) -> CaseOutcome:
    """Return the outcome of one case over some of its trials.

    Args:
        responses: What was answered in these trials.
        verdicts: What was said of it.
        scorers: How many verdicts each trial must have, as from `scorers_of`.
        reasons: Where the reason is counted when there is no outcome.
    """
    broken = [response.error_kind for response in responses if response.status == "error"]
    if broken or not responses:
        reasons[f"wire: {broken[0] if broken else 'no response on file'}"] += 1
        return "wire"
    if not any(scorers.values()) and not verdicts:
        reasons[NOTHING_SCORES] += 1
        return "unscorable"
    silent = [verdict for verdict in verdicts if verdict.outcome == "unscored"]
    given = Counter(verdict.trial for verdict in verdicts)
    if silent or not verdicts or any(given[row.trial] < scorers[row.trial] for row in responses):
        reasons[f"judge: {silent[0].status if silent else 'no verdict on file'}"] += 1
        return "judge"
    return "pass" if all(verdict.outcome == "pass" for verdict in verdicts) else "fail"


def account(found: Outcomes) -> Accounting:
    """Count where the planned cases went."""
    count = Counter(found.by_case.values())
    return Accounting(
        planned=len(found.by_case),
        passed=count["pass"],
        product_failed=count["fail"],
        format_failed=len(found.format_only),
        judge_failed=count["judge"],
        wire_failed=count["wire"],
        unscorable=count["unscorable"],
        reasons=dict(sorted(found.reasons.items())),
    )


def compare(
    scorers: Literal["all", "checks"],
    categories: Mapping[str, str],
    target: Outcomes,
    baseline: Outcomes,
    *,
    alpha: float = ALPHA,
) -> Comparison:
    """Compare both versions case by case.

    Args:
        scorers: Which scorers the outcomes come from.
        categories: Category by case.
        target: Outcomes of the version under test.
        baseline: Outcomes of the accepted version.
        alpha: Chance that versions that are alike are called worse overall, and that any category is.

    Raises:
        InsufficientDataError: No case has an outcome in both.

    Source:
        STATISTICS 4.3 (Bonett-Price, McNemar mid-p, MDE) and 7.3 (FCR); DECISION 2 (exact tests, Holm).
    """
    both = {
        case_id: (outcome, baseline.by_case[case_id])
        for case_id, outcome in target.by_case.items()
        if outcome in ("pass", "fail") and baseline.by_case.get(case_id) in ("pass", "fail")
    }
    if not both:
        raise InsufficientDataError("no case has an outcome in both versions: mend the endpoint, or run `assay accept`")
    cases = {case_id: _trials(case_id, target, baseline) for case_id in both}
    groups: dict[str, list[Trials]] = defaultdict(list)
    for case_id, trials in cases.items():
        groups[categories[case_id]].append(trials)
    counts = {name: _counts(name, group) for name, group in groups.items()}
    drops = {drop.name: drop for drop in find_drops(list(counts.values()), alpha=alpha)}
    rows = [_slice_row(groups[name], counts[name], drops[name]) for name in groups]
    whole = _counts("overall", list(cases.values()))
    discordant = max((whole.gained + whole.lost) / whole.n, 1 / whole.n)
    counts_of = [sorted(set(of)) for of in zip(*((one.of, one.of_before) for one in cases.values()), strict=True)]
    return Comparison(
        scorers=scorers,
        target=_share([(one.passed, one.of) for one in cases.values()]),
        baseline=_share([(one.passed_before, one.of_before) for one in cases.values()]),
        change=rate(whole.change(LEVEL)),
        gained=whole.gained,
        lost=whole.lost,
        p_value=_p_value(whole),
        is_worse=whole.p_value <= alpha,
        alpha=alpha,
        trials=_said(*counts_of) if whole.trials else "",
        detectable=paired.minimum_detectable_effect(whole.n, discordant).statement,
        slices=sorted(rows, key=lambda row: (row.change.estimate, row.category)),
    )


def preference(judge: str, verdicts: Iterable[Verdict]) -> Preference | None:
    """Return a pairwise judge's word on target against baseline; None where it judged fewer than two pairs.

    Identical responses are ties that nobody was asked about: they are in the win rate, not in the share of conflicts.
    """
    paired_up = [row for row in verdicts if (row.subject, row.scorer, row.trial) == ("pair", judge, 0)]
    ok = [verdict for verdict in paired_up if verdict.status == "ok"]
    asked = [verdict for verdict in ok if verdict.fingerprint != IDENTICAL]
    if len(asked) < 2:  # noqa: PLR2004 - an interval takes two
        return None
    count = Counter(verdict.outcome for verdict in ok)
    return Preference(
        win_rate=rate(pairs.win_rate(*_orders(ok))),
        conflict=rate(pairs.position_bias(*_orders(asked)).conflict),
        wins=count["a"],
        ties=count["tie"],
        losses=count["b"],
        unscored=len(paired_up) - len(ok),
        identical=len(ok) - len(asked),
    )


def _orders(verdicts: Sequence[Verdict]) -> tuple[list[str], list[str]]:
    return [str(verdict.as_is) for verdict in verdicts], [str(verdict.swapped) for verdict in verdicts]


def rate(found: Interval) -> Rate:
    """Return an interval as a row of the report."""
    return Rate(
        estimate=found.estimate, low=found.low, high=found.high, n=found.n, method=found.method, level=found.level
    )


def _trials(case_id: str, target: Outcomes, baseline: Outcomes) -> Trials:
    """Return how often a case passed in both versions; an outcome of which nobody counted the trials is one of one."""
    counts = [
        version.trials.get(case_id, (int(version.by_case[case_id] == "pass"), 1)) for version in (target, baseline)
    ]
    return Trials(*counts[0], *counts[1])


def _counts(name: str, group: Sequence[Trials]) -> SliceCounts:
    gained, lost = (sum(sign * one.difference > 0 for one in group) for sign in (1, -1))
    is_once = all((one.of, one.of_before) == (1, 1) for one in group)
    return SliceCounts(name=name, n=len(group), gained=gained, lost=lost, trials=() if is_once else group)


def _p_value(whole: SliceCounts) -> float:
    """Return the two-sided p-value of the change."""
    if not whole.trials:
        return paired.mcnemar_midp(whole.gained, whole.lost)
    turned = [Trials(one.passed_before, one.of_before, one.passed, one.of) for one in whole.trials]
    return min(1.0, 2 * min(paired.exact_drop(whole.trials), paired.exact_drop(turned)))


def _said(mine: Sequence[int], theirs: Sequence[int]) -> str:
    """Return how many trials are compared with how many."""
    said = [" or ".join(map(str, some)) for some in (mine, theirs)]
    return f"the mean over {said[0]} trials a case, against {said[1]} of the baseline"


def _share(seen: Sequence[tuple[int, int]]) -> Rate:
    """Return the mean share of trials that pass; of several trials a case the interval counts cases."""
    if all(of == 1 for _, of in seen):
        return rate(wilson(sum(passed for passed, _ in seen), len(seen)))
    shares = np.array([passed / of for passed, of in seen])
    mean, size = float(shares.mean()), float(len(seen))
    if 0 < mean < 1 and shares.var() > 0:
        size = min(max(size, size * mean * (1 - mean) / float(shares.var())), float(sum(of for _, of in seen)))
    low, high = wilson_bounds(mean, size, z_quantile(LEVEL))
    return Rate(estimate=mean, low=low, high=high, n=len(seen), method="mean over trials, Wilson at effective n")


def _slice_row(group: Sequence[Trials], counts: SliceCounts, drop: SliceFinding) -> SliceRow:
    return SliceRow(
        category=counts.name,
        n=counts.n,
        target=_share([(one.passed, one.of) for one in group]),
        baseline=_share([(one.passed_before, one.of_before) for one in group]),
        change=rate(drop.change),
        gained=counts.gained,
        lost=counts.lost,
        adjusted_p=drop.adjusted,
        is_worse=drop.flagged,
    )
