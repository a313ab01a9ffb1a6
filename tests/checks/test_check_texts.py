"""What was said: texts, patterns, numbers, likeness, language; and what it took: seconds, dollars, words, contexts."""

from decimal import Decimal
from typing import Any

import pytest
from check_cases import answer, expect
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from assay.checks.registry import score, validate
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response
from assay.stats.baselines import rouge_l

ENGLISH = "Your order has been refunded to your card, and the money arrives within five days."
GERMAN = "Ihre Bestellung wurde erstattet, und das Geld ist in fünf Tagen auf Ihrem Konto."
NORWEGIAN = "Bestillingen din er refundert til kortet ditt, og pengene kommer innen fem dager."


@pytest.mark.parametrize(
    "bad",
    [
        expect("contains"),
        expect("contains", "a", "b"),
        expect("icontains", " "),
        expect("contains-any"),
        expect("contains-all", "a", ""),
        expect("starts-with", ""),
        expect("regex", r"(a)\1"),
        expect("regex", "(?=a)"),
        expect("regex", "(a"),
        expect("regex", ""),
        expect("regex", "((a{100}){100}){100}"),
        expect("regex", "a" * 100_000),
        expect("numeric"),
        expect("numeric", "12"),
        expect("numeric", {"equals": 12}),
        expect("numeric", {"equals": 12, "absolute": 1, "relative": 1}),
        expect("numeric", {"equals": True, "absolute": 1}),
        expect("numeric", {"equals": 12, "absolute": -1}),
        expect("numeric", '{"equals": 1e999, "absolute": 1}'),
        expect("numeric", {"equals": 12, "absolute": 1, "path": "a..b"}),
        expect("numeric", {"equals": 12, "absolute": 1, "decimal": "x"}),
        expect("similarity", {"measure": "cosine", "reference": "a", "threshold": 0.5}),
        expect("similarity", {"measure": "ratio", "reference": " ", "threshold": 0.5}),
        expect("similarity", {"measure": "ratio", "reference": "a", "threshold": 0}),
        expect("similarity", {"measure": "ratio", "reference": "a", "threshold": 80}),
        expect("similarity", {"measure": "ratio", "reference": "a" * 20_001, "threshold": 0.5}),
        expect("language"),
        expect("language", "english"),
        expect("language", "xx"),
        expect("length-min", "few"),
        expect("latency", "-1"),
        expect("latency", "1e3"),
        expect("cost", "$1"),
        expect("cost", "nan"),
        expect("context-recall", {"facts": [], "threshold": 1}),
        expect("context-recall", {"facts": [""], "threshold": 1}),
        expect("context-recall", {"facts": ["a"], "threshold": 2}),
        expect("context-recall", {"facts": ["a"] * 1_001, "threshold": 1}),
    ],
)
def test_refuses_a_malformed_expectation(bad: Expectation) -> None:
    """What could never be scored, or not in bounded time, is refused with the name of its check."""
    with pytest.raises(DataError, match=f"check '{bad.check}' has"):
        validate(bad)


