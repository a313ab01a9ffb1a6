"""Two independent rates: how far apart are they?"""

from math import sqrt

from assay.errors import InsufficientDataError
from assay.stats.rates import Interval, wilson_bounds, z_quantile


def newcombe(
    events: float, n: float, base_events: float, base_n: float, *, level: float = 0.95, dispersion: float = 1.0
) -> Interval:
    """Return the difference of two independent rates, first minus base, with Newcombe's interval.

    Args:
        events: Events in the first sample, 0 to n.
        n: Size of the first sample; of labels of unequal weights the effective one.
        base_events: Events in the sample it is compared with.
        base_n: Size of that sample.
        level: Confidence level of the two-sided interval.
        dispersion: How many times the variance exceeds the binomial one, at least 1; it divides both sizes.

    Raises:
        InsufficientDataError: One of the samples is empty.
        ValueError: The counts contradict each other, or `dispersion` is below 1.

    Source:
        Newcombe (1998), Interval estimation for the difference between independent proportions, method 10.
    """
    if min(n, base_n) == 0:
        raise InsufficientDataError(f"the samples hold {n} and {base_n} items; both need at least one to be compared")
    if not (0 <= events <= n and 0 <= base_events <= base_n):
        raise ValueError(f"events are {events} of {n} and {base_events} of {base_n}; expected 0 <= events <= n")
    if not dispersion >= 1:
        raise ValueError(f"dispersion is {dispersion!r}; expected a finite number of at least 1")
    z = z_quantile(level)
    rate, base = events / n, base_events / base_n
    low, high = wilson_bounds(rate, n / dispersion, z)
    base_low, base_high = wilson_bounds(base, base_n / dispersion, z)
    return Interval(
        estimate=rate - base,
        low=rate - base - sqrt((rate - low) ** 2 + (base_high - base) ** 2),
        high=rate - base + sqrt((high - rate) ** 2 + (base - base_low) ** 2),
        n=round(n + base_n),
        level=level,
        method="newcombe" if dispersion == 1 else f"newcombe at dispersion {dispersion:.2f}",
    )
