"""Scorers held against example answers: one that fails a good answer or passes a bad one is wrong, or the example is.

The examples of an expectation are for it alone. Those of a case are for all of its checks: a good one passes each, a
bad one fails some. What a check cannot tell of an example, since that says nothing of it (seconds, dollars, contexts,
an end state), it is not asked.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from assay.checks import registry
from assay.checks.finding import Finding
from assay.checks.python import KIND
from assay.errors import DataError
from assay.records.case import Case, Example, Expectation
from assay.records.response import MadeCall, Message, Response

MEASURED = {"latency", "cost"}
"""Checks of what no example says."""
WHOLE = 0
"""The number of the check, counted from 1, where an example is of the whole case."""


class ExampleAnswer(NamedTuple):
    """An example, as the answer to its case."""

    check: int
    """The number of the expectation that it is of, from 1, or `WHOLE`."""
    name: str
    """Such as `good answer 1`."""
    passes: bool
    response: Response


Scored = Callable[[int, ExampleAnswer], Finding]
"""Scores one check, by its number, of an example."""


def answers(case: Case) -> list[ExampleAnswer]:
    """Return the examples of a case and of its expectations; the trial of each response is its place in the list."""
    found: list[ExampleAnswer] = []
    holders: list[Case | Expectation] = [case, *case.expectations]
    for number, holder in enumerate(holders):
        for kind, examples in (("good", holder.good), ("bad", holder.bad)):
            for place, example in enumerate(examples, 1):
                response = _response(case, example, len(found))
                found.append(ExampleAnswer(number, f"{kind} answer {place}", kind == "good", response))
    return found


def asked(case: Case, example: ExampleAnswer, *, calls_own: bool) -> list[int]:
    """Return the numbers of the checks that an example is for, and that can tell something of it.

    Args:
        case: Whose checks.
        example: One of its examples.
        calls_own: Are functions of the project called?
    """
    numbers = range(1, len(case.expectations) + 1) if example.check == WHOLE else [example.check]
    told = [number for number in numbers if _can_tell(case.expectations[number - 1], example.response)]
    return [number for number in told if calls_own or not _is_own(case.expectations[number - 1])]


def disagreements(case: Case, scored: Scored | None = None) -> Iterator[str]:
    """Yield a sentence for each example that a scorer says the opposite of.

    Args:
        case: With examples or without.
        scored: Scores a check of an example; left out, functions of the project are not called.
    """

    def score(number: int, example: ExampleAnswer) -> Finding:
        return registry.score(case.expectations[number - 1], example.response)

    for example in answers(case):
        where = f"case {case.case_id}: {example.name}"
        numbers = asked(case, example, calls_own=scored is not None)
        findings = {number: (scored or score)(number, example) for number in numbers}
        told = {number: one for number, one in findings.items() if _is_told(case.expectations[number - 1], one)}
        names = {number: f"check {number}, `{case.expectations[number - 1].check}`" for number in told}
        failing = [number for number, finding in told.items() if not finding.passed]
        if example.passes:
            yield from (f"{where} fails {names[number]}: {told[number].detail}" for number in failing)
        elif told and not failing:
            every = "every check" if example.check == WHOLE else names[example.check]
            yield f"{where} passes {every}: {'; '.join(finding.detail for finding in told.values())}"


def sentences(case: Case) -> list[str]:
    """Return what `disagreements` yields without calling the project's functions; of a malformed check nothing."""
    try:
        return list(disagreements(case))
    except DataError:
        return []


def _can_tell(expectation: Expectation, response: Response) -> bool:
    kind = expectation.check.removeprefix(registry.NOT)
    lacks = {"final-state": not response.final_state, "context-recall": not response.contexts}
    return kind not in MEASURED and not lacks.get(kind, False)


def _is_own(expectation: Expectation) -> bool:
    return expectation.check.removeprefix(registry.NOT) == KIND


def _is_told(expectation: Expectation, finding: Finding) -> bool:
    """Tell whether a check has said anything; a function of the project that breaks off has failed."""
    return finding.decided or bool(finding.fault) or _is_own(expectation)


def _response(case: Case, example: Example, trial: int) -> Response:
    return Response(
        case_id=case.case_id,
        revision=case.revision(),
        target="example",
        trial=trial,
        epoch="",
        status="ok",
        error_kind="",
        error="",
        text=example.text,
        messages=[Message(role="assistant", content=example.text)] if example.text else [],
        tool_calls=[MadeCall(name=call.name, arguments=call.arguments) for call in example.calls],
        contexts=example.contexts,
        final_state=example.final_state,
        prompt_tokens=0,
        completion_tokens=0,
        latency_s=0,
        is_silent=not example.text and not example.calls,
    )
