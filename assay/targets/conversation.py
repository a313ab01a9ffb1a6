"""Holding a conversation with a product: the case's turns first, then its simulated user, whatever the product is."""

from abc import ABC, abstractmethod
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from assay.errors import CallError, ConfigError, EmptyReplyError
from assay.models import usage
from assay.records.case import Case, SimulatedUser
from assay.records.response import MadeCall, Message, Response
from assay.targets.reply import Reply

MOST_OF_A_VERSION = 80
"""Characters that are kept of what a product calls itself."""


class Target(Protocol):
    """A product under test, whatever its kind."""

    fingerprint: str
    """Who is asked: `name@version-hash`; the same on every night until the product, its prompt or its tools change."""
    version: str
    """What a person calls the version: as declared, as the product told it, or the hash that stands for it; it may be
    empty where none is known."""
    reported: set[str]
    """Every version that the product has called itself in its replies; two of them are a release during the run."""

    @property
    def is_version_known(self) -> bool:
        """Tell whether another version would have another fingerprint; only then may answers be kept for later."""

    @property
    def undeclared(self) -> list[str]:
        """Return files that the product was seen to read and does not declare, as seen from its folder, sorted."""

    async def respond(self, case: Case, trial: int, epoch: str) -> Response:
        """Play a case against the product; a failed call gives a response with status `error`, never a CallError."""


class User(Protocol):
    """Whoever says what a simulated user says next."""

    fingerprint: str

    async def next(self, who: SimulatedUser, said: list[Message]) -> str | None:
        """Return the next message, or None when the user ends the conversation."""


@dataclass(kw_only=True)
class Transcript:
    """One conversation as far as it has come; it outlives a failure, so that a person sees how far that was."""

    messages: list[Message] = field(default_factory=list)
    tool_calls: list[MadeCall] = field(default_factory=list)
    contexts: list[str] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    finish_reason: str = ""
    final_state: str = "{}"
    version: str = ""
    is_silent: bool = False

    def hear(self, turn: str) -> None:
        """Take down what the user says."""
        self.messages.append(Message(role="user", content=turn))

    def take(self, reply: Reply) -> None:
        """Take down what the product says."""
        if reply.text:
            self.messages.append(Message(role="assistant", content=reply.text))
        self.tool_calls += reply.tool_calls
        self.contexts += reply.contexts
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        self.finish_reason = reply.finish_reason
        self.version = reply.version or self.version
        self.final_state = reply.final_state or self.final_state

    def take_nothing(self, finish_reason: str) -> None:
        """Take down that the product was asked and says nothing."""
        self.is_silent, self.finish_reason = True, finish_reason

    @property
    def text(self) -> str:
        """The product's last words in the last turn; empty when it has said nothing there."""
        last = next((said for said in reversed(self.messages) if said.role != "tool"), None)
        return last.content if last and last.role == "assistant" else ""

    def history(self) -> list[dict[str, str]]:
        """Return who said what, in OpenAI's roles, without the tools' results."""
        return [said.model_dump() for said in self.messages if said.role != "tool"]

    def outcome(self) -> dict[str, Any]:
        """Return the fields of the response that the conversation decides."""
        names = (
            "messages",
            "tool_calls",
            "contexts",
            "prompt_tokens",
            "completion_tokens",
            "finish_reason",
            "is_silent",
        )
        return {name: getattr(self, name) for name in names} | {"text": self.text, "final_state": self.final_state}


class Talk(Protocol):
    """One conversation with one product, from its first turn on."""

    async def say(self, turn: str) -> None:
        """Say one thing and take down in the transcript what the product answers; raises CallError when it fails."""

    async def end(self) -> None:
        """Look at the world that the conversation leaves behind; raises CallError when that fails."""


class _SilenceError(Exception):
    """The product said nothing to a turn; nothing that anybody else leaves unsaid is one."""


async def _say(talk: Talk, transcript: Transcript, turn: str) -> None:
    transcript.hear(turn)
    try:
        await talk.say(turn)
    except EmptyReplyError as error:
        transcript.take_nothing(error.finish_reason)
        raise _SilenceError from error


class Conversing(ABC):
    """A target that holds conversations; a kind of product only has to say how one turn is asked."""

    def __init__(
        self,
        fingerprint: str,
        *,
        version: str,
        is_version_known: bool,
        user: User | None = None,
        is_priced: bool = False,
    ) -> None:
        """Describe the target; nothing is asked yet.

        Args:
            fingerprint: Who is asked.
            version: What a person calls its version.
            is_version_known: Would another version have another fingerprint?
            user: Who plays the simulated users of cases that have one; it becomes part of the fingerprint.
            is_priced: Is it declared what an answer costs?
        """
        self.fingerprint = f"{fingerprint}+{user.fingerprint}" if user else fingerprint
        self.version = version
        self.reported: set[str] = set()
        self._is_version_known, self._user, self._is_priced = is_version_known, user, is_priced

    @property
    def is_version_known(self) -> bool:
        """Tell whether the version is known: declared, told by the product, or read from its files."""
        return self._is_version_known

    @property
    def undeclared(self) -> list[str]:
        """Return no file: what a product elsewhere reads is not seen."""
        return []

    @abstractmethod
    def talk(self, transcript: Transcript, case: Case, trial: int) -> AbstractAsyncContextManager[Talk]:
        """Begin a conversation, and give back what it holds when the block ends."""

    async def respond(self, case: Case, trial: int, epoch: str) -> Response:
        """Play a case's turns, then its simulated user, against the product; an empty reply is its last.

        Raises:
            EndpointError: No call can succeed.
            ConfigError: The case has a simulated user and nobody plays it.
        """
        transcript = Transcript()
        error_kind = error_text = ""
        used = usage.current()
        started, waited_s = used.clock(), used.waited_s
        try:
            async with self.talk(transcript, case, trial) as talk:
                await self._converse(talk, transcript, case)
        except CallError as error:
            error_kind, error_text = error.kind, str(error)
        if transcript.version:
            self.reported.add(transcript.version[:MOST_OF_A_VERSION])
        return Response(
            case_id=case.case_id,
            revision=case.revision(),
            target=self.fingerprint,
            trial=trial,
            epoch=epoch,
            status="error" if error_kind else "ok",
            error_kind=error_kind,
            error=error_text,
            latency_s=round(max(0.0, used.clock() - started - (used.waited_s - waited_s)), 4),
            cost_usd=used.cost_usd if self._is_priced else None,
            **transcript.outcome(),
        )

    async def _converse(self, talk: Talk, transcript: Transcript, case: Case) -> None:
        try:
            for turn in case.turns:
                await _say(talk, transcript, turn)
            if case.user:
                await self._go_on(talk, transcript, case.case_id, case.user)
        except _SilenceError:
            pass  # it is an answer, taken down as such
        await talk.end()

    async def _go_on(self, talk: Talk, transcript: Transcript, case_id: str, who: SimulatedUser) -> None:
        if self._user is None:
            raise ConfigError(
                f"case {case_id} has a simulated user and params.yaml has no model to play it: set `user` of execute"
            )
        for _ in range(who.max_turns):
            turn = await self._next(self._user, who, transcript)
            if turn is None:
                return
            await _say(talk, transcript, turn)

    async def _next(self, user: User, who: SimulatedUser, transcript: Transcript) -> str | None:
        """Return what the user says next; how long that takes is not the product's."""
        used = usage.current()
        began, waited_s = used.clock(), used.waited_s
        turn = await user.next(who, transcript.messages)
        used.waited_s = waited_s + used.clock() - began
        return turn
