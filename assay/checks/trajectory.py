"""The calls that the product made are the expected ones: those, in that order, or at least, or at most those.

The value is a JSON object. Its `mode` is one of
* `strict`: exactly the expected calls, in their order
* `unordered`: exactly the expected calls, in any order
* `subset`: nothing but expected calls, each at most once
* `superset`: all expected calls, whatever else was called
* `sequence`: all expected calls in their order, whatever else was called in between
`tools` counts the calls of these tools only, such as those that change something; `"leave_out_failed": true` does not
count calls that the tool answered with an error. Arguments are compared as for `tool-call`, with the same options.
"""

from typing import Any

from assay.checks.call_match import OPTIONS, Matcher, comparison, require_calls, told_calls
from assay.checks.finding import Finding, judged, quote_some, undecided
from assay.checks.json_text import show
from assay.checks.shape import read_options
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import MadeCall, Response

MODES = ("strict", "unordered", "subset", "superset", "sequence")
NEVER_FAIL = ("superset", "sequence")
"""Modes that every trajectory would meet if no call were expected."""


def validate(expectation: Expectation) -> None:
    """Expect one JSON object with `mode`, and the calls; none at all asks for no counted call.

    Raises:
        DataError: It is written otherwise, or expects a call that would not be counted.
    """
    if len(expectation.values) != 1:
        raise DataError(f"check {expectation.check!r} has {len(expectation.values)} values; expected one JSON object")
    options = _options(expectation)
    mode = options["mode"]
    if mode not in MODES:
        raise DataError(f"check {expectation.check!r} has {show(mode)} as 'mode'; expected one of {', '.join(MODES)}")
    if mode in NEVER_FAIL and not expectation.calls:
        raise DataError(f"check {expectation.check!r} has no calls, which {mode!r} always finds; name the calls")
    uncounted = [call.name for call in expectation.calls if call.name not in options.get("tools", [call.name])]
    if uncounted:
        raise DataError(
            f"check {expectation.check!r} expects {quote_some(uncounted)}, which `tools` does not count; add it there"
        )
    require_calls(expectation)
    comparison(expectation, options)


def score(expectation: Expectation, response: Response) -> Finding:
    """Compare the counted calls with the expected ones; one that cannot be read may leave it undecided."""
    options = _options(expectation)
    counted = [call for call in response.tool_calls if _counts(call, options)]
    matcher = Matcher(expectation.calls, counted, comparison(expectation, options))
    expected = told_calls([call.name for call in expectation.calls], [call.arguments for call in expectation.calls])
    detail = f"{options['mode']}: counted {matcher.told_made()}; expected {expected or 'none'}"
    if _met(options["mode"], matcher, charitable=False):
        return judged(passed=True, detail=detail)
    if matcher.broken() and _met(options["mode"], matcher, charitable=True):
        return undecided(matcher.broken())
    nearest = _nearest(options["mode"], matcher)
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


def _options(expectation: Expectation) -> dict[str, Any]:
    optional = {**OPTIONS, "tools": "a list of texts", "leave_out_failed": "true or false"}
    return read_options(expectation, expectation.values[0], required={"mode": "text"}, optional=optional)


def _counts(call: MadeCall, options: dict[str, Any]) -> bool:
    left_out = call.failed and options.get("leave_out_failed", False)
    return not left_out and call.name in options.get("tools", [call.name])


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
