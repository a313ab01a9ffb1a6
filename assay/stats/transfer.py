"""What a judge's word on a new version is worth while it errs there as on the labelled answers, and no longer.

The judge passes a share TPR of what people pass and 1 - TNR of what they fail. So a change that it sees is the people's
change times Youden's J, and an error that is another one on this version alone looks like a change of the product.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assay.stats.rates import Interval, z_quantile

Draws = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was compared: every share is of all cases."""

    change: Interval
    """Of the judge's word, on the cases that it decides."""
    sure: Interval
    """Change of the pass rate on the other cases, which checks alone decide."""
    passed_before: float
    """Cases that the judge passed before."""
    open_now: float
    """Cases that are left to the judge: no check fails them."""
    open_before: float


@dataclass(frozen=True, kw_only=True)
class Carried:
    """The change as people would have it, as far as the judge errs alike on both versions."""

    change: Interval
    laxer: float
    """By how much lower its TNR may be on the new version before the tolerated drop is no longer excluded, 0 to 1."""
    stricter: float
    """By how much lower its TPR may be on the new version before there may be no drop at all, 0 to 1."""


def carried(
    seen: Seen, tpr: Interval, tnr: Interval, *, tolerated: float, rng: np.random.Generator, draws: int
) -> Carried:
    """Return the change as people would have it, and how much the judge's errors may differ before it holds no longer.

    Args:
        seen: What the judge said of both versions.
        tpr: Its share of what people pass that it passes.
        tnr: Its share of what people fail that it fails.
        tolerated: The drop that is to be excluded, as a share.
        rng: Source of draws.
        draws: How many.

    Source:
        Rogan & Gladen (1978) in both versions, their difference; the bounds by drawing from the intervals of what goes
        in (Krishnamoorthy & Lee 2010); tipping points as in Cole & Frangakis's sensitivity analysis (DECISION 4).
    """
    rise, sure, passes, fails = (_drawn(one, rng, draws) for one in (seen.change, seen.sure, tpr, tnr))
    lean = np.maximum(passes + fails - 1, 1e-9)
    moved = rise - (seen.open_now - seen.open_before) * (1 - fails)
    people = np.clip(sure + moved / lean, -1, 1)
    before = np.clip((seen.passed_before - seen.open_before * (1 - fails)) / lean, 0, seen.open_before)
    least = np.clip(before - tolerated - sure, 0, seen.open_now)
    failing = np.maximum(seen.open_now - least, 1e-9)
    laxer = (moved + (before - least) * lean) / failing
    stricter = -(moved + sure * lean) / np.maximum(before, 1e-9)
    tail = 0.025
    low, high = np.quantile(people, [tail, 1 - tail]).tolist()
    youden = tpr.estimate + tnr.estimate - 1
    estimate = seen.sure.estimate + (
        seen.change.estimate - (seen.open_now - seen.open_before) * (1 - tnr.estimate)
    ) / max(youden, 1e-9)
    return Carried(
        change=Interval(
            estimate=min(max(estimate, -1.0), 1.0),
            low=low,
            high=high,
            n=seen.change.n,
            level=1 - 2 * tail,
            method="the judge's change over its J, drawn",
        ),
        laxer=float(np.clip(np.quantile(laxer, tail), 0, 1)),
        stricter=float(np.clip(np.quantile(stricter, tail), 0, 1)),
    )


def _drawn(found: Interval, rng: np.random.Generator, draws: int) -> Draws:
    """Return draws of a figure whose two-sided interval is known: normal to both sides, each as wide as its bound."""
    z, normal = z_quantile(found.level), rng.standard_normal(draws)
    up, down = (found.high - found.estimate) / z, (found.estimate - found.low) / z
    return np.clip(found.estimate + normal * np.where(np.signbit(normal), down, up), -1, 1)
