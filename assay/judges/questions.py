"""What is put to a judge, and what its replies come to: one verdict a question, a pair in both orders."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from assay.judges import decision, pairwise
from assay.judges.applicability import is_for_answers_to, lacks, texts_of_case, threshold
from assay.judges.declaration import Declaration, Structured, lacking
from assay.judges.fingerprint import fingerprint
from assay.judges.prompt import JudgePrompt, Text, response_format
from assay.judges.reply import PARSER_VERSION, Reply, parse
from assay.records.attachment import Attachment
from assay.records.case import Case, ToolCall
from assay.records.label import Item
from assay.records.record import digest
from assay.records.response import Response
from assay.records.trace import Trace
from assay.records.verdict import IDENTICAL, Subject, Verdict

AGAIN = "again"
"""Of a reply: how often it had to be asked for once more, because what came before it held no verdict."""
KEYED_PARSER = "1"
"""Stands in the journal's keys where the version of the parser once stood. How a reply is read is no part of what was
asked, so a new parser reads the replies that were paid for; the fingerprint of a verdict has the parser's version."""
PROBE = (
    {"role": "system", "content": 'Answer with exactly one JSON object and nothing else: {"verdict": "pass"}.'},
    {
        "role": "user",
        "content": "<question>\nIs this a probe?\n</question>\n\n<reference>\nYes.\n</reference>\n\n"
        "<response>\nYes.\n</response>\n\n<contexts>\nYes.\n</contexts>",
    },
)
"""The first small question to every model; the sections are for those that read nothing else."""
ATTACHMENTS = "attachments"
"""The input by which a judge is shown the files of a case."""
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
    extra: str = "{}"
    """More parameters of the request, as JSON."""
    api: str = "chat"
    """Anything else is asked for a decision, with nothing of the form of a reply."""

    def request(self, declared: Declaration) -> dict[str, Any]:
        """Return the parameters of a request to a judge, the messages aside."""
        form = {"json-schema": response_format(declared), "json-object": {"type": "json_object"}, "none": None}
        shaped = form[self.structured]
        return self.parameters() | ({"response_format": shaped} if shaped else {})

    def parameters(self) -> dict[str, Any]:
        """Return what of the request could move a verdict, the prompt and the form of the reply aside."""
        if self.api != "chat":
            return dict(json.loads(self.extra))
        warmth = {} if self.temperature is None else {"temperature": self.temperature}
        asked = {"logprobs": True, "top_logprobs": 5} if self.log_probabilities else {}
        return {**json.loads(self.extra), **warmth, **asked}

    def fingerprint(self) -> dict[str, Any]:
        """Return what enters the fingerprint."""
        if self.api != "chat":
            return self.parameters() | {"api": self.api}
        return self.parameters() | ({} if self.structured == "json-schema" else {"structured": self.structured})


class Asked(NamedTuple):
    """Who is asked, as far as that moves a verdict or tells one call from another."""

    model: str
    """The name under which it is asked."""
    reported: str
    """The model that answers under it today."""
    manner: Manner
    base_url: str = ""
    """Of a judge with an endpoint of its own; empty for the common one."""


class Question(NamedTuple):
    """One thing to put to a judge: of what, which judge, and the texts in each order they are shown."""

    subject: Subject
    item_id: str
    trial: int
    judge: str
    shown: tuple[Texts, ...]
    """One set of texts for an answer; two for a pair, the second with A and B swapped."""
    epoch: str
    """The night for an anchor; empty for what need not be asked again."""
    prompt: JudgePrompt
    """The judge, as its folder had it when this was asked."""
    attachments: Sequence[Attachment] = ()
    """Files of the case, where the judge is shown them: they go with the message."""
    threshold: int | None = None
    """From which score on this answer passes, where its case says so itself: it changes how a reply is read."""

    @property
    def declared(self) -> Declaration:
        """Return the declaration by which replies to this question are read."""
        return self.prompt.declared.at(self.threshold)


def expects(judge: JudgePrompt, case: Case, response: Response) -> bool:
    """Tell whether a judge of single answers is asked about an answer: its case fits, nothing required is missing."""
    return asked_of(judge, "target", case, response) is not None


def asked_of(judge: JudgePrompt, subject: Subject, case: Case, response: Response) -> Question | None:
    """Return what a judge of single answers is asked about an answer; None where it is not asked, as `expects` says."""
    if not is_for_answers_to(judge, case):
        return None
    question = of_response(judge, subject, case, response)
    return None if lacking(judge.declared, question.shown[0]) else question


def compares(judge: JudgePrompt, case: Case) -> bool:
    """Tell whether a judge of pairs is asked about the answers to a case."""
    return judge.declared.is_pair and judge.declared.applies_to.fits(case) and not lacks(judge, case)


