"""JSON as strangers write it: strict, and never a crash."""

import json
import re
from typing import Any

from assay.checks.finding import quote


class NotJsonError(ValueError):
    """The text is not JSON."""


class UnreadableError(ValueError):
    """The text may be JSON, but nests deeper or counts higher than it is safe to read."""


def read_json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON text.

    Raises:
        NotJsonError: A syntax error, NaN or Infinity, or an object with the same key twice.
        UnreadableError: Nested too deep, or a number with thousands of digits.
    """
    try:
        return json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except json.JSONDecodeError as error:
        raise NotJsonError(f"{error.msg} at character {error.pos} of {quote(text)}") from error
    except NotJsonError:
        raise
    except RecursionError as error:
        raise UnreadableError(f"nested too deep to read: {quote(text)}") from error
    except ValueError as error:
        raise UnreadableError(f"a number too long to read in {quote(text)}") from error


def holds(expected: Any, actual: Any, *, subset: bool) -> bool:  # noqa: ANN401 - any JSON values
    """Say whether an actual JSON value is the expected one.

    Objects are compared whatever the order of their keys; with `subset`, an actual object may hold further keys, at
    any depth. Lists are equal item by item. Numbers are equal by value, so 1 is 1.0; true is no number.
    """
    waiting = [(expected, actual)]
    while waiting:
        left, right = waiting.pop()
        if isinstance(left, dict) and isinstance(right, dict):
            if not left.keys() <= right.keys() or (not subset and len(left) != len(right)):
                return False
            waiting.extend((value, right[key]) for key, value in left.items())
        elif isinstance(left, list) and isinstance(right, list):
            if len(left) != len(right):
                return False
            waiting.extend(zip(left, right, strict=True))
        elif isinstance(left, bool) or isinstance(right, bool):
            if left is not right:
                return False
        elif left != right:
            return False
    return True


def at_path(value: Any, path: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what stands at a dotted path: keys of objects, and positions in lists counted from 0.

    Raises:
        LookupError: Nothing stands there; the text says up to where the path leads.
    """
    walked: list[str] = []
    for step in path.split("."):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and re.fullmatch(r"[0-9]{1,9}", step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise LookupError(f"nothing at {quote(step)} after {quote('.'.join(walked))}")
        walked.append(step)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; with a key twice, readers disagree on what it says."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotJsonError("an object has the same key twice")
    return found


def _refuse_constant(name: str) -> None:
    raise NotJsonError(f"{name} is not JSON")
