"""Replies of judges: what real models write is read, and nothing ambiguous is.

A judge answers with one JSON object that holds one verdict. Read besides are the harmless spellings of it: what
stands around a reply (assay/reply_text.py), a fixed phrase before it, plain fields besides the verdict, another letter
case, the verdict alone. No verdict is searched for in prose, repaired or guessed, so that one which a judged text
smuggles into the reply moves nothing. The probability comes from the log-probabilities of the token at the verdict's
own place.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from assay.judges.declaration import Declaration
from assay.judges.delimiters import sendable
from assay.records.verdict import Outcome
from assay.reply_text import BLANKS, WITHHELD, ReplySpan, is_whole, outside, skipped, unfenced

PARSER_VERSION = "1"
"""Part of every judge's fingerprint: raise it whenever a reply that had a verdict could get another one. That more
replies are read than before changes no verdict on file."""
MOST_REASON = 2_000
"""Characters of a rationale that are kept."""
RATIONALES = ("rationale", "reasoning", "reason", "explanation", "why")
"""Fields in which a judge says why."""
MOST_BARE = 100
"""Characters of a reply that is the verdict alone."""

_LEAD = re.compile(
    r"(?:(?:sure|certainly|of course|ok|okay)[,.!]?\s{1,4})?"
    r"(?:here (?:you go|it is|is (?:my|the|your) (?:verdict|judge?ment|evaluation|assessment|json|json object))|"
    r"(?:my |the |final ){0,3}(?:verdict|judge?ment)(?: is)?|(?:my |final ){1,2}answer(?: is)?)"
    r"\s{0,4}:\s*(?=\{|```)",
    re.IGNORECASE,
)
"""What may stand before the object: nothing that could be said of somebody else's text."""
_SINGLE = re.compile(r"'([^'\"\\{}]*)'")
_SCALAR = re.compile(
    r"(?:(true)|false|(null|none)|(-?[0-9]{1,40}(?:\.[0-9]{1,40})?(?:e[+-]?[0-9]{1,2})?))", re.IGNORECASE
)
_WHOLE = re.compile(r"(-?[0-9]{1,6})(?:\.0{1,6})?")
_BEFORE, _AFTER = f"{BLANKS}\"'`*_", f"{BLANKS}\"'`*_."
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
    place: int = 0
    """Where in the reply the verdict begins."""


class FoundVerdict(NamedTuple):
    """A legal verdict that was found in a reply."""

    said: str
    place: int
    """Where it begins in the reply."""
    rationale: str


class _Member(NamedTuple):
    """One field of a reply's object."""

    key: str
    value: Any
    place: int
    """Where its value begins, after the quote."""


class _Alternative(BaseModel):
    token: str
    logprob: float = Field(le=0.001, allow_inf_nan=True)


