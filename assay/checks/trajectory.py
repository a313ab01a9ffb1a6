"""The calls that the product made are the expected ones: those, in that order, or at least, or at most those.

`mode` is one of
* `strict`: exactly the expected calls, in their order
* `unordered`: exactly the expected calls, in any order
* `subset`: nothing but expected calls, each at most once
* `superset`: all expected calls, whatever else was called
* `sequence`: all expected calls in their order, whatever else was called in between
`tools` counts the calls of these tools only, such as those that change something; `leave_out_failed` does not count
calls that the tool answered with an error. Arguments are compared as for `tool-call`, with the same options.
"""

from typing import Annotated, Literal

from pydantic import Field

from assay.checks.call_match import CallForm, Matcher, told_calls
from assay.checks.finding import Finding, judged, quote_some, undecided
from assay.checks.form import Call, Filled
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

NEVER_FAIL = ("superset", "sequence")
"""Modes that every trajectory would meet if no call were expected."""


class Trajectory(CallForm):
    """The calls that the product made are the expected ones."""

    check: Literal["trajectory", "not-trajectory"]
    mode: Literal["strict", "unordered", "subset", "superset", "sequence"]
    calls: list[Call] = Field(default=[])
    tools: Annotated[list[Filled] | None, Field(min_length=1, description="Only calls of these tools count.")] = None
    leave_out_failed: Annotated[bool, Field(description="Calls that the tool refused do not count.")] = False

    def require(self, expectation: Expectation) -> None:
        """Refuse what every trajectory would meet, and a call that would not be counted."""
        if self.mode in NEVER_FAIL and not self.calls:
            raise DataError(
                f"check {expectation.check!r} has no calls, which {self.mode!r} always finds; name the calls"
            )
        uncounted = [call.name for call in self.calls if not self.counts(call.name)]
        if uncounted:
            raise DataError(
                f"check {expectation.check!r} expects {quote_some(uncounted)}, which `tools` does not count; add it "
                "there"
            )
        super().require(expectation)

    def counts(self, name: str) -> bool:
        """Tell whether calls of a tool count."""
        return self.tools is None or name in self.tools


FORM = Trajectory


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the counted calls with the expected ones; one that cannot be read may leave it undecided."""
    asked = Trajectory.of(expectation)
    counted = [
        call for call in response.tool_calls if asked.counts(call.name) and not (call.failed and asked.leave_out_failed)
    ]
    matcher = Matcher(expectation.calls, counted, asked.comparison())
    expected = told_calls([call.name for call in expectation.calls], [call.arguments for call in expectation.calls])
    detail = f"{asked.mode}: counted {matcher.told_made()}; expected {expected or 'none'}"
    if _met(asked.mode, matcher, charitable=False):
        return judged(passed=True, detail=detail)
    if matcher.broken() and _met(asked.mode, matcher, charitable=True):
        return undecided(matcher.broken())
    nearest = _nearest(asked.mode, matcher)
    return judged(passed=False, detail=detail + (f"; nearest: {nearest}" if nearest else ""))


def _nearest(mode: str, matcher: Matcher) -> str:
    """Return how the nearest call differs from the first expected one that was not made; empty where all were."""
    if mode == "strict":
        pairs = [
            at if at < len(matcher.made) and matcher.matches(at, at, charitable=False) else -1
            for at in range(len(matcher.expected))
        ]
    else:
        pairs = matcher.pairs(charitable=False)
    return matcher.nearest(pairs.index(-1), taken=set(pairs)) if -1 in pairs else ""


def _met(mode: str, matcher: Matcher, *, charitable: bool) -> bool:
    expected, made = len(matcher.expected), len(matcher.made)
    if mode in {"strict", "unordered"} and expected != made:
        return False
    if mode == "strict":
        return all(matcher.matches(index, index, charitable=charitable) for index in range(expected))
    if mode == "sequence":
        wanted = 0
        for given in range(made):
            wanted += wanted < expected and matcher.matches(wanted, given, charitable=charitable)
        return wanted == expected
    paired = sum(given >= 0 for given in matcher.pairs(charitable=charitable))
    return paired == (made if mode == "subset" else expected)