@pytest.mark.parametrize(
    ("expectation", "response", "passed"),
    [
        (expect("contains", "14 days"), answer("Within 14 days."), True),
        (expect("contains", "14 Days"), answer("Within 14 days."), False),
        (expect("icontains", "14 DAYS"), answer("Within 14 days."), True),
        (expect("contains-any", "Days", "Within"), answer("Within 14 days."), True),
        (expect("contains-any", "Days", "weeks"), answer("Within 14 days."), False),
        (expect("contains-all", "14", "days"), answer("Within 14 days."), True),
        (expect("contains-all", "14", "Days"), answer("Within 14 days."), False),
        (expect("starts-with", "Yes"), answer("\n Yes, we can."), True),
        (expect("starts-with", "yes"), answer("Yes, we can."), False),
        (expect("starts-with", "Yes"), answer("Oh: Yes"), False),
        (expect("regex", r"\bPL-\d{4}\b"), answer("Order PL-1042."), True),
        (expect("regex", r"^PL-\d{4}$"), answer("Order PL-1042."), False),
        (expect("regex", "(?i)ÜBER"), answer("über uns"), True),
        (expect("length-min", "3"), answer("one two\nthree"), True),
        (expect("length-min", "4"), answer("one two\nthree"), False),
        (expect("latency", "1.5"), answer(latency_s=1.5), True),
        (expect("latency", "1.5"), answer(latency_s=1.51), False),
        (expect("cost", "0.002"), answer(cost_usd=0.002), True),
        (expect("cost", "0.002"), answer(cost_usd=0.003), False),
        (expect("language", "en"), answer(ENGLISH), True),
        (expect("language", "de", "fr"), answer(ENGLISH), False),
        (expect("language", "de", "en"), answer(GERMAN), True),
        (expect("language", "no"), answer(NORWEGIAN), True),
        (expect("language", "no"), answer("Eg veit ikkje kva du heiter, men me kan hjelpe deg."), True),
        (expect("language", "zh"), answer("您的订单已取消。退款需要五天。"), True),
        (expect("language", "zh"), answer("订单取消"), True),
        (expect("language", "en"), answer("订单取消"), False),
        (expect("context-recall", {"facts": ["14 days", "Full refund"], "threshold": 1}), answer(), False),
    ],
)
def test_scores_what_was_said(expectation: Expectation, response: Response, passed: bool) -> None:  # noqa: FBT001 - a table
    """Each kind does as its name says, and `not-` is its opposite."""
    opposite = expectation.model_copy(update={"check": f"not-{expectation.check}"})
    assert score(expectation, response).passed is passed
    assert score(opposite, response).passed is not passed


@pytest.mark.parametrize(
    ("expectation", "response"),
    [
        (expect("cost", "0.002"), answer()),
        (expect("language", "en"), answer("OK.")),
        (expect("language", "en"), answer("")),
        (expect("language", "en"), answer("12 345, 67; 8 + 9")),
        (expect("regex", "(a|b)*a(a|b){400}c"), answer("ab" * 500_000)),
        (expect("numeric", {"equals": 1, "absolute": 0}), answer("9" * 2_000)),
        (expect("numeric", {"equals": 1, "absolute": 0}), answer("1e9999999999")),
        (expect("numeric", {"equals": 1, "absolute": 0, "path": "a"}), answer("[" * 5_000)),
    ],
)
def test_what_cannot_be_told_satisfies_nobody(expectation: Expectation, response: Response) -> None:
    """No price, too short a text, too long a number: neither holds; only what the answer is to blame for is a fault."""
    opposite = expectation.model_copy(update={"check": f"not-{expectation.check}"})
    for asked in (expectation, opposite):
        found = score(asked, response)
        fault = "" if expectation.check in ("cost", "language") else "format"
        assert (found.passed, found.decided, found.fault) == (False, False, fault)


@pytest.mark.parametrize(
    ("text", "number", "more"),
    [
        ("It is $1,234.50.", 1234.5, {}),
        ("5 or 6, so 7", 7, {}),
        ("about -5", -5, {}),
        ("\u22127 %", -7, {}),
        ("-$1,000", -1000, {}),
        ("10-12", 12, {}),
        ("order PL-1042", 1042, {}),
        ("- 3 apples", 3, {}),
        ("+.5", 0.5, {}),
        ("2.5e3", 2500, {}),
        ("1\u00a0000 m", 1000, {}),
        ("3,5", 5, {}),
        ("3,5", 3.5, {"decimal": ","}),
        ("1.234,5", 1234.5, {"decimal": ","}),
        ('{"total": {"usd": 12}, "n": 3}', 12, {"path": "total.usd"}),
        ('Sure:\n```json\n{"total": ["1,200 USD"]}\n```', 1200, {"path": "total.0"}),
    ],
)
def test_reads_the_number_as_declared(text: str, number: float, more: dict[str, Any]) -> None:
    """The last number, its sign, its groups and its fraction; or the one at a path of the JSON in the answer."""
    assert score(expect("numeric", {"equals": number, "absolute": 0, **more}), answer(text)).passed
    assert not score(expect("numeric", {"equals": number + 1, "absolute": 0, **more}), answer(text)).passed