def unasked(judge: JudgePrompt, cases: Iterable[Case], answers: Mapping[str, Response]) -> int:
    """Return of how many cases that it applies to a judge was not asked, since something that it requires is missing.

    Args:
        judge: One of cases.
        cases: Of any category.
        answers: By case; of a judge of single answers those without one do not count.
    """
    mine = [case for case in cases if judge.declared.applies_to.fits(case)]
    if judge.declared.is_pair:
        return sum(not compares(judge, case) for case in mine)
    return sum(case.case_id in answers and not expects(judge, case, answers[case.case_id]) for case in mine)


def of_response(judge: JudgePrompt, subject: Subject, case: Case, response: Response) -> Question:
    """Ask a judge about an answer."""
    shown = (texts_of(judge, case, response),)
    more = (_files(judge, case), threshold(judge, case))
    return Question(subject, case.case_id, response.trial, judge.name, shown, "", judge, *more)


def of_pair(judge: JudgePrompt, case: Case, response: Response, rival: Response) -> Question:
    """Ask which of two responses is better, in both orders."""
    texts = texts_of_case(judge, case)
    shown = both_orders(texts, response.text, rival.text)
    return Question("pair", case.case_id, response.trial, judge.name, shown, "", judge, _files(judge, case))


def of_item(judge: JudgePrompt, item: Item, night: str) -> Question:
    """Ask about an anchor, anew each night."""
    texts, files = texts_of_case(judge, item), _files(judge, item)
    if judge.declared.is_pair:
        shown = both_orders(texts, item.response_a, item.response_b)
        return Question("anchor", item.item_id, 0, judge.name, shown, night, judge, files)
    one = (_chosen(judge, texts, item.response_a, item),)
    return Question("anchor", item.item_id, 0, judge.name, one, night, judge, files, threshold(judge, item))


def of_trace(judge: JudgePrompt, trace: Trace) -> Question:
    """Ask a judge of production about a conversation."""
    given = {"question": trace.question, "contexts": trace.contexts, "response": trace.answer}
    texts = {name: given[name] for name in judge.texts}
    return Question("target", trace.trace_id, 0, judge.name, (texts,), "", judge)


def texts_of(judge: JudgePrompt, case: Case, response: Response) -> dict[str, Any]:
    """Return what a judge is shown of an answer, by the names that its prompt has."""
    texts = texts_of_case(judge, case)
    told = {"contexts": contexts_of(case, response)} if "contexts" in judge.texts else {}
    return _chosen(judge, {**texts, **told}, response.text, response)


def contexts_of(case: Case, response: Response) -> list[str]:
    """Return what a product had retrieved, or what its case gives where the answer tells of nothing."""
    return response.contexts or case.contexts


def answer_key(case_id: str, texts: Texts) -> str:
    """Return a hash of what a judge is shown of an answer: what tells one answer to a case from another for it.

    The reference is left out: it is the case's, and may be corrected.
    """
    return digest([case_id, {name: text for name, text in texts.items() if name != "reference"}])


def item_key(judge: JudgePrompt, item: Item) -> str:
    """Return the key of the answer that an item has frozen, as from `answer_key`."""
    return answer_key(item.case_id, of_item(judge, item, "").shown[0])


def _files(judge: JudgePrompt, given: Case | Item) -> Sequence[Attachment]:
    """Return the files that go with a question."""
    return given.attachments if ATTACHMENTS in judge.texts else ()


def _chosen(judge: JudgePrompt, texts: Mapping[str, Any], response: str, given: Response | Item) -> dict[str, Any]:
    """Return the texts that a judge of single answers is shown, in its order."""
    known = {**texts, "response": response}
    return {name: known[name] if name in known else _OF_ANSWER[name](given) for name in judge.texts}


_OF_ANSWER: Mapping[str, Callable[[Response | Item], Text]] = {
    "contexts": lambda given: given.contexts,
    "tool_calls": lambda given: [_called(call) for call in given.tool_calls],
    "conversation": lambda given: [f"{message.role}: {message.content}" for message in given.messages],
    "final_state": lambda given: given.final_state,
}
"""What a judge may be shown of an answer beside its text."""


def _called(call: ToolCall) -> str:
    """Return a call as a judge reads it."""
    failed = " (the tool answered with an error, so that nothing was done)" if getattr(call, "failed", False) else ""
    return f"{call.name} {call.arguments}{failed}"


def both_orders(texts: Texts, first: str, second: str) -> tuple[Texts, Texts]:
    """Return the texts of a pair with either answer in the first place."""
    return {**texts, "response_a": first, "response_b": second}, {**texts, "response_a": second, "response_b": first}


