"""How an expectation must be written: what the kinds of check share."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from assay.checks.finding import quote
from assay.checks.json_text import NotJsonError, UnreadableError, read_json, show
from assay.checks.paths import fault
from assay.errors import DataError
from assay.records.case import Expectation

FUNCTION = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*", re.ASCII)
FORMS: Mapping[str, Callable[[Any], bool]] = {
    "any JSON value": lambda _value: True,
    "text": lambda value: isinstance(value, str) and bool(value.strip()),
    "a finite number": lambda value: type(value) in (int, float) and abs(value) < float("inf"),
    "a number of 0 or more": lambda value: type(value) in (int, float) and 0 <= value < float("inf"),
    "a share above 0, at most 1": lambda value: type(value) in (int, float) and 0 < value <= 1,
    "true or false": lambda value: isinstance(value, bool),
    "a list of texts": lambda value: isinstance(value, list) and bool(value) and all(map(FORMS["text"], value)),
    "module:name": lambda value: isinstance(value, str) and bool(FUNCTION.fullmatch(value)),
    "an object": lambda value: isinstance(value, dict),
}
"""What the value of an option can have to be, in the words of the refusal."""


def require_values(expectation: Expectation, at_least: int, at_most: int | None) -> None:
    """Refuse calls, and a number of values outside the bounds; `at_most` None means any number.

    Raises:
        DataError: The expectation does not have the shape of its kind.
    """
    found = len(expectation.values)
    if expectation.calls:
        raise DataError(f"check {expectation.check!r} has calls; expected values only: remove `calls`")
    if found < at_least or (at_most is not None and found > at_most):
        wanted = f"{at_least} or more" if at_most is None else f"exactly {at_least}"
        if at_most not in (None, at_least):
            wanted = f"{at_least} to {at_most}"
        raise DataError(f"check {expectation.check!r} has {found} values; expected {wanted}: mend `values`")


def require_text(expectation: Expectation) -> None:
    """Refuse a blank value: it occurs in every answer, so it would expect nothing.

    Raises:
        DataError: One of the values is empty or white space.
    """
    for value in expectation.values:
        if not value.strip():
            raise DataError(
                f"check {expectation.check!r} has the value {quote(value)}; expected text: remove or fill it"
            )


def require_number(expectation: Expectation, *, of: str, pattern: str = r"[0-9]{1,9}") -> str:
    """Return the one value, which must be a number in plain digits.

    Raises:
        DataError: There is none, there are several, or it is written otherwise.
    """
    require_values(expectation, 1, 1)
    (value,) = expectation.values
    if not re.fullmatch(pattern, value):
        raise DataError(f"check {expectation.check!r} has the value {quote(value)}; expected a number of {of}")
    return value


def require_amount(expectation: Expectation, *, of: str) -> float:
    """Return the one value, a decimal number of 0 or more.

    Raises:
        DataError: As for `require_number`.
    """
    return float(require_number(expectation, of=of, pattern=r"[0-9]{1,9}(\.[0-9]{1,12})?"))


def read_object(expectation: Expectation, text: str) -> dict[str, Any]:
    """Return the JSON object that a value holds.

    Raises:
        DataError: It is no JSON, or JSON of another kind.
    """
    try:
        found = read_json(text)
    except (NotJsonError, UnreadableError) as error:
        raise DataError(f"check {expectation.check!r} has a value that is no JSON: {error}; mend it") from error
    if not isinstance(found, dict):
        raise DataError(f"check {expectation.check!r} has {quote(text)}; expected a JSON object: mend it")
    return found


def read_options(
    expectation: Expectation, text: str, *, required: Mapping[str, str], optional: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return the options that a value holds as one JSON object.

    Args:
        expectation: Whose value it is.
        text: The value.
        required: The form of each key that must be there: a key of `FORMS`.
        optional: The form of each key that may be there.

    Raises:
        DataError: It is no JSON object, a key is missing or unknown, or the value of a key has another form.
    """
    known = {**required, **(optional or {})}
    found = read_object(expectation, text)
    if not required.keys() <= found.keys() <= known.keys():
        wanted = ", ".join([*map(repr, required), *(f"{key!r} if needed" for key in optional or {})])
        raise DataError(f"check {expectation.check!r} has {quote(text)}; expected a JSON object with {wanted}")
    for key, value in found.items():
        if not FORMS[known[key]](value):
            raise DataError(f"check {expectation.check!r} has {show(value)} as {key!r}; expected {known[key]}: mend it")
    return found


def require_path(expectation: Expectation, path: str) -> None:
    """Refuse a path that is neither a JSONPath nor keys joined by dots.

    Raises:
        DataError: It is none.
    """
    if why := fault(path):
        raise DataError(
            f"check {expectation.check!r} has the path {quote(path)} ({why}); expected a JSONPath such as "
            "$.order.status, or keys joined by dots: mend it"
        )
