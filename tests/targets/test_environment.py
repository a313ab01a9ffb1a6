"""The environment of a product's tools: the project's own code, which may raise, block or return garbage."""

import asyncio
import json
import sqlite3
import threading
from typing import Any

import pytest
from played_chat import LIMITS, Till, play, refund_then_answer

from assay.errors import CallError, ConfigError, EndpointError
from assay.models.chat import Chat, Endpoint
from assay.records.response import Response
from assay.targets.chat import ChatTarget, Product
from assay.targets.environment import Worlds, environment
from tests.cast import case
from tests.endpoint import completion, serving, tool_call


def test_each_trial_has_a_world_of_its_own() -> None:
    """What one trial does is not there in the next."""
    found = play(refund_then_answer, trials=3)
    assert [one.final_state for one in found] == [found[0].final_state] * 3
    assert [one.trial for one in found] == [0, 1, 2]


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


@pytest.mark.parametrize(
    ("result", "failed"),
    [
        ('{"error": {"code": "too_late"}}', True),
        ('{"error": null}', True),
        ('{"refunded": 1}', False),
        ('["error"]', False),
        ('"error"', False),
        ('{"error": ' + "[" * 100_000, False),
        ("no JSON", False),
        ("", False),
    ],
)
def test_a_call_that_failed_is_marked(result: str, failed: bool) -> None:  # noqa: FBT001 - the table's column
    """A call failed when the tool answered with an object that has `error`, and only then; the run goes on."""

    class Answering(Till):
        def call(self, *_: str) -> str:
            return result

    (found,) = play(refund_then_answer, world=Answering)
    assert found.status == "ok"
    assert [one.failed for one in found.tool_calls] == [failed]


@pytest.mark.parametrize(
    "fault", [ValueError("no\nway {0} \ud800"), SystemExit(3), StopIteration(), KeyboardInterrupt()]
)
def test_a_world_that_raises_costs_one_case(fault: BaseException) -> None:
    """Whatever the environment raises is a crash of that case with the call marked, on one line that can be written."""

    class Raising(Till):
        def call(self, *_: str) -> str:
            raise fault

    first, second = play(refund_then_answer, world=Raising, trials=2)
    assert (first.error_kind, [one.failed for one in first.tool_calls]) == ("crash", [True])
    assert type(fault).__name__ in first.error
    assert "\n" not in first.error
    assert first.error.encode()
    assert second.error == first.error


class Blocking(Till):
    """A world that never answers one of its calls."""

    released = threading.Event()

    def call(self, name: str, arguments: str) -> str:
        """Wait for the end of the test when asked to."""
        if "block" in arguments:
            self.released.wait(30)
        return super().call(name, arguments)


def test_a_world_that_blocks_costs_one_case_and_stalls_nobody() -> None:
    """A call that does not return is a crash after the deadline; the cases beside and after it get their answers."""
    with serving(refund_then_answer) as served:

        async def played() -> list[Response]:
            async with Chat(Endpoint(base_url=served.url, model="support-2", api_key=""), LIMITS) as chat:
                target = ChatTarget(Product(name="support", world=Blocking), chat, deadline_s=1)
                cases = [case(1, turns=["block"]), case(2, turns=["one"]), case(3, turns=["block"])]
                found = await asyncio.gather(*(target.respond(one, 0, "2026-11-02") for one in cases))
                found.append(await target.respond(case(4, turns=["two"]), 0, "2026-11-02"))
                target.close()
                return found

        found = asyncio.run(played())
    Blocking.released.set()
    assert [one.error_kind for one in found] == ["crash", "", "crash", ""]
    assert "did not answer within 1 s" in found[0].error
    assert max(found[1].latency_s, found[3].latency_s) < 0.9


def test_a_world_that_always_blocks_ends_the_run() -> None:
    """When so many calls never returned, the environment is named once instead of in every row."""
    Blocking.released.clear()
    worlds = Worlds(Blocking, deadline_s=0.05, most_lost=2)

    async def look() -> None:
        async with worlds.fresh() as world:
            await world.call("refund", '{"order": "block"}')

    for fault in (CallError, CallError, EndpointError):
        with pytest.raises(fault, match="the environment"):
            asyncio.run(look())
    Blocking.released.set()


@pytest.mark.parametrize("garbage", [None, 7, b"bytes", {"a": 1}, "x" * (8 * 1024 * 1024 + 1)])
def test_a_world_that_returns_garbage_is_a_row(garbage: Any) -> None:
    """A result that is no text, or an endless one, is a crash of that case."""

    class Odd(Till):
        def call(self, *_: str) -> Any:
            return garbage

    (found,) = play(refund_then_answer, world=Odd)
    assert (found.error_kind, [one.failed for one in found.tool_calls]) == ("crash", [True])


def test_a_world_lives_on_one_thread() -> None:
    """An environment with a database connection works: what it opens it also uses and closes on the same thread."""

    class Database(Till):
        def __init__(self) -> None:
            super().__init__()
            self.rows = sqlite3.connect(":memory:")

        def call(self, *_: str) -> str:
            return json.dumps(self.rows.execute("select 1").fetchone())

        def state(self) -> dict[str, Any]:
            self.rows.close()
            return {}

    found = play(refund_then_answer, case(1, turns=["one", "two"]), Database, trials=3)
    # The world that was asked for its tools only is never used again.
    assert [one.error for one in found] == [""] * 3


def test_a_world_that_cannot_say_its_tools_is_refused() -> None:
    """Tools that are no JSON, or an environment that cannot be made, are told before anything is asked."""

    class Odd(Till):
        tools = [{"function": {1, 2}}]  # noqa: RUF012 - the fault under test

    with pytest.raises(ConfigError, match="its tools cannot be read"):
        play(lambda _: completion("hi"), world=Odd)


@pytest.mark.parametrize("module", ["no.such.module", "json", "assay.errors"])
def test_a_module_without_an_environment_is_named(module: str) -> None:
    """A parameter that names no environment is refused with what was found."""
    with pytest.raises(ConfigError, match=f"execute.target.environment is '{module}'"):
        environment(module)
