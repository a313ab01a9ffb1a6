"""Reading what a product said: every odd shape is a row, and what no file can hold does not get in."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import CallError
from assay.targets import events, frames, json_path, json_text, reply

FIELDS = st.sampled_from(
    ["text", "tool_calls", "contexts", "usage", "finish_reason", "final_state", "name", "function"]
)

DEEP = b"[" * 100_000 + b"]" * 100_000
ODD: list[Any] = [
    None,
    7,
    [],
    ["text"],
    {"text": 7},
    {"text": ["a"]},
    {"answer": "hi"},
    {"text": "hi", "contexts": "one text"},
    {"text": "hi", "contexts": [{"text": "one"}]},
    {"text": "hi", "tool_calls": "refund"},
    {"text": "hi", "tool_calls": [None]},
    {"text": "hi", "tool_calls": [{"name": ""}]},
    {"text": "hi", "tool_calls": [{"name": "refund", "arguments": 7}]},
    {"text": "hi", "tool_calls": [{"function": {"arguments": "{}"}}]},
    {"text": "hi", "usage": {"prompt_tokens": "7"}},
    {"text": "hi", "usage": {"prompt_tokens": -1}},
    {"text": "hi", "usage": {"prompt_tokens": 10**30}},
    {"text": "hi", "usage": [7]},
    {"text": "hi", "finish_reason": 7},
    {"text": "hi", "version": None},
    {"text": "hi", "final_state": {"x": float("nan")}},
]


@pytest.mark.parametrize("told", ODD)
def test_an_odd_shape_is_malformed(told: Any) -> None:
    """Whatever else a product returns is told in one sentence, never guessed at."""
    with pytest.raises(CallError) as caught:
        reply.read(told)
    assert caught.value.kind == "malformed"
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize("told", ["", {}, {"text": ""}, {"text": None}, {"contexts": ["x"]}])
def test_nothing_said_is_empty(told: Any) -> None:
    """Neither a text nor a tool call is no answer."""
    with pytest.raises(CallError) as caught:
        reply.read(told)
    assert caught.value.kind == "empty"


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(FIELDS, VALUES, max_size=5) | VALUES)
def test_any_value_is_a_reply_or_a_row(value: Any) -> None:
    """Nothing that JSON can say raises anything but a typed fault, and what is read can be written."""
    try:
        found = reply.read(json_text.load(frames.unpack(frames.pack(value)[frames.HEADER.size :])))
    except CallError as error:
        assert error.kind in {"malformed", "empty"}  # noqa: PT017 - either way is right
    except ValueError:
        assert "nan" in repr(value) or "inf" in repr(value)
    else:
        assert found.text.encode() or found.tool_calls


SAID = st.fixed_dictionaries(
    {"text": st.text(min_size=1)},
    optional={
        "tool_calls": st.none() | st.lists(st.fixed_dictionaries({"name": st.text(min_size=1)}), max_size=2),
        "contexts": st.none() | st.lists(st.text(), max_size=3),
        "finish_reason": st.none() | st.text(max_size=80),
        "version": st.text(),
        "final_state": st.none() | st.dictionaries(st.text(), st.integers() | st.text(), max_size=3),
    },
)


@given(SAID)
def test_what_a_product_says_is_read_as_it_is(said: dict[str, Any]) -> None:
    """Every well-formed reply comes through a frame whole: text, calls, contexts, how it ended, version and state."""
    found = reply.read(json_text.load(frames.unpack(frames.pack(said)[frames.HEADER.size :])))
    assert (found.text, found.version) == (said["text"], said.get("version", ""))
    assert [call.name for call in found.tool_calls] == [call["name"] for call in said.get("tool_calls") or []]
    assert found.contexts == (said.get("contexts") or [])
    assert found.finish_reason == (said.get("finish_reason") or "")
    assert json.loads(found.final_state or "null") == said.get("final_state")


@given(
    st.lists(st.dictionaries(st.just("delta"), st.text()), max_size=5),
    st.integers(1, 40),
    st.sampled_from(["sse", "jsonl"]),
)
def test_saiddo_not_depend_on_how_they_are_cut(said: list[Any], size: int, stream: Any) -> None:
    """Cut anywhere, also inside a character, a stream says the same."""
    start, end = (b"data: ", b"\n\n") if stream == "sse" else (b"", b"\n")
    whole = b"".join(start + json.dumps(one, ensure_ascii=False).encode(errors="replace") + end for one in said)
    expected = [json.loads(json.dumps(one, ensure_ascii=False).encode(errors="replace")) for one in said]

    async def chunks() -> AsyncIterator[bytes]:
        for place in range(0, len(whole), size):
            yield whole[place : place + size]

    assert asyncio.run(events.read(chunks(), stream, 1_000_000)) == expected


def test_a_text_is_a_reply() -> None:
    """The simplest product returns its words."""
    assert reply.read("hi").text == "hi"


def test_tool_calls_are_read_in_every_common_spelling() -> None:
    """Flat or nested as OpenAI does, arguments as text or object; a call with an error has failed."""
    found = reply.read(
        {
            "tool_calls": [
                {"name": "a", "arguments": '{"x": 1}'},
                {"name": "b", "arguments": {"x": 1}, "failed": True},
                {"id": "1", "type": "function", "function": {"name": "c", "arguments": "{}"}},
                {"name": "d", "error": "too late"},
            ],
            "usage": {"prompt_tokens": 3, "total_tokens": 9},
            "final_state": {"b": 1, "a": [2]},
        }
    )
    assert [(one.name, one.arguments, one.failed) for one in found.tool_calls] == [
        ("a", '{"x": 1}', False),
        ("b", '{"x": 1}', True),
        ("c", "{}", False),
        ("d", "{}", True),
    ]
    assert (found.prompt_tokens, found.completion_tokens, found.final_state) == (3, 0, '{"a": [2], "b": 1}')


@pytest.mark.parametrize("text", [DEEP, b"", b"{", b"\xff", b"NaN", b'{"a": Infinity}', b"1" * 10_000])
def test_what_is_no_json_is_a_value_error(text: bytes) -> None:
    """Depth, NaN, endless numbers and bytes that are no UTF-8 are refused as one kind of fault."""
    with pytest.raises(ValueError, match="."):
        json_text.load(text)


def test_lone_surrogates_are_replaced() -> None:
    """Half a character becomes U+FFFD, escaped or not, and a whole one written as two escapes stays."""
    assert json_text.load(b'["\\ud83d", "\\ud83d\\ude00"]') == ["\ufffd", "\U0001f600"]
    assert json_text.load(frames.unpack(frames.pack(["\ud83d", "ä"])[frames.HEADER.size :])) == ["\ufffd", "ä"]


def test_a_path_finds_all_it_leads_to() -> None:
    """A JSONPath gives everything in the order of the document, and nothing where there is nothing."""
    value = {"a": [{"b": 1}, {"b": None}, {"c": 3}]}
    assert json_path.find("$.a[*].b", value) == [1, None]
    assert json_path.find("$.x.y", value) == []
    assert json_path.find("$", "text") == ["text"]
    assert json_path.find("", value) == []


def test_a_deep_value_is_malformed() -> None:
    """Searching what is nested too deeply ends as a fault of that reply."""
    deep: list[Any] = []
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(CallError, match="nested too deeply"):
        json_path.find("$..x", deep)
