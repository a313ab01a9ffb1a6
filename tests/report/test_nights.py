"""Nights: which look tonight is, and whether the rate has left the accepted level."""

from typing import Any

import numpy as np
import pytest

from assay.records.history import CaseNight
from assay.report.nights import dropped, look

ALPHA = 0.025
V = "product@1"


def row(number: int, passed: int = 255, of: int = 300, **changes: Any) -> CaseNight:
    """Return the row of one run a night."""
    fields: dict[str, Any] = {
        "night": f"2026-01-{number:02}" if number < 32 else f"2026-02-{number - 31:02}",
        "run": f"{number:08x}-0000-7000-8000-000000000000",
        "target": "product@1",
        "judge": "j",
        "evaluation_set": "s",
        "cases": 300,
        "failed": [],
        "unscored": [],
        "differing": [],
        "revisions": {},
        "accepted": "00000001-0000-7000-8000-000000000000",
        "asked": 300,
        "passed": passed,
        "of": of,
    }
    return CaseNight.model_validate(fields | changes)


def nights(*passed: int) -> list[CaseNight]:
    """Return a history of so many passes a night."""
    return [row(number, count) for number, count in enumerate(passed, 1)]


def test_kept_answers_are_no_new_look() -> None:
    """A run that asks again is the next look; one that keeps what was answered is the look that asked."""
    history = [row(1), row(2), row(3, asked=0, kept=300)]
    assert look(history, row(4), V).number == 3
    assert look(history, row(4, asked=0, kept=300), V).number == 2
    assert look([], row(1, asked=0, kept=300), V).number == 1


@pytest.mark.parametrize("other", [{"target": "product@2"}, {"accepted": "another"}])
def test_another_version_or_baseline_begins_anew(other: dict[str, Any]) -> None:
    """The looks of one version against one baseline are counted, not those of another."""
    assert look(nights(*[255] * 9), row(10, **other), V).number == 1


def test_a_version_that_is_not_the_accepted_one_is_new() -> None:
    """Its first look is a comparison of its own."""
    assert not look([], row(1), V).is_new
    assert look([], row(1, target="product@2"), V).is_new


def test_rows_of_before_and_of_later_runs_are_no_looks() -> None:
    """A row that does not say what was accepted counts nothing, nor does a run that came after the one that is read."""
    old = row(1).model_copy(update={"accepted": ""})
    assert look([old, row(2), row(9)], row(3), V).number == 2
    assert look([old], row(3, accepted=""), V).number == 1


def test_what_the_last_look_found_is_known() -> None:
    """It is the last one's word that may stand, not an older one's."""
    history = [row(1, worse=["refunds"]), row(2, worse=["escalation"])]
    assert look(history, row(3), V).named == {"escalation"}


def test_a_lasting_drop_is_told_once_fourteen_nights_are_known() -> None:
    """255 of 300 pass, then 225: the third night is proof; the same among fewer than 14 accepted nights is none."""
    quiet = nights(*[255, 258, 252] * 5)[:14]
    fallen = [row(number, 225) for number in (15, 16, 17)]
    assert "14 nights" in dropped([*quiet, *fallen[:2]], fallen[2], "product@1", ALPHA)
    assert dropped(quiet[:13], row(14, 200), "product@1", ALPHA) == ""


def test_a_night_at_the_level_is_no_drop_any_more() -> None:
    """After the product was mended, the nights before prove nothing of tonight."""
    rows = nights(*[255] * 14, *[200] * 5)
    assert dropped(rows[:-1], rows[-1], "product@1", ALPHA)
    assert dropped(rows, row(20, 256), "product@1", ALPHA) == ""


def test_a_fall_that_somebody_accepted_is_the_new_level() -> None:
    """Who accepts a night that was found worse begins the fourteen nights anew."""
    rows = nights(*[255] * 14, *[215] * 3)
    accepted = rows[15].run
    known = [one if one.run != accepted else one.model_copy(update={"worse": ["overall"]}) for one in rows]
    assert dropped(known, row(18, 215), "product@1", ALPHA)
    assert dropped(known, row(18, 215, accepted=accepted), "product@1", ALPHA) == ""


def test_the_night_that_was_accepted_is_the_first_of_the_new_level() -> None:
    """Thirteen nights more at its rate, and what falls below that is told: the level is the new one."""
    rows = nights(*[255] * 14, *[215] * 14, *[170] * 3)
    accepted = rows[14].run
    known = [one if one.run != accepted else one.model_copy(update={"worse": ["overall"]}) for one in rows[:-1]]
    found = dropped(known, rows[-1].model_copy(update={"accepted": accepted}), V, ALPHA)
    assert "(71.7 %, " in found
    assert found.endswith(": 56.7 % over the last 3 nights, 56.7 tonight")


@pytest.mark.parametrize("change", [{"judge": "k"}, {"evaluation_set": "t"}, {"asked": 0, "kept": 300}])
def test_nights_that_cannot_be_compared_are_left_out(change: dict[str, Any]) -> None:
    """Of another judge or set, or with answers that were kept, nothing is told."""
    rows = nights(*[255] * 14, *[200] * 4)
    assert dropped(rows, row(19, 200, **change), "product@1", ALPHA) == ""


def test_a_level_below_which_nothing_can_fall_tells_no_drop() -> None:
    """Where the accepted nights passed next to nothing, no later one can be proved to be worse."""
    assert dropped(nights(*[1] * 14), row(15, 0), V, ALPHA) == ""


def test_a_quiet_year_rarely_has_a_false_word() -> None:
    """Of 200 months after 14 nights, at nine in ten with 300 cases, at most three hold a false word (alpha .0125)."""
    rng, false = np.random.default_rng(3), 0
    for _ in range(200):
        counts = rng.binomial(300, 0.85, 44)
        rows = [row(1 + at, int(count)) for at, count in enumerate(counts)]
        false += any(dropped(rows[:at], rows[at], "product@1", ALPHA) for at in range(14, 44, 3))
    assert false <= 3


def test_the_nights_that_tell_what_is_usual_are_not_those_that_left_it() -> None:
    """The rate that is told is of the nights after the fourteen; a fourteenth night without one pass is no proof."""
    fallen = [row(number, 225) for number in (15, 16, 17)]
    found = dropped([*nights(*[255] * 14), *fallen[:2]], fallen[2], V, ALPHA)
    assert found.endswith("(85.0 %, at least 83.7): 75.0 % over the last 3 nights, 75.0 tonight")
    assert dropped(nights(*[255] * 13), row(14, 0), V, ALPHA) == ""
    assert dropped(nights(*[255] * 14), row(15, 100), V, ALPHA).endswith(": 33.3 % tonight")
