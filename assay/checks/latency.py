"""The answer came within so many seconds, from the first request of the conversation to its last answer."""

from assay.checks.finding import Finding, judged
from assay.checks.shape import require_amount
from assay.records.case import Expectation
from assay.records.response import Response


def validate(expectation: Expectation) -> None:
    """Expect one value: seconds, such as 2.5.

    Raises:
        DataError: It is anything else.
    """
    require_amount(expectation, of="seconds, such as '2.5'")


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the response's latency with the most that is allowed."""
    most = float(expectation.values[0])
    detail = f"the answer took {response.latency_s:g} s, at most {most:g} s are allowed"
    return judged(passed=response.latency_s <= most, detail=detail)
