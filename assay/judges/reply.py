"""Replies of judges: what real models write is read, and nothing ambiguous is.

A judge answers with one JSON object that holds one verdict. Read besides are the harmless spellings of it: a fence
around the whole reply, a block of thoughts or a fixed phrase before it, fields besides the verdict, another letter
case, marks of an end. No verdict is searched for in prose, repaired or guessed, so that one which a judged text
smuggles into the reply moves nothing. The probability comes from the log-probabilities of the token at the verdict's
own place.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from assay.judges.declaration import Declaration
from assay.records.verdict import Outcome

PARSER_VERSION = "1"
"""Part of every judge's fingerprint: raise it whenever a reply that had a verdict could get another one. That more
replies are read than before changes no verdict on file."""
ENDED = {"", "stop", "eos", "eos_token", "end_turn", "stop_sequence", "end_of_text", "completed", "complete"}
"""Finish reasons of a whole reply, in small letters; servers also send none."""
MOST_REASON = 2_000
"""Characters of a rationale that are kept."""
RATIONALES = ("rationale", "reasoning", "reason", "explanation", "why")
"""Fields in which a judge says why."""

_END = re.compile(r"(?:\s|<\|im_end\|>|<\|eot_id\|>|<\|end\|>|<\|endoftext\|>|<end_of_turn>|</s>|\[/?INST\])*\Z")
_THOUGHTS = re.compile(r"\s*<(think|thinking|thought)>(?:(?!</?\1>).)*</\1>", re.DOTALL | re.IGNORECASE)
_FENCE = re.compile(r"\s*```[a-z]{0,10}[ \t]*\n(.*?)\n?[ \t]*```\s*", re.DOTALL | re.IGNORECASE)
_LEAD = re.compile(
    r"\s*(?:(?:sure|certainly|of course|ok|okay)[,.!]?\s+)?"
    r"(?:here (?:you go|it is|is (?:my|the|your) [a-z ]{1,20})|"
    r"(?:my |the |final )*(?:verdict|answer|judgement|judgment))"
    r"(?: is)?\s*:\s*(?=\{)",
    re.IGNORECASE,
)
_SINGLE = re.compile(r"\{\s*'verdict'\s*:\s*'([^'\"\\{}]*)'\s*\}\s*")
_BLANK = dict.fromkeys((160, 8239, 8199, 12288, 8203, 65279), " ")
"""Blanks that JSON does not know; each becomes one that it does, so that places stay the same."""
_BARE = "\"'`*_. \t\r\n"
_PAIR: dict[str, Outcome] = {"A": "a", "B": "b", "tie": "tie"}
_SHOWN = 120
AMBIGUOUS = 0.05
"""Share of the probability on tokens that begin more than one verdict, beyond which none is told."""


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
    said: str = ""
    """The verdict as the judge declares it: a label, a score."""
    rationale: str = ""
    """Why, as the judge says."""


class Verdict(NamedTuple):
    """A legal verdict that was found in a reply."""

    said: str
    place: int
    """Where it begins in the reply."""
    rationale: str


class _Alternative(BaseModel):
    token: str
    logprob: float = Field(le=0.001, allow_inf_nan=True)


class _Token(_Alternative):
    top_logprobs: list[_Alternative] = []


_TOKENS = TypeAdapter(list[_Token])


def parse(
    declared: Declaration,
    content: str | None,
    refusal: str | None,
    finish_reason: str | None,
    token_logprobs: Sequence[Mapping[str, Any]] | None,
    tokens_at: int | None = None,
) -> Reply:
    """Read one reply of a judge.

    Args:
        declared: The judge; it decides which verdicts are legal.
        content: The text of `choices[0].message`.
        refusal: The refusal of `choices[0].message`.
        finish_reason: As the endpoint gave it; a reply that was cut off has no verdict.
        token_logprobs: `choices[0].logprobs.content`, one mapping a token, or None.
        tokens_at: Where in these tokens the verdict begins, where only those around it were kept.
    """
    if refusal or finish_reason == "content_filter":
        return _no_verdict("refused", f"the judge refused: {_show(refusal or 'content filter')}")
    if (finish_reason or "").lower() not in ENDED:
        return _no_verdict("unparsed", f"the reply ended with finish_reason {_show(finish_reason)}, expected 'stop'")
    found = find(declared, content or "")
    if found is None:
        return _no_verdict("unparsed", f"the reply is {_show(content)}, expected {_legal(declared)} and nothing else")
    probability, detail = _probability(declared, content or "", found.place, token_logprobs, tokens_at)
    outcome = _PAIR[found.said] if declared.is_pair else _passes(declared, found.said)
    return Reply(
        status="ok",
        outcome=outcome,
        probability=probability,
        detail=detail,
        said=found.said,
        rationale=found.rationale,
    )


def find(declared: Declaration, content: str) -> Verdict | None:
    """Return the one verdict of a reply; None where there is none, or more than one way to read it."""
    text, start = content.translate(_BLANK), 0
    text = text[: _end(text)]
    if thoughts := _THOUGHTS.match(text):
        start = thoughts.end()
    if fence := _FENCE.fullmatch(text, start):
        start, text = fence.start(1), text[: fence.end(1)]
    elif lead := _LEAD.match(text, start):
        start = lead.end()
    body = text[start:].strip()
    if body.startswith("{"):
        return _of_object(declared, text, start + text[start:].index("{"))
    said = _verdict(declared, body.strip(_BARE))
    return None if said is None else Verdict(said, start + text[start:].find(body.strip(_BARE)), "")


def around(reply: Mapping[str, Any], declared: Declaration) -> dict[str, Any]:
    """Return a reply with those tokens alone that its verdict's probability is read from.

    A rationale has hundreds, each with its alternatives: a journal that kept them all would hold nothing else.
    """
    tokens, content = reply.get("tokens"), reply.get("content") or ""
    found = find(declared, content) if tokens else None
    if not tokens:
        return dict(reply)
    if found is None:
        return {**reply, "tokens": None}
    try:
        read = _TOKENS.validate_python(tokens)
    except ValidationError:
        return dict(reply)
    place = _token_at(read, content, found.place)
    if place is None:
        return dict(reply)
    number, offset = place
    return {**reply, "tokens": [tokens[number]], "tokens_at": offset}


def _end(text: str) -> int:
    found = _END.search(text, max(0, len(text.rstrip()) - 200))
    return found.start() if found else len(text)


def _of_object(declared: Declaration, text: str, start: int) -> Verdict | None:
    """Read the verdict of an object that reaches to the end of the text."""
    if quoted := _SINGLE.fullmatch(text, start):
        said = _verdict(declared, quoted[1])
        return None if said is None else Verdict(said, quoted.start(1), "")
    fields = _members(text, start)
    if fields is None:
        return None
    keys = [key.strip().lower() for key, _, _ in fields]
    if len(set(keys)) < len(keys) or [key for key in keys if "verdict" in key] != ["verdict"]:
        return None
    _, value, place = fields[keys.index("verdict")]
    said = _verdict(declared, value)
    reasons = {key: value for key, (_, value, _) in zip(keys, fields, strict=True) if isinstance(value, str)}
    why = next((reasons[name] for name in RATIONALES if name in reasons), "")
    return None if said is None else Verdict(said, place, why[:MOST_REASON])


def _members(text: str, start: int) -> list[tuple[str, Any, int]] | None:
    """Return the members of a JSON object, each with where its value begins; None where the text is no object alone."""
    decoder, place, members = json.JSONDecoder(), start + 1, list[tuple[str, Any, int]]()
    try:
        while True:
            place = _skip(text, place)
            if text[place] != '"':
                return None
            key, place = scanstring(text, place + 1, True)
            place = _skip(text, place)
            if text[place] != ":":
                return None
            place = _skip(text, place + 1)
            value, end = decoder.raw_decode(text, place)
            members.append((key, value, place + (text[place] == '"')))
            place = _skip(text, end)
            if text[place] == "}":
                return members if not text[place + 1 :].strip() else None
            if text[place] != ",":
                return None
            place += 1
    except (IndexError, ValueError, RecursionError):
        return None


def _skip(text: str, place: int) -> int:
    while text[place] in " \t\r\n":
        place += 1
    return place


def _verdict(declared: Declaration, value: Any) -> str | None:  # noqa: ANN401 - whatever stands in the reply
    """Return which verdict a value is, whatever its letter case; None for none."""
    if isinstance(value, bool):
        return ("pass" if value else "fail") if declared.question == "pass-fail" else None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and declared.question != "score":
        return None
    if not isinstance(value, str | int):
        return None
    said = str(value).strip().casefold()
    return next((legal for legal in declared.verdicts if legal.casefold() == said), None)


def _passes(declared: Declaration, said: str) -> Outcome:
    return "pass" if said in declared.passing else "fail"


def _legal(declared: Declaration) -> str:
    values = declared.verdicts
    if declared.question == "score":
        return f'{{"verdict": {values[0]}}} to {{"verdict": {values[-1]}}}'
    return " or ".join(f'{{"verdict": "{verdict}"}}' for verdict in values)


def _no_verdict(status: Literal["unparsed", "refused"], detail: str) -> Reply:
    return Reply(status=status, outcome="unscored", probability=None, detail=detail)


def _show(text: str | None) -> str:
    """Quote what was found on one short line of printable ASCII."""
    return ascii(text if text is None else text[:_SHOWN])


def _probability(
    declared: Declaration,
    content: str,
    place: int,
    token_logprobs: Sequence[Mapping[str, Any]] | None,
    tokens_at: int | None,
) -> tuple[float | None, str]:
    """Return P(first) or P(pass) with ties counted half, or None with the reason."""
    if not token_logprobs:
        return None, "the endpoint gave no log-probabilities"
    try:
        tokens = _TOKENS.validate_python(token_logprobs)
    except ValidationError as error:
        return None, f"the log-probabilities are malformed: {error.errors()[0]['msg']}"
    at = (0, tokens_at) if tokens_at is not None else _token_at(tokens, content, place)
    if at is None:
        return None, "the tokens with log-probabilities do not spell the reply"
    token, before = tokens[at[0]], tokens[at[0]].token[: at[1]]
    masses, unclear = _masses(declared.verdicts, token, before)
    total = sum(masses.values())
    if len(token.top_logprobs) <= 1 or not total:
        return None, "no alternatives are listed at the verdict; ask for top_logprobs of 5 or more"
    if unclear > AMBIGUOUS * (total + unclear):
        return (
            None,
            "the alternatives at the verdict begin more than one verdict: name them so that they begin otherwise",
        )
    if declared.is_pair:
        return min(1.0, (masses["A"] + masses["tie"] / 2) / total), ""
    return min(1.0, sum(masses[verdict] for verdict in declared.passing) / total), ""


def _token_at(tokens: list[_Token], content: str, place: int) -> tuple[int, int] | None:
    """Return which token holds the verdict's first character, and how many characters it holds before that one.

    Reasoning that precedes the reply may be among the tokens, hence the last occurrence.
    """
    start = "".join(token.token for token in tokens).rfind(content)
    if start < 0:
        return None
    offset = start + place
    for number, token in enumerate(tokens):
        if offset < len(token.token):
            return number, offset
        offset -= len(token.token)
    return None


def _masses(legal: tuple[str, ...], token: _Token, before: str) -> tuple[dict[str, float], float]:
    """Sum the probability of each legal verdict over all its spellings among the alternatives.

    Returns:
        The sums, and what lies on beginnings that several verdicts share.
    """
    masses, unclear = dict.fromkeys(legal, 0.0), 0.0
    for spelling, logprob in {(other.token, other.logprob) for other in [*token.top_logprobs, token]}:
        if not spelling.startswith(before) or math.isnan(logprob):
            continue
        found = _spelled(legal, spelling.removeprefix(before))
        mass = math.exp(min(logprob, 0.0))
        if len(found) == 1:
            masses[found[0]] += mass
        elif found:
            unclear += mass
    return masses, unclear


def _spelled(legal: tuple[str, ...], text: str) -> list[str]:
    """Return the verdicts that a token's text begins, or the one that it holds up to the closing quote."""
    word, quote, _ = text.partition('"')
    if quote:
        return [verdict for verdict in legal if word.casefold() == verdict.casefold()]
    return [verdict for verdict in legal if word and verdict.casefold().startswith(word.casefold())]