def request(judge: JudgePrompt, texts: Texts, manner: Manner) -> dict[str, Any]:
    """Return what is sent about one order of a question, the model aside."""
    if manner.api != "chat":
        return {**decision.asked(judge, texts), **manner.parameters()}
    return {"messages": judge.render(**texts), **_parameters(judge, manner)}


@lru_cache
def _parameters(judge: JudgePrompt, manner: Manner) -> dict[str, Any]:
    return manner.request(judge.declared)


def probe(manner: Manner) -> dict[str, Any]:
    """Return a first small question, which tells which model answers."""
    if manner.api != "chat":
        return {**decision.probe(), **manner.parameters()}
    return {"messages": list(PROBE), **manner.request(Declaration(reasoning="none"))}


def read(question: Question, reply: Mapping[str, Any]) -> Reply:
    """Return what a reply without an error comes to, its probability aside."""
    return _read(question.declared, {**reply, "tokens": None})


def key(question: Question, texts: Texts, asked: Asked) -> str:
    """Return the journal's key of one order of a question."""
    elsewhere = [asked.base_url] if asked.base_url else []
    return digest(["judge", _asked(question.prompt, asked), texts, question.epoch, *elsewhere])


@lru_cache
def _asked(judge: JudgePrompt, asked: Asked) -> str:
    return fingerprint(judge, asked.model, asked.reported, asked.manner.fingerprint(), KEYED_PARSER)


@lru_cache
def _answered(judge: JudgePrompt, asked: Asked) -> str:
    return fingerprint(judge, asked.model, asked.reported, asked.manner.fingerprint(), PARSER_VERSION)


def verdict(
    question: Question, said: Sequence[Mapping[str, Any]], asked: Asked, filed: Mapping[str, str] = {}
) -> Verdict:
    """Read the replies to one question; what was not answered, refused or unreadable stays unscored.

    Where nothing was answered, the fingerprint is that of the model that answered the probe: a failed call is no sign
    that the judge has changed.

    Args:
        question: What was asked.
        said: The replies, one for each order of showing.
        asked: Who was asked.
        filed: The verdict's `run` and `source_run`, where they are known.
    """
    judge = question.prompt
    models = {reply["model"] for reply in said if "model" in reply} or {asked.reported}
    common = {
        "item_id": question.item_id,
        "subject": question.subject,
        "trial": question.trial,
        "scorer": question.judge,
        "fingerprint": _answered(judge, asked._replace(reported="+".join(sorted(models)))),
        **filed,
    }
    errors = [reply["error"] for reply in said if "error" in reply]
    if errors:
        return Verdict(**common, **NOTHING, outcome="unscored", status="error", detail=errors[0])
    replies = [_read(question.declared, reply) for reply in said]
    again = "asked again; " if any(AGAIN in reply for reply in said) else ""
    if not judge.declared.is_pair:
        return _single(judge, common, replies[0], again)
    pair = pairwise.combine(*replies)
    seen = [replies[0].outcome, pairwise.swap(replies[1].outcome)] if pair.status == "ok" else [None, None]
    both = {"as_is": seen[0], "swapped": seen[1], "rationale": _both_reasons(replies)}
    return Verdict(
        **common, **both, outcome=pair.outcome, status=pair.status, score=pair.score, detail=again + pair.detail
    )


def _single(judge: JudgePrompt, common: Mapping[str, Any], reply: Reply, again: str) -> Verdict:
    """Return the verdict on one answer."""
    has_scale = judge.declared.question in ("labels", "score")
    one = {"outcome": reply.outcome, "status": reply.status, "score": reply.probability}
    told = {"label": reply.said if has_scale else "", "rationale": reply.rationale}
    return Verdict(**common, **one, **told, as_is=None, swapped=None, detail=again + reply.detail)


def _both_reasons(replies: Sequence[Reply]) -> str:
    """Return why, of both orders; in the second one what the judge calls A is B."""
    orders = ("shown as A, B", "shown as B, A")
    return "\n".join(
        f"{order}: {reply.rationale}" for order, reply in zip(orders, replies, strict=True) if reply.rationale
    )


def _read(declared: Declaration, reply: Mapping[str, Any]) -> Reply:
    return parse(
        declared,
        reply["content"],
        reply["refusal"],
        reply["finish_reason"],
        reply["tokens"],
        reply.get("tokens_at"),
    )


def identical(judge: JudgePrompt, case: Case, response: Response) -> Verdict:
    """Return the tie of two responses that are the same text: nobody needs to be asked."""
    return Verdict(
        item_id=case.case_id,
        subject="pair",
        trial=response.trial,
        scorer=judge.name,
        fingerprint=IDENTICAL,
        outcome="tie",
        status="ok",
        score=0.5,
        as_is="tie",
        swapped="tie",
        detail="identical responses: not asked",
    )
