"""What is put to a judge, and what its replies come to: one verdict a question, a pair in both orders."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

from assay.judges import pairwise, prompt
from assay.judges.fingerprint import fingerprint
from assay.judges.reply import PARSER_VERSION, Reply, parse
from assay.records.case import Case
from assay.records.label import Item
from assay.records.record import digest
from assay.records.response import Response
from assay.records.verdict import IDENTICAL, Subject, Verdict

Structured = Literal["json-schema", "json-object", "none"]
AGAIN = "again"
"""Of a reply: how often it had to be asked for once more, because what came before it held no verdict."""
KEYED_PARSER = "1"
"""Stands in the journal's keys where the version of the parser once stood. How a reply is read is no part of what was
asked, so a new parser reads the replies that were paid for; the fingerprint of a verdict has the parser's version."""
NOTHING = {"score": None, "as_is": None, "swapped": None}
Texts = Mapping[str, Any]


class Manner(NamedTuple):
    """How a judge is asked beside its prompt, as far as the endpoint can; it is part of the fingerprint."""

    structured: Structured = "json-schema"
    """How the endpoint is told the form of the reply; the parser demands the same form of every reply."""
    log_probabilities: bool = True
    """Where the endpoint gives them, a verdict has a probability."""
    temperature: float | None = 0
    """None for a model that takes none."""

    def request(self, judge: prompt.JudgePrompt) -> dict[str, Any]:
        """Return the parameters of a request, the messages aside."""
        form = {"json-schema": judge.response_format(), "json-object": {"type": "json_object"}, "none": None}
        shaped = form[self.structured]
        return self.parameters() | ({"response_format": shaped} if shaped else {})

    def parameters(self) -> dict[str, Any]:
        """Return what of the request could move a verdict, the prompt and the form of the reply aside."""
        warmth = {} if self.temperature is None else {"temperature": self.temperature}
        return warmth | ({"logprobs": True, "top_logprobs": 5} if self.log_probabilities else {})

    def fingerprint(self) -> dict[str, Any]:
        """Return what enters the fingerprint."""
        return self.parameters() | ({} if self.structured == "json-schema" else {"structured": self.structured})


class Question(NamedTuple):
    """One thing to put to a judge: of what, which judge, and the texts in each order they are shown."""

    subject: Subject
    item_id: str
    trial: int
    judge: str
    shown: tuple[Texts, ...]
    """One set of texts for pass/fail; two for a pair, the second with A and B swapped."""
    epoch: str
    """The night for an anchor; empty for what need not be asked again."""


def of_response(subject: Subject, case: Case, response: Response) -> Question:
    """Ask whether a response is correct."""
    texts = {"question": case.turns, "reference": case.reference, "response": response.text}
    return Question(subject, case.case_id, response.trial, "correctness", (texts,), "")


def of_pair(case: Case, response: Response, rival: Response) -> Question:
    """Ask which of two responses is better, in both orders."""
    texts = {"question": case.turns, "reference": case.reference}
    shown = _both_orders(texts, response.text, rival.text)
    return Question("pair", case.case_id, response.trial, "preference", shown, "")


def of_item(item: Item, night: str) -> Question:
    """Ask about an anchor, anew each night."""
    texts = {"question": item.turns, "reference": item.reference}
    if item.question == "pass-fail":
        return Question("anchor", item.item_id, 0, "correctness", (texts | {"response": item.response_a},), night)
    shown = _both_orders(texts, item.response_a, item.response_b)
    return Question("anchor", item.item_id, 0, "preference", shown, night)


def _both_orders(texts: Texts, first: str, second: str) -> tuple[Texts, Texts]:
    return {**texts, "response_a": first, "response_b": second}, {**texts, "response_a": second, "response_b": first}


def key(question: Question, texts: Texts, model: str, reported: str, manner: Manner) -> str:
    """Return the journal's key of one order of a question."""
    asked = _asked(prompt.load(question.judge), model, reported, manner)
    return digest(["judge", asked, texts, question.epoch])


@lru_cache
def _asked(judge: prompt.JudgePrompt, model: str, reported: str, manner: Manner) -> str:
    return fingerprint(judge, model, reported, manner.fingerprint(), KEYED_PARSER)


@lru_cache
def _answered(judge: prompt.JudgePrompt, model: str, reported: str, manner: Manner) -> str:
    return fingerprint(judge, model, reported, manner.fingerprint(), PARSER_VERSION)


def has_verdict(question: Question, reply: Mapping[str, Any]) -> bool:
    """Tell whether a reply holds a legal verdict; if not, it may be worth asking once more."""
    return _read(prompt.load(question.judge), {**reply, "tokens": None}).status == "ok"


def is_readable(question: Question, reply: Mapping[str, Any]) -> bool:
    """Tell whether a reply says anything that can be read: a verdict, or that there will be none."""
    return _read(prompt.load(question.judge), {**reply, "tokens": None}).status != "unparsed"


def verdict(
    question: Question, said: Sequence[Mapping[str, Any]], model: str, reported: str, manner: Manner
) -> Verdict:
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
        "fingerprint": _answered(judge, model, "+".join(sorted(models)), manner),
    }
    errors = [reply["error"] for reply in said if "error" in reply]
    if errors:
        return Verdict(**common, **NOTHING, outcome="unscored", status="error", detail=errors[0])
    replies = [_read(judge, reply) for reply in said]
    again = "asked again; " if any(AGAIN in reply for reply in said) else ""
    if judge.question == "pass-fail":
        (reply,) = replies
        one = {"outcome": reply.outcome, "status": reply.status, "score": reply.probability}
        return Verdict(**common, **one, as_is=None, swapped=None, detail=again + reply.detail)
    pair = pairwise.combine(*replies)
    seen = [replies[0].outcome, pairwise.swap(replies[1].outcome)] if pair.status == "ok" else [None, None]
    both = {"as_is": seen[0], "swapped": seen[1]}
    return Verdict(
        **common, **both, outcome=pair.outcome, status=pair.status, score=pair.score, detail=again + pair.detail
    )


def _read(judge: prompt.JudgePrompt, reply: Mapping[str, Any]) -> Reply:
    return parse(judge.question, reply["content"], reply["refusal"], reply["finish_reason"], reply["tokens"])


def identical(case: Case, response: Response) -> Verdict:
    """Return the tie of two responses that are the same text: nobody needs to be asked."""
    return Verdict(
        item_id=case.case_id,
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
