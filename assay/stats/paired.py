"""Two versions on the same cases: what changed, how sure that is, and what could have been seen at all.

`gained` counts cases that only the new version passes, `lost` those that only the old one does; both are discordant.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cache
from math import comb, fsum, gcd, lcm, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, rfft
from scipy.optimize import brentq
from scipy.stats import binom, norm

from assay.errors import InsufficientDataError
from assay.stats.rates import Interval, z_quantile

SMALLEST = 1e-6
"""An effect below one case in a million is treated as none."""


@dataclass(frozen=True, kw_only=True)
class DetectableEffect:
    """The smallest change of a pass rate that a paired comparison would find with the given power."""

    effect: float | None
    """As a share, 0 to 1; None where no change can be found at this discordance."""
    n: int
    discordant: float
    """Share of cases on which the versions differ."""
    power: float
    level: float
    method: str
    statement: str


def bonett_price(gained: int, lost: int, n: int, *, level: float = 0.95) -> Interval:
    """Return the change of the pass rate, new minus old, over paired cases.

    Args:
        gained: Cases that only the new version passes.
        lost: Cases that only the old version passes.
        n: All cases that both versions answered.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: There is no case.
        ValueError: The counts contradict each other.

    Source:
        Bonett & Price (2012), Adjusted Wald confidence interval for a difference of binomial proportions, paired data.
    """
    _require_counts(gained, lost, n)
    if n == 0:
        raise InsufficientDataError("the versions have 0 cases in common; a paired change needs at least one")
    up, down = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = z_quantile(level) * sqrt((up + down - (up - down) ** 2) / (n + 2))
    return Interval(
        estimate=(gained - lost) / n,
        low=max(up - down - half, -1.0),
        high=min(up - down + half, 1.0),
        n=n,
        level=level,
        method="Bonett-Price",
    )


def mean_change(
    differences: Sequence[float], *, step: float = 1, level: float = 0.95, families: Sequence[Hashable] = ()
) -> Interval:
    """Return the change of the mean pass share, new minus old, over paired cases of several trials each.

    Args:
        differences: Of each case the share of its trials that pass now, minus the share before, in [-1, 1].
        step: By how much one trial moves a case: 1 with one trial, a third with three.
        level: Confidence level of the two-sided interval.
        families: Of each case its family, whose cases may share their luck; empty where each is its own.

    A family is the unit, whatever the number of its cases and trials. With one trial of each version, and no family of
    several cases, it is `bonett_price`.

    Raises:
        InsufficientDataError: There is no case.

    Source:
        Bonett & Price (2012): one case gained and one lost are added, here by one step each. Over families the variance
        of a ratio of their sums (Cochran 1977, 6.4).
    """
    n = len(differences)
    if n == 0:
        raise InsufficientDataError("the versions have 0 cases in common; a paired change needs at least one")
    sums: dict[Hashable, list[float]] = defaultdict(lambda: [0.0, 0])
    for family, one in zip(families or range(n), differences, strict=True):
        sums[family][0] += one
        sums[family][1] += 1
    mean = fsum(differences) / (n + 2)
    apart = fsum((total - size * mean) ** 2 for total, size in [*sums.values(), (step, 1), (-step, 1)])
    half = z_quantile(level) * sqrt(apart) / (n + 2)
    return Interval(
        estimate=fsum(differences) / n,
        low=max(mean - half, -1.0),
        high=min(mean + half, 1.0),
        n=n,
        level=level,
        method="mean of paired shares, Bonett-Price",
    )


class Trials(NamedTuple):
    """Which trials of one case passed, now and before."""

    now: tuple[bool, ...]
    before: tuple[bool, ...]
    family: str = ""
    """Cases of one family may share the luck of a trial; empty for a case of its own."""

    @property
    def difference(self) -> float:
        """Return the share of trials that pass now, minus the share before."""
        return sum(self.now) / len(self.now) - sum(self.before) / len(self.before)

    @property
    def turned(self) -> "Trials":
        """Return the same with the versions changed places."""
        return Trials(self.before, self.now, self.family)


def trials_change(cases: Sequence[Trials], *, level: float = 0.95) -> Interval:
    """Return the change of the mean pass share over cases of several trials or of families, as `mean_change` has it.

    Args:
        cases: Each with at least one trial of either version.
        level: Confidence level of the two-sided interval.

    Raises:
        InsufficientDataError: There is no case.
    """
    step = 1 / max((min(len(one.now), len(one.before)) for one in cases), default=1)
    families = [one.family or at for at, one in enumerate(cases)]
    return mean_change([one.difference for one in cases], step=step, level=level, families=families)


def exact_drop(cases: Sequence[Trials]) -> float:
    """Return the one-sided exact p-value against a drop: how often versions that are alike would show so large a one.

    If nothing changed, the two versions of a family are as likely to have changed places, each with all its trials:
    those of a version may share a wording and what a judge makes of it. Where the numbers of trials differ, the trials
    of a family are permuted as well, and the larger p-value holds. With one trial of each version, and each case a
    family, it is McNemar's exact test.

    Args:
        cases: Each with at least one trial of either version.

    Source:
        Fisher's exact randomization of paired differences (Pitman 1937); trials permuted by whole ones as in Mantel &
        Haenszel (1959) and Winkler et al. (2015), Multi-level block permutation.
    """
    families: dict[object, list[Trials]] = defaultdict(list)
    for at, one in enumerate(cases):
        families[one.family or at].append(one)
    found = _by_versions(list(families.values()))
    if all(len(one.now) == len(one.before) for one in cases):
        return found
    return max(found, _by_trials(list(families.values())))


def _by_versions(families: Sequence[Sequence[Trials]]) -> float:
    """Return the p-value where the versions of each family may have changed places."""
    scale = lcm(*(len(trials) for family in families for one in family for trials in (one.now, one.before)))
    moved = [
        sum(sum(one.now) * (scale // len(one.now)) - sum(one.before) * (scale // len(one.before)) for one in family)
        for family in families
    ]
    unit = gcd(*moved) or 1
    sizes = Counter(abs(one) // unit for one in moved)
    kinds = [(np.bincount([0, size]) / 2, count) for size, count in sorted(sizes.items())]
    gained = sum(one for one in moved if one > 0) // unit
    return _at_most(kinds, gained)


def _by_trials(families: Sequence[Sequence[Trials]]) -> float:
    """Return the p-value where each trial of a family is as likely as any other to be among the new ones."""
    kinds: Counter[tuple[int, tuple[int, ...]]] = Counter()
    seen = 0
    for family in families:
        now, before = (_by_trial(version) for version in zip(*((one.now, one.before) for one in family), strict=True))
        seen += sum(now)
        kinds[len(now), tuple(sorted(now + before))] += 1
    sums = [(*_of_chosen(*kind), count) for kind, count in sorted(kinds.items())]
    least = sum(low * count for low, _, count in sums)
    return _at_most([(chances, count) for _, chances, count in sums], seen - least)


def _at_most(kinds: Sequence[tuple[NDArray[np.float64], int]], most: int) -> float:
    """Return the chance that a sum of independent draws is at most so much.

    Args:
        kinds: Chances of 0, 1, 2, ..., and how many draws have them.
        most: The bound.
    """
    size = 1 + sum(count * (len(chances) - 1) for chances, count in kinds)
    spectrum = np.ones(size // 2 + 1, dtype=complex)
    for chances, count in kinds:
        spectrum *= rfft(chances, size) ** count
    return float(min(1.0, max(0.0, irfft(spectrum, size)[: most + 1].sum())))


def _by_trial(cases: Sequence[tuple[bool, ...]]) -> list[int]:
    """Return how many cases of a family pass in each trial that all of them have."""
    return [sum(case[trial] for case in cases) for trial in range(min(map(len, cases)))]


@cache
def _of_chosen(chosen: int, trials: tuple[int, ...]) -> tuple[int, NDArray[np.float64]]:
    """Return the least sum that so many of these trials have, and the chances of it and of each sum above it."""
    ways: list[Counter[int]] = [Counter({0: 1}), *(Counter[int]() for _ in range(chosen))]
    for passes in trials:
        for count in range(chosen, 0, -1):
            for total, number in ways[count - 1].items():
                ways[count][total + passes] += number
    low, high, every = min(ways[chosen]), max(ways[chosen]), comb(len(trials), chosen)
    return low, np.array([ways[chosen][total] / every for total in range(low, high + 1)])


def mcnemar_midp(gained: int, lost: int) -> float:
    """Return the two-sided mid-p value of McNemar's exact test; 1 where nothing is discordant.

    Source:
        McNemar (1947); mid-p as recommended by Fagerland, Lydersen & Laake (2013).
    """
    _require_counts(gained, lost, gained + lost)
    if gained == lost:
        return 1.0
    fewer, total = min(gained, lost), gained + lost
    return min(1.0, float(2 * binom.cdf(fewer, total, 0.5) - binom.pmf(fewer, total, 0.5)))


def mcnemar_drop(gained: int, lost: int) -> float:
    """Return the one-sided exact p-value against a drop: small when far more was lost than gained.

    With nothing discordant it is 1.

    Source:
        McNemar (1947), exact; a mid-p value does not hold its level (DECISION 2).
    """
    _require_counts(gained, lost, gained + lost)
    return float(binom.cdf(gained, gained + lost, 0.5))


def n_paired(discordant: float, delta: float, *, power: float = 0.8, level: float = 0.95) -> float:
    """Return how many paired cases find a change of `delta` with the given power; round it up.

    Args:
        discordant: Share of cases on which the versions will differ, at least `delta`.
        delta: The change of the pass rate worth finding, above 0.
        power: Chance of finding it.
        level: 1 minus the two-sided false-alarm rate.

    Raises:
        ValueError: A change larger than the discordance, which cannot happen, or a share outside (0, 1].

    Source:
        Connor (1987), Sample size for testing differences in proportions for the paired-sample design.
    """
    if not 0 < delta <= discordant <= 1:
        raise ValueError(f"delta is {delta}, discordant {discordant}; expected 0 < delta <= discordant <= 1")
    if not 0 < power < 1:
        raise ValueError(f"power is {power}; expected a share strictly between 0 and 1")
    sure = z_quantile(level) * sqrt(discordant) + float(norm.ppf(power)) * sqrt(discordant - delta**2)
    return sure**2 / delta**2


def minimum_detectable_effect(
    n: int, discordant: float, *, power: float = 0.8, level: float = 0.95
) -> DetectableEffect:
    """Return the smallest change that `n` paired cases would find.

    Args:
        n: Paired cases.
        discordant: Share of cases on which the versions differ, above 0; from this comparison or an earlier one.
        power: Chance of finding the change.
        level: 1 minus the two-sided false-alarm rate.

    Where even a change as large as the discordance escapes, `effect` is None and the statement says from which
    change on `n` cases would suffice if nothing else flipped.

    Raises:
        InsufficientDataError: There is no case.
        ValueError: `discordant` is no share above 0.

    Source:
        Connor (1987), solved for the change.
    """
    if n < 1:
        raise InsufficientDataError(f"{n} paired cases can find no change at all; add cases")
    if not SMALLEST < discordant <= 1:
        raise ValueError(f"discordant is {discordant}; expected a share above 0, at most 1")
    sure = f"{power:.0%} power"
    if n_paired(discordant, discordant, power=power, level=level) <= n:
        effect = float(brentq(lambda d: n_paired(discordant, d, power=power, level=level) - n, SMALLEST, discordant))
        statement = f"{n} cases find a change of {100 * effect:.1f} points with {sure} at {discordant:.1%} discordance"
    else:
        effect = None
        statement = f"{n} cases find no change with {sure} at {discordant:.1%} discordance; {_alone(n, power, level)}"
    return DetectableEffect(
        effect=effect, n=n, discordant=discordant, power=power, level=level, method="Connor", statement=statement
    )


def smallest_drop(n: int, *, power: float = 0.8, level: float = 0.95) -> float | None:
    """Return the smallest drop that `n` paired cases find when nothing else flips; None where not even the largest.

    Source:
        STATISTICS 4.3: 30 cases find a drop from 24 points on.
    """
    if n_paired(1, 1, power=power, level=level) > n:
        return None
    return float(brentq(lambda d: n_paired(d, d, power=power, level=level) - n, SMALLEST, 1))


def _alone(n: int, power: float, level: float) -> str:
    """Say from which change on `n` cases suffice when nothing else flips."""
    least = smallest_drop(n, power=power, level=level)
    if least is None:
        return "not even a change of every case would be found: add cases"
    return f"only from {100 * least:.0f} points on, and if nothing else flips: add cases"


def _require_counts(gained: int, lost: int, n: int) -> None:
    if min(gained, lost) < 0 or gained + lost > n:
        raise ValueError(f"{gained} gained and {lost} lost of {n} cases; expected counts with gained + lost <= n")
