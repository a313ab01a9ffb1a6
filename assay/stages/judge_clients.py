"""The bench: which models judge, who answers under their names today, and what has each of them said?

A judge is asked of the model that its declaration names, or of the one of params.yaml; several are a panel, whose
majority counts (assay/judges/ensemble.py). Judges that ask the same model share its connections and limits.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import orjson
from pydantic import Field, StringConstraints

from assay.errors import CallError, ConfigError, EndpointError
from assay.judges import advice, ensemble, prompt, questions
from assay.judges.advice import ENOUGH, Cause, FailureWatch
from assay.judges.declaration import JudgeModel, Structured
from assay.judges.prompt import JudgePrompt
from assay.judges.questions import AGAIN, Asked, Manner, Question, Texts
from assay.judges.reply import Reply, around
from assay.models import endpoints
from assay.models.cached_reply import raw_reply
from assay.models.chat import Asks, Endpoint
from assay.models.engine import Answer, Call, Work
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.models.modes import way
from assay.models.secrets import NAMED
from assay.models.usage import Meter, metering
from assay.records.record import digest
from assay.records.verdict import Verdict
from assay.storage import attachments

LOG = logging.getLogger(__name__)
MODULE = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"
Key = Callable[[Question, Texts, Asked], str]


class Settings(Limits):
    """The section `judge` of params.yaml: who judges where a judge names nobody, and how all are asked."""

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
    check_modules: tuple[Annotated[str, StringConstraints(pattern=MODULE, max_length=300)], ...] = ()
    """Modules in the project's folder with checks of its own, such as `my_checks`; a change of one runs judge again."""

    @property
    def models(self) -> list[endpoints.Model]:
        """Return every common judge of the panel, the first one first."""
        return [self.model, *self.panel]


class Seat(NamedTuple):
    """One model that a judge is asked of: how to ask it, and which one answers under its name today."""

    chat: Asks
    asked: Asked


class Panel(NamedTuple):
    """Everybody that one judge is asked of."""

    seats: Sequence[Seat]
    ask_again: int
    """How often a reply that holds no verdict is asked for once more."""


class Bench:
    """Puts questions to every seat of their judge, and finds the answers again by the key of each call.

    When the first replies of a seat all hold no verdict for one reason, `notes` has a line that says so, and the log.
    """

    def __init__(self, panels: Mapping[str, Panel], key: Key = questions.key) -> None:
        """Name the judges.

        Args:
            panels: By judge.
            key: Of a call in the journal.
        """
        self.panels, self._key = panels, key
        self.notes: list[str] = []
        self._watches: dict[tuple[str, Endpoint], FailureWatch] = {}

    def calls(self, question: Question) -> Iterator[Call]:
        """Yield what has to be asked about one question: every seat, every order."""
        panel = self.panels[question.judge]
        for seat in panel.seats:
            for texts in question.shown:
                key = self._key(question, texts, seat.asked)
                yield _call(panel, seat, question, texts, key, self._watch(question.judge, seat.chat.endpoint))

    def _watch(self, judge: str, endpoint: Endpoint) -> FailureWatch:
        if (judge, endpoint) not in self._watches:
            self._watches[judge, endpoint] = FailureWatch(partial(self._note, judge, endpoint))
        return self._watches[judge, endpoint]

    def _note(self, judge: str, endpoint: Endpoint, cause: Cause) -> None:
        """Say that all replies of a model to a judge fail alike."""
        self.notes.append(
            f"judge {judge}: none of the first {ENOUGH} replies of {endpoint} holds a verdict, all for one reason "
            f"({cause.found}), expected verdicts: set {cause.setting} in "
            f"{prompt.JUDGES_FOLDER}/{judge}/{prompt.DECLARATION}, then run again; this run goes on"
        )
        LOG.warning("%s", self.notes[-1])

    def verdict(self, question: Question, journal: Journal, run: str = "") -> Verdict:
        """Return what was said of a question.

        Args:
            question: The question.
            journal: Where the replies are.
            run: The run that files it, if any.
        """
        seats = self.panels[question.judge].seats
        said = [[journal.outcome(self._key(question, texts, seat.asked)) for texts in question.shown] for seat in seats]
        filed = {"run": run, "source_run": max(outcome.run for outcomes in said for outcome in outcomes)}
        return ensemble.combine(
            [
                questions.verdict(question, [orjson.loads(outcome.answer) for outcome in outcomes], seat.asked, filed)
                for seat, outcomes in zip(seats, said, strict=True)
            ]
        )


