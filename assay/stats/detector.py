"""Watched every night: has the pass rate dropped, and was it the product or its judge?

A test repeated every night alarms sooner or later by luck alone. This detector may be read every night: on average it
stays silent for `FALSE_ALARM_NIGHTS` nights over all streams, whatever the number of looks. Its state is a fold over
the nights, so the nights alone reproduce it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import exp, inf, log
from sys import float_info
from typing import Literal

import numpy as np
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from assay.errors import InsufficientDataError
from assay.stats.rates import Interval, wilson, wilson_bounds, z_quantile

Direction = Literal["drop", "increase"]
Cause = Literal["judge", "product", "undecided"]

DELTAS: dict[Direction, tuple[float, ...]] = {
    "drop": (0.02, 0.03, 0.05, 0.08, 0.12, 0.20),
    "increase": (0.02, 0.04, 0.08, 0.15, 0.30),
}
"""Changes that are looked for, as shares: of the suite's pass rate, and of the anchors' flip rate."""
FALSE_ALARM_NIGHTS = 365
"""Nights between two false alarms, on average at least, over all streams together."""
MIN_NIGHTS = 14
"""A shorter baseline makes any detector cry wolf (STATISTICS 6.1)."""
GUARD_NIGHTS = 3
"""Nights that the anchors have to speak up after the suite has, before the product is blamed."""
MARGIN = 1e-3
"""Alternatives stay this far from 0 and 1, where a single item would decide everything."""
TINY = 1e-300
"""Where the search for a lower bound begins."""


@dataclass(frozen=True, kw_only=True)
class Night:
    """What one night counted: passes of the suite's cases, or flips of the anchors."""

    events: int
    n: int
    """Cases or anchors that were scored."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """The rate that nights are held against, on the careful side of what was measured."""

    direction: Direction
    rate: float
    """Share of events over the baseline nights."""
    bound: float
    """Its one-sided Wilson bound: the lower one to detect a drop, the upper one to detect an increase."""
    phi: float
    """How many times the nights vary more than their items explain, at least 1; it divides all evidence."""
    nights: int
    n: int
    """Items of all nights together."""
    confidence: float
    method: str


@dataclass(frozen=True, kw_only=True)
class State:
    """Where a detector stands after some nights."""

    baseline: Baseline
    threshold: float
    """The statistic at which it alarms: 365 times the number of streams."""
    log_evidence: tuple[float, ...]
    """log R of each change that is looked for."""
    nights: int = 0
    """Nights seen since the start."""
    alarms: tuple[int, ...] = ()
    """The nights that alarmed, counted from 1; after each the evidence starts from nothing."""

    @property
    def statistic(self) -> float:
        """Return the mean of R over the changes looked for; infinite where no number holds it."""
        return _exp(float(np.logaddexp.reduce(self.log_evidence)) - log(len(self.log_evidence)))

    @property
    def is_alarm(self) -> bool:
        """Say whether the last night alarmed."""
        return bool(self.alarms) and self.alarms[-1] == self.nights


def baseline(nights: Sequence[Night], direction: Direction, *, confidence: float = 0.99) -> Baseline:
    """Return what later nights are held against.

    Args:
        nights: At least 14 nights that a person accepted as normal; order does not matter.
        direction: `drop` for passes of the suite, `increase` for flips of the anchors against their first verdicts.
        confidence: Of the one-sided bound.

    A rate of 0 or 1 has no spread, so `phi` is 1 there; its bound is off 0 and 1 all the same.

    Raises:
        InsufficientDataError: Fewer than 14 nights, a night without items, or a rate so near the end of the scale that
            no change in this direction is left to be seen.
        ValueError: A night has more events than items, or `confidence` is not between 0.5 and 1.

    Source:
        STATISTICS 6.2: the 99 % bound of 14 nights gives .002 false alarms in 90 nights, where their mean gives .09 on.
    """
    if not 0.5 < confidence < 1:  # noqa: PLR2004 - the median is no bound
        raise ValueError(f"confidence is {confidence!r}; expected a share between 0.5 and 1, such as 0.99")
    if len(nights) < MIN_NIGHTS:
        raise InsufficientDataError(
            f"the baseline has {len(nights)} nights; a detector needs {MIN_NIGHTS}: "
            f"accept {MIN_NIGHTS - len(nights)} more"
        )
    for night in nights:
        _require(night)
    events, sizes = np.array([(night.events, night.n) for night in nights], dtype=float).T
    total, rate = float(sizes.sum()), float(events.sum() / sizes.sum())
    binomial = rate * (1 - rate) / float(sizes.mean())
    phi = max(1.0, float((events / sizes).var(ddof=1)) / binomial) if binomial else 1.0
    low, high = wilson_bounds(rate, total / phi, z_quantile(2 * confidence - 1))
    bound = low if direction == "drop" else high
    if (bound if direction == "drop" else 1 - bound) <= MARGIN:
        raise InsufficientDataError(
            f"the baseline's rate is {rate:.4f} and its bound {bound:.4f}, so that no {direction} is left to be seen; "
            f"expected at least {MARGIN} of room: take other cases or anchors"
        )
    return Baseline(
        direction=direction,
        rate=rate,
        bound=bound,
        phi=phi,
        nights=len(nights),
        n=int(total),
        confidence=confidence,
        method=f"Wilson, one-sided {confidence:.0%}, overdispersion {phi:.2f}",
    )


def start(held_against: Baseline, *, streams: int = 1) -> State:
    """Return a detector that has seen no night.

    Args:
        held_against: From `baseline`; it stays as it is until a person accepts another one.
        streams: Detectors that run side by side and share the one false alarm in 365 nights.

    Raises:
        ValueError: `streams` is below 1.
    """
    if streams < 1:
        raise ValueError(f"streams is {streams}; expected at least 1, this detector itself")
    nothing = (-inf,) * len(DELTAS[held_against.direction])
    return State(baseline=held_against, threshold=FALSE_ALARM_NIGHTS * streams, log_evidence=nothing)


def step(state: State, night: Night) -> State:
    """Return the detector after one more night: R = (R + 1) · e for each change, e its likelihood ratio.

    The night after an alarm starts from R = 0. Holds for cases of unequal difficulty, for any number of items a night,
    and for stopping at any time.

    Raises:
        InsufficientDataError: The night has no item; leave it out, the detector then knows nothing of it.
        ValueError: The night has more events than items.

    Source:
        Shin, Ramdas & Rinaldo (2022), E-detectors, the Shiryaev-Roberts form; STATISTICS 6.2, for increases 6.4.
    """
    _require(night)
    held = state.baseline
    deltas = np.array(DELTAS[held.direction])
    other = (
        np.maximum(held.bound - deltas, MARGIN)
        if held.direction == "drop"
        else np.minimum(held.bound + deltas, 1 - MARGIN)
    )
    ratio = night.events * np.log(other / held.bound) + (night.n - night.events) * np.log(
        (1 - other) / (1 - held.bound)
    )
    before = np.full(len(deltas), -inf) if state.is_alarm else np.array(state.log_evidence)
    after = np.logaddexp(before, 0) + ratio / held.phi
    found = replace(state, log_evidence=tuple(after.tolist()), nights=state.nights + 1)
    return replace(found, alarms=(*state.alarms, found.nights)) if found.statistic >= state.threshold else found


def watch(held_against: Baseline, nights: Iterable[Night], *, streams: int = 1) -> State:
    """Return the detector after all nights, in their order; the same nights always give the same state.

    Raises:
        InsufficientDataError: As for `step`.
        ValueError: As for `start` and `step`.
    """
    return reduce(step, nights, start(held_against, streams=streams))


def attribute(suite: State, anchors: State, *, guard: int = GUARD_NIGHTS) -> Cause:
    """Return who changed: the judge, the product, or nobody of whom it can be said yet.

    Args:
        suite: Detector of drops of the suite's pass rate.
        anchors: Detector of increases of the anchors' flip rate, over the same nights: only the judge can move them.
        guard: Nights after the suite's first alarm that the anchors may still take to alarm.

    An alarm of the anchors, even a late one, is `judge`: suspend its verdicts and calibrate it again. An alarm of the
    suite is `product` once the guard has passed in silence; until then, and without any alarm, it is `undecided`.

    Raises:
        ValueError: The detectors have seen different numbers of nights, or look in the wrong direction.

    Source:
        STATISTICS 6.4: with 200 anchors right in all of 2,000 runs, wrong in .002 of 60 quiet nights.
    """
    looks = (suite.baseline.direction, anchors.baseline.direction)
    if looks != ("drop", "increase"):
        raise ValueError(f"suite looks for {looks[0]!r} and anchors for {looks[1]!r}; expected drop and increase")
    if suite.nights != anchors.nights:
        raise ValueError(f"suite has seen {suite.nights} nights, anchors {anchors.nights}; they must be equal")
    if anchors.alarms:
        return "judge"
    is_over = bool(suite.alarms) and suite.nights >= suite.alarms[0] + guard
    return "product" if is_over else "undecided"


def confidence_sequence(successes: int, n: int, *, level: float = 0.95) -> Interval:
    """Return a rate with bounds that hold at every look at once, however often and whenever one looks.

    Args:
        successes: Items that have the property, 0 to n.
        n: Items so far.
        level: Chance that the bounds never miss the truth, over all looks.

    Raises:
        InsufficientDataError: `n` is 0.
        ValueError: The counts contradict each other.

    Source:
        Robbins (1970), Beta-binomial mixture; Howard et al. (2021); STATISTICS 6.3.
    """
    rate = wilson(successes, n, level=level).estimate
    return Interval(
        estimate=rate,
        low=_lower(successes, n, level),
        high=1 - _lower(n - successes, n, level),
        n=n,
        level=level,
        method="beta-binomial confidence sequence",
    )


def sequential_mcnemar(gained: int, lost: int) -> float:
    """Return the evidence that two versions differ on paired cases; from 20 on one may stop, at 5 %.

    Args:
        gained: Cases so far that only the new version passes.
        lost: Cases so far that only the old version passes.

    Raises:
        ValueError: A count is negative.

    Source:
        STATISTICS 6.3: 2^(b+c) · B(1 + b, 1 + c), the mixture over all splits against an even one.
    """
    if min(gained, lost) < 0:
        raise ValueError(f"{gained} gained and {lost} lost; neither may be negative")
    return _exp((gained + lost) * log(2) + float(betaln(1 + gained, 1 + lost)))


def _lower(successes: int, n: int, level: float) -> float:
    """Return the smallest rate that the mixture does not contradict."""
    if successes == 0:
        return 0.0
    mixture = float(betaln(1 + successes, 1 + n - successes)) + log(1 - level)

    def excess(rate: float) -> float:
        return mixture - float(xlogy(successes, rate)) - float(xlog1py(n - successes, -rate))

    return float(brentq(excess, TINY, successes / n))


def _exp(value: float) -> float:
    """Return e to a power, infinite where no number holds it."""
    return exp(value) if value < log(float_info.max) else inf


def _require(night: Night) -> None:
    if night.n == 0:
        raise InsufficientDataError("a night has 0 scored items and says nothing; leave it out, or run it again")
    if not 0 <= night.events <= night.n:
        raise ValueError(f"a night has {night.events} events of {night.n} items; expected 0 <= events <= n")
