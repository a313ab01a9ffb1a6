"""The answer contains every value, in upper or lower case."""

from assay.checks import substring
from assay.checks.finding import Finding
from assay.records.case import Expectation
from assay.records.response import Response

validate = substring.expect_some


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for each value case folded."""
    return substring.find_all(expectation.values, response.text, fold=True)
