"""What does a change in production cost, and must somebody act?

One window beside the same weekdays of the weeks before. `impact = volume a week x change x value of one event`; an
alert is raised when even the lower bound of the impact exceeds the budget, never because a metric moved.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm

from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.monitoring.measures import known
from assay.monitoring.periods import WEEK, Sample, compare, dispersion_of, pooled_error
from assay.monitoring.policies import Policy, require_policies
from assay.monitoring.statements import State, state_meaning
from assay.records.signal import Signal
from assay.stats.rates import Interval
from assay.stats.slices import benjamini_hochberg, fcr_level

__all__ = ["Policy", "assess"]

DAY_S = 24 * 60 * 60
MIN_WINDOW = 50
"""Conversations in the window below which nothing is compared; a category below it is left out."""
MIN_BASELINE = 100
Q = 0.1
"""False discovery rate among the categories."""
LEVEL = 0.95


@dataclass(frozen=True, kw_only=True)
class Change:
    """One segment of one signal, before any money."""

    policy: Policy
    segment: str
    sample: Sample
    volume: int
    """Conversations in the window that the change applies to."""
    difference: Interval
    p_value: float
    """One-sided, against a change for the worse."""
    dispersion: float


def assess(
    frame: pd.DataFrame, policies: Sequence[Policy], *, window_end: datetime, window_days: int, baseline_days: int
) -> list[Signal]:
    """Return every signal of the window that ends at `window_end`: for all traffic, then by category.

    Args:
        frame: One row a trace: `at` (UTC), `category` and the columns of the measures.
        policies: One a signal.
        window_end: End of the window, itself outside; days are counted back from it.
        window_days: 1 to 7; with fewer than 7 the baseline keeps only the same weekdays.
        baseline_days: Whole weeks before the window, at least 14 days.

    Categories are selected by Benjamini-Hochberg at 10 % over all categories and signals with a value; the impact of a
    selected one has the bounds of its false-coverage level, and only a selected one can alert (STATISTICS 7.3).
    Variances are widened by the spread between the same weekdays of the baseline where that exceeds the binomial one.

    Raises:
        InsufficientDataError: The window or the baseline holds too little traffic, or none for a signal.
        DataError: The frame breaks its contract.
        ConfigError: A policy or a period is not as described above.
    """
    _require(frame, policies, window_end, window_days, baseline_days)
    now, usual = _periods(frame, window_end, window_days, baseline_days)
    if not _is_enough(len(now), len(usual)):
        raise InsufficientDataError(
            f"there are {len(now)} conversations in the window and {len(usual)} in the baseline; expected at least "
            f"{MIN_WINDOW} and {MIN_BASELINE}: wait for more, or lengthen the periods"
        )
    changes = [change for policy in policies for change in _changes(policy, now, usual)]
    levels = _levels(changes)
    period = (window_end - timedelta(days=window_days), window_end)
    return [_signal(change, level, period) for change, level in zip(changes, levels, strict=True)]


def _periods(
    frame: pd.DataFrame, window_end: datetime, window_days: int, baseline_days: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the window and the same weekdays before it, with `day` counted back from the window's end."""
    age_s = (pd.Timestamp(window_end) - frame["at"]).dt.total_seconds()
    aged = frame.assign(day=np.ceil(age_s / DAY_S).astype(int) - 1)
    now = aged[(aged["day"] >= 0) & (aged["day"] < window_days)]
    before = aged[(aged["day"] >= window_days) & (aged["day"] < window_days + baseline_days)]
    return now, before[before["day"] % WEEK < window_days]


def _changes(policy: Policy, now: pd.DataFrame, usual: pd.DataFrame) -> list[Change]:
    """Return the change of one signal over all traffic and in each category with enough of it."""
    measure = known(policy.signal)
    read, base = measure.read(now, usual), measure.read(usual, usual)
    if not (len(read) and len(base)):
        raise InsufficientDataError(
            f"signal {policy.signal!r} has {len(read)} conversations in the window and {len(base)} in the baseline; "
            "expected some in both: collect them, or take its policy out"
        )
    spread = dispersion_of(base, usual.loc[base.index, "day"], measure)
    found = [_change(policy, "all", Sample(read, base), spread, len(now if measure.is_sampled else read))]
    groups, base_groups = now.loc[read.index, "category"], usual.loc[base.index, "category"]
    for category in sorted(set(groups) & set(base_groups)):
        part = Sample(read[groups == category], base[base_groups == category])
        if _is_enough(len(part.now), len(part.usual)):
            volume = int((now["category"] == category).sum()) if measure.is_sampled else len(part.now)
            found.append(_change(policy, category, part, spread, volume))
    return found


