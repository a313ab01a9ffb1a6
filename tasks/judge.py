"""Judge: what do the checks and the judges say of tonight's responses, of the baseline's, and of the anchors?

Reads the evaluation set, responses, the baseline and the labelled items, writes verdicts. Checks ask nobody; judges ask
the judge model, a pair in both orders. A pair that did not change is never judged twice; anchors are judged each night.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from prefect import task
from pydantic import Field

from assay.checks import registry
from assay.clients import endpoints
from assay.clients.chat import Chat, Endpoint
from assay.clients.engine import Answer, Call, Tally, answer_all
from assay.clients.journal import Journal
from assay.errors import CallError, DataError, EndpointError
from assay.judges import orders, prompt
from assay.judges.fingerprint import fingerprint
from assay.judges.reply import PARSER_VERSION, Reply, parse
from assay.records import IDENTICAL, Case, Item, Record, Response, Subject, Verdict, digest
from tasks import consult, door, store

PARAMETERS = {"temperature": 0, "logprobs": True, "top_logprobs": 5}


class Settings(Record):
    """The section `judge` of params.yaml."""

    model: endpoints.Model
    concurrency: int = Field(ge=1, le=1024)
    deadline_s: float = Field(gt=0)


class Question(NamedTuple):
    """One thing to put to a judge: of what, which judge, and the texts in each order they are shown."""

    subject: Subject
    item_id: str
    trial: int
    judge: str
    shown: tuple[Mapping[str, Any], ...]
    """One set of texts for pass/fail; two for a pair, the second with A and B swapped."""
    epoch: str
    """The night for an anchor; empty for what need not be asked again."""


def check_responses(subject: Subject, cases: Sequence[Case], responses: Sequence[Response]) -> list[Verdict]:
    """Score every expectation of every answered case; a failed call gives an unscored verdict with its reason."""
    by_id = {case.case_id: case for case in cases}
    return [
        _checked(subject, response, f"{number}-{expectation.check}", expectation)
        for response in responses
        for number, expectation in enumerate(by_id[response.case_id].expectations, 1)
    ]


def _checked(subject: Subject, response: Response, scorer: str, expectation: Any) -> Verdict:  # noqa: ANN401
    common = {"item_id": response.case_id, "subject": subject, "trial": response.trial, "scorer": f"check:{scorer}"}
    common |= {"fingerprint": digest(expectation.model_dump()), "score": None, "as_is": None, "swapped": None}
    if response.status == "error":
        return Verdict(**common, outcome="unscored", status="error", detail=f"no response: {response.error_kind}")
    finding = registry.score(expectation, response)
    return Verdict(**common, outcome="pass" if finding.passed else "fail", status="ok", detail=finding.detail)


def questions(
    cases: Sequence[Case], target: Sequence[Response], baseline: Sequence[Response], items: Sequence[Item], night: str
) -> Iterator[Question]:
    """Yield everything that a judge has to be asked tonight."""
    by_id = {case.case_id: case for case in cases if case.reference}
    accepted = {response.case_id: response for response in baseline if response.trial == 0}
    for subject, responses in (("target", target), ("baseline", baseline)):
        for response in responses:
            if response.case_id in by_id and response.status == "ok":
                yield _of_response(subject, by_id[response.case_id], response)  # type: ignore[arg-type]
    for response in target:
        rival = accepted.get(response.case_id)
        if (
            rival
            and response.case_id in by_id
            and response.status == rival.status == "ok"
            and response.text != rival.text
        ):
            case = by_id[response.case_id]
            texts = {"question": case.turns, "reference": case.reference}
            shown = _both_orders(texts, response.text, rival.text)
            yield Question("pair", case.case_id, response.trial, "preference", shown, "")
    for item in items:
        yield _of_item(item, night)


def _of_response(subject: Subject, case: Case, response: Response) -> Question:
    texts = {"question": case.turns, "reference": case.reference, "response": response.text}
    return Question(subject, case.case_id, response.trial, "correctness", (texts,), "")


def _of_item(item: Item, night: str) -> Question:
    texts = {"question": item.turns, "reference": item.reference}
    if item.question == "pass-fail":
        return Question("anchor", item.item_id, 0, "correctness", (texts | {"response": item.response_a},), night)
    return Question(
        "anchor", item.item_id, 0, "preference", _both_orders(texts, item.response_a, item.response_b), night
    )


def _both_orders(texts: Mapping[str, Any], first: str, second: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    return (
        {**texts, "response_a": first, "response_b": second},
        {**texts, "response_a": second, "response_b": first},
    )


async def ask(
    settings: Settings, endpoint: Endpoint, asked: Sequence[Question], journal: Journal
) -> tuple[list[Verdict], Tally]:
    """Put every question to the judge model; return one verdict a question."""
    async with Chat(endpoint, deadline_s=settings.deadline_s) as chat:
        reported = await _reported_model(chat)
        calls = [[_call(chat, question, texts, reported) for texts in question.shown] for question in asked]
        flat = [call for group in calls for call in group]
        with door.progress("judge", len({call.key for call in flat})) as step:
            answers, tally = await answer_all(flat, journal, concurrency=settings.concurrency, progress=step)
    verdicts = [
        _verdict(question, [answers[call.key] for call in group], endpoint.model, reported)
        for question, group in zip(asked, calls, strict=True)
    ]
    return verdicts, tally


async def _reported_model(chat: Chat) -> str:
    """Ask one small question, to learn which model answers under this name today.

    Raises:
        EndpointError: It was not answered, so nothing can be judged under the right name.
    """
    judge = prompt.load("correctness")
    messages = judge.render(question="Is this a probe?", reference="Yes.", response="Yes.")
    try:
        reply = await chat.complete(messages=messages, response_format=judge.response_format(), **PARAMETERS)
    except CallError as error:
        raise EndpointError(
            f"the judge {chat.endpoint} did not answer a first small question ({error.kind}: {error}): "
            "mend it, then run again"
        ) from error
    return reply["model"] or ""


def _call(chat: Chat, question: Question, texts: Mapping[str, Any], reported: str) -> Call:
    judge = prompt.load(question.judge)

    async def put() -> Answer:
        try:
            reply = await chat.complete(
                messages=judge.render(**texts), response_format=judge.response_format(), **PARAMETERS
            )
        except CallError as error:
            return Answer({"error": f"{error.kind}: {error}"}, is_final=False)
        choice = reply["choices"][0]
        said = {name: choice["message"][name] for name in ("content", "refusal")}
        said |= {"finish_reason": choice["finish_reason"], "model": reply["model"] or ""}
        return Answer({**said, "tokens": (choice["logprobs"] or {}).get("content")}, is_final=True)

    asked = fingerprint(judge, chat.endpoint.model, reported, PARAMETERS)
    return Call(digest(["judge", asked, texts, question.epoch]), put)


def _verdict(question: Question, said: Sequence[Mapping[str, Any]], model: str, reported: str) -> Verdict:
    """Read the replies to one question; what was not answered, refused or unreadable stays unscored.

    Where nothing was answered, the fingerprint is that of the model that answered the probe: a failed call is no sign
    that the judge has changed.
    """
    judge = prompt.load(question.judge)
    models = {reply["model"] for reply in said if "model" in reply} or {reported}
    common = {
        "item_id": question.item_id,
        "subject": question.subject,
        "trial": question.trial,
        "scorer": question.judge,
    }
    common["fingerprint"] = fingerprint(judge, model, "+".join(sorted(models)), PARAMETERS, PARSER_VERSION)
    errors = [reply["error"] for reply in said if "error" in reply]
    if errors:
        nothing = {"score": None, "as_is": None, "swapped": None}
        return Verdict(**common, **nothing, outcome="unscored", status="error", detail=errors[0])
    replies = [_read(judge, reply) for reply in said]
    if judge.question == "pass-fail":
        (reply,) = replies
        one = {"outcome": reply.outcome, "status": reply.status, "score": reply.probability, "detail": reply.detail}
        return Verdict(**common, **one, as_is=None, swapped=None)
    pair = orders.combine(*replies)
    seen = [replies[0].outcome, orders.swap(replies[1].outcome)] if pair.status == "ok" else [None, None]
    both = {"as_is": seen[0], "swapped": seen[1]}
    return Verdict(**common, **both, outcome=pair.outcome, status=pair.status, score=pair.score, detail=pair.detail)


def _read(judge: prompt.JudgePrompt, reply: Mapping[str, Any]) -> Reply:
    return parse(judge.question, reply["content"], reply["refusal"], reply["finish_reason"], reply["tokens"])


def unchanged(cases: Sequence[Case], target: Sequence[Response], baseline: Sequence[Response]) -> list[Verdict]:
    """Return a tie for each judged pair whose two responses are the same text: nobody needs to be asked."""
    accepted = {
        response.case_id: response.text for response in baseline if response.status == "ok" and not response.trial
    }
    judged = {case.case_id for case in cases if case.reference}
    return [
        Verdict(
            item_id=response.case_id,
            subject="pair",
            trial=response.trial,
            scorer="preference",
            fingerprint=IDENTICAL,
            outcome="tie",
            status="ok",
            score=0.5,
            as_is="tie",
            swapped="tie",
            detail="identical responses: not asked",
        )
        for response in target
        if response.status == "ok" and response.case_id in judged and accepted.get(response.case_id) == response.text
    ]


def fits(cases: Sequence[Case], responses: Sequence[Response], where: str) -> list[Response]:
    """Return the responses to cases of this evaluation set as they are today; a changed case's old answer is left out.

    Raises:
        DataError: None fits, so there is nothing to judge.
    """
    revisions = {case.case_id: case.revision() for case in cases}
    fitting = [response for response in responses if revisions.get(response.case_id) == response.revision]
    if responses and not fitting:
        raise DataError(
            f"{where} answers no case of this evaluation set, expected responses to it: run `assay nightly`"
        )
    return fitting


@task
def judge(now: datetime) -> Tally:
    """Judge tonight's responses, the baseline's and the anchors; return how many calls that took."""
    settings = store.params("judge", Settings)
    cases, (items, _) = store.read("cases", Case), store.labelled()
    target = fits(cases, store.read("responses", Response), "data/responses")
    baseline = fits(cases, store.read("baseline", Response, may_be_absent=True), "data/baseline")
    asked = list(questions(cases, target, baseline, items, f"{now:%Y-%m-%d}"))
    with consult.consulting(settings.model) as (endpoint, journal):
        judged, tally = asyncio.run(ask(settings, endpoint, asked, journal))
    checked = check_responses("target", cases, target) + check_responses("baseline", cases, baseline)
    store.write("verdicts", [*checked, *unchanged(cases, target, baseline), *judged])
    return tally


if __name__ == "__main__":
    door.run(lambda: judge.fn(datetime.now(UTC)))
