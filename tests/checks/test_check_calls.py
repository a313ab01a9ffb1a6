"""The calls that were made beside the expected ones: schema-aware arguments, trajectories, and a bounded matching."""

import json
from itertools import permutations
from time import process_time
from typing import Any

import pytest
from check_cases import DEEP, REFUND, answer, expect
from hypothesis import given
from hypothesis import strategies as st

from assay.checks.registry import score, validate
from assay.errors import DataError
from assay.records.case import Expectation

SCHEMA = {
    "type": "object",
    "properties": {
        "usd": {"type": "number"},
        "count": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": 1},
        "note": {"type": ["string", "number"]},
        "day": {"type": "string", "format": "date"},
        "at": {"type": "string", "format": "date-time"},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "lines": {"type": "array", "uniqueItems": True, "items": {"$ref": "#/$defs/line"}},
        "steps": {"type": "array", "items": {"type": "integer"}},
        "line": {"$ref": "#/$defs/line"},
    },
    "$defs": {
        "line": {
            "type": "object",
            "properties": {"n": {"type": "integer"}, "gift": {"type": "boolean", "default": False}},
        }
    },
}
A, B, C = ("book", '{"id": 1}'), ("pay", '{"usd": 5}'), ("cancel", '{"id": 1}')
READ = ("look_up", "{}")


def same(expected: Any, actual: Any, **options: Any) -> bool:
    """Say whether `tool-call` takes one call for the other."""
    asked = expect("tool-call", options, calls=[("set", json.dumps(expected))])
    return score(asked, answer(calls=[("set", json.dumps(actual))])).passed


def trajectory(mode: str, *calls: tuple[str, str], **options: Any) -> Expectation:
    """Return an expectation of calls in one mode."""
    return expect("trajectory", {"mode": mode, **options}, calls=list(calls))


@pytest.mark.parametrize(
    "bad",
    [
        expect("tool-call", "{", calls=[REFUND]),
        expect("tool-call", "{}", "{}", calls=[REFUND]),
        expect("tool-call", {"optinal": ["usd"]}, calls=[REFUND]),
        expect("tool-call", {"ignore": "usd"}, calls=[REFUND]),
        expect("tool-call", {"exact": 1}, calls=[REFUND]),
        expect("tool-call", {"schema": {"type": "objekt"}}, calls=[REFUND]),
        expect("tool-call", {"schema": {"$ref": "http://127.0.0.1:9/tool.json"}}, calls=[REFUND]),
        expect("tool-call", {"schema": {}}, calls=[REFUND, ("escalate", "{}")]),
        expect("tool-call", {"schemas": {"issue_refund": 1}}, calls=[REFUND]),
        expect("trajectory", calls=[REFUND]),
        expect("trajectory", {}, calls=[REFUND]),
        trajectory("exact", REFUND),
        trajectory("superset"),
        trajectory("sequence"),
        trajectory("strict", REFUND, tools=["escalate"]),
        trajectory("strict", REFUND, tools=[]),
        trajectory("strict", REFUND, leave_out_failed="yes"),
        trajectory("strict", ("issue_refund", "[]")),
        trajectory("strict", ("", "{}")),
    ],
)
def test_refuses_a_malformed_expectation(bad: Expectation) -> None:
    """A misspelt option, an unsafe schema, or a call that could never be counted is refused before anything runs."""
    with pytest.raises(DataError, match=f"check '{bad.check}'"):
        validate(bad)


