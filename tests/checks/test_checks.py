"""The kinds of check, each through the registry, as the stage calls them."""

import json
from time import process_time
from typing import Any

import pytest
from check_cases import DEEP, EXAMPLES, LONG_NUMBER, REFUND, answer, expect
from hypothesis import given
from hypothesis import strategies as st

from assay.checks.registry import KINDS, Finding, score, validate
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

STATE = {
    "orders": {"PL-1042": {"status": "refunded", "paid": 12, "lines": [{"meal": "dal"}]}},
    "open": True,
    "note": None,
}


def test_refuses_an_unknown_kind() -> None:
    """A misspelt kind is refused by name, with the known ones, before anything is scored."""
    for kind in ("icontain-any", "not-not-equals", "not-", "registry"):
        with pytest.raises(DataError, match="expected one of contains, contains-all, contains-any"):
            validate(expect(kind, "x"))


@pytest.mark.parametrize(
    "bad",
    [
        expect("equals"),
        expect("equals", "a", "b"),
        expect("equals", "a", calls=[("x", "{}")]),
        expect("icontains-any"),
        expect("icontains-any", "14", " "),
        expect("icontains-all", ""),
        expect("is-json", "{}"),
        expect("refusal", "I can't"),
        expect("not-refusal", "I can't"),
        expect("length-max"),
        expect("length-max", "-1"),
        expect("length-max", "\u0663"),
        expect("length-max", "9" * 5_000),
        expect("tool-call"),
        expect("not-tool-call"),
        expect("tool-call", "issue_refund", calls=[REFUND]),
        expect("tool-call", calls=[("", "{}")]),
        expect("tool-call", calls=[("issue_refund", "[]")]),
        expect("tool-call", calls=[("issue_refund", "{")]),
        expect("tool-call", calls=[("issue_refund", DEEP)]),
        expect("final-state"),
        expect("final-state", "refunded"),
        expect("final-state", "[]"),
        expect("final-state", '{"path": "open"}'),
        expect("final-state", '{"path": "open", "equals": 1, "also": 2}'),
        expect("final-state", '{"path": "open", "path": "shut", "equals": 1}'),
        expect("final-state", '{"path": "orders..status", "equals": 1}'),
        expect("final-state", '{"path": ["open"], "equals": 1}'),
        expect("final-state", '{"path": "open", "equals": NaN}'),
    ],
)
def test_refuses_a_malformed_expectation(bad: Expectation) -> None:
    """An expectation that could never hold, or always would, is refused at the door and again when scored."""
    with pytest.raises(DataError, match=bad.check):
        validate(bad)
    with pytest.raises(DataError):
        score(bad, answer("Yes.", state=STATE))


def test_refuses_a_response_that_is_an_error() -> None:
    """A failed call has no answer, so it can neither pass nor fail a check."""
    for kind in ("equals", "not-equals"):
        with pytest.raises(ValueError, match="refund-policy-001 is an error"):
            score(expect(kind, "Yes."), answer(status="error"))


@pytest.mark.parametrize(
    ("expectation", "response", "passed"),
    [
        (expect("equals", "Yes."), answer(" Yes.\n"), True),
        (expect("equals", "Yes."), answer("yes."), False),
        (expect("equals", ""), answer(" "), True),
        (expect("icontains-any", "two weeks", "14 DAYS"), answer("Within 14 days."), True),
        (expect("icontains-any", "two weeks"), answer("Within 14 days."), False),
        (expect("icontains-any", "STRASSE"), answer("Hauptstraße 5"), True),
        (expect("icontains-all", "14", "days"), answer("Within 14 Days."), True),
        (expect("icontains-all", "14", "weeks"), answer("Within 14 days."), False),
        (expect("is-json"), answer(' {"a": [1, null]}\n'), True),
        (expect("is-json"), answer('```json\n{"a": 1}\n```'), False),
        (expect("is-json"), answer('{"a": NaN}'), False),
        (expect("is-json"), answer('{"a": 1, "a": 2}'), False),
        (expect("is-json"), answer(""), False),
        (expect("length-max", "3"), answer("one two\nthree"), True),
        (expect("length-max", "3"), answer("one two three four"), False),
        (expect("length-max", "0"), answer(""), True),
        (expect("refusal"), answer("I\u2019m sorry, I can\u2019t help with that."), True),
        (expect("refusal"), answer("I'm unable to share another customer's details."), True),
        (expect("refusal"), answer("I'm sorry to hear that. I can't find order PL-1042; is the number right?"), False),
        (expect("refusal"), answer("Refunds take 5 days. " * 40 + "I can't help with that."), False),
        (expect("refusal"), answer(""), False),
    ],
)
def test_scores_what_was_said(expectation: Expectation, response: Response, passed: bool) -> None:  # noqa: FBT001 - a table
    """Each kind does as its name says, and `not-` is its opposite."""
    opposite = expectation.model_copy(update={"check": f"not-{expectation.check}"})
    assert score(expectation, response).passed is passed
    assert score(opposite, response).passed is not passed