def _change(policy: Policy, segment: str, sample: Sample, dispersion: float, volume: int) -> Change:
    measure = known(policy.signal)
    sign = 1 if policy.direction == "up" else -1
    difference = compare(measure, sample, LEVEL, dispersion)
    se = pooled_error(measure, sample) * sqrt(dispersion)
    p_value = float(norm.sf(sign * difference.estimate / se)) if se else 1.0
    return Change(
        policy=policy,
        segment=segment,
        sample=sample,
        volume=volume,
        difference=difference,
        p_value=p_value,
        dispersion=dispersion,
    )


def _levels(changes: Sequence[Change]) -> NDArray[np.float64]:
    """Return the level at which each change is weighed; 0 marks a category that was not selected."""
    levels = np.full(len(changes), LEVEL)
    family = [
        index
        for index, change in enumerate(changes)
        if change.segment != "all" and change.policy.value_per_event_usd is not None
    ]
    adjusted = benjamini_hochberg([changes[index].p_value for index in family])
    selected = [index for index, value in zip(family, adjusted, strict=True) if value <= Q]
    levels[family] = 0
    if selected:
        levels[selected] = fcr_level(len(selected), len(family), q=Q)
    return levels


def _signal(change: Change, level: float, period: tuple[datetime, datetime]) -> Signal:
    """Return the record of one change, with its money and its sentence."""
    policy, sample, measure = change.policy, change.sample, known(change.policy.signal)
    weekly = change.volume * timedelta(days=WEEK) / (period[1] - period[0])
    weighed = compare(measure, sample, level or LEVEL, change.dispersion)
    impact = _impact(policy, weighed, weekly) if _is_enough(len(sample.now), len(sample.usual)) else None
    state = _state(policy, impact, can_alert=level > 0)
    return Signal(
        signal=policy.signal,
        segment=change.segment,
        window_start=period[0],
        window_end=period[1],
        events=int(sample.now.sum()),
        n=len(sample.now),
        value=float(sample.now.mean()),
        baseline_value=float(sample.usual.mean()),
        baseline_n=len(sample.usual),
        low=change.difference.low,
        high=change.difference.high,
        impact_usd=impact[0] if impact else None,
        impact_low_usd=impact[1] if impact else None,
        impact_high_usd=impact[2] if impact else None,
        state=state,
        statement=state_meaning(
            measure=measure,
            segment=change.segment,
            change=change.difference,
            weekly=weekly,
            impact=impact,
            budget=policy.budget_usd_per_week,
            sizes=(len(sample.now), len(sample.usual)),
            state=state,
            owner=policy.owner,
        ),
        owner=policy.owner,
    )


def _impact(policy: Policy, change: Interval, weekly: float) -> tuple[float, float, float] | None:
    """Return the weekly cost of a change with its bounds, in US dollars; below 0 it saves."""
    if policy.value_per_event_usd is None:
        return None
    unit = weekly * policy.value_per_event_usd
    if policy.direction == "up":
        return unit * change.estimate, unit * change.low, unit * change.high
    return -unit * change.estimate, -unit * change.high, -unit * change.low


def _state(policy: Policy, impact: tuple[float, float, float] | None, *, can_alert: bool) -> State:
    if impact is None or policy.budget_usd_per_week is None:
        return "charted"
    if can_alert and impact[1] > policy.budget_usd_per_week:
        return "alert"
    return "watch" if impact[0] > policy.budget_usd_per_week else "quiet"


def _require(
    frame: pd.DataFrame, policies: Sequence[Policy], window_end: datetime, window_days: int, baseline_days: int
) -> None:
    """Refuse policies, periods and frames that cannot be assessed."""
    require_policies(policies)
    if not 1 <= window_days <= WEEK or baseline_days < 2 * WEEK or baseline_days % WEEK:
        raise ConfigError(
            f"window_days is {window_days}, baseline_days {baseline_days}; expected 1 to 7, and 14, 21, 28 ..."
        )
    if window_end.tzinfo is None:
        raise ConfigError(f"window_end is {window_end} without a time zone; give it in UTC")
    needed = {"at", "category", *(column for policy in policies for column in known(policy.signal).columns)}
    if missing := sorted(needed - set(frame.columns)):
        raise DataError(f"the traces lack the columns {', '.join(missing)}; expected those of a trace: add them")
    if not isinstance(frame["at"].dtype, pd.DatetimeTZDtype) or frame["at"].isna().any():
        raise DataError(f"column 'at' of the traces is {frame['at'].dtype}; expected times with a zone in every row")
    if frame["category"].isna().any():
        raise DataError("column 'category' of the traces is empty in some row; expected a category in each: fill it")
    if not frame.index.is_unique:
        raise DataError("the traces have an index that repeats; expected one label a row: reset the index")


def _is_enough(now: int, usual: int) -> bool:
    return now >= MIN_WINDOW and usual >= MIN_BASELINE
