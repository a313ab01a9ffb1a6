"""What stands around a model's reply: thoughts, one fence, marks of an end, reasons for which it ended.

Judges, generators and simulated users are read alike. What surrounds a reply is taken off where there is one way to do
so; nothing is searched for in prose. No step goes back over a text, however long and odd it is.
"""

import re
from itertools import islice
from typing import NamedTuple

ENDED = {
    *("", "stop", "eos", "eos_token", "end_turn", "end_of_turn", "stop_sequence", "stop_token", "end_of_text"),
    *("complete", "completed", "done", "finish", "finished"),
}
"""Finish reasons of a whole reply, in small letters; servers also send none."""
CUT = {"length", "max_tokens", "max_output_tokens", "model_length", "token_limit"}
"""Finish reasons of a reply that ran out of tokens."""
WITHHELD = {"content_filter", "refusal", "safety", "guardrail_intervened"}
"""Finish reasons of a reply that its server keeps back."""

BLANKS = " \t\r\n\v\f\u00a0\u2007\u202f\u3000\u200b\u2060\ufeff"
"""Also those that JSON does not know."""
_MARKS = (
    *("<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<|return|>"),
    *("<end_of_turn>", "</s>", "<eos>", "<\uff5cend\u2581of\u2581sentence\uff5c>"),
)
"""What chat templates write at an end, and some servers leave in the reply."""
_TAG = re.compile(r"[<\[](/?)(think|thinking|thought|reasoning)[>\]]", re.IGNORECASE)
_FENCE = re.compile(r"```(?:[A-Za-z0-9_-]{0,12}[ \t]{0,8}\r?\n|(?:json)?[ \t]{0,8}(?=\{))", re.IGNORECASE)
FENCE = "```"


class ReplySpan(NamedTuple):
    """Where the reply itself stands in what a model wrote."""

    start: int
    end: int


def is_whole(finish_reason: str | None) -> bool:
    """Tell whether a reply ended by itself, as far as its finish reason says."""
    return (finish_reason or "").lower() in ENDED


def bare(content: str) -> str:
    """Return a reply without what stands around it."""
    found = unfenced(content, outside(content))
    return content[found.start : found.end]


def outside(content: str) -> ReplySpan:
    """Return where a reply stands between its thoughts and its marks of an end.

    Thoughts with more than one tag of each end are left on: a text that was thought about may have closed them.
    """
    start, end = skipped(content, 0, len(content)), _end(content)
    if _TAG.match(content, start):
        tags = list(islice(_TAG.finditer(content, start), 3))
        if [tag[1] for tag in tags] == ["", "/"] and tags[0][2].lower() == tags[1][2].lower():
            start = skipped(content, tags[1].end(), end)
    return ReplySpan(min(start, end), end)


def unfenced(content: str, span: ReplySpan) -> ReplySpan:
    """Return what one fence around the whole of a span holds, without blanks at its ends; else the span itself."""
    start, end = span
    opened = _FENCE.match(content, start, end)
    if opened is None or not content.endswith(FENCE, opened.end(), end):
        return span
    last = _trimmed(content, opened.end(), end - len(FENCE))
    return ReplySpan(skipped(content, opened.end(), last), last)


def skipped(content: str, start: int, end: int) -> int:
    """Return where the first character that is no blank stands, from a place on; the end where there is none."""
    while start < end and content[start] in BLANKS:
        start += 1
    return start


def _trimmed(content: str, start: int, end: int) -> int:
    while end > start and content[end - 1] in BLANKS:
        end -= 1
    return end


def _end(content: str) -> int:
    """Return where a reply ends before its marks of an end."""
    end = _trimmed(content, 0, len(content))
    while content.endswith(_MARKS, 0, end):
        mark = next(mark for mark in _MARKS if content.endswith(mark, 0, end))
        end = _trimmed(content, 0, end - len(mark))
    return end