@pytest.mark.parametrize(
    ("expected", "actual", "equal"),
    [
        ({"usd": 5}, {"usd": "5"}, True),
        ({"usd": "5.0"}, {"usd": 5}, True),
        ({"usd": 5}, {"usd": "5 dollars"}, False),
        ({"usd": 5}, {"usd": "6"}, False),
        ({"usd": 1}, {"usd": True}, False),
        ({"usd": 5}, {"usd": "9" * 100_000}, False),
        ({"note": "5"}, {"note": 5}, False),
        ({"count": 3}, {"count": "3"}, True),
        ({"count": 1}, {}, True),
        ({"count": 2}, {}, False),
        ({}, {"count": 2}, True),
        ({"day": "2024-05-20"}, {"day": "20240520"}, True),
        ({"day": "2024-05-20"}, {"day": "2024-05-20T00:00:00Z"}, True),
        ({"day": "2024-05-20"}, {"day": "2024-05-20T09:00:00Z"}, False),
        ({"day": "2024-05-20"}, {"day": "05/20/2024"}, False),
        ({"at": "2024-05-20T12:00:00Z"}, {"at": "2024-05-20T14:00:00+02:00"}, True),
        ({"at": "2024-05-20T12:00:00Z"}, {"at": "2024-05-20t12:00:00.000z"}, True),
        ({"at": "2024-05-20T12:00:00Z"}, {"at": "2024-05-20T12:00:00"}, False),
        ({"at": "0001-01-01T00:00:00+05:00"}, {"at": "0001-01-01T00:00:00+05:00"}, True),
        ({"tags": ["a", "b", "a"]}, {"tags": ["b", "a", "a"]}, True),
        ({"tags": ["a", "b"]}, {"tags": ["a", "b", "b"]}, False),
        ({"lines": [{"n": 1}, {"n": 2}]}, {"lines": [{"n": "2", "gift": False}, {"n": 1.0}]}, True),
        ({"lines": [{"n": 1}]}, {"lines": [{"n": 1, "gift": True}]}, False),
        ({"steps": [1, 2]}, {"steps": [2, 1]}, False),
        ({"steps": [1, 2]}, {"steps": ["1", 2.0]}, True),
        ({"line": {"n": 1, "gift": False}}, {"line": {"n": "1"}}, True),
        ({"line": {"n": 1}}, {"line": {"n": 1, "gift": True, "more": 2}}, True),
        ({"other": "5"}, {"other": 5}, False),
    ],
)
def test_compares_arguments_as_the_schema_says(expected: Any, actual: Any, equal: bool) -> None:  # noqa: FBT001 - a table
    """Numbers in quotes, dates in other spellings, sets in another order and absent defaults are the same argument."""
    assert same(expected, actual, schema=SCHEMA) is equal
    assert same(expected, actual, schemas={"set": SCHEMA, "other": {}}) is equal


@pytest.mark.parametrize(
    ("expected", "actual", "options", "equal"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, {}, True),
        ({"a": 1}, {"a": 1, "b": 2}, {"exact": True}, False),
        ({"a": 1}, {"a": 1.0}, {"exact": True}, True),
        ({"a": 1}, {"a": 1, "b": 2}, {"exact": True, "ignore": ["b"]}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 9, "c": 2}}, {"ignore": ["a.b"]}, True),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 9, "c": 3}}, {"ignore": ["a.b"]}, False),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 8}, {"b": 9}]}, {"ignore": ["a.b"]}, True),
        ({"a": 1, "b": 2}, {"a": 1}, {"optional": ["b"]}, True),
        ({"a": 1, "b": 2}, {"a": 1}, {"optional": ["b"], "exact": True}, True),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, {"optional": ["b"]}, False),
        ({"a": [{"b": 1, "c": 2}]}, {"a": [{"c": 2}]}, {"optional": ["a.b"]}, True),
        ({"a": 1, "b": 2}, {"a": 1}, {}, False),
        ({}, {"count": 1}, {"exact": True, "schema": SCHEMA}, True),
        ({}, {"count": 2}, {"exact": True, "schema": SCHEMA}, False),
        ({"count": 5}, {}, {"optional": ["count"], "schema": SCHEMA}, True),
        ({"count": 5}, {}, {"optional": ["count"], "schema": SCHEMA, "exact": True}, True),
    ],
)
def test_leaves_out_what_it_is_told_to(expected: Any, actual: Any, options: Any, equal: bool) -> None:  # noqa: FBT001 - a table
    """Ignored arguments are never compared, optional ones only when given, and `exact` allows no further ones."""
    assert same(expected, actual, **options) is equal


@given(
    st.recursive(
        st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=3) | st.none(),
        st.lists,
        max_leaves=8,
    )
)
def test_a_call_is_the_same_as_itself(value: Any) -> None:
    """Whatever its arguments, with a schema or without, every call matches itself."""
    for options in ({}, {"exact": True}, {"schema": {"additionalProperties": {"uniqueItems": True, "type": "number"}}}):
        assert same({"a": value}, {"a": value}, **options)


def test_a_schema_that_leads_back_to_itself_ends() -> None:
    """A default that would hold itself is put in once, and a reference to itself is followed no further."""
    endless = {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"a": {"$ref": "#/$defs/a", "default": {}}}}}}
    assert same({"a": {}}, {}, schema=endless)
    assert same({"a": 1}, {"a": 1}, schema={"$ref": "#"})


MODES = ("strict", "unordered", "subset", "superset", "sequence")


@pytest.mark.parametrize(
    ("made", "holding"),
    [
        ([A, B], MODES),
        ([B, A], ("unordered", "subset", "superset")),
        ([A, C, B], ("superset", "sequence")),
        ([B, C, A], ("superset",)),
        ([A], ("subset",)),
        ([], ("subset",)),
        ([C], ()),
        ([A, A, B], ("superset", "sequence")),
    ],
)
def test_each_mode_asks_for_what_it_says(made: list[tuple[str, str]], holding: tuple[str, ...]) -> None:
    """Of the calls A and B: exactly and in order, in any order, at most, at least, or at least and in order."""
    assert tuple(mode for mode in MODES if score(trajectory(mode, A, B), answer(calls=made)).passed) == holding
    opposite = [expect("not-trajectory", {"mode": mode}, calls=[A, B]) for mode in MODES]
    assert [score(one, answer(calls=made)).passed for one in opposite] == [mode not in holding for mode in MODES]


