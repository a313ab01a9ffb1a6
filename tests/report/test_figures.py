"""Marks lie where the numbers say."""

import pytest
import sample_report as sample
from hypothesis import given
from hypothesis import strategies as st

from assay.report.figures import MARGIN, WIDTH, alone, forest, scale_of, stack
from assay.report.findings import Accounting, Rate

SHARES = st.lists(st.floats(-1, 1), min_size=3, max_size=3).map(sorted)


def accounting(passed: int, product: int, judge: int, wire: int, *, by_format: int = 0) -> Accounting:
    planned = passed + product + judge + wire
    fields = {"passed": passed, "product_failed": product, "judge_failed": judge, "wire_failed": wire, "reasons": {}}
    return Accounting(planned=planned, format_failed=by_format, **fields)


def change(bounds: list[float]) -> Rate:
    return sample.rate(bounds[1], bounds[0], bounds[2])


def test_whiskers_end_at_the_bounds() -> None:
    """On an axis from -20 to +20 points a change of -10 (-20 to +5) spans from the left margin past the middle."""
    found = forest([sample.rate(-0.1, -0.2, 0.05)], sample.rate(0.0, -0.15, 0.2))
    inner = WIDTH - 2 * MARGIN
    row = found.rows[0]
    assert [tick.label for tick in found.ticks] == ["\N{MINUS SIGN}20", "\N{MINUS SIGN}10", "0", "+10", "+20"]
    assert (row.low, row.dot, row.high) == (MARGIN, MARGIN + inner / 4, MARGIN + inner * 0.625)
    assert found.zero == WIDTH / 2
    assert found.overall.high == WIDTH - MARGIN


@given(SHARES, SHARES)
def test_axis_is_linear_and_holds_everything(one: list[float], other: list[float]) -> None:
    """For any intervals, every mark lies inside the plot, at its share of the axis, on the right side of zero."""
    scale = scale_of([change(one), change(other)])
    for value in (*one, *other, 0.0):
        assert MARGIN - 0.1 <= scale.x(value) <= WIDTH - MARGIN + 0.1
        back = scale.low + (scale.x(value) - MARGIN) / (WIDTH - 2 * MARGIN) * (scale.high - scale.low)
        assert back == pytest.approx(value, abs=0.06 / (WIDTH - 2 * MARGIN) * (scale.high - scale.low))
    assert 1 <= round((scale.high - scale.low) / scale.step) <= 7


def test_no_change_at_all_has_an_axis() -> None:
    """Where nothing moved and no interval has a width, there is still an axis with a zero."""
    found = forest([], sample.rate(0.0, 0.0, 0.0))
    assert found.overall.dot == found.zero
    assert "0" in [tick.label for tick in found.ticks]


def test_stack_is_in_proportion() -> None:
    """Parts follow one another in the order of the table, as wide as their share, and empty parts are left out."""
    found = stack(accounting(6, 3, 0, 1, by_format=1))
    assert [(part.kind, part.start, part.width, part.count) for part in found] == [
        ("passed", 0, 60, 6),
        ("answer", 60, 20, 2),
        ("format", 80, 10, 1),
        ("wire", 90, 10, 1),
    ]


def test_a_part_has_a_thousandth_of_a_per_cent() -> None:
    """A third ends where the next part begins, to three digits."""
    found = stack(accounting(1, 1, 1, 0))
    assert [(part.start, part.width) for part in found] == [(0, 33.333), (33.333, 33.333), (66.667, 33.333)]


def test_stack_of_nothing_is_empty() -> None:
    """A run that planned no case has no bar, and no division by zero."""
    assert stack(sample.empty_accounting()) == []


@pytest.mark.parametrize(
    ("bounds", "is_share", "zero", "drawn"),
    [
        ((0.5, 0.25, 1.0), True, 0, (0.25, 0.5, 1)),
        ((0.5, -0.5, 1.0), False, 0.5, (0.25, 0.75, 1)),
        ((1.5, -0.5, 2.0), True, 0, (0, 1, 1)),
        ((-1.5, -2.0, 0.0), False, 0.5, (0, 0, 0.5)),
    ],
)
def test_a_figure_alone_has_its_axis(
    bounds: tuple[float, float, float], zero: float, drawn: tuple[float, ...], *, is_share: bool
) -> None:
    """A share lies between 0 and 1, any other figure between -1 and 1; what leaves the axis ends at its edge."""
    found, inner = alone(*bounds, is_share=is_share), WIDTH - 2 * MARGIN
    assert found.zero == MARGIN + zero * inner
    whisker = found.whisker
    assert (whisker.low, whisker.dot, whisker.high) == pytest.approx(tuple(MARGIN + at * inner for at in drawn))


@pytest.mark.parametrize(
    ("low", "high", "axis"),
    [
        (-0.01, 0.01, (-0.01, 0.01, 0.01)),
        (-0.011, 0.0, (-0.02, 0.0, 0.01)),
        (0.0, 0.05, (0.0, 0.05, 0.01)),
        (0.0, 0.051, (0.0, 0.06, 0.02)),
        (-0.25, 0.25, (-0.3, 0.3, 0.1)),
        (-0.26, 0.25, (-0.4, 0.4, 0.2)),
        (0.0, 0.0, (0.0, 0.01, 0.01)),
        (-1.0, 1.0, (-1.0, 1.0, 0.5)),
        (-1.4, 1.4, (-1.5, 1.5, 0.5)),
    ],
)
def test_an_axis_ends_at_round_numbers(low: float, high: float, axis: tuple[float, float, float]) -> None:
    """The smallest step that needs no more than five of them, from one round number to another, zero among them.

    The interval of a change on one or two cases is wider than any change can be: then it is the largest step.
    """
    found = scale_of([sample.rate(low, low, high)])
    assert (found.low, found.high, found.step) == pytest.approx(axis)


def test_every_place_of_a_planned_case_is_a_part() -> None:
    """Passed, failed by answer and by format, lost at the judge and on the wire, and what nothing scores."""
    found = Accounting(
        planned=21,
        passed=1,
        product_failed=5,
        format_failed=3,
        judge_failed=4,
        wire_failed=5,
        unscorable=6,
        reasons={},
    )
    assert {part.kind: part.count for part in stack(found)} == {
        "passed": 1,
        "answer": 2,
        "format": 3,
        "judge": 4,
        "wire": 5,
        "unscorable": 6,
    }
