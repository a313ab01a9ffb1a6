"""All kinds of check: a closed list, so that a misspelt one is refused before anything runs.

`not-` before a kind asks for the opposite; `not-tool-call` asks that none of its calls was made. What is undecided is
so in both directions.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol

from pydantic import ValidationError

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
from assay.checks.call_match import CallForm
from assay.checks.finding import Finding, judged, quote
from assay.checks.form import RECORDED, Form
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response
from assay.text import first_fault

__all__ = ["KINDS", "Check", "Finding", "read", "score", "validate"]

NOT = "not-"
EACH_CALL = frozenset({"tool-call"})
"""Kinds whose opposite is that not one of the calls was made; for any other it is that the whole does not hold."""
LONGEST = 1_000
"""Characters of a finding that is put together from several."""


class Check(Protocol):
    """What a module of this package offers."""

    @property
    def FORM(self) -> type[Form]:  # noqa: N802 - a constant of a module
        """Return how an expectation of this kind is written."""

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
EXACT = frozenset(
    kind for kind, check in KINDS.items() if "exact" in check.FORM.model_fields and not issubclass(check.FORM, CallForm)
)
"""Kinds that compare texts, so that an expectation can ask them to be `exact`."""


def read(written: object) -> Expectation:
    """Return an expectation as it is kept, from one as somebody wrote it: with its options as fields, or as it is kept.

    Args:
        written: What stands in a person's file, or what a model proposes.

    Raises:
        DataError: It has no such form; the text says where, what was found and what was expected.
    """
    if isinstance(written, Expectation):
        return written
    if not isinstance(written, Mapping) or not isinstance(written.get("check"), str):
        raise DataError(f"found {quote(str(written))}, expected an expectation with a `check`: correct it")
    form = _of_kind(written["check"]).FORM
    empty = {name for name in RECORDED if written.get(name) in ([], False)}
    if "values" in form.model_fields or not written.get("values"):
        return form.parse({name: value for name, value in written.items() if name not in empty}).record()
    try:
        kept = Expectation.model_validate(written)
    except ValidationError as error:
        raise DataError(f"check {quote(written['check'])} has a fault: {first_fault(error)}; correct it") from error
    form.of(kept)
    return kept


def fields(expectation: Expectation) -> dict[str, object]:
    """Return an expectation with its options as fields, which `read` makes the same expectation of or an equal one.

    Raises:
        DataError: It is not written as its kind asks.
    """
    return _kind(expectation).FORM.of(expectation).written()


def options(check: str) -> list[str]:
    """Return the names of what can be written beside a check; none for a check that nobody knows."""
    kind = KINDS.get(check.removeprefix(NOT))
    return kind.FORM.options() if kind else []


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
    check.FORM.of(expectation).require(expectation)


def can_fail(expectation: Expectation) -> bool:
    """Tell whether there is an answer that does not meet an expectation.

    Raises:
        DataError: As from `validate`.
    """
    return _kind(expectation).FORM.of(expectation).can_fail()


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
    return _of_kind(expectation.check)


def _of_kind(check: str) -> Check:
    kind = KINDS.get(check.removeprefix(NOT))
    if kind is None:
        known = ", ".join(KINDS)
        raise DataError(f"the check {quote(check)} is unknown; expected one of {known}, each also with {NOT}")
    return kind
