"""What the tests of the checks ask and answer: short ways to write both, and one example a kind."""

import json
from typing import Any

from assay.records.case import Expectation, ToolCall
from assay.records.response import MadeCall, Response

DEEP = "[" * 100_000 + "]" * 100_000
LONG_NUMBER = "9" * 10_000


def answer(
    text: str = "", *, calls: list[tuple[str, str]] | None = None, state: Any = "", status: str = "ok", **more: Any
) -> Response:
    """Return a response that said, did and left behind the given; calls whose name ends in ! failed."""
    given = {
        "case_id": "refund-policy-001",
        "status": status,
        "text": text,
        "tool_calls": [
            MadeCall(name=name.removesuffix("!"), arguments=arguments, failed=name.endswith("!"))
            for name, arguments in calls or []
        ],
        "final_state": state if isinstance(state, str) else json.dumps(state),
        "contexts": [],
        "latency_s": 1.5,
        "cost_usd": None,
    }
    return Response.model_construct(**(given | more))


def expect(check: str, *values: Any, calls: list[tuple[str, str]] | None = None) -> Expectation:
    """Return one expectation; a value that is no text is written as JSON."""
    made = [ToolCall(name=name, arguments=arguments) for name, arguments in calls or []]
    written = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return Expectation(check=check, values=written, calls=made)


REFUND = ("issue_refund", '{"order": "PL-1042", "usd": 12}')
EXAMPLES = [
    expect("contains", "14 days"),
    expect("contains-all", "14", "days"),
    expect("contains-any", "14", "two weeks"),
    expect("contains-json", {"type": "object"}),
    expect("context-recall", {"facts": ["14 days"], "threshold": 1}),
    expect("cost", "0.01"),
    expect("empty"),
    expect("equals", "Yes."),
    expect("final-state", {"path": "open", "equals": True}),
    expect("icontains", "Days"),
    expect("icontains-all", "14", "days"),
    expect("icontains-any", "14", "two weeks"),
    expect("is-json"),
    expect("json-schema", {"items": {"pattern": "^(a+)+$", "type": "string"}}),
    expect("language", "en", "de"),
    expect("latency", "2.5"),
    expect("length-max", "50"),
    expect("length-min", "2"),
    expect("numeric", {"equals": 12, "absolute": 0.5}),
    expect("python", {"function": "my_checks:cites_clause", "threshold": 0.5}),
    expect("refusal"),
    expect("regex", "(a+)+$"),
    expect("similarity", {"measure": "rouge-l", "reference": "Refunds take 5 days.", "threshold": 0.5}),
    expect("starts-with", "Yes"),
    expect("tool-call", calls=[REFUND]),
    expect("trajectory", {"mode": "unordered"}, calls=[REFUND]),
]
