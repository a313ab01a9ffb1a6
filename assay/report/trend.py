"""The trend: the pass rate of each night, with what happened to the set, the baseline and the gate on the way.

A night is the last run of its date. Its rate is the one that its gate went by, raw: where the judge behind it or the
set is another one than the night before, the two are not joined by a line.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from assay.records.history import CaseNight, last_runs, place
from assay.records.record import Record
from assay.report.findings import Rate
from assay.stats.rates import wilson_bounds, z_quantile

LEVEL = 0.95
WIDTH, HEIGHT = 720, 200
"""Of the picture, in pixels."""
LEFT, RIGHT, TOP, BOTTOM = 44, 14, 34, 26
GRID = 0.1
LABEL_WIDTH = 104
"""Pixels from one date below the axis to the next."""


class Point(Record):
    """One night."""

    night: str
    run: str
    rate: Rate
    is_checks: bool
    """No judge has a part in the rate."""
    is_joined: bool
    """Judged by the same judge, on the same set, as the night before."""
    worse: list[str]
    """Where it was worse than the baseline: categories, or `overall`."""
    releases: list[str]
    """Those of the set since the night before."""
    is_accepted: bool
    """Its answers are, or were, the baseline."""


class Mark(NamedTuple):
    """One point in the picture, in pixels."""

    point: Point
    x: float
    y: float
    low: float
    high: float


class Picture(NamedTuple):
    """The trend in pixels."""

    width: int
    height: int
    marks: list[Mark]
    lines: list[list[Mark]]
    """Points that are joined, in order."""
    grid: list[tuple[float, str]]
    """Heights with their label."""
    dates: list[Mark]
    """Points whose date has room below the axis."""


def trend(history: Sequence[CaseNight], tonight: CaseNight, released: Mapping[str, tuple[str, str]]) -> list[Point]:
    """Return the nights that have a rate, in order; no more than tonight where it is the first.

    Args:
        history: Rows of earlier runs.
        tonight: Tonight's row.
        released: Where each release stands among the runs: its date, and the id that a run of its moment would have.
    """
    rows = [row for row in last_runs([*(row for row in history if row.run != tonight.run), tonight]) if row.of]
    accepted = {row.accepted for row in rows}
    return [
        Point(
            night=row.night,
            run=row.run,
            rate=_rate(row),
            is_checks=not row.judge,
            is_joined=before is not None and _basis(before) == _basis(row),
            worse=row.worse,
            releases=[name for name, at in released.items() if before and place(before) < at < place(row)],
            is_accepted=bool(row.run) and any(row.run in of.split("+") for of in accepted),
        )
        for before, row in zip([None, *rows], rows, strict=False)
    ]


def picture(points: Sequence[Point]) -> Picture:
    """Lay out nights from left to right, evenly, on an axis from below the lowest bound to 100 %."""
    floor = int(min(point.rate.low for point in points) / GRID) * GRID
    step = (WIDTH - LEFT - RIGHT) / max(len(points) - 1, 1)

    def height(share: float) -> float:
        return round(TOP + (1 - share) / (1 - floor) * (HEIGHT - TOP - BOTTOM), 1)

    marks = [
        Mark(
            point,
            round(LEFT + at * step, 1),
            *(height(value) for value in (point.rate.estimate, point.rate.low, point.rate.high)),
        )
        for at, point in enumerate(points)
    ]
    lines: list[list[Mark]] = []
    for mark in marks:
        if mark.point.is_joined:
            lines[-1].append(mark)
        else:
            lines.append([mark])
    every = int(LABEL_WIDTH / step) + 1
    steps = range(round(floor / GRID), round(1 / GRID) + 1)
    return Picture(
        WIDTH, HEIGHT, marks, lines, [(height(at * GRID), f"{100 * at * GRID:.0f} %") for at in steps], marks[::every]
    )


def _rate(row: CaseNight) -> Rate:
    """Return the share of trials that pass; trials of one case are alike, so its interval counts cases."""
    share, n = row.passed / row.of, row.cases - len(row.unscored)
    low, high = wilson_bounds(share, n, z_quantile(LEVEL))
    return Rate(estimate=share, low=low, high=high, n=n, method="wilson over cases", level=LEVEL)


def _basis(row: CaseNight) -> tuple[str, str]:
    return row.judge, row.evaluation_set