def test_counts_the_named_tools_only() -> None:
    """Look-ups do not disturb a trajectory of the tools that change something; no expected call asks for none."""
    made = [READ, A, READ, B]
    assert not score(trajectory("strict", A, B), answer(calls=made)).passed
    assert score(trajectory("strict", A, B, tools=["book", "pay"]), answer(calls=made)).passed
    assert score(trajectory("strict", tools=["cancel"]), answer(calls=made)).passed
    assert not score(trajectory("strict", tools=["pay"]), answer(calls=made)).passed


def test_failed_calls_count_unless_left_out() -> None:
    """A call that the tool refused changed nothing: repeated after it, the booking was made once."""
    made = [("book!", A[1]), A, B]
    assert not score(trajectory("strict", A, B), answer(calls=made)).passed
    assert score(trajectory("strict", A, B, leave_out_failed=True), answer(calls=made)).passed


@pytest.mark.parametrize(
    ("mode", "made", "passed", "decided"),
    [
        ("strict", [A, ("pay", "{")], False, False),
        ("strict", [("pay", "{"), A], False, True),
        ("unordered", [("pay", "{"), A], False, False),
        ("unordered", [A, B, ("pay", "{")], False, True),
        ("subset", [A, ("pay", "{")], False, False),
        ("subset", [A, ("cancel", "{")], False, True),
        ("superset", [A, B, ("cancel", "{")], True, True),
        ("superset", [A, ("pay", DEEP)], False, False),
        ("superset", [("pay", "{")], False, True),
        ("sequence", [A, ("cancel", "{"), B], True, True),
        ("sequence", [A, ("pay", "[]")], False, False),
    ],
)
def test_unreadable_arguments_decide_only_what_they_cannot_change(
    mode: str,
    made: list[tuple[str, str]],
    passed: bool,  # noqa: FBT001 - a table
    decided: bool,  # noqa: FBT001 - a table
) -> None:
    """Where the unreadable call could have been the expected one nothing is decided; elsewhere it changes nothing."""
    found = score(trajectory(mode, A, B), answer(calls=made))
    assert (found.passed, found.decided) == (passed, decided)
    opposite = score(expect("not-trajectory", {"mode": mode}, calls=[A, B]), answer(calls=made))
    assert (opposite.passed, opposite.decided) == (decided and not passed, decided)


SMALL = st.lists(st.sampled_from(["{}", '{"a": 1}', '{"b": 1}', '{"a": 1, "b": 1}', '{"a": 2}']), max_size=5)


@given(SMALL.filter(bool), SMALL)
def test_the_matching_is_a_largest_one(expected: list[str], made: list[str]) -> None:
    """All expected calls find one of their own whenever some order of the actual calls, tried one by one, does."""

    def fits(order: tuple[str, ...]) -> bool:
        pairs = zip(expected, order, strict=False)
        return all(json.loads(left).items() <= json.loads(right).items() for left, right in pairs)

    asked = expect("tool-call", calls=[("set", arguments) for arguments in expected])
    found = score(asked, answer(calls=[("set", arguments) for arguments in made]))
    assert found.passed is (len(made) >= len(expected) and any(map(fits, permutations(made))))


def test_a_thousand_calls_against_a_thousand() -> None:
    """A thousand expected calls that contend for a thousand actual ones are paired in seconds, without recursion."""
    made = [("set", json.dumps({f"k{n}": 1 for n in range(index + 1)})) for index in range(40)]
    chain = [("set", json.dumps({f"k{index}": 1})) for index in range(40)]
    many = [("set", f'{{"n": {index}}}') for index in range(960)]
    started = process_time()
    assert score(expect("tool-call", calls=chain + many), answer(calls=[*many[::-1], *made])).passed
    assert score(trajectory("unordered", *many, *made), answer(calls=[*made, *many])).passed
    assert process_time() - started < 20


def test_large_sets_are_compared_in_no_time() -> None:
    """A hundred thousand items in another order, chosen so that plain numbers would collide, are equal at once."""
    items = [n * (2**61 - 1) for n in range(20_000)]
    started = process_time()
    assert same({"tags": items}, {"tags": items[::-1]}, schema={"properties": {"tags": {"uniqueItems": True}}})
    assert process_time() - started < 2
