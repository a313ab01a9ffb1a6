"""The JSON that an answer holds somewhere: in a code fence, or in the middle of prose."""

import json
import re
from typing import Any

from assay.checks.json_text import NotJsonError, UnreadableError, read_json_at

FENCE = "```"
OPENING = re.compile(r"[\[{]")
WIDTHS = (256, 16_384)
"""Characters after an opening bracket that are tried before all the rest is."""
CUT = 16
"""Characters of the longest token, a string aside, that the end of a window can cut in two."""
BUDGET = 20_000_000
"""Characters tried in all, so that a text of brackets takes a second at most."""


def find_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the first object or list: of the code fences if one holds any, else of the whole text.

    Raises:
        NotJsonError: There is none; a number or a string in prose does not count.
        UnreadableError: The first one nests too deep or holds too long a number, or so many begin and do not end that
            finding out takes too long.
    """
    left = BUDGET
    for stretch in [*text.split(FENCE)[1::2], text]:
        for opening in OPENING.finditer(stretch):
            found, left = _try(stretch, opening.start(), left)
            if found is not None:
                return found
    raise NotJsonError("the text holds no JSON object or list")


def _try(text: str, start: int, left: int) -> tuple[Any, int]:
    """Return what begins at a bracket, None for no JSON, and what is left of the budget.

    Windows keep a failure cheap: Python counts the lines up to it.
    """
    for width in (*WIDTHS, len(text)):
        window = text[start : start + width]
        left -= len(window)
        if left < 0:
            raise UnreadableError(f"more than {BUDGET} characters were tried in search of JSON")
        try:
            return read_json_at(window, 0), left
        except NotJsonError as error:
            if start + width >= len(text) or not _may_be_cut(error, window):
                break
    return None, left


def _may_be_cut(error: NotJsonError, window: str) -> bool:
    """Say whether reading failed only because the window ends there."""
    cause = error.__cause__
    if not isinstance(cause, json.JSONDecodeError):
        return False
    return cause.msg.startswith("Unterminated") or cause.pos > len(window) - CUT
