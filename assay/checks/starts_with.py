"""The answer begins with one text, compared as `folding` has it; white space before it does not count."""

from assay.checks import substring
from assay.checks.finding import Finding, judged, quote
from assay.checks.folding import both_compared
from assay.records.case import Expectation
from assay.records.response import Response

validate = substring.expect_one


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the opening of the answer with the one value."""
    (wanted,) = expectation.values
    answer, plain = both_compared(expectation, response.text, wanted)
    passed = answer.lstrip().startswith(plain.lstrip())
    return judged(passed=passed, detail=f"the answer begins with {quote(response.text)}, expected {quote(wanted)}")
