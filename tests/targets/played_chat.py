"""Playing a case against a scripted chat product with a till, for the tests of the chat target."""

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from typing import Any

from assay.models.chat import Chat, Endpoint
from assay.models.limits import Limits
from assay.records.case import Case
from assay.records.response import Response
from assay.targets.chat import ChatTarget, Product
from tests.cast import case
from tests.endpoint import Body, Reply, Script, completion, serving, tool_call

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


LIMITS = Limits(concurrency=16, deadline_s=5, max_retries=0, patience_s=3)


def play(
    script: Script,
    of: Case | None = None,
    world: Callable[[], Any] = Till,
    trials: int = 1,
    deadline_s: float = 5,
    **product: Any,
) -> list[Response]:
    """Play a case against a scripted product, once a trial."""

    async def played(url: str) -> list[Response]:
        async with Chat(Endpoint(base_url=url, model="support-2", api_key=""), LIMITS) as chat:
            asked = Product(name="support", world=world, **product)
            with closing(ChatTarget(asked, chat, deadline_s=deadline_s)) as target:
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
