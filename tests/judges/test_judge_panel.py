"""A panel of judges: the majority is the verdict, and nothing stands in for a majority that is not there."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assay.judges.ensemble import combine
from tests.cast import verdict


def pair(outcome: str, as_is: str, swapped: str, judge: str = "judge-1") -> dict[str, str]:
    """Return the fields of one member's verdict on a pair."""
    return {"outcome": outcome, "as_is": as_is, "swapped": swapped, "fingerprint": judge}


def test_a_panel_without_a_majority_has_no_verdict() -> None:
    """One pass against one fail, with the third judge silent, is unscored for the silent one's reason, never a fail."""
    found = combine(
        [verdict("x", "pass"), verdict("x", "fail"), verdict("x", "unscored", status="refused", detail="no")]
    )
    assert (found.outcome, found.status, found.votes) == ("unscored", "refused", ["pass", "fail", "unscored"])
    assert found.detail == "the panel is split: pass, fail, unscored"


def test_two_judges_that_differ_have_no_verdict() -> None:
    """An even panel that is split is unparsed: nobody can read a verdict from it."""
    found = combine([verdict("x", "pass"), verdict("x", "fail")])
    assert (found.outcome, found.status, found.score) == ("unscored", "unparsed", None)


def test_a_split_panel_has_nothing_of_a_verdict() -> None:
    """No label and no probability of one of its members stands for the others'."""
    members = [verdict("x", outcome, label=outcome, score=0.9) for outcome in ("pass", "fail")]
    found = combine(members)
    assert (found.outcome, found.label, found.score) == ("unscored", "", None)
    silent = [one.model_copy(update={"outcome": "unscored", "status": "refused", "as_is": "a"}) for one in members]
    assert (combine(silent).score, combine(silent).as_is, combine(silent).swapped) == (None, None, None)


def test_a_silent_panel_is_unscored() -> None:
    """Where no member gave a verdict there is none, and every reason is told once."""
    members = [verdict("x", "unscored", status="unparsed", detail=why) for why in ("a", "b", "a")]
    found = combine(members)
    assert (found.outcome, found.status, found.detail) == ("unscored", "unparsed", "a; b")


def test_one_judge_is_no_panel() -> None:
    """A single judge's verdict is its own, with its own fingerprint and no votes."""
    one = verdict("x", "pass")
    assert combine([one]) is one


def test_the_majority_counts() -> None:
    """Two of three say pass: pass, the mean of their probabilities, and a fingerprint that is no member's."""
    members = [
        verdict("x", outcome, score=score, fingerprint=name)
        for outcome, score, name in (("pass", 0.9, "one"), ("fail", 0.2, "two"), ("pass", 0.7, "three"))
    ]
    found = combine(members)
    assert (found.outcome, found.status, found.votes) == ("pass", "ok", ["pass", "fail", "pass"])
    assert found.score == pytest.approx(0.6)
    assert found.fingerprint not in {"one", "two", "three"}


def test_a_panel_of_which_a_part_gave_a_probability_has_none() -> None:
    """The mean over those who gave one would be another panel's probability."""
    members = [verdict("x", "pass", score=0.9), verdict("x", "pass", score=None), verdict("x", "fail", score=0.1)]
    assert (combine(members).outcome, combine(members).score) == ("pass", None)


def test_a_pair_without_a_majority_is_a_tie() -> None:
    """One for A, one for B, one tie: a tie; and the order that most members were swayed by is kept."""
    members = [
        verdict("x", **pair("a", "a", "a"), scorer="preference"),
        verdict("x", **pair("tie", "a", "b"), scorer="preference"),
        verdict("x", **pair("b", "b", "b"), scorer="preference"),
    ]
    found = combine(members)
    assert (found.outcome, found.as_is, found.swapped) == ("tie", "a", "b")


@given(
    some.permutations(["one", "two", "three"]), some.lists(some.sampled_from(["pass", "fail"]), min_size=3, max_size=3)
)
def test_the_seating_does_not_matter(order: list[str], outcomes: list[str]) -> None:
    """Whoever sits where, three judges come to the outcome that two of them share."""
    by_name = dict(zip(["one", "two", "three"], outcomes, strict=True))
    found = combine([verdict("x", by_name[name], fingerprint=name) for name in order])
    assert found.outcome == max(("pass", "fail"), key=outcomes.count)


@pytest.mark.parametrize("outcomes", [("a", "b"), ("a", "tie"), ("b", "a", "tie"), ("tie", "b")])
def test_whatever_a_panel_is_split_between_a_pair_is_a_tie(outcomes: tuple[str, ...]) -> None:
    """Neither answer leads, whether or not somebody called it a tie; a silent member changes nothing of that."""
    members = [verdict("x", **pair(outcome, outcome, outcome)) for outcome in outcomes]
    silent = verdict("x", "unscored", status="refused")
    for panel in (members, [*members, silent]):
        assert (combine(panel).outcome, combine(panel).status) == ("tie", "ok")


def test_an_order_of_showing_without_a_majority_is_a_tie() -> None:
    """Where members saw a pair differently in one order, that order came to nothing; an answer has no orders."""
    members = [verdict("x", **pair("tie", "a", "b")), verdict("x", **pair("tie", "b", "b"))]
    found = combine(members)
    assert (found.outcome, found.as_is, found.swapped) == ("tie", "tie", "b")
    single = combine([verdict("x", "pass"), verdict("x", "pass")])
    assert (single.outcome, single.as_is, single.swapped) == ("pass", None, None)


def test_a_panel_s_label_is_that_of_its_majority() -> None:
    """Of the members who share the outcome the commonest label stands, or none where they differ; reasons add up."""
    said = (("pass", "warm", "Kind."), ("fail", "cold", ""), ("pass", "warm", "Nice."), ("pass", "mild", ""))
    members = [verdict("x", outcome, label=label, rationale=why) for outcome, label, why in said]
    found = combine(members)
    assert (found.label, found.rationale) == ("warm", "1: Kind.\n3: Nice.")
    assert combine([members[0], members[1], members[3]]).label == ""
