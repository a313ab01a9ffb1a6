"""The product behind a chat endpoint: prompt, parameters and tools reach it, and no reply of it can break the run."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from played_chat import LIMITS, TOOLS, Till, play, refund_then_answer

from assay.errors import EndpointError
from assay.models.chat import Chat, Endpoint
from assay.models.limits import Limits
from assay.models.usage import Meter, metering
from assay.project.tables.responses import RESPONSES
from assay.records.response import Response
from assay.storage import attachments
from assay.targets.chat import MAX_STEPS, ChatTarget, Product
from assay.targets.environment import NoTools, environment
from assay.targets.settings import PromptMessage
from tests.attached import PDF
from tests.cast import Project, case
from tests.endpoint import Body, Reply, as_json, completion, failure, serving, tool_call


def test_tools_are_executed_and_their_results_reach_the_product() -> None:
    """The product gets each tool's result under the id of its call, and its answer is the one that it gives then."""
    (found,) = play(refund_then_answer, case(1, turns=["one", "two"]))
    assert found.status == "ok"
    assert found.text == 'Done: {"refunded": 2}'
    assert [(one.name, one.arguments) for one in found.tool_calls] == [
        ("refund", '{"order": "one"}'),
        ("refund", '{"order": "two"}'),
    ]
    assert [message.role for message in found.messages] == ["user", "tool", "assistant"] * 2
    assert json.loads(found.final_state) == {"refunds": ["one", "two"]}


def test_contexts_and_tokens_are_summed() -> None:
    """Every reply of the conversation counts, tool calls included."""
    (found,) = play(refund_then_answer, case(1, turns=["one", "two"]))
    assert found.contexts == ["orders: known", "refunds: within 14 days"] * 2
    assert (found.prompt_tokens, found.completion_tokens) == (28, 12)


def test_the_product_sees_a_whole_conversation() -> None:
    """Each call carries the tools and all messages before it; a tool's result names the call that it answers."""
    bodies: list[Body] = []
    play(lambda body: bodies.append(body) or refund_then_answer(body))  # type: ignore[func-returns-value]
    assert bodies[1]["tools"] == TOOLS
    assert [message["role"] for message in bodies[1]["messages"]] == ["user", "assistant", "tool"]
    assert bodies[1]["messages"][1]["tool_calls"][0]["id"] == bodies[1]["messages"][2]["tool_call_id"] == "call-1"


def test_a_product_that_calls_tools_for_ever_has_failed_to_answer() -> None:
    """After the last reply that a turn may take the response is an error, with the calls that were made."""
    (found,) = play(lambda _: completion("", tool_calls=[tool_call("refund", '{"order": "x"}')]))
    assert (found.status, found.error_kind) == ("error", "malformed")
    assert str(MAX_STEPS) in found.error
    assert len(found.tool_calls) == MAX_STEPS


FUNCTION = {"name": "refund", "arguments": "{}"}


NO_CALLS: list[Any] = [None, "refund", 7, [], {}]


MALFORMED: list[Body] = [
    *({"tool_calls": [odd]} for odd in NO_CALLS),
    {"tool_calls": {"id": "1", "function": FUNCTION}},
    {"tool_calls": "refund"},
    {"tool_calls": [{"id": "1", "type": "function"}]},
    {"tool_calls": [{"id": "1", "function": None}]},
    {"tool_calls": [{"id": "1", "function": {"name": "refund"}}]},
    {"tool_calls": [{"id": "1", "function": {"arguments": "{}"}}]},
    {"tool_calls": [{"id": "1", "function": FUNCTION | {"arguments": {"order": "x"}}}]},
    {"tool_calls": [{"id": "1", "function": FUNCTION | {"name": None}}]},
    {"tool_calls": [{"id": "1", "function": FUNCTION | {"name": ""}}]},
    {"tool_calls": [{"function": FUNCTION}]},
    {"tool_calls": [{"id": None, "function": FUNCTION}]},
    {"contexts": "one text"},
    {"contexts": [{"text": "one"}]},
    {"contexts": 7},
    {"content": 7},
]


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_message_is_a_row(message: Body) -> None:
    """Whatever a product sends in place of tool calls, contexts or content gives an error row, never an exception."""
    (found,) = play(lambda _: completion(**({"content": "x"} | message)))
    assert (found.status, found.error_kind) == ("error", "malformed")
    assert found.error


