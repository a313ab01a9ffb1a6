"""A conversation that was cut short is not paid for again: what it had been told already is in the journal.

A call is a whole conversation, and it is in the journal when it has ended. The replies before its last one are kept
one by one, each before the next request is sent; so a run that was killed asks again only what was in flight.
"""

import json
from typing import Any

from assay.models import usage
from assay.models.chat import Asks, reply_usage
from assay.models.journal import Journal
from assay.models.limits import Price
from assay.models.usage import Meter
from assay.records.record import digest

PREFIX = "turn:"


class Turns:
    """A chat endpoint that remembers what it said earlier in the same call (`Meter.key`), also to an earlier run."""

    def __init__(self, chat: Asks, journal: Journal, price: Price | None) -> None:
        """Look whether any conversation was ever cut short; if none was, nothing needs to be looked up.

        Args:
            chat: Asked what is not known.
            journal: Where replies are kept.
            price: What tokens cost: a run that goes on books what the one before it had paid.
        """
        self.endpoint = chat.endpoint
        self._chat, self._journal, self._price = chat, journal, price
        self._has_any = journal.has_any(PREFIX)

    async def complete(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAI's parameters
        """Return the reply; see `Chat.complete`."""
        used = usage.current()
        key, used.turn = f"{PREFIX}{used.key}:{used.turn}", used.turn + 1
        known = self._journal.get(key) if self._has_any else None
        if known and (reply := self._remembered(json.loads(known), request, used)) is not None:
            return reply
        if used.last_turn:
            await self._keep(*used.last_turn)
        reply = await self._chat.complete(**request)
        used.last_turn = (key, request | {"messages": list(request["messages"])}, reply)
        return reply

    def vouch(self, request: dict[str, Any]) -> None:
        """Let it count as an endpoint that has answered a request; see `Chat.vouch`."""
        self._chat.vouch(request)

    def _remembered(self, known: dict[str, Any], request: dict[str, Any], used: Meter) -> dict[str, Any] | None:
        if known["asked"] != digest(request):
            return None
        reply: dict[str, Any] = known["reply"]
        counted = reply_usage(reply)
        used.pay(counted.prompt_tokens, counted.completion_tokens, self._price)
        return reply

    async def _keep(self, key: str, request: dict[str, Any], reply: dict[str, Any]) -> None:
        await self._journal.put(key, json.dumps({"asked": digest(request), "reply": reply}))