class _Token(_Alternative):
    top_logprobs: list[_Alternative] = []


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
        tokens_at: Where in the first of these tokens the verdict begins, where only that one was kept.
    """
    if refusal or (finish_reason or "").lower() in WITHHELD:
        return _no_verdict("refused", f"the judge refused: {_show(refusal or finish_reason)}")
    if not is_whole(finish_reason):
        return _no_verdict("unparsed", f"the reply ended with finish_reason {_show(finish_reason)}, expected 'stop'")
    verdict = find(declared, content or "")
    if verdict is None:
        return _no_verdict("unparsed", f"the reply is {_show(content)}, expected {_legal(declared)} and nothing else")
    probability, detail = _probability(declared, content or "", verdict, token_logprobs, tokens_at)
    outcome = _PAIR[verdict.said] if declared.is_pair else _passes(declared, verdict.said)
    return Reply(
        status="ok",
        outcome=outcome,
        probability=probability,
        detail=detail,
        said=verdict.said,
        rationale=verdict.rationale,
        place=verdict.place,
    )


def find(declared: Declaration, content: str) -> FoundVerdict | None:
    """Return the one verdict of a reply; None where there is none, or more than one way to read it."""
    span = outside(content)
    if lead := _LEAD.match(content, span.start, span.end):
        span = span._replace(start=lead.end())
    span = unfenced(content, span)
    if content.startswith("{", span.start):
        return _of_object(declared, content, span)
    return _alone(declared, content, span)


def around(raw: Mapping[str, Any], reply: Reply) -> dict[str, Any]:
    """Return a reply with that token alone that its verdict's probability is read from.

    A rationale has hundreds, each with its alternatives: a journal that kept them all would hold nothing else.

    Args:
        raw: The reply as the endpoint gave it.
        reply: What was read of it.
    """
    tokens = raw.get("tokens")
    if not tokens or reply.status != "ok":
        return {**raw, "tokens": None}
    place = _token_at(tokens, raw["content"], reply.place)
    if place is None:
        return {**raw, "tokens": tokens[:1]}
    number, offset = place
    kept = {name: tokens[number][name] for name in ("token", "logprob", "top_logprobs") if name in tokens[number]}
    return {**raw, "tokens": [kept], "tokens_at": offset}


def _alone(declared: Declaration, content: str, span: ReplySpan) -> FoundVerdict | None:
    """Read a reply that is a legal verdict and nothing else, in quotes or in bold at most."""
    if span.end - span.start > MOST_BARE:
        return None
    text = content[span.start : span.end]
    for word in (text, text.lstrip(_BEFORE).rstrip(_AFTER)):
        said = _verdict(declared, word)
        if said is not None:
            return FoundVerdict(said, span.start + text.index(word), "")
    return None


def _of_object(declared: Declaration, text: str, span: ReplySpan) -> FoundVerdict | None:
    """Read the verdict of an object that reaches from end to end."""
    try:
        members = _members(text, span)
    except (IndexError, ValueError):
        return None
    keys = [member.key.strip(BLANKS).lower() for member in members]
    if len(set(keys)) < len(keys) or [key for key in keys if "verdict" in key] != ["verdict"]:
        return None
    verdict = members[keys.index("verdict")]
    said = _verdict(declared, verdict.value)
    reasons = {key: member.value for key, member in zip(keys, members, strict=True) if isinstance(member.value, str)}
    why = next((reasons[name] for name in RATIONALES if name in reasons), "")
    return None if said is None else FoundVerdict(said, verdict.place, sendable(why[:MOST_REASON]))


def _members(text: str, span: ReplySpan) -> list[_Member]:
    """Return the members of an object of plain values.

    Raises:
        ValueError: The text is no such object alone.
        IndexError: It ends before the object does.
    """
    place, end, members = span.start, span.end, list[_Member]()
    while not members or text[place] == ",":
        place = skipped(text, place + 1, end)
        key, place = _string(text, place)
        place = skipped(text, place, end)
        if text[place] != ":":
            raise ValueError("no colon")
        place = skipped(text, place + 1, end)
        begins = skipped(text, place + 1, end) if text[place] in "\"'" else place
        value, place = _value(text, place, end)
        members.append(_Member(key, value, begins))
        place = skipped(text, place, end)
    if text[place] != "}" or place + 1 != end:
        raise ValueError("no end")
    return members


def _value(text: str, place: int, end: int) -> tuple[Any, int]:
    """Return a string, a number, a word of JSON, or an empty list for one of those, and where it ends.

    No object is read in another, and what stands in a list is no verdict.
    """
    if text[place] != "[":
        return _plain(text, place)
    place = skipped(text, place + 1, end)
    while text[place] != "]":
        _, place = _plain(text, place)
        place = skipped(text, place, end)
        if text[place] == ",":
            place = skipped(text, place + 1, end)
        elif text[place] != "]":
            raise ValueError("no list")
    return [], place + 1


def _plain(text: str, place: int) -> tuple[Any, int]:
    if text[place] in "\"'":
        return _string(text, place)
    word = _SCALAR.match(text, place)
    if word is None:
        raise ValueError("no plain value")
    yes, nothing, number = word.groups()
    if number:
        return (int(number) if number.lstrip("-").isdigit() else float(number)), word.end()
    return (None if nothing else bool(yes)), word.end()


def _string(text: str, place: int) -> tuple[str, int]:
    """Return a string of JSON, or one in single quotes that holds no quote, and where it ends."""
    if text[place] == '"':
        return scanstring(text, place + 1, False)  # type: ignore[no-any-return]
    quoted = _SINGLE.match(text, place)
    if quoted is None:
        raise ValueError("no string")
    return quoted[1], quoted.end()


def _verdict(declared: Declaration, value: Any) -> str | None:  # noqa: ANN401 - whatever stands in the reply
    """Return which verdict a value is, whatever its letter case; None for none."""
    if value is None or isinstance(value, list):
        return None
    if isinstance(value, bool) and declared.question == "pass-fail":
        return "pass" if value else "fail"
    said = str(value).strip(BLANKS).casefold()
    if declared.question == "score" and (whole := _WHOLE.fullmatch(said)):
        said = whole[1]
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
    verdict: FoundVerdict,
    tokens: Sequence[Mapping[str, Any]] | None,
    tokens_at: int | None,
) -> tuple[float | None, str]:
    """Return P(first) or P(pass) with ties counted half, or None with the reason."""
    if not tokens:
        return None, "the endpoint gave no log-probabilities"
    at = (0, tokens_at) if tokens_at is not None else _token_at(tokens, content, verdict.place)
    if at is None:
        return None, "the tokens with log-probabilities do not spell the reply"
    try:
        token = _Token.model_validate(tokens[at[0]])
    except ValidationError as error:
        return None, f"the log-probabilities are malformed: {error.errors()[0]['msg']}"
    opener = content[verdict.place - 1 : verdict.place]
    return _read(declared, verdict.said, token, token.token[: at[1]], opener if opener in ("'", '"') else "")


def _read(declared: Declaration, said: str, token: _Token, before: str, closer: str) -> tuple[float | None, str]:
    """Return the probability that the token at the verdict tells, or None with the reason."""
    masses, unclear = _masses(declared.verdicts, token, before, closer)
    total = sum(masses.values())
    if len(token.top_logprobs) <= 1 or not total:
        return None, "no alternatives are listed at the verdict; ask for top_logprobs of 5 or more"
    if said not in _spelled(declared.verdicts, token.token[len(before) :], closer):
        return None, "the token at the verdict spells it in another way"
    if unclear > AMBIGUOUS * (total + unclear):
        return (
            None,
            "the alternatives at the verdict begin more than one verdict: name them so that they begin otherwise",
        )
    if declared.is_pair:
        return min(1.0, (masses["A"] + masses["tie"] / 2) / total), ""
    return min(1.0, sum(masses[verdict] for verdict in declared.passing) / total), ""


def _token_at(tokens: Sequence[Mapping[str, Any]], content: str, place: int) -> tuple[int, int] | None:
    """Return which token holds the verdict's first character, and how many characters it holds before that one.

    Reasoning that precedes the reply may be among the tokens, hence the last occurrence. Half a character, as of an
    emoji that takes two tokens, is spelled by its bytes alone.
    """
    try:
        texts = [str(token["token"]) for token in tokens]
        start = "".join(texts).rfind(content)
        if start >= 0:
            return _walk([len(text) for text in texts], start + place)
        spelled = [bytes(token.get("bytes") or text.encode()) for token, text in zip(tokens, texts, strict=True)]
        start = b"".join(spelled).rfind(content.encode())
        at = _walk([len(part) for part in spelled], start + len(content[:place].encode())) if start >= 0 else None
        return at and (at[0], len(spelled[at[0]][: at[1]].decode()))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _walk(lengths: Sequence[int], offset: int) -> tuple[int, int] | None:
    for number, length in enumerate(lengths):
        if offset < length:
            return number, offset
        offset -= length
    return None


def _masses(legal: tuple[str, ...], token: _Token, before: str, closer: str) -> tuple[dict[str, float], float]:
    """Sum the probability of each legal verdict over all its spellings among the alternatives.

    Returns:
        The sums, and what lies on beginnings that several verdicts share.
    """
    masses, unclear = dict.fromkeys(legal, 0.0), 0.0
    for spelling, logprob in {(token.token, token.logprob), *((one.token, one.logprob) for one in token.top_logprobs)}:
        if not spelling.startswith(before) or math.isnan(logprob):
            continue
        begun = _spelled(legal, spelling.removeprefix(before), closer)
        mass = math.exp(min(logprob, 0.0))
        if len(begun) == 1:
            masses[begun[0]] += mass
        elif begun:
            unclear += mass
    return masses, unclear


def _spelled(legal: tuple[str, ...], text: str, closer: str) -> list[str]:
    """Return the verdicts that a token's text begins, or the one that it holds up to the closing quote."""
    if closer:
        word, closed, _ = text.partition(closer)
    else:
        word = text.rstrip(_AFTER + ",}")
        closed = text[len(word) :]
    word = word.casefold()
    if closed:
        return [verdict for verdict in legal if word == verdict.casefold()]
    return [verdict for verdict in legal if word and verdict.casefold().startswith(word)]
