"""Tool calls of any shape: found by JSONPath, and told as they are where the declared shape is another one."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from raw_product import Says, says, serving

from assay.checks.registry import score
from assay.errors import ConfigError
from assay.models.limits import Limits
from assay.records.case import Expectation, ToolCall
from assay.records.record import digest
from assay.records.response import Response
from assay.targets.open import opened
from assay.targets.settings import Answer, HttpSettings
from tests.cast import case

LIMITS = Limits(concurrency=1, deadline_s=2, max_retries=0, patience_s=1)
REFUND = ("refund", {"order": "PL-7"}, False)


def play(tool_calls: Any, *bodies: Any) -> list[Response]:
    """Ask a product as often as it has something to say; return its answers in their order."""
    said: Iterator[Any] = iter(bodies)

    def script(_: object) -> Says:
        return says(next(said))

    async def played() -> list[Response]:
        async with serving(script) as address:
            fields = {"kind": "http", "name": "support", "url": address, "body": {"q": "{{turn}}"}}
            answer = {"text": "$.answer", "tool_calls": tool_calls}
            target = HttpSettings.model_validate({**fields, "answer": answer})
            async with opened(target, {}, limits=LIMITS) as found:
                return [await found.respond(case(number), 0, "2026-11-02") for number, _ in enumerate(bodies, 1)]

    return asyncio.run(played())


def made(response: Response) -> list[tuple[str, Any, bool]]:
    """Return the calls of a response, their arguments read."""
    return [(one.name, json.loads(one.arguments), one.failed) for one in response.tool_calls]


@pytest.mark.parametrize(
    ("tool_calls", "body"),
    [
        ("$.calls", {"calls": [{"name": "refund", "arguments": {"order": "PL-7"}}]}),
        ("$.calls", {"calls": [{"function": {"name": "refund", "arguments": '{"order": "PL-7"}'}}]}),
        ({"path": "$.calls"}, {"calls": [{"name": "refund", "arguments": '{"order": "PL-7"}'}]}),
        (
            {"path": "$.output[?@.type == 'function_call']"},
            {
                "output": [
                    {"type": "text"},
                    {"type": "function_call", "name": "refund", "arguments": '{"order":"PL-7"}'},
                ]
            },
        ),
        (
            {"path": "$.content[?@.type == 'tool_use']", "arguments": "$.input"},
            {"content": [{"type": "tool_use", "name": "refund", "input": {"order": "PL-7"}}]},
        ),
        (
            {"path": "$.parts[*].functionCall", "arguments": "$.args"},
            {"parts": [{"text": "well"}, {"functionCall": {"name": "refund", "args": {"order": "PL-7"}}}]},
        ),
        (
            {"path": "$..steps[*]", "name": "$.tool.id", "arguments": "$.tool.with", "failed": "$.result.error"},
            {"trace": {"steps": [{"tool": {"id": "refund", "with": {"order": "PL-7"}}, "result": {"error": None}}]}},
        ),
    ],
)
def test_calls_are_found_in_every_shape(tool_calls: Any, body: dict[str, Any]) -> None:
    """Common shapes and odd ones give the same call."""
    (found,) = play(tool_calls, {"answer": "done", **body})
    assert (found.status, made(found)) == ("ok", [REFUND])


def test_what_a_call_lacks() -> None:
    """Arguments may be missing, whatever stands at its mark says that a call failed, and a text can name a tool."""
    mapped = {"path": "$.c", "failed": "$.bad"}
    (found,) = play(mapped, {"answer": "", "c": [{"name": "a"}, {"name": "b", "arguments": None, "bad": "late"}]})
    assert made(found) == [("a", {}, False), ("b", {}, True)]
    (found,) = play({"path": "$.c", "failed": ""}, {"answer": "", "c": [{"name": "a", "error": "late"}]})
    assert made(found) == [("a", {}, True)]
    (found,) = play({"path": "$.c", "name": "$", "arguments": ""}, {"answer": "", "c": ["a"]})
    assert made(found) == [("a", {}, False)]


@pytest.mark.parametrize(
    ("tool_calls", "call", "named"),
    [
        ({"path": "$.c"}, {"tool": "refund"}, r"\{'tool': 'refund'\}, in which \$\.name is None"),
        ({"path": "$.c", "name": "$.tool"}, {"tool": {"id": 1}}, r"\$\.tool is \{'id': 1\}"),
        ({"path": "$.c", "name": "$.*"}, {"a": "x", "b": "y"}, r"\$\.\* leads to 2 values"),
        ({"path": "$.c"}, {"name": "refund", "arguments": 7}, r"\$\.arguments is 7"),
        ({"path": "$.c"}, "refund", "'refund'"),
        ("$.c", {"tool": "refund"}, r"\{'tool': 'refund'\}, expected an object with `name`"),
        ("$.c", "refund", "'refund', expected an object with `name`"),
    ],
)
def test_a_first_call_of_another_shape_is_a_fault_of_the_parameters(tool_calls: Any, call: Any, named: str) -> None:
    """The run ends with what was found and which parameter to correct; it is nobody's answer and no lost connection."""
    with pytest.raises(ConfigError, match=rf"^execute\.target\.answer\.tool_calls: found .*{named}.*params\.yaml"):
        play(tool_calls, {"answer": "done", "c": [call]})


def test_a_later_call_of_another_shape_is_part_of_the_answer() -> None:
    """Once calls were where they should be, an odd one is the product's: checks see it as it came, and fail."""
    good = {"answer": "done", "c": [{"name": "refund", "arguments": {"order": "PL-7"}}]}
    odd = {"answer": "done", "c": [{"tool": "refund"}, good["c"][0]]}
    first, second = play({"path": "$.c"}, good, odd)
    assert (first.status, second.status, second.error) == ("ok", "ok", "")
    assert made(second)[1] == REFUND
    wanted = [ToolCall(name="refund"), ToolCall(name="refund")]
    found = score(Expectation(check="tool-call", calls=wanted), second)
    assert (found.passed, found.decided, found.fault) == (False, True, "answer")
    assert '{"tool": "refund"}' in found.detail


@pytest.mark.parametrize(
    "bad", [{"path": ""}, {"path": "$.c", "name": ""}, {"path": "c"}, {"name": "$.a"}, {"x": 1}, 7]
)
def test_an_unsound_map_is_refused(bad: Any) -> None:
    """A map without a place, with an empty name, with what is no JSONPath or with an unknown part is refused."""
    with pytest.raises(ValidationError):
        Answer.model_validate({"tool_calls": bad})


def test_a_path_alone_keeps_its_fingerprint() -> None:
    """Parameters of before there were maps are the same target as they were."""
    assert digest(Answer(tool_calls="$.calls")) == "499ef6dba1ceba86"
    assert digest(Answer.model_validate({"tool_calls": {"path": "$.calls"}})) != digest(Answer(tool_calls="$.calls"))
