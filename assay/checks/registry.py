"""All kinds of check: a closed list, so that a misspelt one is refused before anything runs.

`not-` before a kind asks for the opposite. For a kind with calls it asks that none of them was made.
"""

from types import MappingProxyType
from typing import Protocol

from assay.checks import (
    equals,
    final_state,
    icontains_all,
    icontains_any,
    is_json,
    length_max,
    refusal,
    tool_call,
)
from assay.checks.finding import Finding
from assay.errors import DataError
from assay.records import Expectation, Response

__all__ = ["KINDS", "Check", "Finding", "score", "validate"]

NOT = "not-"


class Check(Protocol):
    """What a module of this package offers."""

    def validate(self, expectation: Expectation) -> None:
        """Refuse an expectation that is not written as this kind asks."""

    def score(self, expectation: Expectation, response: Response) -> Finding:
        """Say whether the response meets a valid expectation."""


KINDS: MappingProxyType[str, Check] = MappingProxyType(
    {
        "equals": equals,
        "final-state": final_state,
        "icontains-all": icontains_all,
        "icontains-any": icontains_any,
        "is-json": is_json,
        "length-max": length_max,
        "refusal": refusal,
        "tool-call": tool_call,
    }
)


def validate(expectation: Expectation) -> None:
    """Refuse an expectation that could not be scored.

    Raises:
        DataError: The kind is unknown, or the expectation is not written as its kind asks.
    """
    _kind(expectation).validate(expectation)


def score(expectation: Expectation, response: Response) -> Finding:
    """Say whether a response meets an expectation.

    Args:
        expectation: Of any kind, with or without `not-`.
        response: An answer; a response that is an error has none, and its caller leaves it unscored.

    Raises:
        DataError: The expectation is malformed.
        ValueError: The response is an error.
    """
    validate(expectation)
    if response.status != "ok":
        raise ValueError(
            f"the response to {response.case_id} is an error; leave it unscored, there is no answer to check"
        )
    check = _kind(expectation)
    if not expectation.check.startswith(NOT):
        return check.score(expectation, response)
    parts = [expectation.model_copy(update={"calls": [call]}) for call in expectation.calls] or [expectation]
    found = [check.score(part, response) for part in parts]
    against = next((one for one in found if one.passed or not one.decided), None)
    if against is None:
        return Finding(passed=True, detail="; ".join(one.detail for one in found))
    return Finding(passed=False, detail=against.detail, decided=against.decided)


def _kind(expectation: Expectation) -> Check:
    """Return the module that scores the expectation."""
    kind = KINDS.get(expectation.check.removeprefix(NOT))
    if kind is None:
        known = ", ".join(KINDS)
        raise DataError(f"the check {expectation.check!r} is unknown; expected one of {known}, each also with {NOT}")
    return kind
