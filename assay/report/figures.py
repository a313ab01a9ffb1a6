"""Where the marks of the report's figures lie: a forest plot of changes and a stacked bar of cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor

from assay.report.findings import Accounting, Rate

WIDTH = 260
"""Width of the forest plot in pixels."""
MARGIN = 16
STEPS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
MAX_STEPS = 5


@dataclass(frozen=True, kw_only=True)
class Scale:
    """Maps a change of a pass rate, in shares, to pixels from the left edge."""

    low: float
    high: float
    step: float

    def x(self, change: float) -> float:
        """Return where a change lies, in pixels with one decimal."""
        share = (change - self.low) / (self.high - self.low)
        return round(MARGIN + share * (WIDTH - 2 * MARGIN), 1)


@dataclass(frozen=True, kw_only=True)
class Tick:
    """One labelled place of the axis."""

    x: float
    label: str


@dataclass(frozen=True, kw_only=True)
class Whisker:
    """One change: the ends of its interval and the dot of its estimate, in pixels."""

    low: float
    dot: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Forest:
    """A forest plot: one axis, one whisker a row in the order given, a last one over all cases."""

    width: int
    zero: float
    ticks: list[Tick]
    rows: list[Whisker]
    overall: Whisker


@dataclass(frozen=True, kw_only=True)
class Alone:
    """One figure on an axis of its own: from 0 to 1, or from -1 to 1 where it may be negative."""

    width: int
    zero: float
    whisker: Whisker


@dataclass(frozen=True, kw_only=True)
class Segment:
    """One part of a stacked bar; `start` and `width` are per cent of the bar."""

    kind: str
    start: float
    width: float
    count: int


def forest(rows: Sequence[Rate], overall: Rate) -> Forest:
    """Lay out changes with their 95 % intervals on one axis that holds all of them and zero."""
    scale = scale_of([*rows, overall])
    first, last = round(scale.low / scale.step), round(scale.high / scale.step)
    ticks = [step * scale.step for step in range(first, last + 1)]
    return Forest(
        width=WIDTH,
        zero=scale.x(0),
        ticks=[Tick(x=scale.x(tick), label=_points(tick)) for tick in ticks],
        rows=[_whisker(change, scale) for change in rows],
        overall=_whisker(overall, scale),
    )


def alone(estimate: float, low: float, high: float, *, is_share: bool) -> Alone:
    """Lay out one figure with its interval; whatever leaves the axis ends at its edge."""
    scale = Scale(low=0 if is_share else -1, high=1, step=1)
    low, dot, high = (scale.x(min(max(value, scale.low), scale.high)) for value in (low, estimate, high))
    return Alone(width=WIDTH, zero=scale.x(0), whisker=Whisker(low=low, dot=dot, high=high))


def scale_of(changes: Sequence[Rate]) -> Scale:
    """Return the axis from round number to round number that holds every interval and zero."""
    low = min(0.0, *(change.low for change in changes))
    high = max(0.0, *(change.high for change in changes))
    step = next((step for step in STEPS if (high - low) / step <= MAX_STEPS), STEPS[-1])
    # A bound that misses a round number only by its last bits must not cost a whole step.
    first, last = floor(low / step + 1e-9), ceil(high / step - 1e-9)
    return Scale(low=first * step, high=max(last, first + 1) * step, step=step)


def stack(found: Accounting) -> list[Segment]:
    """Return the parts of a bar of planned cases, empty parts left out; a run that planned none has no bar."""
    counts = {
        "passed": found.passed,
        "answer": found.answer_failed,
        "format": found.format_failed,
        "judge": found.judge_failed,
        "wire": found.wire_failed,
        "unscorable": found.unscorable,
    }
    segments, before = [], 0
    for kind, count in counts.items():
        if count:
            start, width = (round(100 * cases / found.planned, 3) for cases in (before, count))
            segments.append(Segment(kind=kind, start=start, width=width, count=count))
        before += count
    return segments


def _whisker(change: Rate, scale: Scale) -> Whisker:
    return Whisker(low=scale.x(change.low), dot=scale.x(change.estimate), high=scale.x(change.high))


def _points(change: float) -> str:
    points = round(100 * change)
    return f"{points:+d}".replace("-", "\N{MINUS SIGN}") if points else "0"
