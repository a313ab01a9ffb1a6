"""What stands in the record of an expectation: its values and calls, read as its kind asks."""

import re
from typing import Any

from assay.checks.finding import quote
from assay.checks.json_text import NotJsonError, UnreadableError, read_json
from assay.errors import DataError
from assay.records.case import Expectation


def require_values(expectation: Expectation, at_least: int, at_most: int | None) -> None:
    """Refuse calls, and a number of values outside the bounds; `at_most` None means any number.

    Raises:
        DataError: The expectation does not have the shape of its kind.
    """
    found = len(expectation.values)
    if expectation.calls:
        raise DataError(f"check {expectation.check!r} has calls; expected none: remove `calls`")
    if found < at_least or (at_most is not None and found > at_most):
        wanted = f"{at_least} or more" if at_most is None else f"exactly {at_least}"
        if at_most not in (None, at_least):
            wanted = f"{at_least} to {at_most}"
        raise DataError(f"check {expectation.check!r} has {found} values; expected {wanted}: mend `values`")


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
