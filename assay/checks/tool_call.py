"""The product called the tools that it should, with the arguments that it should.

Every expected call must occur, in any order, each as a call of its own: two equal ones ask for two. A call matches by
equal name and by arguments that contain the expected ones; `{}` therefore expects the tool, whatever its arguments. A
value may say more about the arguments, as a JSON object with any of `optional`, `ignore` and `null_as_absent` (lists of
paths), `alternatives` (each argument is a list of acceptable values), `schema` (the JSON Schema of the tool's
parameters; `schemas`, by tool, for several) and `exact` (no further arguments).
"""

from assay.checks.call_match import OPTIONS, Matcher, comparison, require_calls, told_calls
from assay.checks.finding import Finding, judged, undecided
from assay.checks.shape import read_options
from assay.errors import DataError
from assay.records.case import Expectation, ToolCall
from assay.records.response import Response

LONGEST = 2_000
"""Characters of a finding."""


def validate(expectation: Expectation) -> None:
    """Expect one or more calls whose arguments are JSON objects, and at most one value: the options.

    Raises:
        DataError: It is written otherwise.
    """
    if len(expectation.values) > 1 or not expectation.calls:
        raise DataError(
            f"check {expectation.check!r} has {len(expectation.values)} values and {len(expectation.calls)} calls; "
            "expected at most one value and at least one call"
        )
    require_calls(expectation)
    comparison(expectation, _options(expectation))


def score(expectation: Expectation, response: Response) -> Finding:
    """Pair the expected calls with actual ones; where a call that cannot be read stands in the way, stay undecided."""
    how = comparison(expectation, _options(expectation))
    matcher = Matcher(expectation.calls, response.tool_calls, how)
    pairs = matcher.pairs(charitable=False)
    if -1 not in pairs:
        return judged(passed=True, detail=f"all {len(pairs)} expected calls were made")
    if matcher.broken() and -1 not in matcher.pairs(charitable=True):
        return undecided(matcher.broken())
    missing = [
        _missing(matcher, call, wanted, pairs) for wanted, call in enumerate(expectation.calls) if pairs[wanted] < 0
    ]
    return judged(passed=False, detail=f"missing {'; '.join(missing[:5])}; made {matcher.told_made()}"[:LONGEST])


def _options(expectation: Expectation) -> dict[str, object]:
    if not expectation.values:
        return {}
    return read_options(expectation, expectation.values[0], required={}, optional=OPTIONS)


def _missing(matcher: Matcher, call: ToolCall, wanted: int, pairs: list[int]) -> str:
    """Return an expected call that was not made, and how the nearest one differs."""
    nearest = matcher.nearest(wanted, taken=set(pairs))
    return told_calls([call.name], [call.arguments]) + (f" (nearest: {nearest})" if nearest else "")
