"""Outcomes that differ between two versions: how many come from the change, and how many would differ anyway?

A product that is asked twice may answer twice. With several trials of either version the disagreement between trials of
one version says how much of the disagreement between the versions is the product's own variance.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from assay.errors import InsufficientDataError
from assay.stats.paired import Trials
from assay.stats.rates import Interval
from assay.stats.scores import mean_interval

LEAST = 2
"""Trials of either version that tell its variance."""


@dataclass(frozen=True, kw_only=True)
class FlipShares:
    """Where differing outcomes come from, as shares of the cases."""

    n: int
    """Cases with several trials of both versions."""
    differ: float
    """Chance that a trial of the one version and a trial of the other differ on a case."""
    own: float
    """Chance that two trials of one version differ, the mean of both versions: the product's own variance."""
    change: Interval | None
    """What the change adds: the mean squared difference of the case's two pass rates; None where no case differs."""
    steady: int
    """Cases that pass in all trials of one version and in none of the other."""


def flip_shares(cases: Sequence[Trials], *, level: float = 0.95) -> FlipShares:
    """Return how much of the disagreement between two versions is their own variance.

    Of a case with pass rates p and q, trials of both versions differ with p(1 - q) + q(1 - p), and those of one version
    with 2p(1 - p). The first less the mean of the others is (p - q) squared, which each case's counts estimate without
    bias; so the change's part may be estimated below 0 where nothing changed.

    Args:
        cases: Of which those count that have two trials or more of either version.
        level: Confidence level of the interval, which is over families.

    Raises:
        InsufficientDataError: Fewer than two cases have several trials of both versions.

    Source:
        The unbiased (Hoeffding 1948, U-statistic) estimate of p(1 - p) from k trials, s(k - s) / k(k - 1); STATISTICS
        4.2.
    """
    several = [one for one in cases if min(len(one.now), len(one.before)) >= LEAST]
    if len(several) < 2:  # noqa: PLR2004 - a spread needs two
        raise InsufficientDataError(
            f"{len(several)} cases have several trials of both versions; at least two are needed: run more trials"
        )
    across = [_across(one) for one in several]
    own = [(_within(one.now) + _within(one.before)) / 2 for one in several]
    groups: dict[object, list[float]] = defaultdict(list)
    for at, (one, between, within) in enumerate(zip(several, across, own, strict=True)):
        groups[one.family or at].append(between - within)
    try:
        change = mean_interval([sum(group) / len(group) for group in groups.values()], what="change", level=level)
    except InsufficientDataError:
        change = None
    return FlipShares(
        n=len(several),
        differ=sum(across) / len(several),
        own=sum(own) / len(several),
        change=change,
        steady=sum(abs(one.difference) == 1 for one in several),
    )


def _across(one: Trials) -> float:
    """Return the chance that a trial of either version differ."""
    now, before = (sum(trials) / len(trials) for trials in (one.now, one.before))
    return now * (1 - before) + before * (1 - now)


def _within(trials: Sequence[bool]) -> float:
    """Return the chance that two different trials of one version differ."""
    k, passed = len(trials), sum(trials)
    return 2 * passed * (k - passed) / (k * (k - 1))
