"""The answer contains at least one of the values, letter by letter."""

from assay.checks import substring
from assay.checks.finding import Finding
from assay.records.case import Expectation
from assay.records.response import Response

validate = substring.expect_some


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for the values as written."""
    return substring.find_any(expectation.values, response.text, fold=False)
