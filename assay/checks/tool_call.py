"""The product called the tools that it should, with the arguments that it should.

Every expected call must occur, in any order, each as a call of its own: two equal ones ask for two. A call matches by
equal name and by arguments that contain the expected ones; `{}` therefore expects the tool, whatever its arguments.
"""

from typing import Any

from assay.checks.finding import Finding, quote
from assay.checks.json_text import NotJsonError, UnreadableError, holds, read_json
from assay.errors import DataError
from assay.records import Expectation, Response, ToolCall


def validate(expectation: Expectation) -> None:
    """Expect one or more calls whose arguments are JSON objects, and no values.

    Raises:
        DataError: It is written otherwise.
    """
    if expectation.values or not expectation.calls:
        raise DataError(
            f"check {expectation.check!r} has {len(expectation.values)} values and {len(expectation.calls)} calls; "
            "expected no values and at least one call"
        )
    for call in expectation.calls:
        if not call.name:
            raise DataError(f"check {expectation.check!r} has a call without a name; name the tool")
        try:
            _arguments(call)
        except (NotJsonError, UnreadableError) as error:
            raise DataError(f"check {expectation.check!r}, call {quote(call.name)}: {error}; mend it") from error


def score(expectation: Expectation, response: Response) -> Finding:
    """Pair the expected calls with actual ones; a call whose arguments cannot be read matches nothing.

    Where such a call stands in the way of a decision, the finding is undecided.
    """
    actual: list[tuple[str, Any]] = []
    broken: dict[str, str] = {}
    for call in response.tool_calls:
        try:
            actual.append((call.name, _arguments(call)))
        except (NotJsonError, UnreadableError) as error:
            broken[call.name] = f"{quote(call.name)} was called with arguments that cannot be read: {error}"
    missing = _unpaired(expectation.calls, actual)
    if not missing:
        return Finding(passed=True, detail=f"all {len(expectation.calls)} expected calls were made")
    for expected in missing:
        if expected.name in broken:
            return Finding(passed=False, detail=broken[expected.name], decided=False)
    made = ", ".join(quote(call.name) for call in response.tool_calls[:5]) or "no call"
    return Finding(passed=False, detail=f"missing {', '.join(map(_show, missing))}; made {made}")


def _unpaired(expected: list[ToolCall], actual: list[tuple[str, Any]]) -> list[ToolCall]:
    """Return the expected calls left over when as many as possible have an actual call of their own."""
    wanted = [(call.name, _arguments(call)) for call in expected]
    choices = [
        [index for index, (called, given) in enumerate(actual) if called == name and holds(least, given, subset=True)]
        for name, least in wanted
    ]
    taken_by: dict[int, int] = {}

    def place(call: int, tried: set[int]) -> bool:
        for index in choices[call]:
            if index not in tried:
                tried.add(index)
                if index not in taken_by or place(taken_by[index], tried):
                    taken_by[index] = call
                    return True
        return False

    return [expected[call] for call in range(len(expected)) if not place(call, set())]


def _arguments(call: ToolCall) -> dict[str, Any]:
    """Return the arguments as an object."""
    arguments = read_json(call.arguments)
    if not isinstance(arguments, dict):
        raise NotJsonError(f"the arguments {quote(call.arguments)} are no JSON object")
    return arguments


def _show(call: ToolCall) -> str:
    return f"{quote(call.name)} with {quote(call.arguments)}"
