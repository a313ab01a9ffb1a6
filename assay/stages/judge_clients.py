"""Panel: which models judge, who answers under their names today, and what has each of them said?

One model is the common case; several are asked every question, and the majority counts (assay/judges/ensemble.py).
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, NamedTuple

import orjson
from pydantic import Field

from assay.errors import CallError, EndpointError
from assay.judges import ensemble, prompt, questions
from assay.judges.questions import AGAIN, Manner, Question, Structured, Texts
from assay.models import endpoints
from assay.models.cached_reply import said
from assay.models.chat import Asks, Endpoint
from assay.models.engine import Answer, Call, Work
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.models.modes import way
from assay.models.usage import Meter, metering
from assay.records.record import digest
from assay.records.verdict import Verdict

LOG = logging.getLogger(__name__)


class Settings(Limits):
    """The section `judge` of params.yaml: who judges, and how they are asked, by any stage."""

    model: endpoints.Model = endpoints.Model(hosted="gpt-4.1-mini", embedded="lexical-judge")
    panel: tuple[endpoints.Model, ...] = ()
    """More models of the same endpoint that judge everything too; then the majority counts."""
    structured: Structured = "json-schema"
    """How the endpoint is told the form of a reply, as far as it can be."""
    log_probabilities: bool = True
    temperature: float | None = Field(default=0, ge=0, le=2)
    """Null for a model that takes none."""
    ask_again: int = Field(default=1, ge=0, le=3)
    """How often a reply without a verdict (unparsed, refused) is asked for once more."""
    embedding_model: str = ""
    """Of the same endpoint, for `similarity` by embedding; left out when no case asks for it."""

    @property
    def models(self) -> list[endpoints.Model]:
        """Return every judge of the panel, the first one first."""
        return [self.model, *self.panel]

    @property
    def manner(self) -> Manner:
        """Return how each of them is asked."""
        return Manner(self.structured, self.log_probabilities, self.temperature)


class Seat(NamedTuple):
    """One judge of the panel: how to ask it, and which model answers under its name today."""

    chat: Asks
    reported: str

    @property
    def model(self) -> str:
        """Return the name under which it is asked."""
        return self.chat.endpoint.model


class Panel:
    """Puts questions to every seat, and finds the answers again by the key of each call."""

    def __init__(self, seats: list[Seat], manner: Manner, ask_again: int) -> None:
        """Name the judges.

        Args:
            seats: At least one.
            manner: How each is asked.
            ask_again: How often a reply that holds no verdict is asked for once more.
        """
        self.seats, self._manner, self._ask_again = seats, manner, ask_again

    def calls(self, question: Question) -> Iterator[Call]:
        """Yield what has to be asked about one question: every seat, every order."""
        for seat in self.seats:
            for texts in question.shown:
                yield self._call(seat, question, texts, self.key(seat, question, texts))

    def key(self, seat: Seat, question: Question, texts: Texts) -> str:
        """Return the key of one call in the journal."""
        return questions.key(question, texts, seat.model, seat.reported, self._manner)

    def verdict(self, question: Question, journal: Journal) -> Verdict:
        """Return what was said of a question."""
        votes, asked_by = [], ""
        for seat in self.seats:
            outcomes = [journal.outcome(self.key(seat, question, texts)) for texts in question.shown]
            asked_by = max([asked_by, *(outcome.run for outcome in outcomes)])
            replies = [orjson.loads(outcome.answer) for outcome in outcomes]
            votes.append(questions.verdict(question, replies, seat.model, seat.reported, self._manner))
        return ensemble.combine(votes).model_copy(update={"source_run": asked_by})

    def _call(self, seat: Seat, question: Question, texts: Texts, key: str) -> Call:
        judge = prompt.load(question.judge)

        async def put() -> Answer:
            request = {"messages": judge.render(**texts), **self._manner.request(judge)}
            answer, times = await said(seat.chat, is_readable=is_readable, **request), 0
            while times < self._ask_again and not ("error" in orjson.loads(answer.text) or has_verdict(answer)):
                answer, times = await said(seat.chat, is_readable=is_readable, **request), times + 1
            return (
                answer._replace(text=orjson.dumps(orjson.loads(answer.text) | {AGAIN: times}).decode())
                if times
                else answer
            )

        def is_readable(reply: Mapping[str, Any]) -> bool:
            return questions.is_readable(question, reply)

        def has_verdict(answer: Answer) -> bool:
            return questions.has_verdict(question, orjson.loads(answer.text))

        return Call(key, put)


@asynccontextmanager
async def seated(settings: Settings, first: Endpoint, journal: Journal, work: Work, epoch: str) -> AsyncIterator[Panel]:
    """Open every model of a panel and learn who answers today, all at once.

    Args:
        settings: Which models, and how hard their endpoint may be asked.
        first: Where the first of them is asked, and so all.
        journal: Where answers are kept.
        work: On whose account they are asked.
        epoch: As of `Run.epoch`: in it the same model answers under a name.

    Raises:
        EndpointError: One of them did not answer.
    """

    def has_answered(endpoint: Endpoint) -> bool:
        return endpoints.is_hosted(os.environ) and journal.get(_probe_key(endpoint, epoch)) is not None

    opened = way(journal, LOG.info, has_answered=has_answered)
    names = [model.hosted if endpoints.is_hosted(os.environ) else model.embedded for model in settings.models]
    async with AsyncExitStack() as stack:
        models = [first.model_copy(update={"model": name}) for name in names]
        chats = [await stack.enter_async_context(opened(model, settings)) for model in models]
        answered = await asyncio.gather(
            *[reported_model(chat, settings.manner, journal, work, epoch) for chat in chats]
        )
        yield Panel([Seat(*pair) for pair in zip(chats, answered, strict=True)], settings.manner, settings.ask_again)


async def reported_model(chat: Asks, manner: Manner, journal: Journal, work: Work, epoch: str) -> str:
    """Ask one small question, to learn which model answers under this name today.

    A hosted model is asked once a night. The embedded one costs nothing, and may have been fitted anew since.

    Raises:
        EndpointError: It was not answered, so nothing can be judged under the right name.
    """
    key = _probe_key(chat.endpoint, epoch)
    is_kept = endpoints.is_hosted(os.environ)
    known = journal.get(key) if is_kept else None
    if known is not None:
        return known
    judge = prompt.load("correctness")
    messages = judge.render(question="Is this a probe?", reference="Yes.", response="Yes.")
    used = Meter(purse=work.purse)
    try:
        with metering(used):
            reply = await chat.complete(messages=messages, **manner.request(judge))
    except CallError as error:
        raise EndpointError(
            f"the judge {chat.endpoint} did not answer a first small question ({error.kind}: {error}): "
            "mend it, then run again"
        ) from error
    model = str(reply["model"] or "")
    if is_kept:
        await journal.finish(key, model, is_final=True, run=work.run, stage=work.stage, used=used)
    return model


def _probe_key(endpoint: Endpoint, epoch: str) -> str:
    """Return the key in the journal under which a night keeps what the first small question found."""
    return digest(["probe", endpoint.base_url, endpoint.model, epoch])
