"""The environment ended in the state that was asked for: what the product did, whatever it said.

Each value is a JSON object such as `{"path": "orders.PL-1042.status", "equals": "refunded"}`. A path is keys joined by
dots (a key may hold dashes, not dots), with positions in lists counted from 0. All values must hold.
"""

import json
from typing import Any

from assay.checks.finding import Finding, quote
from assay.checks.json_text import NotJsonError, UnreadableError, at_path, holds, read_json
from assay.checks.shape import require_values
from assay.errors import DataError
from assay.records import Expectation, Response


def validate(expectation: Expectation) -> None:
    """Expect one or more JSON objects with `path` and `equals`.

    Raises:
        DataError: A value is anything else.
    """
    require_values(expectation, 1, None)
    for value in expectation.values:
        _wanted(expectation, value)


def score(expectation: Expectation, response: Response) -> Finding:
    """Look up each path in the end state; a state that cannot be read is left undecided."""
    try:
        state = read_json(response.final_state)
    except (NotJsonError, UnreadableError) as error:
        return Finding(passed=False, detail=f"the final state cannot be read: {error}", decided=False)
    for value in expectation.values:
        path, expected = _wanted(expectation, value)
        try:
            actual = at_path(state, path)
        except LookupError as error:
            return Finding(passed=False, detail=f"the final state has no {quote(path)}: {error}")
        if not holds(expected, actual, subset=False):
            return Finding(passed=False, detail=f"{quote(path)} is {_show(actual)}, expected {_show(expected)}")
    return Finding(passed=True, detail=f"the final state holds all {len(expectation.values)} values")


def _wanted(expectation: Expectation, value: str) -> tuple[str, Any]:
    """Return path and expected value of one entry, or refuse it."""
    try:
        entry = read_json(value)
    except (NotJsonError, UnreadableError) as error:
        raise DataError(f"check {expectation.check!r} has a value that is no JSON: {error}; mend it") from error
    if not isinstance(entry, dict) or entry.keys() != {"path", "equals"}:
        raise DataError(f'check {expectation.check!r} has {quote(value)}; expected {{"path": "a.b", "equals": ...}}')
    if not isinstance(entry["path"], str) or not all(entry["path"].split(".")):
        raise DataError(
            f"check {expectation.check!r} has the path {_show(entry['path'])}; expected keys joined by dots"
        )
    return entry["path"], entry["equals"]


def _show(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a JSON value in short; a container by its kind, for it may be huge or deep."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    return quote(value) if isinstance(value, str) else quote(json.dumps(value))[1:-1]
