"""The answer cost at most so many US dollars; a response without a declared price is left undecided."""

from typing import ClassVar, Literal

from assay.checks.finding import Finding, judged, unknown
from assay.checks.form import Amount, NotNegative
from assay.records.case import Expectation
from assay.records.response import Response


class Cost(Amount):
    """The answer cost no more."""

    check: Literal["cost", "not-cost"]
    usd: NotNegative
    amount: ClassVar = "usd"


FORM = Cost


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the response's cost with the most that is allowed."""
    if response.cost_usd is None:
        return unknown("the cost of the answer is not known: its target declares no price")
    most = float(expectation.values[0])
    detail = f"the answer cost {response.cost_usd:g} USD, at most {most:g} USD are allowed"
    return judged(passed=response.cost_usd <= most, detail=detail)
