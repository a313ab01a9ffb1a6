"""The answer is one text, compared as `folding` has it; white space around it does not count."""

from assay.checks.finding import Finding, judged, quote
from assay.checks.folding import both_compared
from assay.checks.shape import require_values
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect one value.

    Raises:
        DataError: It has none, several, or calls.
    """
    require_values(expectation, 1, 1)


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the answer with the one value, letter by letter."""
    (wanted,) = expectation.values
    answer, plain = both_compared(expectation, response.text, wanted)
    if answer.strip() == plain.strip():
        return judged(passed=True, detail=f"the answer is {quote(wanted)}")
    return judged(passed=False, detail=f"the answer is {quote(response.text)}, expected {quote(wanted)}")
