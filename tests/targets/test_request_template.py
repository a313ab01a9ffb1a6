"""Templates of requests: values go in as they are and are never read again."""

import time
from typing import Any

import pytest

from assay.targets.template import checked, fill, fill_text, placeholders

VALUES: dict[str, Any] = {"turn": "{{history}} {{turn}}", "history": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    "text", ["{{", "{{turn", "{turn}", "${turn}", "{{ turn.upper() }}", "{{turn|e}}", "{% if x %}", "{{7*7}}"]
)
def test_what_is_no_placeholder_stays(text: str) -> None:
    """There is no expression, filter, attribute or statement: what looks like one is text."""
    assert fill(text, VALUES) == text


def test_a_value_is_never_template() -> None:
    """A value that holds placeholders comes out as it went in, alone and inside a longer text."""
    assert fill("{{turn}}", VALUES) == VALUES["turn"]
    assert fill("Q: {{ turn }}!", VALUES) == f"Q: {VALUES['turn']}!"


def test_a_placeholder_alone_becomes_the_value_itself() -> None:
    """A list stays a list where the placeholder is the whole text, and is JSON inside a longer one; keys stay."""
    template = {"messages": "{{history}}", "all": ["x", {"n": 1, "{{turn}}": None}], "as_text": "so far: {{history}}"}
    assert fill(template, VALUES) == {
        "messages": VALUES["history"],
        "all": ["x", {"n": 1, "{{turn}}": None}],
        "as_text": 'so far: [{"role": "user", "content": "hi"}]',
    }
    assert placeholders(template) == {"history"}


def test_an_unknown_placeholder_is_named() -> None:
    """A placeholder that nobody fills is refused with those that there are."""
    with pytest.raises(ValueError, match=r"\{\{nope\}\}, expected one of \{\{turn\}\}"):
        checked({"a": ["{{nope}}"]}, frozenset({"turn"}))


def test_a_megabyte_is_filled_at_once() -> None:
    """Neither a long value nor a long template makes the renderer slow."""
    started = time.process_time()
    assert len(fill_text("{{turn}}" + "{{ " * 300_000, {"turn": "{{turn}}" * 125_000})) == 1_900_000
    assert time.process_time() - started < 0.5
