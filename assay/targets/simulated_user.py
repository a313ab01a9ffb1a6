"""The simulated user: a model that says what a person with a goal would say next, or ends the conversation.

What the product wrote is data here too: it stands between delimiters that no text can close.
"""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, nullcontext
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from assay.errors import CallError
from assay.judges.delimiters import neutralise
from assay.models import endpoints, process
from assay.models.chat import Chat, Endpoint
from assay.models.limits import Limits, Price
from assay.records.case import SimulatedUser
from assay.records.record import digest
from assay.records.response import Message
from assay.reply_text import bare

SECTIONS = ("goal", "persona", "stop", "conversation")
SEGMENT = "segment"
"""The delimiter around each message of the conversation."""
SPEAKERS = {"user": "you", "assistant": "product"}
ATTEMPTS = 2
"""A reply that cannot be read is asked for once more."""
MOST_CHARACTERS = 20_000
"""Of one message; no person writes more."""
EMBEDDED_URL = f"http://127.0.0.1:{process.PORT}/v1"
EMBEDDED = ("python", "-m", "assay.models.embedded", "--port", process.PORT)
"""Served without labels: the lexical user needs none, and asking a product must not depend on them."""
RESOURCES = ("user.md",)
CHILDREN = ("assay.models.embedded.user",)
"""Of the embedded models, what can move an answer here is the lexical user alone."""
_INSTRUCTIONS = resources.files("assay.targets").joinpath("user.md").read_text(encoding="utf-8")

_SCHEMA = {
    "type": "object",
    "properties": {"message": {"type": "string"}, "done": {"type": "boolean"}},
    "required": ["message", "done"],
    "additionalProperties": False,
}
RESPONSE_FORMAT = {"type": "json_schema", "json_schema": {"name": "turn", "strict": True, "schema": _SCHEMA}}


class Player(endpoints.Model):
    """The model that plays simulated users, and what it costs."""

    price: Price | None = None


class Turn(BaseModel):
    """What the simulated user answers."""

    model_config = ConfigDict(extra="forbid", strict=True)

    message: str
    done: bool


class ChatUser:
    """A simulated user that a chat model plays."""

    def __init__(self, chat: Chat) -> None:
        """Describe who plays; nothing is asked yet."""
        self._chat = chat
        model = chat.endpoint.model
        self.fingerprint = f"user-{model}-{digest([model, _INSTRUCTIONS, RESPONSE_FORMAT])[:8]}"

    async def next(self, who: SimulatedUser, said: list[Message]) -> str | None:
        """Return the next message, or None when the user ends the conversation.

        Raises:
            CallError: The model did not answer, or twice in no way that can be read.
        """
        request: dict[str, Any] = {"messages": render(who, said), "temperature": 0, "response_format": RESPONSE_FORMAT}
        for attempt in range(1, ATTEMPTS + 1):
            try:
                turn = parse(await self._answer(request))
                break
            except ValueError as error:
                if attempt == ATTEMPTS:
                    raise CallError("malformed", f"the simulated user's reply is no turn: {error}") from error
        return None if turn.done else turn.message

    async def _answer(self, request: dict[str, Any]) -> str:
        try:
            reply = await self._chat.complete(**request)
        except CallError as error:
            raise CallError(error.kind, f"the simulated user: {error}") from error
        return str(reply["choices"][0]["message"]["content"] or "")


@asynccontextmanager
async def playing(
    model: Player | None, environ: Mapping[str, str], *, limits: Limits
) -> AsyncIterator[ChatUser | None]:
    """Yield who plays the simulated users: the user's own model, or the embedded one, served meanwhile; or nobody.

    Raises:
        EndpointError: The model cannot be asked, or the embedded one does not start.
    """
    if model is None:
        yield None
        return
    is_hosted = endpoints.is_hosted(environ)
    with nullcontext("") if is_hosted else process.running(EMBEDDED_URL, EMBEDDED) as address:
        endpoint = endpoints.hosted(model, environ)
        if not is_hosted:
            endpoint = Endpoint(base_url=address, model=model.embedded, api_key="")
        async with Chat(endpoint, limits.model_copy(update={"price": model.price})) as chat:
            yield ChatUser(chat)


def render(who: SimulatedUser, said: list[Message]) -> list[dict[str, str]]:
    """Return the messages that ask for the next turn; tools' results are not shown, for no user sees them."""
    names = (*SECTIONS, SEGMENT)
    parts = [
        f"<{SEGMENT}>\n{SPEAKERS[one.role]}: {neutralise(one.content, names)}\n</{SEGMENT}>"
        for one in said
        if one.role in SPEAKERS
    ]
    texts = {"goal": who.goal, "persona": who.persona or "writes plainly", "stop": who.stop}
    sections = {name: neutralise(text, names) for name, text in texts.items()} | {"conversation": "\n".join(parts)}
    shown = "\n".join(f"<{name}>\n{sections[name]}\n</{name}>" for name in SECTIONS)
    return [{"role": "system", "content": _INSTRUCTIONS.strip()}, {"role": "user", "content": shown}]


def parse(text: str) -> Turn:
    """Return the turn that a reply tells; only a JSON object is read, with what may stand around a reply.

    Raises:
        ValueError: It is none, or a message that is empty or endless.
    """
    try:
        turn = Turn.model_validate(json.loads(bare(text)))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'it'}: {first['msg']}: {text[:100]!r}") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if not turn.done and not 0 < len(turn.message.strip()) <= MOST_CHARACTERS:
        found = f"a message of {len(turn.message)} characters"
        raise ValueError(f"found {found}, expected 1 to {MOST_CHARACTERS}")
    return turn
