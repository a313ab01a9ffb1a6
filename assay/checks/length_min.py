"""The answer has at least so many words; a word is what stands between white space."""

from assay.checks.finding import Finding, judged
from assay.checks.shape import require_number
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect one value: a whole number of words, 0 or more.

    Raises:
        DataError: It is anything else.
    """
    require_number(expectation, of="words, such as '20'")


def score(expectation: Expectation, response: Response) -> Finding:
    """Count the words of the answer."""
    words, least = len(response.text.split()), int(expectation.values[0])
    return judged(passed=words >= least, detail=f"the answer has {words} words, at least {least} are asked for")