@pytest.mark.parametrize(
    ("text", "more"),
    [("none", {}), ("", {}), ("{}", {"path": "a"}), ('{"a": true}', {"path": "a"}), ("12", {"path": "a"})],
)
def test_no_number_is_a_fault_of_format(text: str, more: dict[str, Any]) -> None:
    """An answer without a number is not a wrong number, and no number is put in its place."""
    found = score(expect("numeric", {"equals": 0, "absolute": 1e300, **more}), answer(text))
    assert (found.passed, found.decided, found.fault) == (False, True, "format")


@pytest.mark.parametrize(
    ("tolerance", "text", "passed"),
    [
        ({"absolute": 0.1}, "1.1", True),
        ({"absolute": 0.1}, "1.1000000000000000000001", False),
        ({"relative": 0.01}, "0.99", True),
        ({"relative": 0.01}, "0.989", False),
        ({"absolute": 1e308}, "1e400", False),
        ({"relative": 0}, "1.000", True),
    ],
)
def test_the_tolerance_is_exact(tolerance: dict[str, float], text: str, passed: bool) -> None:  # noqa: FBT001 - a table
    """The bounds belong to the tolerance, whatever binary fractions would make of them."""
    assert score(expect("numeric", {"equals": 1.0, **tolerance}), answer(text)).passed is passed


@pytest.mark.parametrize(("text", "passed"), [("-101", True), ("-99", True), ("-102", False), ("100", False)])
def test_a_share_of_a_negative_number_is_a_tolerance(text: str, passed: bool) -> None:  # noqa: FBT001 - a table
    """A hundredth of minus a hundred is one, either way; a tolerance is never negative."""
    assert score(expect("numeric", {"equals": -100, "relative": 0.01}), answer(text)).passed is passed


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**12), max_value=10**12))
def test_reads_back_any_number_written_in_english(number: Decimal) -> None:
    """A number written with groups of three and a fraction is the number that was written."""
    expected = f'{{"equals": {number}, "absolute": 0.001}}'
    assert score(expect("numeric", expected), answer(f"The total is {number:,} in all.")).passed


@given(st.text("abA c", min_size=1).filter(str.strip), st.text("abA c", max_size=30), st.floats(0.01, 1))
def test_similarity_equals_other_implementations(reference: str, text: str, threshold: float) -> None:
    """`ratio` is rapidfuzz's, `rouge-l` is the F1 that the statistics work out by another method."""
    theirs = {"ratio": fuzz.ratio(text.strip(), reference.strip()) / 100, "rouge-l": rouge_l(text, reference)}
    for measure, value in theirs.items():
        if abs(value - threshold) > 1e-9:
            asked = expect("similarity", {"measure": measure, "reference": reference, "threshold": threshold})
            assert score(asked, answer(text)).passed is (value >= threshold)


def test_context_recall_is_the_share_of_facts_found() -> None:
    """Two of three facts stand in some context, whatever the case and the line breaks; one straddles two contexts."""
    facts = ["within 14 days", "FULL refund", "to your card"]
    contexts = ["Return it within\n14  days.", "A full refund to", "your card."]
    for threshold, passed in ((0.66, True), (0.67, False)):
        asked = expect("context-recall", {"facts": facts, "threshold": threshold})
        found = score(asked, answer(contexts=contexts))
        assert found.passed is passed
        assert found.detail == "2 of 3 facts are in 3 contexts; missing 'to your card'"
