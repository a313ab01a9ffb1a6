"""Two versions case by case: what changed, where the target is worse beyond chance, and at which level that is said.

A case counts by the share of its trials that pass, since the trials of one version may be more than those of the other.
Cases of one family may share the luck of a trial, so a family counts once. A version that is looked at night after
night spends one chance of a false alarm on all its looks.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Literal, NamedTuple

import numpy as np
from pydantic import Field

from assay.errors import InsufficientDataError
from assay.records.record import Record
from assay.report.findings import LEVEL, Outcomes, Rate, rate
from assay.stats import paired
from assay.stats.paired import Trials
from assay.stats.rates import wilson, wilson_bounds, z_quantile
from assay.stats.slices import ALPHA, STANDS, SliceCounts, SliceFinding, counted, find_drops
from assay.stats.spending import spent

OVERALL = "overall"
TESTS_SHARE = 1 / 3
"""Of the level over all cases; the rest is that of the nights together (`report.nights`), which find what lasts."""


class Look(NamedTuple):
    """Which look at a version tonight is, and what the one before it found worse."""

    number: int = 1
    named: frozenset[str] = frozenset()
    is_new: bool = True
    """It is another version than the accepted one."""


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
    stands: bool = False
    """An earlier look named it, and tonight alone would not; nor does it speak against it."""


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
    """Over all cases, beyond chance at the level of this look."""
    alpha: float
    """That level, one-sided, for the categories together; the test over all cases has a third of it."""
    look: int = 1
    """How often this version has been looked at."""
    suspected: list[str] = Field(default=[])
    """Where one comparison by itself would call the target worse; not all of it is, after so many looks."""
    over_nights: str = ""
    """Why the pass rate of the last nights together is below the accepted one; empty where it is not."""

    @property
    def worse(self) -> list[str]:
        """Return where the target is worse beyond chance: categories, or `overall`."""
        found = [row.category for row in self.slices if row.is_worse]
        return found or ([OVERALL] if self.is_worse or self.over_nights else [])


def compare(
    scorers: Literal["all", "checks"],
    categories: Mapping[str, str],
    target: Outcomes,
    baseline: Outcomes,
    *,
    alpha: float = ALPHA,
    look: Look = Look(),  # noqa: B008 - immutable
    families: Mapping[str, str] = MappingProxyType({}),
) -> Comparison:
    """Compare both versions case by case.

    Args:
        scorers: Which scorers the outcomes come from.
        categories: Category by case.
        target: Outcomes of the version under test.
        baseline: Outcomes of the accepted version.
        alpha: Chance that a version like the baseline is ever called worse overall, however often it is looked at, and
            that any category is.
        look: The first one has most of that chance. What was found worse stays so while tonight does not contradict.
        families: Family by case; a case that is not in it is its own.

    Raises:
        InsufficientDataError: No case has an outcome in both.

    Source:
        STATISTICS 4.3 (Bonett-Price, McNemar mid-p, MDE) and 7.3 (FCR); DECISION 2 and 3 (exact tests, Holm, spending).
    """
    cases = in_both(target, baseline, families)
    if not cases:
        raise InsufficientDataError("no case has an outcome in both versions: mend the endpoint, or run `assay accept`")
    here = spent(alpha, look.number, is_new=look.is_new)
    groups: dict[str, list[Trials]] = defaultdict(list)
    for case_id, trials in cases.items():
        groups[categories[case_id]].append(trials)
    counts = {name: counted(name, group) for name, group in groups.items()}
    drops = {drop.name: drop for drop in find_drops(list(counts.values()), alpha=here, standing=look.named)}
    rows = [_slice_row(groups[name], counts[name], drops[name], here) for name in groups]
    whole = counted(OVERALL, list(cases.values()))
    discordant = max((whole.gained + whole.lost) / whole.n, 1 / whole.n)
    counts_of = [
        sorted(set(of)) for of in zip(*((len(one.now), len(one.before)) for one in cases.values()), strict=True)
    ]
    is_worse = whole.p_value <= here * TESTS_SHARE or (OVERALL in look.named and whole.p_value <= STANDS)
    suspected = [row.category for row in rows if not row.is_worse and (row.adjusted_p or 0) <= alpha]
    return Comparison(
        scorers=scorers,
        target=_share([one.now for one in cases.values()]),
        baseline=_share([one.before for one in cases.values()]),
        change=rate(whole.change(LEVEL)),
        gained=whole.gained,
        lost=whole.lost,
        p_value=_p_value(whole),
        is_worse=is_worse,
        alpha=here,
        look=look.number,
        suspected=suspected or ([OVERALL] if whole.p_value <= alpha else []),
        trials=_said(*counts_of) if whole.trials and max(map(max, counts_of)) > 1 else "",
        detectable=paired.minimum_detectable_effect(whole.n, discordant).statement,
        slices=sorted(rows, key=lambda row: (row.change.estimate, row.category)),
    )


def in_both(target: Outcomes, baseline: Outcomes, families: Mapping[str, str]) -> dict[str, Trials]:
    """Return which trials passed in both versions, of each case that has an outcome in both.

    An outcome of which nobody counted the trials is one trial.
    """

    def trials(version: Outcomes, case_id: str) -> tuple[bool, ...]:
        return version.trials.get(case_id, (version.by_case[case_id] == "pass",))

    return {
        case_id: Trials(trials(target, case_id), trials(baseline, case_id), families.get(case_id, ""))
        for case_id, outcome in target.by_case.items()
        if outcome in ("pass", "fail") and baseline.by_case.get(case_id) in ("pass", "fail")
    }


def _p_value(whole: SliceCounts) -> float:
    """Return the two-sided p-value of the change."""
    if not whole.trials:
        return paired.mcnemar_midp(whole.gained, whole.lost)
    turned = [one.turned for one in whole.trials]
    return min(1.0, 2 * min(paired.exact_drop(whole.trials), paired.exact_drop(turned)))


def _said(mine: Sequence[int], theirs: Sequence[int]) -> str:
    """Return how many trials are compared with how many."""
    said = [" or ".join(map(str, some)) for some in (mine, theirs)]
    return f"the mean over {said[0]} trials a case, against {said[1]} of the baseline"


def _share(seen: Sequence[tuple[bool, ...]]) -> Rate:
    """Return the mean share of trials that pass; of several trials a case the interval counts cases."""
    if all(len(trials) == 1 for trials in seen):
        return rate(wilson(sum(map(sum, seen)), len(seen)))
    shares = np.array([sum(trials) / len(trials) for trials in seen])
    mean, size = float(shares.mean()), float(len(seen))
    if 0 < mean < 1 and shares.var() > 0:
        size = min(max(size, size * mean * (1 - mean) / float(shares.var())), float(sum(map(len, seen))))
    low, high = wilson_bounds(mean, size, z_quantile(LEVEL))
    return Rate(estimate=mean, low=low, high=high, n=len(seen), method="mean over trials, Wilson at effective n")


def _slice_row(group: Sequence[Trials], counts: SliceCounts, drop: SliceFinding, level: float) -> SliceRow:
    return SliceRow(
        category=counts.name,
        n=counts.n,
        target=_share([one.now for one in group]),
        baseline=_share([one.before for one in group]),
        change=rate(drop.change),
        gained=counts.gained,
        lost=counts.lost,
        adjusted_p=drop.adjusted,
        is_worse=drop.flagged,
        stands=drop.flagged and drop.adjusted > level,
    )