def _call(panel: Panel, seat: Seat, question: Question, texts: Texts, key: str, watch: FailureWatch) -> Call:
    judge, manner = question.prompt, seat.asked.manner

    async def put() -> Answer:
        request = request_with_files(question, texts, manner)
        times, is_over = 0, False
        while not is_over:
            raw, fault = await raw_reply(seat.chat, **request)
            reply = None if "error" in raw else questions.read(question, raw)
            is_over = reply is None or reply.status == "ok" or times == panel.ask_again
            times += not is_over
        watch.note(advice.cause(judge.declared, manner, raw, reply))
        return _kept(raw, reply, fault, times)

    return Call(key, put)


def request_with_files(question: Question, texts: Texts, manner: Manner) -> dict[str, Any]:
    """Return what is sent about one order of a question, the model aside, the files of the case among it.

    Raises:
        DataError: The content of a file is not there.
    """
    request = questions.request(question.prompt, texts, manner)
    if question.attachments:
        *before, last = request["messages"]
        request["messages"] = [*before, {**last, "content": attachments.content(last["content"], question.attachments)}]
    return request


def _kept(raw: dict[str, Any], reply: Reply | None, fault: str, times: int) -> Answer:
    """Return an answer as the journal keeps it; what nobody can read is never final."""
    kept = raw if reply is None else around(raw, reply)
    again = {AGAIN: times} if times else {}
    unread = "malformed" if reply is not None and reply.status == "unparsed" else ""
    return Answer(orjson.dumps(kept | again).decode(), fault=fault or unread)


def members(
    settings: Settings, judge: JudgePrompt, common: Endpoint, environ: Mapping[str, str]
) -> list[tuple[Endpoint, Asked]]:
    """Return who a judge is asked of: by name and address, which model answers there is not known yet.

    Args:
        settings: The section `judge` of params.yaml.
        judge: The judge; what it declares goes before the settings.
        common: Where a judge without an endpoint of its own is asked.
        environ: Holds keys.

    Raises:
        ConfigError: A variable that a judge's endpoint needs is not set.
    """
    return [_member(settings, judge, model, common, environ) for model in models(settings, judge)]


def models(settings: Settings, judge: JudgePrompt) -> list[JudgeModel]:
    """Return the models that a judge is asked of: those that it declares, else those of the settings."""
    own = judge.declared
    if own.model != JudgeModel() or own.panel:
        return own.models
    return [JudgeModel(hosted=model.hosted, embedded=model.embedded) for model in settings.models]


def _member(
    settings: Settings, judge: JudgePrompt, model: JudgeModel, common: Endpoint, environ: Mapping[str, str]
) -> tuple[Endpoint, Asked]:
    name = model_name(settings, model, environ)
    endpoint = common.model_copy(update={"model": name})
    if model.base_url:
        endpoint = Endpoint(
            base_url=model.base_url,
            model=name,
            api_key=_variable(judge, model.api_key_env, environ) if model.api_key_env else "",
            query=tuple(model.query.items()),
            headers=tuple((key, _header(judge, value, environ)) for key, value in model.headers.items()),
            secrets=tuple(
                _header(judge, value, environ) for key, value in model.headers.items() if _is_secret(key, value)
            ),
            api=model.api,
        )
    given = model.model_fields_set
    manner = Manner(
        structured=model.structured or settings.structured,
        log_probabilities=settings.log_probabilities if model.log_probabilities is None else model.log_probabilities,
        temperature=model.temperature if "temperature" in given else settings.temperature,
        extra=orjson.dumps(model.parameters, option=orjson.OPT_SORT_KEYS).decode(),
        api=model.api,
    )
    query = f"?{urlencode(model.query)}" if model.query else ""
    return endpoint, Asked(name, "", manner, model.base_url + query)


def _is_secret(name: str, value: str) -> bool:
    """Tell whether nothing may repeat a header's value: it is a variable's, or its name says so."""
    return value.startswith("$") or bool(NAMED.search(name)) or name.lower() == "authorization"


def model_name(settings: Settings, model: JudgeModel, environ: Mapping[str, str]) -> str:
    """Return the name under which a model is asked: the user's, or the embedded one that stands in."""
    if model.base_url or endpoints.is_hosted(environ):
        return model.hosted or settings.model.hosted
    return model.embedded or settings.model.embedded


def _header(judge: JudgePrompt, value: str, environ: Mapping[str, str]) -> str:
    return _variable(judge, value[1:], environ) if value.startswith("$") else value


def _variable(judge: JudgePrompt, name: str, environ: Mapping[str, str]) -> str:
    if not environ.get(name):
        raise ConfigError(
            f"{prompt.JUDGES_FOLDER}/{judge.name}/{prompt.DECLARATION} takes {name} from the environment, which is not "
            "set, expected the key of its endpoint: set it, or take the line out"
        )
    return environ[name]


