"""The answer has at most so many words; a word is what stands between white space."""

from assay.checks.finding import Finding, judged
from assay.checks.shape import require_number
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect one value: a whole number of words, 0 or more.

    Raises:
        DataError: It is anything else.
    """
    require_number(expectation, of="words, such as '80'")


def score(expectation: Expectation, response: Response) -> Finding:
    """Count the words of the answer."""
    words, most = len(response.text.split()), int(expectation.values[0])
    return judged(passed=words <= most, detail=f"the answer has {words} words, at most {most} are allowed")
