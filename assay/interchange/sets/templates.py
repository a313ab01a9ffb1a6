"""Texts with `{{ name }}` in them, filled in by plain replacement: no filter, no statement, nothing is ever run."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from assay.interchange.sets.builder import LONGEST
from assay.interchange.sets.source import json_text

HOLE = re.compile(r"\{\{-?\s*([A-Za-z_][\w-]*(?:(?:\.[\w-]+)|(?:\[[0-9]{1,4}\])){0,20})\s*-?\}\}")
MARKS = ("{{", "{%", "{#")
RAW, END = "{% raw %}", "{% endraw %}"


class Filled(NamedTuple):
    """A text with its holes filled."""

    text: str
    names: frozenset[str]
    """The first step of each path that it names, such as `item`."""
    missing: str
    """Why it could not be filled; empty when it was."""


def filled(text: str, values: Mapping[str, Any]) -> Filled:
    """Fill the holes of a text.

    A text between `{% raw %}` and `{% endraw %}` is taken as it stands. Anything else that a template engine would
    act on, and a name without a value, makes the text unfillable.
    """
    if text.startswith(RAW) and text.endswith(END) and END not in text[: -len(END)]:
        return Filled(text[len(RAW) : -len(END)], frozenset(), "")
    parts, missing, end = list[str](), "", 0
    length = len(text)
    for hole in HOLE.finditer(text):
        value = at(values, hole.group(1))
        if value is None:
            missing = missing or f"nothing stands at {hole.group(1)}"
            continue
        shown = value if isinstance(value, str) else plain(value)
        length += len(shown)
        if length > LONGEST:
            return Filled("", frozenset(), "filled in it is too long")
        parts += [text[end : hole.start()], shown]
        end = hole.end()
    rest = HOLE.sub("", text)
    if any(mark in rest for mark in MARKS):
        missing = missing or "it does more than name a value"
    return Filled("".join([*parts, text[end:]]), frozenset(roots(text)), missing)


def hole(text: str) -> str:
    """Return the path that a text names and nothing else, such as `sample.output_text`; empty for any other text."""
    found = HOLE.fullmatch(text.strip())
    return found.group(1) if found else ""


def roots(text: str) -> set[str]:
    """Return the first step of each path that a text names."""
    return {re.findall(r"[\w-]+", path)[0] for path in HOLE.findall(text)}


def fields(text: str, root: str) -> set[str]:
    """Return the fields of an object that a text names, such as `question` for `{{ item.question }}` and `item`."""
    steps = (re.findall(r"[\w-]+", path) for path in HOLE.findall(text))
    return {found[1] for found in steps if found[0] == root and len(found) > 1}


def at(values: Mapping[str, Any], path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what stands at a path such as `item.tags[0]`; None for nothing."""
    found: Any = values
    for step in re.findall(r"[\w-]+", path):
        if isinstance(found, dict):
            found = found.get(step)
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
        else:
            return None
    return found


def literal(text: str) -> str | None:
    """Return a text so that a template engine leaves it as it is; None where none can be made to."""
    if not any(mark in text for mark in (*MARKS, "file:", "package:")):
        return text
    return None if "raw" in text and "{%" in text else f"{RAW}{text}{END}"


def plain(value: object) -> str:
    """Return a value as JavaScript's templates show it; NaN and Infinity by their names."""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)  # noqa: PLR2004
    try:
        return json_text(value)
    except ValueError:
        return str(value)
