"""The answer contains one text, letter by letter."""

from assay.checks import substring
from assay.checks.finding import Finding
from assay.records.case import Expectation
from assay.records.response import Response

validate = substring.expect_one


def score(expectation: Expectation, response: Response) -> Finding:
    """Look for the value as written."""
    return substring.find_all(expectation.values, response.text, fold=False)
