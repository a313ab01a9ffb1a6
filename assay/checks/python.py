"""A function of the project decides: `def cites_clause(answer, case)` in a module that `judge.check_modules` names.

The value is a JSON object with `function` (`module:name`) and, where it returns a number, `threshold`; `deadline_s` is
how long it may take for one answer (10 seconds). It runs in a process of its own: what it raises, where it hangs or how
it ends its process leaves the one verdict unscored.
"""

from typing import Any, NamedTuple

from assay.checks.finding import Finding, judged, unknown
from assay.checks.json_text import show
from assay.checks.shape import read_options, require_values
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response
from assay.text import one_line

KIND = "python"
DEADLINE_S = 10.0
LONGEST_S = 600


class OwnCheck(NamedTuple):
    """What an expectation asks of a function of the project."""

    function: str
    """`module:name`."""
    threshold: float | None
    """What a number has to reach; None for a function that says yes or no."""
    deadline_s: float

    @property
    def module(self) -> str:
        """Return the name of its module."""
        return self.function.partition(":")[0]


def validate(expectation: Expectation) -> None:
    """Expect one JSON object with `function`, and with `threshold` and `deadline_s` if needed.

    Raises:
        DataError: It is written otherwise, or the deadline is none.
    """
    require_values(expectation, 1, 1)
    own = _read(expectation)
    if not 0 < own.deadline_s <= LONGEST_S:
        raise DataError(
            f"check {expectation.check!r} has {show(own.deadline_s)} as 'deadline_s'; expected seconds, above 0 and at "
            f"most {LONGEST_S}"
        )


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
    validate(expectation)
    return _read(expectation)


def finding(expectation: Expectation, given: dict[str, Any]) -> Finding:
    """Return the finding by what a function said, as `python_answer.called` tells it, with or without `not-`."""
    own, reason = _read(expectation), one_line(given["reason"])
    passed, told = given["passed"], [reason] if reason else []
    if passed is None:
        if own.threshold is None:
            return unknown(f"check failed: {own.function} returned {given['score']:g}, and no `threshold` is declared")
        passed = given["score"] >= own.threshold
        told = [f"{given['score']:.3f}, at least {own.threshold:g} is asked for", *told]
    told = told or [f"{own.function} says {'yes' if passed else 'no'}"]
    return judged(passed=passed is (expectation.check == KIND), detail=": ".join(told))


def _read(expectation: Expectation) -> OwnCheck:
    options = read_options(
        expectation,
        expectation.values[0],
        required={"function": "module:name"},
        optional={"threshold": "a share above 0, at most 1", "deadline_s": "a number of 0 or more"},
    )
    return OwnCheck(options["function"], options.get("threshold"), options.get("deadline_s", DEADLINE_S))
