"""JSON in answers: schemas that are bounded and never fetch anything, and JSON found in the middle of prose."""

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from check_cases import DEEP, LONG_NUMBER, answer, expect
from hypothesis import given
from hypothesis import strategies as st

from assay.checks.registry import score, validate
from assay.errors import DataError

TREE = {
    "type": "object",
    "properties": {"left": {"$ref": "#"}, "right": {"$ref": "#/$defs/node"}, "value": {"type": "integer"}},
    "additionalProperties": False,
    "$defs": {"node": {"$ref": "#"}},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


def doubling(levels: int) -> dict[str, Any]:
    """Return a schema of a few lines in which each part names the next one twice."""
    parts = {f"p{n}": {"allOf": [{"$ref": f"#/$defs/p{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/p0", "$defs": parts | {f"p{levels}": {"type": "number"}}}


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ("{", "no JSON"),
        ("[]", "expected a JSON object"),
        ({"type": "strng"}, "not valid"),
        ({"minLength": -1}, "not valid"),
        ({"$schema": "http://127.0.0.1:9/meta"}, "not valid"),
        ({"$ref": "http://127.0.0.1:9/schema.json"}, "leads to a part of the same schema"),
        ({"$ref": "file:///etc/passwd"}, "leads to a part of the same schema"),
        ({"$ref": "other.json#/a"}, "leads to a part of the same schema"),
        ({"$ref": "#/$defs/nowhere"}, "leads to a part of the same schema"),
        ({"$defs": {"unused": {"$ref": "http://127.0.0.1:9/schema.json"}}}, "not valid"),
        ({"items": {"$id": "http://127.0.0.1:9/", "$ref": "#/a"}}, "'$id' inside"),
        ({"items": {"$dynamicRef": "#node"}}, "'$dynamicRef' inside"),
        ({"pattern": r"(a)\1"}, "not valid"),
        ({"patternProperties": {"^(?=a)": {}}}, "not valid"),
        ({"pattern": "((a{100}){100}){100}"}, "not valid"),
        ({"const": "\ud800"}, "not valid"),
        (doubling(40), "unfolds to 4.4e[+]12 parts"),
        (DEEP, "nested"),
    ],
)
def test_refuses_a_schema_that_is_not_safe(schema: Any, why: str) -> None:
    """A schema that is malformed, asks for another document, or takes for ever is refused before anything is scored."""
    for kind in ("json-schema", "contains-json"):
        with pytest.raises(DataError, match=why.replace("$", r"\$")):
            validate(expect(kind, schema))


@pytest.mark.parametrize(
    ("schema", "text", "passed", "fault"),
    [
        ({"required": ["order"]}, '{"order": 1}', True, ""),
        ({"required": ["order"]}, "{}", False, "format"),
        ({"required": ["order"]}, "Sorry.", False, "format"),
        ({"properties": {"usd": {"maximum": 20}}}, '{"usd": 21}', False, "answer"),
        ({"enum": ["a", "b"]}, '"c"', False, "answer"),
        ({"format": "date"}, '"2024-13-01"', False, "format"),
        ({"pattern": "^PL-[0-9]{4}$"}, '"PL-1042"', True, ""),
        ({"type": "integer"}, "1.0", True, ""),
        (TREE, '{"left": {"right": {"value": 1}}}', True, ""),
        (TREE, '{"left": {"right": {"value": "1"}}}', False, "format"),
        (doubling(6), "1", True, ""),
    ],
)
def test_holds_the_answer_against_the_schema(schema: Any, text: str, passed: bool, fault: str) -> None:  # noqa: FBT001 - a table
    """A value out of bounds is a wrong answer; a shape that is not as declared is a fault of format."""
    found = score(expect("json-schema", schema), answer(text))
    assert (found.passed, found.fault) == (passed, fault)
    assert score(expect("not-json-schema", schema), answer(text)).passed is not passed


def test_says_where_the_schema_is_broken() -> None:
    """The finding names the place, and no more of the answer than fits on a line."""
    found = score(
        expect("json-schema", {"properties": {"usd": {"enum": [12]}}}), answer('{"usd": "' + "x" * 9_000 + '"}')
    )
    assert found.detail == "at 'usd': 'the value is not one of 12'"


@pytest.mark.parametrize("text", [DEEP, LONG_NUMBER, r'"\ud800"'])
def test_json_that_cannot_be_read_safely_is_undecided(text: str) -> None:
    """Too deep, too long a number, or half a character: neither as the schema asks nor otherwise."""
    for kind in ("json-schema", "not-json-schema"):
        found = score(expect(kind, {"type": "string"}), answer(text))
        assert (found.passed, found.decided, found.fault) == (False, False, "format")


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(x+x+)+y", "^(([a-z])+.)+[A-Z]([a-z])+$", "(a|aa)+$"])
def test_a_catastrophic_pattern_takes_linear_time(pattern: str) -> None:
    """Patterns that take a backtracking engine for ever are decided on 100,000 characters within two seconds."""
    started = process_time()
    text = "a" * 100_000 + "!"
    assert not score(expect("json-schema", {"type": "string", "pattern": pattern}), answer(json.dumps(text))).passed
    assert not score(expect("regex", pattern), answer(text)).passed
    assert process_time() - started < 2


def test_a_recursive_schema_takes_no_time() -> None:
    """A schema that leads back to itself twice is decided, either way, on an answer sixty levels deep."""
    for kind in ("allOf", "anyOf"):
        schema = {"type": ["array", "number"], "items": {kind: [{"$ref": "#"}, {"$ref": "#"}]}}
        for leaf, passed in (("1", True), ('"x"', False)):
            assert score(expect("json-schema", schema), answer("[" * 60 + leaf + "]" * 60)).passed is passed


def test_a_file_is_never_read(tmp_path: Path) -> None:
    """A schema that refers to a file which is there and would do is refused, even where nothing uses the reference."""
    file = tmp_path / "schema.json"
    file.write_text('{"type": "number"}', encoding="utf8")
    for schema in ({"$ref": file.as_uri()}, {"$defs": {"unused": {"$ref": file.as_uri()}}}):
        with pytest.raises(DataError):
            validate(expect("json-schema", schema))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('The order is {"id": 7}.', {"id": 7}),
        ('Here:\n```json\n{"id": 7}\n```\nDone.', {"id": 7}),
        ('As [1] says:\n```json\n{"id": 7}\n```', {"id": 7}),
        ('```\nnothing\n``` but {"id": 7}', {"id": 7}),
        ('{"broken": {"id": 7} and so on', {"id": 7}),
        ('See [here](link), {curly} and {"id": 7}', {"id": 7}),
        ("[" + '"x", ' * 9_000 + '"x"]', ["x"] * 9_001),
        ('{"note": "' + "x" * 50_000 + '"}', {"note": "x" * 50_000}),
        ('No JSON, only 5 and "text".', None),
        ('{"id": 7', None),
        ("", None),
    ],
)
def test_finds_the_first_json(text: str, value: Any) -> None:
    """Fences come before prose, broken attempts are passed over, and a number in prose is no JSON."""
    found = score(expect("contains-json"), answer(text))
    assert (found.passed, found.fault) == (value is not None, "" if value is not None else "format")
    same = score(expect("contains-json", {"const": value}), answer(text))
    assert same.passed is (value is not None)


@given(JSON.filter(lambda value: isinstance(value, dict | list)), st.sampled_from(["", "Sure: ", "a\n```json\n"]))
def test_finds_any_json_in_prose(value: Any, before: str) -> None:
    """Whatever object or list stands alone in an answer is found as it is, in prose or behind a fence."""
    text = before + json.dumps(value) + ("\n```" if "`" in before else " as asked")
    if "```" not in json.dumps(value):
        assert score(expect("contains-json", {"const": value}), answer(text)).passed


def test_a_search_that_takes_too_long_is_undecided() -> None:
    """A million openings that never close are given up on, in both directions."""
    for kind in ("contains-json", "not-contains-json"):
        found = score(expect(kind), answer('{"' * 500_000))
        assert (found.passed, found.decided, found.fault) == (False, False, "format")
