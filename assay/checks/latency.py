"""The answer came within so many seconds, from the first request of the conversation to its last answer."""

from typing import ClassVar, Literal

from assay.checks.finding import Finding, judged
from assay.checks.form import Amount, NotNegative
from assay.records.case import Expectation
from assay.records.response import Response


class Latency(Amount):
    """The answer came in time."""

    check: Literal["latency", "not-latency"]
    seconds: NotNegative
    amount: ClassVar = "seconds"


FORM = Latency


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the response's latency with the most that is allowed."""
    most = float(expectation.values[0])
    detail = f"the answer took {response.latency_s:g} s, at most {most:g} s are allowed"
    return judged(passed=response.latency_s <= most, detail=detail)
