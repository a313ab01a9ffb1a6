"""A trial of a judge: what is it shown, what does it reply, how is that read, and what does it cost?

Asks the judge's models about a few items, each anew; nothing is filed, and nothing is kept in the journal.
"""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from assay.errors import ConfigError, DataError
from assay.judges import ensemble, prompt, questions
from assay.judges.declaration import as_texts, lacking, text_name
from assay.judges.prompt import JudgePrompt
from assay.judges.questions import Question
from assay.models.cached_reply import raw_reply
from assay.models.usage import Meter, metering
from assay.project import model_session
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.records.verdict import Verdict
from assay.report.wording import money
from assay.stages import judge_clients

MOST = 20
"""Items of one trial."""
ANSWER = ("response", "response_a", "response_b")


class Trial(NamedTuple):
    """What came of one item."""

    item: str
    messages: list[list[dict[str, str]]]
    """By order of showing: of a pair there are two."""
    replies: list[dict[str, Any]]
    """By model, and by order of showing."""
    verdict: Verdict
    tokens: int
    cost_usd: float | None

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return self._asdict() | {"verdict": self.verdict.model_dump(mode="json")}


def try_out(name: str, file: Path | None, case_ids: Sequence[str]) -> list[Trial]:
    """Ask a judge about items of a file, or about tonight's answers to cases.

    Raises:
        ConfigError: There is no such judge, nothing to ask about, or too much.
        DataError: An item lacks what the judge is shown.
        EndpointError: A model cannot be asked.
    """
    judge = prompt.load(name)
    asked = of_file(judge, file) if file else of_cases(judge, case_ids)
    if not 0 < len(asked) <= MOST:
        raise ConfigError(
            f"there are {len(asked)} items to try {name} on, expected 1 to {MOST}: give --item FILE, or --case"
        )
    settings = read_params("judge", judge_clients.Settings)

    async def put() -> list[Trial]:
        async with judge_clients.connected(settings, [judge], endpoint, journal) as bench:
            return [await _tried(judge, bench.panels[name], question) for question in asked]

    with model_session.consulting(settings.model) as (endpoint, journal):
        return asyncio.run(put())


async def _tried(judge: JudgePrompt, panel: judge_clients.Panel, question: Question) -> Trial:
    messages = [judge.render(**texts) for texts in question.shown]
    used, replies, votes = Meter(), list[dict[str, Any]](), []
    for seat in panel.seats:
        requests = [judge_clients.request_with_files(question, texts, seat.asked.manner) for texts in question.shown]
        with metering(used):
            mine = [(await raw_reply(seat.chat, **request))[0] for request in requests]
        votes.append(questions.verdict(question, mine, seat.asked))
        replies += [{name: value for name, value in reply.items() if name != "tokens"} for reply in mine]
    cost = used.cost_usd or None
    tokens = used.prompt_tokens + used.completion_tokens
    return Trial(question.item_id, messages, replies, ensemble.combine(votes), tokens, cost)


def of_file(judge: JudgePrompt, file: Path) -> list[Question]:
    """Return the questions of a file: one item a line, with the judge's inputs by name.

    Raises:
        DataError: A line is no item; the text names it.
    """
    found = []
    for number, line in enumerate(file.read_bytes().splitlines(), 1):
        if line.strip():
            found.append(_of_line(judge, line, number, f"{file.name}, line {number}"))
    return found


def _of_line(judge: JudgePrompt, line: bytes, number: int, where: str) -> Question:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise DataError(
            f"{where} is not JSON ({error}), expected an object with {_names(judge)}: correct it"
        ) from error
    if not isinstance(row, dict):
        raise DataError(f"{where} is no object, expected one with {_names(judge)}: correct it")
    row = as_texts(judge.declared, row)
    strange, absent = sorted(set(row) - set(judge.texts)), [name for name in judge.texts if name not in row]
    if strange and absent:
        raise DataError(f"{where} has {strange[0][:40]!r} and no {absent[0]}, expected {_names(judge)}: correct it")
    texts: dict[str, Any] = {name: row.get(name, "") for name in judge.texts}
    needed = {*ANSWER, *map(text_name, lacking(judge.declared, texts))}
    for name, text in texts.items():
        is_text = isinstance(text, str) or (isinstance(text, list) and all(isinstance(part, str) for part in text))
        if not is_text or (not text and name in needed):
            raise DataError(
                f"{where}: {name} is {str(text)[:40]!r}, expected a text or a list of texts ({judge.name} is shown "
                f"{_names(judge)}): correct it"
            )
    shown: tuple[Mapping[str, Any], ...] = (texts,)
    if judge.declared.is_pair:
        shown = questions.both_orders(texts, texts["response_a"], texts["response_b"])
    return Question("target", f"line-{number}", 0, judge.name, shown, "", judge)


def _names(judge: JudgePrompt) -> str:
    return ", ".join(judge.texts)


def of_cases(judge: JudgePrompt, case_ids: Sequence[str]) -> list[Question]:
    """Return the questions about tonight's first answers to cases.

    Raises:
        ConfigError: There is no such case, no answer to it, or the judge is not asked about it.
    """
    cases = {case.case_id: case for case in CASES.read(may_be_absent=True)}
    answers = {row.case_id: row for row in RESPONSES.stream(may_be_absent=True) if (row.trial, row.status) == (0, "ok")}
    found = []
    for case_id in case_ids:
        case, answer = cases.get(case_id), answers.get(case_id)
        if case is None or answer is None:
            raise ConfigError(
                f"{case_id[:80]!r} is no case with an answer of tonight, expected one of {len(answers)}: `assay cases` "
                "lists them"
            )
        if not questions.expects(judge, case, answer):
            raise ConfigError(
                f"{judge.name} is not asked about {case_id}, expected a case that it applies to and that has what it "
                "requires: name another, or give --item FILE"
            )
        found.append(questions.of_response(judge, "target", case, answer))
    return found


def lines(found: Sequence[Trial]) -> list[str]:
    """Return trials as a person reads them; the system message, which all share, once."""
    rows = ["--- system", *found[0].messages[0][0]["content"].splitlines()]
    for one in found:
        rows += ["", f"=== {one.item}"]
        for messages in one.messages:
            rows += ["--- user", *messages[1]["content"].splitlines()]
        rows += [f"--- reply: {_said(reply)}" for reply in one.replies]
        verdict = one.verdict
        label = f" ({verdict.label})" if verdict.label else ""
        what = "of a pass" if len(one.messages) == 1 else "that A is better"
        sure = "" if verdict.score is None else f", probability {what} {verdict.score:.2f}"
        rows.append(f"--- verdict: {verdict.outcome}{label}{sure}")
        rows += [f"--- why: {line}" for line in verdict.rationale.splitlines()]
        rows += [f"--- note: {verdict.detail}"] if verdict.detail else []
        cost = "no price is declared (judge.price)" if one.cost_usd is None else money(one.cost_usd)
        rows.append(f"--- used: {one.tokens} tokens, {cost}")
    return rows


def _said(reply: Mapping[str, Any]) -> object:
    """Return what a model said, or why nothing."""
    return reply.get("content") or reply.get("error") or reply.get("refusal")