@pytest.mark.parametrize(
    ("expected", "made", "passed"),
    [
        ([REFUND], [("issue_refund", '{"usd": 12.0, "order": "PL-1042", "why": "cold"}')], True),
        ([REFUND], [("issue_refund", '{"order": "PL-1042"}')], False),
        ([REFUND], [("issue_refund", '{"order": "PL-1042", "usd": "12"}')], False),
        ([REFUND], [("escalate", REFUND[1])], False),
        ([REFUND], [], False),
        ([("escalate", "{}")], [("look_up_order", "{}"), ("escalate", '{"reason": "allergy"}')], True),
        ([("set", '{"n": 1}')], [("set", '{"n": true}')], False),
        ([("set", '{"n": {"a": 1}}')], [("set", '{"n": {"b": 2, "a": 1.0}}')], True),
        ([("set", '{"n": [1, 2]}')], [("set", '{"n": [2, 1]}')], False),
        ([("set", '{"n": [1]}')], [("set", '{"n": [1, 2]}')], False),
        ([("set", '{"n": null}')], [("set", "{}")], False),
        ([REFUND, REFUND], [REFUND], False),
        ([REFUND, REFUND], [REFUND, REFUND], True),
        ([("set", "{}"), ("set", '{"n": 1}')], [("set", '{"n": 1}'), ("set", "{}")], True),
        ([("set", '{"n": 1}'), ("set", "{}")], [("set", "{}"), ("set", '{"n": 1}')], True),
        ([REFUND], [("issue_refund", "{broken"), REFUND], True),
    ],
)
def test_matches_tool_calls(expected: list[tuple[str, str]], made: list[tuple[str, str]], passed: bool) -> None:  # noqa: FBT001 - a table
    """Equal name, expected arguments among the actual ones, key order and 1 or 1.0 alike, one actual call for each."""
    assert score(expect("tool-call", calls=expected), answer(calls=made)).passed is passed


@pytest.mark.parametrize("arguments", ["{broken", "", "[]", DEEP, '{"usd": ' + LONG_NUMBER + "}", '{"a": 1, "a": 2}'])
def test_unreadable_arguments_satisfy_nobody(arguments: str) -> None:
    """A call whose arguments cannot be read is a finding: not the expected call, and not its absence either."""
    for kind in ("tool-call", "not-tool-call"):
        found = score(expect(kind, calls=[("issue_refund", "{}")]), answer(calls=[("issue_refund", arguments)]))
        assert (found.passed, found.decided) == (False, False)
        assert "cannot be read" in found.detail
    other = score(expect("not-tool-call", calls=[("escalate", "{}")]), answer(calls=[("issue_refund", arguments)]))
    assert other.passed


def test_none_of_the_forbidden_calls_may_occur() -> None:
    """`not-tool-call` with two calls fails when either was made, not only when both were."""
    forbidden = expect("not-tool-call", calls=[("issue_refund", "{}"), ("apply_credit", "{}")])
    assert not score(forbidden, answer(calls=[REFUND])).passed
    assert not score(forbidden, answer(calls=[("apply_credit", "{}")])).passed
    assert score(forbidden, answer(calls=[("escalate", "{}")])).passed


@pytest.mark.parametrize(
    ("path", "equals", "passed"),
    [
        ("orders.PL-1042.status", "refunded", True),
        ("orders.PL-1042.paid", 12.0, True),
        ("orders.PL-1042.lines.0.meal", "dal", True),
        ("orders.PL-1042.lines", [{"meal": "dal"}], True),
        ("note", None, True),
        ("open", 1, False),
        ("orders.PL-1042", {"status": "refunded"}, False),
        ("orders.PL-1042.lines.1.meal", "dal", False),
        ("orders.PL-9999.status", None, False),
        ("open.really", True, False),
    ],
)
def test_looks_up_the_final_state(path: str, equals: Any, passed: bool) -> None:  # noqa: FBT001 - a table
    """A dotted path leads through keys with dashes and list positions; what stands there must be equal, not alike."""
    value = json.dumps({"path": path, "equals": equals})
    assert score(expect("final-state", value), answer(state=STATE)).passed is passed
    assert score(expect("not-final-state", value), answer(state=STATE)).passed is not passed


def test_every_value_of_the_final_state_must_hold() -> None:
    """One right value does not outweigh a wrong one, and the finding names the wrong one."""
    right, wrong = '{"path": "open", "equals": true}', '{"path": "note", "equals": "done"}'
    found = score(expect("final-state", right, wrong), answer(state=STATE))
    assert (found.passed, found.detail) == (False, "$.note is null, expected 'done'")


@pytest.mark.parametrize("state", ["", "{", DEEP, '{"open": ' + LONG_NUMBER + "}"])
def test_an_unreadable_state_satisfies_nobody(state: str) -> None:
    """What cannot be read proves neither that the order was refunded nor that it was not."""
    for kind in ("final-state", "not-final-state"):
        found = score(expect(kind, '{"path": "open", "equals": true}'), answer(state=state))
        assert (found.passed, found.decided) == (False, False)


