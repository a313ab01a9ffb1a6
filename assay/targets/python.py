"""The product that is a function: `def answer(messages: list[dict], **context) -> str | dict`, plain or async.

`messages` is the conversation so far in OpenAI's roles, the user's turn last. The context is `conversation_id`, new for
every conversation, `trial`, `inputs`, the case's named values, `contexts`, its documents, and `attachments`, its files
with `name`, `type` and `data` in Base64; a function gets what of it it takes. It returns a text, or an object with
`text`, `tool_calls`, `contexts`, `usage`, `finish_reason`, `version` and `final_state`, each of which may be left out.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

from assay.models import usage
from assay.models.limits import Price
from assay.records.case import Case
from assay.records.record import digest
from assay.targets import files, reply
from assay.targets.conversation import Conversing, Transcript, User
from assay.targets.settings import PythonSettings
from assay.targets.workers import FunctionVersion, Workers


class PythonTarget(Conversing):
    """One version of the function; its fingerprint is its name, version and the hash of its code and data."""

    def __init__(
        self,
        settings: PythonSettings,
        workers: Workers,
        version: FunctionVersion,
        *,
        price: Price | None = None,
        user: User | None = None,
        new_id: Callable[[], str] = lambda: uuid4().hex,
    ) -> None:
        """Describe the target; nothing is called yet.

        Args:
            settings: Which function.
            workers: The processes that run it, open.
            version: What they found it to be.
            price: What its tokens cost, when it says how many there were.
            user: Plays the simulated users.
            new_id: Makes the identifier of a conversation.
        """
        self._workers, self._price, self._new_id = workers, price, new_id
        name = settings.version or version.name or settings.function
        hash_ = digest([settings.function, name, version.source])[:8]
        is_known, is_priced = version.is_known or bool(settings.version.strip()), price is not None
        called = settings.version or f"{name}-{hash_}"
        fingerprint = f"{settings.name}@{name}-{hash_}"
        super().__init__(fingerprint, version=called, is_version_known=is_known, user=user, is_priced=is_priced)

    @property
    def is_version_known(self) -> bool:
        """Tell whether the version is known; not any more once an undeclared file was read."""
        return super().is_version_known and not self._workers.undeclared

    @property
    def undeclared(self) -> list[str]:
        """Return files that the function was seen to read and `data` does not declare, as seen from `root`, sorted."""
        return sorted(self._workers.undeclared)

    @asynccontextmanager
    async def talk(self, transcript: Transcript, case: Case, trial: int) -> AsyncIterator["_Talk"]:
        """Begin a conversation under a new identifier."""
        given = {"inputs": case.values(), "contexts": case.contexts, "attachments": files.listed(case.attachments)}
        context = {"conversation_id": self._new_id(), "trial": trial, **given}
        yield _Talk(self._workers, transcript, context, self._price)


class _Talk:
    """One conversation: every turn is a call with all that was said before."""

    def __init__(self, workers: Workers, transcript: Transcript, context: dict[str, Any], price: Price | None) -> None:
        self._workers, self._transcript, self._context, self._price = workers, transcript, context, price

    async def say(self, turn: str) -> None:  # noqa: ARG002 - it is the last message of the transcript
        """Call the function with the conversation so far and take down what it returns."""
        used = usage.current()
        used.purse.require()
        used.requests += 1
        said = reply.read(await self._workers.call(self._transcript.history(), self._context))
        used.pay(said.prompt_tokens, said.completion_tokens, self._price)
        self._transcript.take(said)

    async def end(self) -> None:
        """Do nothing: whatever the function says of its world it has said already."""
