"""Two periods of traffic: the change between them, and how much more than chance the days differ."""

from math import sqrt
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student

from assay.monitoring.measures import Measure
from assay.stats.difference import newcombe
from assay.stats.rates import Interval

WEEK = 7
"""Days; the days of one weekday are compared with one another."""


class Sample(NamedTuple):
    """One segment's conversations in both periods."""

    now: "pd.Series[float]"
    usual: "pd.Series[float]"


def compare(measure: Measure, sample: Sample, level: float, dispersion: float = 1.0) -> Interval:
    """Return the change of a rate (Newcombe) or of a mean (Welch) between two periods.

    Args:
        measure: Says which of both.
        sample: Values of the two periods.
        level: Confidence level of the two-sided interval.
        dispersion: How many times the variance exceeds that of independent conversations, at least 1.
    """
    now, usual = sample
    if measure.kind == "rate":
        counts = int(now.sum()), len(now), int(usual.sum()), len(usual)
        return newcombe(*counts, level=level, dispersion=dispersion)
    change = float(now.mean() - usual.mean())
    parts = np.array([now.var() / len(now), usual.var() / len(usual)]) * dispersion
    half = 0.0
    if parts.sum():
        freedom = parts.sum() ** 2 / (parts**2 / [len(now) - 1, len(usual) - 1]).sum()
        half = float(student.ppf((1 + level) / 2, freedom) * sqrt(parts.sum()))
    return Interval(
        estimate=change, low=change - half, high=change + half, n=len(now) + len(usual), level=level, method="Welch"
    )


def pooled_error(measure: Measure, sample: Sample) -> float:
    """Return the standard error of the change if both periods were alike, before any dispersion."""
    sizes = 1 / len(sample.now) + 1 / len(sample.usual)
    if measure.kind == "mean":
        return sqrt(float(sample.now.var() / len(sample.now) + sample.usual.var() / len(sample.usual)))
    rate = (sample.now.sum() + sample.usual.sum()) / (len(sample.now) + len(sample.usual))
    return sqrt(float(rate * (1 - rate)) * sizes)


def dispersion_of(values: "pd.Series[float]", days: "pd.Series[int]", measure: Measure) -> float:
    """Return how many times the same weekdays differ more than chance would have them, at least 1 (Pearson)."""
    daily = values.groupby(days).agg(["mean", "size"])
    weekday = daily.index.to_numpy() % WEEK
    usual = values.groupby(days % WEEK).mean().reindex(weekday).to_numpy()
    freedom = len(daily) - len(set(weekday))
    variance = usual * (1 - usual) if measure.kind == "rate" else np.full(len(usual), float(values.var()))
    varies = variance > 0
    if freedom < 1 or not varies.any():
        return 1.0
    squares = (daily["mean"].to_numpy() - usual) ** 2 * daily["size"].to_numpy()
    return max(1.0, float((squares[varies] / variance[varies]).sum() / freedom))
