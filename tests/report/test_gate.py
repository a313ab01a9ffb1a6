"""The gate: seven words, one order among them, and no way for an uncalibrated judge to pass."""

from itertools import product
from typing import Any, get_args

import pytest

from assay.calibration.certificate import Standing
from assay.report.gate import EXIT, Evidence, Word, decide

ORDER = ("incomplete", "regression", "judge-changed", "uncalibrated", "set-changed", "inconclusive", "pass")
FAULTS: dict[str, dict[str, Any]] = {
    "incomplete": {"error_share": 0.03},
    "regression": {"worse": ["refunds"]},
    "judge-changed": {"standings": ["valid", "judge-changed"]},
    "uncalibrated": {"standings": ["valid", "expired"]},
    "set-changed": {"is_set_compared": False},
    "inconclusive": {"low": -0.06},
    "pass": {},
}
"""For each word what alone brings it about; a later fault never hides an earlier one."""


GOOD: dict[str, Any] = {
    "error_share": 0.02,
    "max_error_share": 0.02,
    "worse": [],
    "low": -0.05,
    "max_drop": 0.05,
    "standings": ["valid", "valid"],
    "is_set_compared": True,
}


def evidence(**changes: Any) -> Evidence:
    """Return the evidence of a good night, changed."""
    return Evidence.model_validate(GOOD | changes)


@pytest.mark.parametrize("word", ORDER)
def test_every_word_is_reached(word: str) -> None:
    """Each fault alone brings about its own word; values exactly at the limit bring about none."""
    assert decide(evidence(**FAULTS[word]))[0] == word


@pytest.mark.parametrize(("first", "second"), [pair for pair in product(ORDER, ORDER) if pair[0] != pair[1]])
def test_the_first_word_of_the_order_holds(first: str, second: str) -> None:
    """Of two faults the one that stands earlier in the order names the run, whatever the other is."""
    both = FAULTS[first] | FAULTS[second]
    if "standings" in FAULTS[first].keys() & FAULTS[second].keys():
        both["standings"] = ["judge-changed", "expired"]
    assert decide(evidence(**both))[0] == min(first, second, key=ORDER.index)


def test_exit_codes_are_the_documented_ones() -> None:
    """0, 1, 3, 4, 5, 6 and 7, each for one word; 2 stays with bad input."""
    assert [EXIT[word] for word in get_args(Word)] == [0, 1, 7, 3, 4, 5, 6]
    assert set(EXIT) == set(get_args(Word))


@pytest.mark.parametrize("standing", [word for word in get_args(Standing) if word != "valid"])
@pytest.mark.parametrize("others", [[], ["valid"], ["none"]])
def test_an_uncalibrated_judge_never_passes(standing: str, others: list[str]) -> None:
    """One judge that spoke and may not be believed is enough, whatever the others are worth."""
    assert decide(evidence(standings=[*others, standing], low=0.5))[0] in ("uncalibrated", "judge-changed")


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({}, "incomplete"),
        ({"standings": ["unwatched", "expired"], "is_set_compared": False}, "incomplete"),
        ({"standings": ["unwatched", "judge-changed"]}, "judge-changed"),
        ({"worse": ["refunds"]}, "regression"),
    ],
)
def test_a_judge_that_nobody_could_watch_passes_nothing(changes: dict[str, Any], word: str) -> None:
    """Its run is incomplete and says why; only what is proved without it, or another judge's change, comes first."""
    found = decide(evidence(**({"standings": ["valid", "unwatched"], "unwatched": "the watch broke"} | changes)))
    assert found[0] == word
    assert (found[1] == "the watch broke") == (word == "incomplete")


def test_checks_alone_need_no_certificate() -> None:
    """A run in which no judge spoke publishes no judged number, so it can pass without a certificate."""
    assert decide(evidence(standings=[], low=0.5))[0] == "pass"


def test_a_proved_regression_stands_without_a_judge() -> None:
    """What checks alone proved is not taken back because the judge is uncalibrated."""
    word, reason, _ = decide(evidence(standings=["none"], worse=["refunds", "negation"]))
    assert (word, reason) == ("regression", "worse than the baseline beyond chance: refunds, negation")


@pytest.mark.parametrize(
    ("changes", "word", "said"),
    [
        ({}, "incomplete", "no case has a score in both versions"),
        ({"is_set_compared": False}, "set-changed", "no accepted answer"),
        ({"is_set_compared": False, "has_baseline": False}, "set-changed", "there is no baseline yet"),
        ({"error_share": 0.01, "unscorable_share": 0.5}, "incomplete", "nothing scores 50.0 % of the cases"),
        ({"standings": ["failed"]}, "uncalibrated", "failed"),
        ({"error_share": 0.5}, "incomplete", "50.0 % of the cases have no score, at most 2.0 % may"),
    ],
)
def test_nothing_compared_is_named_after_its_cause(changes: dict[str, Any], word: str, said: str) -> None:
    """Without one comparable case the word says what is wanting, and never that 0 % failed."""
    found = decide(evidence(low=None, **changes))
    assert found[0] == word
    assert said in found[1]


@pytest.mark.parametrize("word", ORDER)
def test_every_word_says_what_to_do(word: str) -> None:
    """Whatever the word, there is a reason and a next step."""
    _, reason, then = decide(evidence(**FAULTS[word]))
    assert reason
    assert then


def test_a_changed_set_hides_nothing() -> None:
    """Some new cases, and the others look worse: the word is of the set, the reason names what looks worse."""
    found = decide(evidence(is_set_compared=False, suspected=["emergency"], wanting="label both versions"))
    assert found[0] == "set-changed"
    assert "emergency" in found[1]
    assert "label both versions" in found[2]


