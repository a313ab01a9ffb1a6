"""The answer contains at least one of the values, in upper or lower case."""

from assay.checks.finding import Finding, quote
from assay.checks.shape import require_text, require_values
from assay.records import Expectation, Response


def validate(expectation: Expectation) -> None:
    """Expect one or more values that are not blank.

    Raises:
        DataError: It has none, a blank one, or calls.
    """
    require_values(expectation, 1, None)
    require_text(expectation)


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for each value as written, case folded."""
    text = response.text.casefold()
    for value in expectation.values:
        if value.casefold() in text:
            return Finding(passed=True, detail=f"the answer contains {quote(value)}")
    return Finding(passed=False, detail=f"the answer contains none of {', '.join(map(quote, expectation.values))}")
