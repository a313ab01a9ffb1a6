"""Rounds of drawing: who is drawn, with which chance, and what several rounds come to."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.calibration.rounds import COMMON, Entry, Rounds, draw_of_round, place
from assay.records.label import Frame
from assay.stats.allocation import sqrt_allocation


def entries(count: int, *, fails: int = 0, drawn: frozenset[int] = frozenset()) -> list[Entry]:
    """Return answers of which the first so many are failed."""
    return [
        Entry("fail" if number < fails else "pass", "", place("tone", f"case-{number}", "own"), number in drawn)
        for number in range(count)
    ]


def frame(number: int, keys: dict[str, str], chances: dict[str, float]) -> Frame:
    """Return a round."""
    return Frame(judge="tone", frame="f", round=number, run="", answers=keys, chances=chances)


def test_a_place_is_for_ever() -> None:
    """A case has one number for a judge and another for another, or one for all; they are spread over 0 to 1."""
    places = [place("tone", f"case-{number}", "own") for number in range(2000)]
    assert place("tone", "case-1", "own") == places[1] == pytest.approx(0.9224735, abs=1e-7)
    assert place("depth", "case-1", "own") != places[1]
    common = [place(judge, "case-1", COMMON) for judge in ("tone", "depth")]
    assert common == pytest.approx([0.9738685] * 2, abs=1e-7)
    assert np.histogram(places, bins=4, range=(0, 1))[0] == pytest.approx([500] * 4, abs=60)


def test_nothing_and_too_much() -> None:
    """Of nothing nothing is drawn; of ten at most all ten, each then with the chance 1."""
    assert draw_of_round([], 5, sqrt_allocation).chosen == []
    found = draw_of_round(entries(10), 50, sqrt_allocation)
    assert (sorted(found.chosen), found.chances) == (list(range(10)), {"pass": 1.0})


@pytest.mark.parametrize(("bounds", "left"), [((4, 2), (3, 2)), ((2, 4), (2, 3)), ((3, 3), (3, 2))])
def test_what_is_one_too_many_is_given_up_where_most_are_drawn(bounds: tuple[int, int], left: tuple[int, int]) -> None:
    """Of six that an allocation asks for five are wanted: the larger part gives up one, else the last named."""
    pot = [Entry("fail" if n % 2 else "pass", "", n / 20, is_drawn=False) for n in range(20)]
    found = draw_of_round(pot, 5, lambda _sizes, _total: dict(zip(("fail", "pass"), bounds, strict=True)))
    strata = [pot[number].stratum for number in found.chosen]
    assert (strata.count("fail"), strata.count("pass")) == left
    assert found.chances == {"fail": left[0] / 10, "pass": left[1] / 10}


def test_an_answer_has_the_greatest_of_its_chances() -> None:
    """An answer in two rounds counts with the better chance, one in neither with none."""
    rounds = Rounds(
        [
            frame(1, {"pass": "aaaaaaaabbbbbbbb", "fail": "cccccccc"}, {"pass": 0.1, "fail": 0.8}),
            frame(2, {"pass": "bbbbbbbbcccccccc"}, {"pass": 0.3}),
        ]
    )
    chances = [rounds.chance(key) for key in ("aaaaaaaa00000000", "bbbbbbbb", "cccccccc", "dddddddd")]
    assert chances == [0.1, 0.3, 0.8, 0]


@given(st.integers(20, 150), st.integers(2, 60), st.integers(0, 60))
def test_a_second_round_goes_on_where_the_first_ended(count: int, first: int, more: int) -> None:
    """Drawn in two rounds, exactly as many are new, nobody twice, and all that are drawn lie below one bound."""
    once = draw_of_round(entries(count, fails=count // 4), first, sqrt_allocation)
    again = draw_of_round(entries(count, fails=count // 4, drawn=frozenset(once.chosen)), more, sqrt_allocation)
    assert not set(once.chosen) & set(again.chosen)
    assert len(once.chosen) == min(first, count)
    assert len(again.chosen) == min(more, count - len(once.chosen))
    assert all(0 <= chance <= 1 for chance in again.chances.values())


def test_the_chances_are_those_of_being_drawn() -> None:
    """Over 400 judges, who each have numbers of their own, a fail is drawn as often as its chance says."""
    times, chance = 0, 0.0
    for judge in range(400):
        pot = [
            Entry("fail" if n < 20 else "pass", "", place(f"j{judge}", f"c{n}", "own"), is_drawn=False)
            for n in range(100)
        ]
        found = draw_of_round(pot, 30, sqrt_allocation)
        times += sum(number < 20 for number in found.chosen)
        chance += found.chances["fail"]
        assert found.chances["fail"] > 2 * found.chances["pass"] * 0.8
    assert times == pytest.approx(20 * chance, rel=1e-6)
