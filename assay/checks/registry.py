"""All kinds of check: a closed list, so that a misspelt one is refused before anything runs.

`not-` before a kind asks for the opposite; `not-tool-call` asks that none of its calls was made. What is undecided is
so in both directions.
"""

from types import MappingProxyType
from typing import Protocol

from assay.checks import (
    contains_json,
    context_recall,
    cost,
    empty,
    equals,
    final_state,
    is_json,
    json_schema,
    language,
    latency,
    length_max,
    length_min,
    numeric,
    python,
    refusal,
    regex,
    similarity,
    starts_with,
    substring,
    tool_call,
    trajectory,
)
from assay.checks.finding import Finding, judged
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

__all__ = ["KINDS", "Check", "Finding", "score", "validate"]

NOT = "not-"
EACH_CALL = frozenset({"tool-call"})
"""Kinds whose opposite is that not one of the calls was made; for any other it is that the whole does not hold."""
EXACT = frozenset(
    {
        *("contains", "contains-all", "contains-any", "icontains", "icontains-all", "icontains-any"),
        *("equals", "starts-with", "regex", "similarity", "context-recall"),
    }
)
"""Kinds that compare texts, so that an expectation can ask them to be `exact`."""
LONGEST = 1_000
"""Characters of a finding that is put together from several."""


class Check(Protocol):
    """What a module of this package offers."""

    def validate(self, expectation: Expectation) -> None:
        """Refuse an expectation that is not written as this kind asks."""

    def score(self, expectation: Expectation, response: Response) -> Finding:
        """Say whether the response meets a valid expectation."""


KINDS: MappingProxyType[str, Check] = MappingProxyType(
    {
        "contains": substring.KINDS["contains"],
        "contains-all": substring.KINDS["contains-all"],
        "contains-any": substring.KINDS["contains-any"],
        "contains-json": contains_json,
        "context-recall": context_recall,
        "cost": cost,
        "empty": empty,
        "equals": equals,
        "final-state": final_state,
        "icontains": substring.KINDS["icontains"],
        "icontains-all": substring.KINDS["icontains-all"],
        "icontains-any": substring.KINDS["icontains-any"],
        "is-json": is_json,
        "json-schema": json_schema,
        "language": language,
        "latency": latency,
        "length-max": length_max,
        "length-min": length_min,
        "numeric": numeric,
        "python": python,
        "refusal": refusal,
        "regex": regex,
        "similarity": similarity,
        "starts-with": starts_with,
        "tool-call": tool_call,
        "trajectory": trajectory,
    }
)


def validate(expectation: Expectation) -> None:
    """Refuse an expectation that could not be scored.

    Raises:
        DataError: The kind is unknown, or the expectation is not written as its kind asks.
    """
    check = _kind(expectation)
    if expectation.exact and expectation.check.removeprefix(NOT) not in EXACT:
        raise DataError(
            f"check {expectation.check!r} has `exact`, expected it of {', '.join(sorted(EXACT))} alone: take it out"
        )
    check.validate(expectation)


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
    parts = [expectation]
    if expectation.check.removeprefix(NOT) in EACH_CALL:
        parts = [expectation.model_copy(update={"calls": [call]}) for call in expectation.calls]
    found = [check.score(part, response) for part in parts]
    against = next((one for one in found if one.passed or not one.decided), None)
    if against is None:
        return judged(passed=True, detail="; ".join(one.detail for one in found)[:LONGEST])
    return judged(passed=False, detail=against.detail) if against.decided else against


def _kind(expectation: Expectation) -> Check:
    """Return the module that scores the expectation."""
    kind = KINDS.get(expectation.check.removeprefix(NOT))
    if kind is None:
        known = ", ".join(KINDS)
        raise DataError(f"the check {expectation.check!r} is unknown; expected one of {known}, each also with {NOT}")
    return kind