def ended(content: str | None, reason: str) -> Reply:
    """Return a completion that ended for a reason."""
    return as_json({"choices": [{"message": {"content": content}, "finish_reason": reason}]})


@pytest.mark.parametrize("content", [None, ""])
def test_an_answer_that_says_nothing_is_an_answer(content: Any) -> None:
    """Neither text nor tool calls is what the product answered, with the reason that it gives for the end."""
    (found,) = play(lambda _: ended(content, "length"))
    assert (found.status, found.error_kind, found.text) == ("ok", "", "")
    assert (found.is_silent, found.finish_reason) == (True, "length")


def test_a_turn_without_an_answer_ends_the_conversation() -> None:
    """After an empty reply the user has nothing to go on from: no further turn is asked, and the answer is none."""
    asked: list[Body] = []

    def script(body: Body) -> Reply:
        asked.append(body)
        return completion(None if "Two" in str(body) else "Hello.")

    (found,) = play(script, case(1, turns=["One", "Two", "Three"]))
    assert (found.status, found.is_silent, found.text) == ("ok", True, "")
    assert "Three" not in str(asked)
    assert [one.content for one in found.messages] == ["One", "Hello.", "Two"]


@pytest.mark.parametrize("reason", ["content_filter", "safety"])
def test_what_a_filter_keeps_back_is_asked_once(reason: str) -> None:
    """A withheld answer is the product's, with its reason, and nobody pays for asking again."""
    asked: list[Body] = []
    (found,) = play(lambda body: asked.append(body) or ended(None, reason))  # type: ignore[func-returns-value]
    assert (found.status, found.finish_reason, len(asked)) == ("ok", reason, 1)


@pytest.mark.parametrize(
    "usage",
    [{"prompt_tokens": "7"}, {"prompt_tokens": -1}, {"completion_tokens": 1.5}, {"prompt_tokens": 10**30}, [7], "7"],
)
def test_a_malformed_usage_is_a_row(usage: Any) -> None:
    """Tokens that are no count are refused, not guessed."""
    reply = {"choices": [{"message": {"content": "hi"}}], "usage": usage}
    (found,) = play(lambda _: as_json(reply))
    assert (found.status, found.error_kind) == ("error", "malformed")
    assert "usage" in found.error


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}])
def test_no_usage_is_no_fault(usage: Any) -> None:
    """A product that counts no tokens has answered all the same."""
    (found,) = play(lambda _: as_json({"choices": [{"message": {"content": "hi"}}], "usage": usage}))
    assert (found.status, found.prompt_tokens) == ("ok", 0)


def test_a_refusal_is_an_answer() -> None:
    """A product that refuses in the field meant for it has answered: the user reads the refusal."""
    (found,) = play(lambda _: completion(None, refusal="I cannot help with that."))
    assert (found.status, found.text) == ("ok", "I cannot help with that.")
    assert found.finish_reason == "refusal"


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
@pytest.mark.parametrize("text", ["half \ud83d a character", "x" * 1_000_000, "\x00 {0} %s <b>", "\u202e\u0000"])
def test_hostile_texts_can_be_written(project: Project, text: str) -> None:
    """Lone surrogates, a megabyte and control characters reach the table, in the answer and in a tool's result."""

    class Echo(Till):
        def call(self, *_: str) -> str:
            return text

    def script(body: Body) -> Reply:
        is_told = body["messages"][-1]["role"] == "tool"
        return completion(text, contexts=[text], tool_calls=None if is_told else [tool_call(text[:99], text)])

    (found,) = play(script, world=Echo)
    assert found.status == "ok"
    assert len(found.text) == len(text)
    assert "\ud83d" not in found.model_dump_json()
    RESPONSES.write([found])
    assert RESPONSES.read() == [found]


PROMPT = [
    PromptMessage(role="system", content="You are Pantry Lane's assistant."),
    PromptMessage(role="user", content="Customer: {{turn}}"),
]


