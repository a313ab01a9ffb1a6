"""The product called the tools that it should, with the arguments that it should.

Every expected call must occur, in any order, each as a call of its own: two equal ones ask for two. A call matches by
equal name and by arguments that contain the expected ones; `{}` therefore expects the tool, whatever its arguments. The
options say more about the arguments, as `argument_match` describes.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from assay.checks.call_match import NAMED, CallForm, Matcher, told_calls
from assay.checks.finding import Finding, judged, undecided
from assay.checks.form import Call
from assay.records.case import Expectation, ToolCall
from assay.records.response import Response

LONGEST = 2_000
"""Characters of a finding."""


class ToolCalls(CallForm):
    """The product called tools."""

    check: Literal["tool-call", "not-tool-call"]
    calls: Annotated[list[Call], Field(min_length=1)]
    may_be_bare: ClassVar = True


FORM = ToolCalls


def score(expectation: Expectation, response: Response) -> Finding:
    """Pair the expected calls with actual ones; where a call that cannot be read stands in the way, stay undecided."""
    matcher = Matcher(expectation.calls, response.tool_calls, ToolCalls.of(expectation).comparison())
    pairs = matcher.pairs(charitable=False)
    if -1 not in pairs:
        detail = f"all {len(pairs)} expected calls were made; made {matcher.told_made()}"[:LONGEST]
        return judged(passed=True, detail=detail)
    if matcher.broken() and -1 not in matcher.pairs(charitable=True):
        return undecided(matcher.broken())
    lacking = [wanted for wanted, given in enumerate(pairs) if given < 0]
    missing = [_missing(matcher, expectation.calls[wanted], wanted, pairs) for wanted in lacking[:NAMED]]
    return judged(passed=False, detail=f"missing {'; '.join(missing)}; made {matcher.told_made()}"[:LONGEST])


def _missing(matcher: Matcher, call: ToolCall, wanted: int, pairs: list[int]) -> str:
    """Return an expected call that was not made, and how the nearest one differs."""
    nearest = matcher.nearest(wanted, taken=set(pairs))
    return told_calls([call.name], [call.arguments]) + (f" (nearest: {nearest})" if nearest else "")
