"""Faults of parameters: a place is called as a person wrote it, and what YAML took for no text needs quotes."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from assay.stages.execute import Settings
from assay.text import first_fault

HTTP = {"kind": "http", "name": "shop", "url": "http://127.0.0.1:8000/ask", "body": {"q": "{{turn}}"}}
CHAT = {"name": "shop", "url": "http://127.0.0.1:8000/ask", "base_url": "http://127.0.0.1:8000", "model": "m"}


def fault(target: Mapping[str, Any]) -> str:
    """Return the first fault of a section with this target."""
    written = {"target": target, "trials": 1, "concurrency": 1, "deadline_s": 30}
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate(written)
    return first_fault(caught.value, "execute", written)


@pytest.mark.parametrize(
    ("target", "beginning"),
    [
        (
            HTTP | {"version": date(2026, 11, 30)},
            "execute.target.version is 2026-11-30, expected: a text: put it in quotes",
        ),
        (HTTP | {"version": 1.3}, "execute.target.version is 1.3, expected: a text: put it in quotes"),
        (HTTP | {"name": True}, "execute.target.name is True, expected: a text: put it in quotes"),
        (HTTP | {"version": {"find": "$.v"}}, "execute.target.version.path is missing, "),
        (HTTP | {"version": {"path": "version"}}, "execute.target.version.path is 'version', "),
        (HTTP | {"answer": {"texts": "$"}}, "execute.target.answer.texts is '$', expected: no such name here"),
        (CHAT | {"messages": [{"role": "user"}]}, "execute.target.messages.0.content is missing, "),
    ],
)
def test_a_place_is_called_as_it_was_written(target: Mapping[str, Any], beginning: str) -> None:
    """No name of a shape stands in a place; where two shapes are allowed the fault inside of a mapping is told."""
    found = fault(target)
    assert found.startswith(beginning)
    assert "constrained" not in found
    assert "Probe." not in found


def test_without_what_was_written_the_place_is_whole() -> None:
    """A row whose source nobody has any more is told as before."""
    with pytest.raises(ValidationError) as caught:
        Settings.model_validate({"target": HTTP | {"name": 3}, "trials": 1, "concurrency": 1, "deadline_s": 30})
    assert first_fault(caught.value).startswith("target.http.name is 3, expected: a text")