def test_the_prompt_opens_the_conversation() -> None:
    """The opening is sent once, each turn in the shape of the last message, and hostile text is never template."""
    bodies: list[Body] = []
    hostile = "{{turn}} {{ config }} {% raw %} {0} %s"
    turns = [hostile, "two"]
    (found,) = play(
        lambda body: bodies.append(body) or completion("hi"),  # type: ignore[func-returns-value]
        case(1, turns=turns),
        NoTools,
        messages=PROMPT,
        parameters={"temperature": 0.5, "seed": 7},
    )
    assert [message["content"] for message in bodies[1]["messages"]] == [
        "You are Pantry Lane's assistant.",
        f"Customer: {hostile}",
        "hi",
        "Customer: two",
    ]
    assert (bodies[0]["temperature"], bodies[0]["seed"]) == (0.5, 7)
    assert [message.content for message in found.messages] == [hostile, "hi", "two", "hi"]


def test_named_values_stand_where_the_prompt_has_them() -> None:
    """A value is filled into every message of the prompt, and is no template itself."""
    prompt = [
        PromptMessage(role="system", content="Answer in {{inputs.language}}, at most {{ inputs.limit }} lines."),
        PromptMessage(role="user", content="{{turn}} ({{inputs.language}}){{contexts}}"),
    ]
    asked: list[Body] = []

    def script(body: Body) -> Reply:
        asked.append(body)
        return completion("Ja.")

    of = case(1, turns=["one", "{{inputs.limit}}"], inputs={"language": "{{turn}}", "limit": 3}, contexts=["a", "b"])
    play(script, of, world=NoTools, messages=prompt)
    assert [message["content"] for message in asked[1]["messages"]] == [
        "Answer in {{turn}}, at most 3 lines.",
        "one ({{turn}})a\n\nb",
        "Ja.",
        "{{inputs.limit}} ({{turn}})a\n\nb",
    ]


def test_files_go_with_the_first_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The parts stand in the last message of the prompt, after its text, and the turns after it are texts."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.pdf").write_bytes(PDF)
    one = attachments.identify(tmp_path / "a.pdf", "here")
    attachments.keep({one: tmp_path / "a.pdf"})
    bodies: list[Body] = []
    (found,) = play(
        lambda body: bodies.append(body) or completion("hi"),  # type: ignore[func-returns-value]
        case(1, turns=["one", "two"], attachments=[one]),
        NoTools,
        messages=PROMPT,
    )
    contents = [message["content"] for message in bodies[1]["messages"]]
    assert contents[1] == [{"type": "text", "text": "Customer: one"}, attachments.part(one)]
    assert [isinstance(content, str) for content in contents] == [True, False, True, True]
    assert [message.content for message in found.messages] == ["one", "hi", "two", "hi"]


def test_a_declared_tool_is_called_and_not_executed() -> None:
    """Tools that only the parameters name are offered; a turn ends with the calls, and a next turn can follow."""
    bodies: list[Body] = []

    def script(body: Body) -> Reply:
        bodies.append(body)
        return completion("", tool_calls=[tool_call("refund", "{}")])

    (found,) = play(script, case(1, turns=["one", "two"]), NoTools, tools=TOOLS)
    assert bodies[0]["tools"] == TOOLS
    assert [message["role"] for message in bodies[1]["messages"]] == ["user", "assistant", "tool", "user"]
    assert (found.status, found.text) == ("ok", "")
    assert [(one.name, one.failed) for one in found.tool_calls] == [("refund", False)] * 2


def test_declared_tools_are_executed_by_the_environment() -> None:
    """With an environment the declared tools replace its descriptions, and the environment executes them."""
    other = [{"type": "function", "function": {"name": "refund", "description": "another wording"}}]
    bodies: list[Body] = []
    (found,) = play(
        lambda body: bodies.append(body) or refund_then_answer(body),  # type: ignore[func-returns-value]
        case(1, turns=["one"]),
        tools=other,
    )
    assert bodies[0]["tools"] == other
    assert json.loads(found.final_state) == {"refunds": ["one"]}


def test_the_last_finish_reason_is_kept() -> None:
    """The response says why the last answer ended, in the endpoint's words, and nothing where nobody says."""
    cut = {"choices": [{"message": {"content": "hi"}, "finish_reason": "length"}]}
    silent = {"choices": [{"message": {"content": "hi"}}]}
    assert play(lambda _: as_json(cut), world=NoTools)[0].finish_reason == "length"
    assert play(lambda _: as_json(silent), world=NoTools)[0].finish_reason == ""


