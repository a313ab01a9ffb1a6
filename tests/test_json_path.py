"""The one path language: RFC 9535, bounded, and never an evaluation of what a stranger wrote."""

import tracemalloc
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.json_path import compiled, places, spelled

KEYS = st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=4)
"""The library takes no control character in a path, escaped or not."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a.b",
        "$.",
        "$[",
        "$.a | $.b",
        "$.a ",
        "$..*..*",
        "$[?search(@.a, @.b)]",
        "$[?match(@.a, '(')]",
        "$[?search(@.a, '((a{100}){100})')]",
        "$[?@..a]",
        "$[?@[?@.a]]",
        "$[?count(@.*) > 1]",
        "$[*,*][*,*][*,*][*,*][*,*][*,*][*,*]",
        "$" + "[?@" * 200,
        "$" + ".a" * 600,
        "$[?__import__('os')]",
    ],
)
def test_what_is_no_path_or_an_unbounded_one_is_refused(path: str) -> None:
    """A path that is none, several, too long, or that multiplies what is visited is a ValueError."""
    with pytest.raises(ValueError, match="."):
        compiled(path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", [()]),
        ("$..id", [("calls", 0, "id"), ("calls", 1, "id")]),
        ("$.calls[?@.type == 'call'].id", [("calls", 0, "id")]),
        ("$.calls[?search(@.type, '^c.l+$')].id", [("calls", 0, "id")]),
        ("$.calls[?match(@.type, 'te')].id", []),
        ("$.calls[-1].id", [("calls", 1, "id")]),
        ("$.calls.id", []),
    ],
)
def test_a_path_leads_to_its_places(path: str, found: list[tuple[str | int, ...]]) -> None:
    """Names, positions, filters and patterns lead where the RFC says."""
    value = {"calls": [{"type": "call", "id": 1}, {"type": "text", "id": 2}]}
    assert [place.location for place in places(path, value)] == found


@pytest.mark.parametrize("text", ["{", "[1", '{"a": 1}', ""])
def test_a_text_is_a_value_and_never_read_as_json(text: str) -> None:
    """What a document holds as text stays text, also as the whole document."""
    assert [place.value for place in places("$", text)] == [text]
    assert places("$.a", text) == []


@given(JSON)
def test_every_place_is_found_again_by_its_spelling(value: object) -> None:
    """Whatever the printed keys, the spelled location of a value leads to it and nothing else."""
    for place in places("$..*", value):
        assert places(spelled(place.location), value) == [place]


def test_a_hostile_document_is_searched_in_no_time() -> None:
    """A document that is wide, deep and full of long keys and texts costs time and memory by its size alone."""
    wide: Any = [{"a": [{"b": 1}] * 50}] * 4_000
    deep: Any = "x" * 1_000
    for _ in range(150):
        deep = {"k" * 20_000: deep, "b": ["a" * 1_000] * 50}
    started = process_time()
    tracemalloc.start()
    assert len(places("$..*", wide)) == 4_000 * 102
    assert places("$..[?search(@, '(a*)*c')]", deep) == []
    assert tracemalloc.get_traced_memory()[1] < 500e6
    tracemalloc.stop()
    assert process_time() - started < 40