def test_a_silent_judge_is_no_bug() -> None:
    """Who says too little of its anchors is to be asked why; a watch that broke is to be reported."""
    said = {"standings": ["unwatched"], "unwatched": "tone gave no verdict on 9 of 60 anchors"}
    assert "assay judges try" in decide(evidence(**said, is_silent=True))[2]
    assert "report the bug" in decide(evidence(**said))[2]


def test_who_writes_the_case_is_asked_for_what_scores_it() -> None:
    """Where nothing scores a case it is told so; beyond the limit of errors alone each case's own reason is."""
    assert "reference" in decide(evidence(error_share=0.0, unscorable_share=0.03))[2]
    assert "assay cases --unscored" in decide(evidence(error_share=0.03, unscorable_share=0.03))[2]
    assert decide(evidence(error_share=0.01, unscorable_share=0.01))[0] == "pass"


@pytest.mark.parametrize("look", [1, 30])
def test_what_looks_worse_never_passes(look: int) -> None:
    """20 of 20 of a category newly fail, and too many looks have been had to prove it: that is no pass."""
    word, reason, _ = decide(evidence(suspected=["cancellation"], look=look))
    assert word == "inconclusive"
    assert "cancellation" in reason
    assert decide(evidence(suspected=["cancellation"], worse=["refunds"]))[0] == "regression"


@pytest.mark.parametrize("low", [None, 0.0])
def test_a_word_that_labels_are_wanting_for_never_passes(low: float | None) -> None:
    """Where the judges' word rests on labels that are not there, the reason is that, and no pass."""
    word, reason, _ = decide(evidence(wanting="label both versions", low=low))
    assert (word, reason) == ("inconclusive", "label both versions")


@pytest.mark.parametrize(
    ("estimate", "low", "said"), [(0.0, -0.10, "some 400 cases"), (0.05, -0.15, "some 400 "), (-0.06, -0.1, "prove")]
)
def test_an_open_word_says_what_would_decide(estimate: float, low: float, said: str) -> None:
    """By hand: of 100 cases a half-width of 10 points is to be 5: four times the cases."""
    found = decide(evidence(estimate=estimate, low=low, n=100))
    assert found[0] == "inconclusive"
    assert said in found[2]


def test_an_open_word_that_rests_on_labels_says_how_many() -> None:
    """By hand: 80 labelled cases with a half-width of 10 points where 5 are wanted: four times as many."""
    assert "some 320 changed cases labelled" in decide(evidence(estimate=0.0, low=-0.1, n=500, labels=80))[2]


def test_no_certificate_is_said_to_be_none() -> None:
    """A judge without a certificate has none, and one whose certificate is no good any more is named beside it."""
    assert decide(evidence(standings=["none"], low=0.5))[1] == "a judge has no certificate"
    both = decide(evidence(standings=["none", "expired"], low=0.5))[1]
    assert both == "the certificate of a judge is expired; a judge has no certificate"


@pytest.mark.parametrize(
    ("standings", "reason", "judge"),
    [
        (["valid", "none", "valid"], "truth has no certificate", "truth"),
        (["none", "none", "valid"], "tone and truth have no certificate", "tone"),
        (["none", "valid", "expired"], "the certificate of depth is expired; tone has no certificate", "tone"),
        (["failed", "valid", "failed"], "tone and depth failed a floor of the certificate", "tone"),
    ],
)
def test_the_judge_that_is_wanting_is_named(standings: list[str], reason: str, judge: str) -> None:
    """By its name where names are known, with the command for the first of them."""
    word, why, then = decide(evidence(standings=standings, judges=["tone", "truth", "depth"], low=0.5))
    assert (word, why) == ("uncalibrated", reason)
    assert f"(`assay labels draw --judge {judge}` draws them)" in then
    assert "(`assay labels draw` draws them)" in decide(evidence(standings=standings, low=0.5))[2]


def test_what_evidence_does_not_say_is_nothing() -> None:
    """A night of which nothing else is known was looked at once, rests on no label, and has something accepted."""
    told = evidence().model_dump(exclude=set(GOOD))
    zero = dict.fromkeys(("unscorable_share", "n", "labels"), 0) | {"look": 1, "estimate": None}
    empty = {"suspected": [], "judges": [], "wanting": "", "unwatched": ""}
    assert told == zero | empty | {"is_of_people": False, "is_silent": False, "has_baseline": True}


def test_labels_help_where_people_s_errors_are_counted() -> None:
    """Only of a change that counts the judge's own errors is it said that they are counted and that labels help."""
    for is_of_people in (True, False):
        _, reason, then = decide(evidence(estimate=0.0, low=-0.1, n=100, is_of_people=is_of_people))
        assert ("the judge's own errors counted" in reason) == is_of_people
        assert ("assay labels draw" in then) == is_of_people


@pytest.mark.parametrize("wanting", ["", "label both versions"])
def test_what_is_suspected_and_what_is_wanting_are_both_said(wanting: str) -> None:
    """Where labels are wanting too the reason ends with that, and the next step is to label both versions."""
    _, reason, then = decide(evidence(suspected=["refunds"], wanting=wanting))
    assert reason.startswith("it may be worse in refunds, not surely enough")
    assert reason.endswith("; label both versions") == bool(wanting)
    assert ("assay labels draw" in then) == bool(wanting)
    assert ("assay cases --failing" in then) == (not wanting)
