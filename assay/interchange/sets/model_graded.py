"""Assertions of promptfoo that a model grades: most become the case's own rubric, which one judge of ours goes by.

The others, and those that a program would have to run, are left out with what to do instead.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from assay.interchange.sets.builder import RUBRIC_JUDGE, Draft
from assay.interchange.sets.source import json_text

GRADED = ", which only a judge can grade"
"""What a list says of a type that no check stands for."""
RUBRICS = ("llm-rubric", "g-eval", "model-graded-closedqa")
"""Types whose value says what has to hold."""
REFERENCES = ("factuality", "model-graded-factuality", "context-recall", "answer-relevance")
"""Types whose value is a good answer."""
RELEVANT = "answer-relevance"
ON_TOPIC = "The response answers what the user asked, and does not stray from it."
NOT = "not-"
_OWN_JUDGE = "make a judge of it, `assay judges new NAME`, that takes"
TO_DO: Mapping[str, str] = MappingProxyType(
    {
        "context-faithfulness": f"{_OWN_JUDGE} and requires `contexts` (is each claim carried by them?)",
        "context-relevance": f"{_OWN_JUDGE} and requires `contexts` (do they bear on the question?)",
        "context-recall": "give it the good answer as its value, or expect the check `context-recall` with the facts",
        "factuality": "give it the good answer as its value, in the file itself",
        "model-graded-factuality": "give it the good answer as its value, in the file itself",
        "select-best": "the judge `preference` compares with the baseline: write the criterion into its rubric.md",
        "max-score": "the judge `preference` compares with the baseline: write the criterion into its rubric.md",
        "conversation-relevance": f"{_OWN_JUDGE} `conversation`",
        "trajectory:goal-success": f"{_OWN_JUDGE} `conversation` and `tool_calls`",
        "agent-rubric": f"{_OWN_JUDGE} `final_state`, or say it as `llm-rubric`",
        "search-rubric": "say as `llm-rubric` what has to hold, with the facts in it",
        "classifier": "say as `llm-rubric` which class the answer has to be of",
        "moderation": "say as `llm-rubric` what must not be in the answer",
        "guardrails": "say as `llm-rubric` what must not be in the answer",
        "pi": "say it as `llm-rubric`",
    }
)
"""By type that a model grades: what to do where nothing of ours stands for it."""
_RUN = "no script of a file is run: say it as a check (`icontains`, `regex`, `json-schema`, ...) or as `llm-rubric`"
_LIKE = "say it as `similar`, or as `icontains` of what must be there"
WITHOUT: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("ruby", "webhook"), _RUN),
        **dict.fromkeys(("levenshtein", "rouge-n", "bleu", "gleu", "meteor"), _LIKE),
        "tool-call-f1": "say it as `trajectory:tool-used` of each tool",
        "is-valid-openai-tools-call": "say it as `trajectory:tool-args-match` of the call",
        "is-valid-openai-function-call": "say it as `trajectory:tool-args-match` of the call",
        "is-valid-function-call": "say it as `trajectory:tool-args-match` of the call",
        "is-sql": "say it as `regex`, or as `llm-rubric`",
        "contains-sql": "say it as `regex`, or as `llm-rubric`",
        "is-xml": "say it as `regex`, or as `llm-rubric`",
        "contains-xml": "say it as `regex`, or as `llm-rubric`",
        "is-html": "say it as `regex`, or as `llm-rubric`",
        "contains-html": "say it as `regex`, or as `llm-rubric`",
        "finish-reason": "an answer that was cut is told by the report: leave it out",
        "perplexity": "a product tells no log-probabilities: leave it out",
        "perplexity-score": "a product tells no log-probabilities: leave it out",
        "human": "people label at the desk: `assay labels draw`",
    }
)
"""By type that no model grades: what to do, since no check stands for it."""


class Unfit(Exception):  # noqa: N818 - it is no error, only the answer that nothing fits
    """No check and no judge can stand for an assertion; the text says why, or what to do."""


def is_graded(plain: str) -> bool:
    """Tell whether a model grades a type; one of promptfoo's own red team (`promptfoo:...`) is so too."""
    return plain in {*RUBRICS, *REFERENCES, *TO_DO} or plain.startswith("promptfoo:")


def without_check(plain: str) -> str:
    """Return what to do about a type that no check stands for."""
    if plain.startswith("trace-"):
        return "say it as `trajectory:tool-used`, or as `latency`"
    return WITHOUT.get(plain, "no check of ours stands for it: say it as another type, or as `llm-rubric`")


def take(draft: Draft, found: Mapping[str, Any], filled: Callable[[Any], Any]) -> str:
    """Give a case what a model would grade it by; return what that is, in words.

    Args:
        draft: The case.
        found: The assertion.
        filled: Fills the variables into a value.

    Raises:
        Unfit: Nothing of ours stands for it.
    """
    kind = found["type"]
    plain, is_negated = kind.removeprefix(NOT), kind.startswith(NOT)
    if plain not in (*RUBRICS, *REFERENCES):
        raise Unfit(TO_DO.get(plain, "write what has to hold as `llm-rubric`"))
    if found.get("weight") == 0:
        raise Unfit("its weight is 0, so nothing depends on it")
    text = _text(filled(found.get("value")))
    if plain in RUBRICS:
        if not text:
            raise Unfit("it says nothing that has to hold: give it a value")
        return _criterion(draft, text, is_negated=is_negated)
    if not text:
        return _without_answer(draft, plain, is_negated=is_negated)
    if is_negated:
        return _criterion(draft, f"The response agrees with this: {text}", is_negated=True)
    if draft.reference in ("", text):
        draft.reference = text
        return "reference"
    return _criterion(draft, f"The response agrees with this: {text}", is_negated=False)


def _without_answer(draft: Draft, plain: str, *, is_negated: bool) -> str:
    """Take a type whose value would be a good answer, and that has none."""
    if plain != RELEVANT:
        raise Unfit(TO_DO[plain])
    return _criterion(draft, ON_TOPIC, is_negated=is_negated)


def _criterion(draft: Draft, text: str, *, is_negated: bool) -> str:
    draft.criteria.append(f"This must not be so: {text}" if is_negated else text)
    return f"rubric of the judge `{RUBRIC_JUDGE}`"


def _text(value: object) -> str:
    """Return a value as one text; several criteria stand one a line."""
    if isinstance(value, list):
        return "\n".join(filter(None, map(_text, value)))
    if value is None or isinstance(value, str):
        return value if value and value.strip() else ""
    try:
        return json_text(value)
    except ValueError as error:
        raise Unfit("its value holds NaN or Infinity") from error
