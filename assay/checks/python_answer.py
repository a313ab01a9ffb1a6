"""What a check of the project's own is shown of an answer, and what it may return; this runs in its process.

`def cites_clause(answer, case)` returns whether the answer passes, a number from 0 to 1, or either with a reason:
`(False, "no clause is named")`.
"""

import importlib
from dataclasses import dataclass
from typing import Any

from assay.records.case import Case
from assay.records.response import MadeCall, Message, Response

MOST_OF_A_REASON = 1_000
WITH_REASON = 2
"""Length of a tuple of a result and its reason."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer of the product, as a check reads it."""

    text: str
    tool_calls: tuple[MadeCall, ...]
    """Each with `name`, `arguments` as JSON text, and whether it `failed`."""
    messages: tuple[Message, ...]
    """Each with `role` and `content`."""
    contexts: tuple[str, ...]
    final_state: str
    """JSON text of the environment after the last turn."""


def view(response: Response) -> Answer:
    """Return what a check is shown of a response."""
    return Answer(
        text=response.text,
        tool_calls=tuple(response.tool_calls),
        messages=tuple(response.messages),
        contexts=tuple(response.contexts),
        final_state=response.final_state,
    )


def called(_messages: object, *, function: str, response: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """Call a function of the project; return `passed` or else the `score` that it gives, with its `reason`.

    Args:
        function: `module:name`.
        response: The fields of the response.
        case: The fields of its case.

    Raises:
        TypeError: It returned anything else.
        ValueError: It returned a number that is not from 0 to 1.
    """
    module, _, name = function.partition(":")
    check = getattr(importlib.import_module(module), name)
    return read(check(view(Response.model_validate(response)), Case.model_validate(case)))


def read(result: Any) -> dict[str, Any]:  # noqa: ANN401 - whatever a function returned
    """Return `passed` or else `score`, and the `reason`, of what a function returned.

    Raises:
        TypeError: It is neither a bool nor a number, nor either with a reason.
        ValueError: It is a number that is not from 0 to 1.
    """
    reason = ""
    if isinstance(result, tuple) and len(result) == WITH_REASON and isinstance(result[1], str):
        result, reason = result
    if isinstance(result, bool):
        return {"passed": result, "score": None, "reason": reason[:MOST_OF_A_REASON]}
    if not isinstance(result, int | float):
        raise TypeError(
            f"it returned {type(result).__name__}, expected True, False, a number from 0 to 1, or (one of them, 'why')"
        )
    if not 0 <= result <= 1:
        raise ValueError(f"it returned {result:g}, expected a number from 0 to 1")
    return {"passed": None, "score": float(result), "reason": reason[:MOST_OF_A_REASON]}