@asynccontextmanager
async def seated(
    settings: Settings, judges: Sequence[JudgePrompt], first: Endpoint, journal: Journal, work: Work, epoch: str
) -> AsyncIterator[Bench]:
    """Open every model that these judges are asked of and learn who answers today, all at once.

    Args:
        settings: The section `judge` of params.yaml.
        judges: Who will be asked.
        first: Where a judge without an endpoint of its own is asked.
        journal: Where answers are kept.
        work: On whose account they are asked.
        epoch: As of `Run.epoch`: in it the same model answers under a name.

    Raises:
        ConfigError: A key that one of them needs is not set.
        EndpointError: One of them did not answer.
    """
    async with connected(settings, judges, first, journal) as bench:
        manners = {seat.chat: seat.asked.manner for panel in bench.panels.values() for seat in panel.seats}
        whose = {
            chat: [name for name, panel in bench.panels.items() if any(seat.chat is chat for seat in panel.seats)]
            for chat in manners
        }
        probes = [
            reported_model(whose[chat], chat, manner, journal, work, epoch, is_kept=_is_kept(chat.endpoint, first))
            for chat, manner in manners.items()
        ]
        reported = dict(zip(manners, await asyncio.gather(*probes), strict=True))
        yield Bench(
            {
                name: panel._replace(
                    seats=[
                        seat._replace(asked=seat.asked._replace(reported=reported[seat.chat])) for seat in panel.seats
                    ]
                )
                for name, panel in bench.panels.items()
            }
        )


@asynccontextmanager
async def connected(
    settings: Settings,
    judges: Sequence[JudgePrompt],
    first: Endpoint,
    journal: Journal,
    key: Key = questions.key,
) -> AsyncIterator[Bench]:
    """Open every model that these judges are asked of; which one answers under its name, its replies will tell.

    Args:
        settings: As for `seated`.
        judges: As for `seated`.
        first: As for `seated`.
        journal: As for `seated`.
        key: Of a call in the journal.
    """
    opened = way(journal, LOG.info)
    of = {judge.name: members(settings, judge, first, os.environ) for judge in judges}
    async with AsyncExitStack() as stack:
        unique = dict.fromkeys(endpoint for seats in of.values() for endpoint, _ in seats)
        chats = {endpoint: await stack.enter_async_context(opened(endpoint, settings)) for endpoint in unique}
        panels = {
            name: Panel([Seat(chats[endpoint], asked) for endpoint, asked in seats], settings.ask_again)
            for name, seats in of.items()
        }
        yield Bench(panels, key)


def _is_kept(endpoint: Endpoint, common: Endpoint) -> bool:
    """Tell whether a model's name holds for a night: the embedded one costs nothing, and may have been fitted anew."""
    return endpoints.is_hosted(os.environ) or endpoint.base_url != common.base_url


async def reported_model(
    judges: Sequence[str], chat: Asks, manner: Manner, journal: Journal, work: Work, epoch: str, *, is_kept: bool
) -> str:
    """Ask one small question, to learn which model answers under this name today.

    Args:
        judges: Who ask it, for the message.
        chat: Whom to ask.
        manner: How.
        journal: Where the answer is kept.
        work: On whose account it is asked.
        epoch: As of `Run.epoch`.
        is_kept: It is asked once an epoch.

    Raises:
        EndpointError: It was not answered, so nothing can be judged under the right name.
    """
    key = _probe_key(chat.endpoint, epoch)
    known = journal.get(key) if is_kept else None
    if known is not None:
        chat.vouch(questions.probe(manner))  # it is waited for when it is silent now
        return known
    used, who = Meter(purse=work.purse), f"the judge{'s' * (len(judges) > 1)} {', '.join(judges)}"
    try:
        with metering(used):
            reply = await chat.complete(**questions.probe(manner))
    except EndpointError as error:
        raise type(error)(f"{who}: {error}") from error
    except CallError as error:
        cause = advice.of_error(manner, f"{error.kind}: {error}")
        hint = f"set {cause.setting} where it is declared" if cause else "fix the endpoint"
        raise EndpointError(
            f"{who}: {chat.endpoint} did not answer a first small question ({error.kind}: {error}): "
            f"{hint}, then run again"
        ) from error
    model = str(reply["model"] or "")
    if is_kept:
        await journal.finish(key, model, is_final=True, run=work.run, stage=work.stage, used=used)
    return model


def _probe_key(endpoint: Endpoint, epoch: str) -> str:
    """Return the key in the journal under which a night keeps what the first small question found."""
    return digest(["probe", endpoint.base_url, endpoint.model, epoch])
