"""The product behind a chat endpoint: its tools are executed in a fresh world, and no reply of it can break the run."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from assay.clients.chat import Chat, Endpoint
from assay.errors import ConfigError, EndpointError
from assay.records import Case, Response
from assay.targets.chat import MAX_STEPS, ChatTarget, NoTools, environment
from tasks import store
from tests.cast import Project, case
from tests.endpoint import Body, Reply, Script, as_json, completion, failure, serving, tool_call

TOOLS = [{"type": "function", "function": {"name": "refund", "parameters": {"type": "object"}}}]


class Till:
    """A world with one tool; what is in it can be seen from outside."""

    tools = TOOLS

    def __init__(self) -> None:
        """Start with nothing refunded."""
        self.refunds: list[str] = []

    def call(self, name: str, arguments: str) -> str:  # noqa: ARG002 - the protocol's signature
        """Refund what is asked."""
        self.refunds.append(json.loads(arguments)["order"])
        return json.dumps({"refunded": len(self.refunds)})

    def state(self) -> dict[str, Any]:
        """Return what was refunded."""
        return {"refunds": self.refunds}


def play(script: Script, of: Case | None = None, world: Callable[[], Any] = Till, trials: int = 1) -> list[Response]:
    """Play a case against a scripted product, once a trial."""

    async def played(url: str) -> list[Response]:
        async with Chat(Endpoint(base_url=url, model="support-2", api_key=""), deadline_s=5, max_retries=0) as chat:
            target = ChatTarget("support", chat, world)
            return [await target.respond(of or case(1), trial, "2026-11-02") for trial in range(trials)]

    with serving(script) as served:
        return asyncio.run(played(served.url))


def refund_then_answer(body: Body) -> Reply:
    """Ask for one refund a turn, then say what the tool said."""
    last = body["messages"][-1]
    if last["role"] == "tool":
        return completion(f"Done: {last['content']}", contexts=["refunds: within 14 days"])
    arguments = json.dumps({"order": last["content"]})
    return completion(None, tool_calls=[tool_call("refund", arguments)], contexts=["orders: known"])


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


def test_each_trial_has_a_world_of_its_own() -> None:
    """What one trial does is not there in the next."""
    found = play(refund_then_answer, trials=3)
    assert [one.final_state for one in found] == [found[0].final_state] * 3
    assert [one.trial for one in found] == [0, 1, 2]


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
    {"content": None},
    {"content": ""},
]


@pytest.mark.parametrize("message", MALFORMED)
def test_a_malformed_message_is_a_row(message: Body) -> None:
    """Whatever a product sends in place of tool calls, contexts or content gives an error row, never an exception."""
    (found,) = play(lambda _: completion(**({"content": "x"} | message)))
    assert (found.status, found.error_kind) == ("error", "malformed")
    assert found.error


@pytest.mark.parametrize("usage", [{"prompt_tokens": "7"}, {"prompt_tokens": -1}, {"completion_tokens": 1.5}, [7], "7"])
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
    store.write("responses", [found])
    assert store.read("responses", Response) == [found]


@pytest.mark.parametrize("arguments", ["not JSON", "[]", "{}", "null", '{"order": ' + "[" * 100_000])
def test_a_world_that_cannot_bear_an_argument_is_a_row(arguments: str) -> None:
    """When the project's environment raises on what a product invented, that case is a crash and the run goes on."""
    (found,) = play(lambda _: completion("", tool_calls=[tool_call("refund", arguments)]))
    assert (found.status, found.error_kind) == ("error", "crash")
    assert "the environment raised" in found.error
    assert [one.arguments for one in found.tool_calls] == [arguments]


def test_a_state_that_is_no_json_is_a_row() -> None:
    """An environment that cannot say its state is a crash of that case."""

    class Odd(Till):
        def state(self) -> dict[str, Any]:
            return {"refunds": {1, 2}}

    (found,) = play(lambda _: completion("hi"), world=Odd)
    assert (found.error_kind, found.final_state) == ("crash", "{}")


def test_a_failure_in_a_later_turn_keeps_what_was_said() -> None:
    """The messages before the failure stay on the row, so that a person sees how far it came."""
    script = iter([completion("one"), failure(500, "down")])
    (found,) = play(lambda _: next(script), case(1, turns=["a", "b", "c"]), NoTools)
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


@pytest.mark.parametrize("module", ["no.such.module", "json", "assay.errors"])
def test_a_module_without_an_environment_is_named(module: str) -> None:
    """A parameter that names no environment is refused with what was found."""
    with pytest.raises(ConfigError, match=f"execute.target.environment is '{module}'"):
        environment(module)
