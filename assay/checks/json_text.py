"""JSON as strangers write it: strict, and never a crash."""

import json
from collections.abc import Callable
from typing import Any, TypeVar

from assay.checks.finding import quote

DEPTH = 100
"""Levels of objects and lists that are read; the same on every Python, far below where a walk would overflow."""
T = TypeVar("T")


class NotJsonError(ValueError):
    """The text is not JSON."""


class UnreadableError(ValueError):
    """The text may be JSON, but nests deeper or counts higher than it is safe to read."""


def read_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text.

    Raises:
        NotJsonError: A syntax error, NaN or Infinity, or an object with the same key twice.
        UnreadableError: More than 100 levels deep, or a number with thousands of digits.
    """
    value = _guarded(text, lambda decoder: decoder.decode(text))
    _require_shallow(value, text)
    return value


def read_json_at(text: str, start: int) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value that begins at one character of a text, whatever follows it.

    Raises:
        NotJsonError: As for `read_json`; its cause is a `json.JSONDecodeError` where a place can be named.
        UnreadableError: As for `read_json`.
    """
    value, _end = _guarded(text, lambda decoder: decoder.raw_decode(text, start))
    _require_shallow(value, text)
    return value


def show(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return a JSON value in short; a container by its kind, for it may be huge or deep."""
    if isinstance(value, dict):
        return f"an object of {len(value)} keys"
    if isinstance(value, list):
        return f"a list of {len(value)} items"
    return quote(value) if isinstance(value, str) else quote(json.dumps(value))[1:-1]


def _guarded(text: str, read: Callable[[json.JSONDecoder], T]) -> T:
    """Return what a strict decoder reads, with every refusal as one of our two errors."""
    try:
        return read(json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_unique))
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at character {error.pos} of {quote(text)}") from error
    except NotJsonError:
        raise
    except RecursionError as error:
        raise UnreadableError(f"nested too deep to read: {quote(text)}") from error
    except ValueError as error:
        raise UnreadableError(f"a number too long to read in {quote(text)}") from error


def _require_shallow(value: Any, text: str) -> None:  # noqa: ANN401 - any JSON value
    level = [value]
    for _ in range(DEPTH):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ())
            if isinstance(child, dict | list)
        ]
        if not level:
            return
    raise UnreadableError(f"nested more than {DEPTH} levels deep: {quote(text)}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; with a key twice, readers disagree on what it says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJsonError("an object has the same key twice")
    return found


def _refuse_constant(name: str) -> None:
    raise NotJsonError(f"{name} is not JSON")
