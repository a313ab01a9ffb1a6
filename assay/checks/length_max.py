"""The answer has at most so many words; a word is what stands between white space."""

import re

from assay.checks.finding import Finding, quote
from assay.checks.shape import require_values
from assay.errors import DataError
from assay.records import Expectation, Response


def validate(expectation: Expectation) -> None:
    """Expect one value: a whole number of words, 0 or more.

    Raises:
        DataError: It is anything else.
    """
    require_values(expectation, 1, 1)
    if not re.fullmatch(r"[0-9]{1,9}", expectation.values[0]):
        found = quote(expectation.values[0])
        raise DataError(f"check {expectation.check!r} has the value {found}; expected a number of words, such as '80'")


def score(expectation: Expectation, response: Response) -> Finding:
    """Count the words of the answer."""
    words, most = len(response.text.split()), int(expectation.values[0])
    return Finding(passed=words <= most, detail=f"the answer has {words} words, at most {most} are allowed")