def test_json_too_deep_to_read_is_neither() -> None:
    """A hundred thousand brackets are a finding, in both directions, and no crash."""
    for text in (DEEP, LONG_NUMBER):
        for kind in ("is-json", "not-is-json"):
            found = score(expect(kind), answer(text))
            assert (found.passed, found.decided) == (False, False)


def test_json_is_read_to_a_hundred_levels() -> None:
    """The depth that is read is the same on every Python, however deep the caller's own stack is."""
    assert score(expect("is-json"), answer("[" * 100 + "]" * 100)).passed
    assert not score(expect("is-json"), answer('{"a":' * 101 + "1" + "}" * 101)).decided


def test_every_kind_has_an_example_here() -> None:
    """A kind that joins the registry joins the tests of hostile input below."""
    assert [one.check for one in EXAMPLES] == list(KINDS)


@given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Cf"])), st.sampled_from(EXAMPLES))
def test_any_text_becomes_a_storable_line(text: str, expectation: Expectation) -> None:
    """Whatever a model wrote, half characters included, the finding is one printable line of UTF-8."""
    found = score(expectation, answer(text, calls=[(text, text)], state=text))
    assert isinstance(found, Finding)
    assert found.detail.encode()
    assert found.detail.isprintable()


HOSTILE = {
    "words": "i can't " * 130_000,
    "dotted capital i": "\u0130" * 1_000_000,
    "brackets": "{" * 1_000_000,
    "depth": "[" * 500_000 + "]" * 500_000,
    "unfinished": '{"a":[1,' * 130_000,
    "spaces": " " * 1_000_000,
    "digits": "9" * 1_000_000,
    "groups": "123," * 250_000,
    "marks": "e\u0301\u202e\U0001f469\u200d\U0001f680" * 200_000,
    "numbers": json.dumps([1e308] * 150_000),
    "almost": "a" * 1_000_000 + "b",
}


@pytest.mark.parametrize("expectation", EXAMPLES, ids=lambda one: one.check)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_megabyte_returns(expectation: Expectation, text: str) -> None:
    """A megabyte of anything is scored, in both directions, and quoted in short; the undecided never passes."""
    opposite = expectation.model_copy(update={"check": f"not-{expectation.check}"})
    response = answer(text, calls=[("issue_refund", text)], state=text, contexts=[text])
    found, against = score(expectation, response), score(opposite, response)
    assert len(found.detail) < 1_500
    assert found.decided is against.decided
    assert (found.passed, against.passed) != (True, True)
    assert found.decided or not (found.passed or against.passed)


@given(st.text(max_size=40), st.sampled_from(EXAMPLES))
def test_a_fault_says_what_kind_of_failure(text: str, expectation: Expectation) -> None:
    """What passed has no fault, what failed has one; what could not be decided is a fault of format or nobody's."""
    for check in (expectation.check, f"not-{expectation.check}"):
        asked = expectation.model_copy(update={"check": check})
        found = score(asked, answer(text, calls=[("issue_refund", text)], state=text))
        is_nobody_s = not found.decided and asked.check.endswith(("cost", "language", "python"))
        assert (found.fault == "") is (found.passed or is_nobody_s)
        assert found.decided or found.fault in ("format", "")


@pytest.mark.parametrize(
    ("expectation", "response", "fault"),
    [
        (expect("equals", "Yes."), answer("No."), "answer"),
        (expect("is-json"), answer("No."), "format"),
        (expect("not-is-json"), answer("{}"), "answer"),
        (expect("final-state", {"path": "open", "equals": False}), answer(state=STATE), "answer"),
        (expect("final-state", {"path": "open", "equals": False}), answer(state="{"), "format"),
        (expect("tool-call", calls=[REFUND]), answer(), "answer"),
        (expect("tool-call", calls=[REFUND]), answer(calls=[("issue_refund", "{")]), "format"),
        (expect("not-tool-call", calls=[REFUND]), answer(calls=[REFUND]), "answer"),
        (expect("cost", "0.01"), answer(), ""),
        (expect("latency", "1"), answer(latency_s=2.0), "answer"),
    ],
)
def test_an_unreadable_answer_is_another_fault_than_a_wrong_one(
    expectation: Expectation, response: Response, fault: str
) -> None:
    """An answer that was read and is wrong is told from one that does not have the form it had to have."""
    assert score(expectation, response).fault == fault


def test_a_thousand_calls_take_no_time() -> None:
    """A product that called a tool a thousand times over is paired within a second."""
    many = [("issue_refund", f'{{"order": "PL-{index}"}}') for index in range(1_000)]
    started = process_time()
    assert score(expect("tool-call", calls=[*many[:20], ("issue_refund", "{}")]), answer(calls=many)).passed
    assert process_time() - started < 1
