"""A function of the project decides: `def cites_clause(answer, case)` in a module that `judge.check_modules` names.

A function that returns a number needs a `threshold`. It runs in a process of its own: what it raises, where it hangs or
how it ends its process leaves the one verdict unscored.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from assay.checks.finding import Finding, judged, unknown
from assay.checks.form import Number, Options, Share
from assay.records.case import Expectation
from assay.records.response import Response
from assay.text import one_line

KIND = "python"
DEADLINE_S = 10.0
LONGEST_S = 600
FUNCTION = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*:[A-Za-z_][A-Za-z0-9_]*$"


class OwnCheck(Options):
    """A function of the project says that the answer passes."""

    check: Literal["python", "not-python"]
    function: Annotated[str, Field(pattern=FUNCTION, description="`module:name`.")]
    threshold: Annotated[Share | None, Field(description="What a returned number has to reach.")] = None
    deadline_s: Annotated[Number, Field(gt=0, le=LONGEST_S, description="Seconds for one answer.")] = DEADLINE_S

    @property
    def module(self) -> str:
        """Return the name of its module."""
        return self.function.partition(":")[0]


FORM = OwnCheck


def score(_expectation: Expectation, _response: Response) -> Finding:
    """Leave it to the judge stage, which has the processes that such functions run in."""
    return unknown("the function was not called: only the stage `judge` calls functions of the project")


def own_check(expectation: Expectation) -> OwnCheck | None:
    """Return what an expectation asks of a function of the project; None for one of another kind.

    Raises:
        DataError: It is not written as this kind asks.
    """
    if expectation.check.removeprefix("not-") != KIND:
        return None
    return OwnCheck.of(expectation)


def finding(expectation: Expectation, given: dict[str, Any]) -> Finding:
    """Return the finding by what a function said, as `python_answer.called` tells it, with or without `not-`."""
    own, reason = OwnCheck.of(expectation), one_line(given["reason"])
    passed, told = given["passed"], [reason] if reason else []
    if passed is None:
        if own.threshold is None:
            return unknown(f"check failed: {own.function} returned {given['score']:g}, and no `threshold` is declared")
        passed = given["score"] >= own.threshold
        told = [f"{given['score']:.3f}, at least {own.threshold:g} is asked for", *told]
    told = told or [f"{own.function} says {'yes' if passed else 'no'}"]
    return judged(passed=passed is (expectation.check == KIND), detail=": ".join(told))