def test_latency_is_the_clock_s() -> None:
    """Durations come from the clock of the call: a constant one gives equal rows on every run."""

    async def played(url: str) -> Response:
        async with Chat(Endpoint(base_url=url, model="support-2", api_key=""), LIMITS) as chat:
            target = ChatTarget(Product(name="support"), chat, deadline_s=5)
            with metering(Meter(clock=lambda: 7.0)):
                return await target.respond(case(1), 0, "2026-11-02")

    with serving(lambda _: completion("hi")) as served:
        assert asyncio.run(played(served.url)).latency_s == 0


def test_waiting_is_not_the_product_s_latency() -> None:
    """An overload, the wait that it asks for, and the wait for a free place are not in the latency of the answer."""
    limits = Limits(concurrency=1, deadline_s=5, max_retries=1)
    script = iter([failure(503, retry_after_ms="700"), *[replace(completion("hi"), delay_s=0.1)] * 3])

    async def one(target: ChatTarget, number: int) -> Response:
        with metering(Meter()):
            return await target.respond(case(number), 0, "2026-11-02")

    async def played(url: str) -> list[Response]:
        async with Chat(Endpoint(base_url=url, model="support-2", api_key=""), limits) as chat:
            target = ChatTarget(Product(name="support"), chat, deadline_s=5)
            return await asyncio.gather(*(one(target, number) for number in range(3)))

    with serving(lambda _: next(script)) as served:
        found = asyncio.run(played(served.url))
    assert all(0.1 <= response.latency_s < 0.35 for response in found)


CHANGES: list[dict[str, Any]] = [
    {"messages": PROMPT},
    {"messages": PROMPT[1:]},
    {"parameters": {"temperature": 0.5}},
    {"tools": TOOLS},
    {"version": "2.1"},
    {"world": Till},
    {"name": "other"},
]


def test_the_fingerprint_covers_the_product() -> None:
    """Prompt, parameters, tools, version and name each change it; the same product has the same one."""

    def fingerprint(**changes: Any) -> str:
        chat = Chat(Endpoint(base_url="http://127.0.0.1:9/v1", model="support-2", api_key=""), LIMITS)
        return ChatTarget(Product(**({"name": "support"} | changes)), chat, deadline_s=5).fingerprint

    found = [fingerprint(), *(fingerprint(**change) for change in CHANGES)]
    assert len(set(found)) == len(found)
    assert fingerprint() == found[0]
    assert found[0].startswith("support@support-2-")
    assert fingerprint(version="2.1").startswith("support@2.1-")


def test_every_name_that_the_product_gives_itself_is_kept() -> None:
    """A product that is replaced during a run is seen: the target knows both names."""

    async def played(url: str) -> set[str]:
        async with Chat(Endpoint(base_url=url, model="support-2", api_key=""), LIMITS) as chat:
            target = ChatTarget(Product(name="support"), chat, deadline_s=5)
            await target.respond(case(1), 0, "2026-11-02")
            await target.respond(case(2), 0, "2026-11-02")
            return target.reported

    script = iter([completion("hi", model="support-2.0"), completion("hi", model="support-2.1")])
    with serving(lambda _: next(script)) as served:
        assert asyncio.run(played(served.url)) == {"support-2.0", "support-2.1"}


def test_a_failure_in_a_later_turn_keeps_what_was_said() -> None:
    """The messages before the failure stay on the row, so that a person sees how far it came."""

    def script(body: Body) -> Reply:
        return completion("one") if body["messages"][-1]["content"] == "a" else failure(500, "down")

    (found,) = play(script, case(1, turns=["a", "b", "c"]), NoTools)
    assert (found.error_kind, [message.content for message in found.messages]) == ("server", ["a", "one", "b"])


def test_a_wrong_key_is_no_row() -> None:
    """What would fail alike for every case ends the run."""
    with pytest.raises(EndpointError):
        play(lambda _: failure(401))


def test_a_product_without_tools_is_sent_none() -> None:
    """Without an environment the request has no tools, and an invented call is answered that there is no such tool."""
    bodies: list[Body] = []

    def script(body: Body) -> Reply:
        bodies.append(body)
        return completion("ok") if len(bodies) > 1 else completion("", tool_calls=[tool_call("rm", "{}")])

    (found,) = play(script, world=environment(""))
    assert "tools" not in bodies[0]
    assert bodies[1]["messages"][-1]["content"] == '{"error": "unknown tool rm"}'
    assert (found.status, found.final_state) == ("ok", "{}")
