"""Why a model's replies to a judge hold no verdict, and which setting to change: for when all of them fail alike."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from assay.judges.declaration import Declaration
from assay.judges.questions import Manner
from assay.judges.reply import Reply
from assay.reply_text import CUT
from assay.text import one_line

ENOUGH = 10
"""Replies of a run, from its first one on, that all fail alike before it says so."""
SHOWN = 160
OTHER_MODEL = "another model, or ask another question"
LONGER = "a larger `max_tokens` in the model's `parameters`, or `reasoning: none`"


class Cause(NamedTuple):
    """What is wrong with a reply."""

    kind: str
    """Equal for replies that fail alike."""
    found: str
    """What this one was like, on one short line."""
    setting: str
    """What to change."""


def cause(declared: Declaration, manner: Manner, raw: Mapping[str, Any], reply: Reply | None) -> Cause | None:
    """Return why a reply holds no verdict; None for one that does, or that failed on its way.

    Args:
        declared: The judge.
        manner: How it was asked.
        raw: The reply as the journal keeps it.
        reply: What it comes to; None for one with an error.
    """
    if reply is None:
        return of_error(manner, str(raw["error"]))
    if reply.status == "ok":
        return None
    found = one_line(reply.detail)[:SHOWN]
    if reply.status == "refused":
        return Cause("refused", found, OTHER_MODEL)
    ended = str(raw["finish_reason"] or "").lower()
    if ended in CUT:
        return Cause("cut", found, LONGER)
    return Cause(f"form {ended} {_form(raw['content'] or '')}", found, _form_setting(declared, manner))


def of_error(manner: Manner, error: str) -> Cause | None:
    """Return why a request was refused for what it asks; None for any other error.

    Args:
        manner: How it was asked.
        error: The error's kind and text.
    """
    kind, _, text = error.partition(": ")
    found, lower = one_line(error)[:SHOWN], text.lower()
    if kind == "empty":
        return Cause("cut", found, LONGER) if any(reason in lower for reason in CUT) else None
    if kind != "refused-request":
        return None
    simpler = "json-object" if manner.structured == "json-schema" else "none"
    settings = {
        (
            "response_format",
            "json_schema",
            "json_object",
            "json mode",
            "guided",
            "structured",
        ): f"the model's `structured: {simpler}`",
        ("logprob",): "the model's `log_probabilities: false`",
        ("temperature",): "the model's `temperature: null`",
        ("max_completion_tokens",): "`max_completion_tokens` in place of `max_tokens` in the model's `parameters`",
    }
    for words, setting in settings.items():
        if any(word in lower for word in words):
            return Cause(f"refused {words[0]}", found, setting)
    return Cause("refused request", found, "the model's `parameters`, or what the judge is shown")


def _form(content: str) -> str:
    """Return which kind of text a reply is that nobody can read."""
    text = content.lstrip().lower()
    known = {"<think": "thoughts", "[think": "thoughts", "```": "fence", "{": "object", "[": "list"}
    return next((form for start, form in known.items() if text.startswith(start)), "prose" if text else "nothing")


def _form_setting(declared: Declaration, manner: Manner) -> str:
    if manner.api != "chat":
        return OTHER_MODEL
    if manner.structured != "json-object":
        return "the model's `structured: json-object`"
    return "`reasoning: none`" if declared.reasoning != "none" else OTHER_MODEL


class FailureWatch:
    """Notices when everything that one model replies to one judge fails alike, from its first reply on."""

    def __init__(self, tell: Callable[[Cause], None]) -> None:
        """Begin before the first reply.

        Args:
            tell: Told once, of the first reply's cause.
        """
        self._tell, self._causes, self._is_over = tell, list[Cause](), False

    def note(self, found: Cause | None) -> None:
        """Count one reply; with the first that is otherwise nothing fails alike any more."""
        if self._is_over:
            return
        self._is_over = found is None or any(found.kind != earlier.kind for earlier in self._causes)
        if found is None or self._is_over:
            return
        self._causes.append(found)
        if len(self._causes) == ENOUGH:
            self._is_over = True
            self._tell(self._causes[0])
