"""How an expectation must be written: what the kinds of check share."""

from assay.checks.finding import quote
from assay.errors import DataError
from assay.records import Expectation


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
