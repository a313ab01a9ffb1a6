"""Replies of judges: one legal form is read, and everything else is unparsed.

A judge answers with one JSON object that holds one verdict. Nothing is searched for, repaired or guessed, so a verdict
that a judged text smuggles into the reply moves nothing. The probability comes from the log-probabilities of the tokens
at the verdict's own place in the reply.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from assay.judges.prompt import VERDICTS, Question
from assay.records.verdict import Outcome

PARSER_VERSION = "1"
"""Part of every judge's fingerprint: raise it whenever the same reply could be read otherwise."""

_BLANK = "[ \t\r\n]*"
_FORMS = {
    question: re.compile(rf'{_BLANK}\{{{_BLANK}"verdict"{_BLANK}:{_BLANK}"({"|".join(legal)})"{_BLANK}\}}{_BLANK}')
    for question, legal in VERDICTS.items()
}
_OUTCOMES: dict[str, Outcome] = {"A": "a", "B": "b", "tie": "tie", "pass": "pass", "fail": "fail"}
_SHOWN = 120


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What one call to a judge came to."""

    status: Literal["ok", "unparsed", "refused"]
    outcome: Outcome
    """`unscored` unless the status is ok."""
    probability: float | None
    """P(first is better), ties counted half, or P(pass); None where the endpoint gave nothing to read it from."""
    detail: str
    """Why there is no verdict, or why there is no probability; empty when there are both."""


class _Alternative(BaseModel):
    token: str
    logprob: float = Field(le=0.001, allow_inf_nan=True)


class _Token(_Alternative):
    top_logprobs: list[_Alternative] = []


_TOKENS = TypeAdapter(list[_Token])


def parse(
    question: Question,
    content: str | None,
    refusal: str | None,
    finish_reason: str | None,
    token_logprobs: Sequence[Mapping[str, Any]] | None,
) -> Reply:
    """Read one reply of a judge.

    Args:
        question: What the judge was asked; it decides which verdicts are legal.
        content: The text of `choices[0].message`.
        refusal: The refusal of `choices[0].message`.
        finish_reason: As the endpoint gave it; only `stop` ends a whole reply.
        token_logprobs: `choices[0].logprobs.content`, one mapping a token, or None.
    """
    if refusal or finish_reason == "content_filter":
        return _no_verdict("refused", f"the judge refused: {_show(refusal or 'content filter')}")
    if finish_reason != "stop":
        return _no_verdict("unparsed", f"the reply ended with finish_reason {_show(finish_reason)}, expected 'stop'")
    match = _FORMS[question].fullmatch(content or "")
    if match is None or content is None:
        expected = " or ".join(f'{{"verdict": "{verdict}"}}' for verdict in VERDICTS[question])
        return _no_verdict("unparsed", f"the reply is {_show(content)}, expected {expected} and nothing else")
    probability, detail = _probability(question, content, match.start(1), token_logprobs)
    return Reply(status="ok", outcome=_OUTCOMES[match[1]], probability=probability, detail=detail)


def _no_verdict(status: Literal["unparsed", "refused"], detail: str) -> Reply:
    return Reply(status=status, outcome="unscored", probability=None, detail=detail)


def _show(text: str | None) -> str:
    """Quote what was found on one short line of printable ASCII."""
    return ascii(text if text is None else text[:_SHOWN])


def _probability(
    question: Question, content: str, place: int, token_logprobs: Sequence[Mapping[str, Any]] | None
) -> tuple[float | None, str]:
    """Return P(first) or P(pass) with ties counted half, or None with the reason."""
    if not token_logprobs:
        return None, "the endpoint gave no log-probabilities"
    try:
        tokens = _TOKENS.validate_python(token_logprobs)
    except ValidationError as error:
        return None, f"the log-probabilities are malformed: {error.errors()[0]['msg']}"
    found = _token_at(tokens, content, place)
    if found is None:
        return None, "the tokens with log-probabilities do not spell the reply"
    token, before = found
    masses = _masses(VERDICTS[question], token, before)
    total = sum(masses.values())
    if len(token.top_logprobs) <= 1 or not total:
        return None, "no alternatives are listed at the verdict; ask for top_logprobs of 5 or more"
    first = VERDICTS[question][0]
    return min(1.0, (masses[first] + masses.get("tie", 0.0) / 2) / total), ""


def _token_at(tokens: list[_Token], content: str, place: int) -> tuple[_Token, str] | None:
    """Return the token that holds the verdict's first character, and what it holds before that character.

    Reasoning that precedes the reply may be among the tokens, hence the last occurrence.
    """
    start = "".join(token.token for token in tokens).rfind(content)
    if start < 0:
        return None
    offset = start + place
    for token in tokens:
        if offset < len(token.token):
            return token, token.token[:offset]
        offset -= len(token.token)
    return None


def _masses(legal: tuple[str, ...], token: _Token, before: str) -> dict[str, float]:
    """Sum the probability of each legal verdict over all its spellings among the alternatives."""
    masses = dict.fromkeys(legal, 0.0)
    for spelling, logprob in {(other.token, other.logprob) for other in [*token.top_logprobs, token]}:
        verdict = _spelled(legal, spelling.removeprefix(before)) if spelling.startswith(before) else None
        if verdict is not None and not math.isnan(logprob):
            masses[verdict] += math.exp(min(logprob, 0.0))
    return masses


def _spelled(legal: tuple[str, ...], text: str) -> str | None:
    """Return the verdict that a token's text begins, or that it holds up to the closing quote."""
    word, quote, _ = text.partition('"')
    for verdict in legal:
        if word == verdict or (word and not quote and verdict.startswith(word)):
            return verdict
    return None
