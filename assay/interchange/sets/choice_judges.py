"""Graders that have a model choose: one prompt, a few choices, and a score for each. Each becomes a judge.

Shared by autoevals and by OpenAI's model-graded specifications, which differ in how they write names.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from assay.interchange.sets import grader_text
from assay.interchange.sets.builder import name, quoted
from assay.interchange.sets.grader_text import Dialect
from assay.interchange.sets.model_graded import Unfit
from assay.judges.draft import JudgeDraft, declare

HALF = 0.5
"""From which score on a choice passes, of scores from 0 to 1."""
WINS: Mapping[float, str] = {1: "A", 0: "B", HALF: "tie"}
"""By score of a choice between two answers what a judge of pairs says."""
STEPS, NAMELESS = 3, "judge"
"""Numbers that make a scale, and the name of a judge that has none."""
FORM = "Whatever is said above of how to write the verdict, the form that is given at the end holds."
NO_ANSWER = "its prompt names no answer, so it would judge none"


class ChoiceGrader(NamedTuple):
    """A grader of this kind, whichever tool wrote it."""

    title: str
    prompt: object
    scores: Mapping[str, object]
    dialect: Dialect
    input_of: Callable[[str], str]
    """Returns the input that a name in the prompt stands for, or raises `Unfit`."""
    is_pair: bool
    """It says which of two answers is better."""
    settings: Mapping[str, Any]
    """Further fields of the declaration."""


def drafted(grader: ChoiceGrader) -> JudgeDraft:
    """Return the judge that a grader becomes.

    Raises:
        Unfit: None can stand for it; the text says why and what to do.
    """
    if not isinstance(grader.prompt, str):
        raise Unfit(f"its prompt is {quoted(grader.prompt)}, expected a text: write one")
    scores = {choice: _score(choice, score) for choice, score in grader.scores.items()}
    rubric = grader_text.rubric(grader.title, [grader.prompt], grader.dialect, grader.input_of)
    if not {"response", "conversation"} & set(rubric.inputs):
        raise Unfit(f"{NO_ANSWER}: name the answer in it")
    required = [one for one in rubric.inputs if one not in ("question", "response", "conversation")]
    asked, addition, remarks = _pair(scores) if grader.is_pair else _choice(scores)
    fields = {**asked, "input": rubric.inputs, "requires": required, **grader.settings}
    try:
        declared = declare(fields)
    except ValueError as error:
        raise Unfit(str(error)) from error
    return JudgeDraft(name(grader.title) or NAMELESS, declared, f"{rubric.text}\n{addition}\n", "", tuple(remarks))


def _pair(scores: Mapping[str, float]) -> tuple[dict[str, Any], str, list[str]]:
    said = {choice: WINS.get(score) for choice, score in scores.items()}
    if not {"A", "B"} <= set(said.values()) or None in said.values():
        raise Unfit("its choices between two answers do not score 1, 0 or 0.5: score them so")
    stands = ", ".join(f"`{verdict}` for “{choice}”" for choice, verdict in said.items())
    return {"question": "pairwise", "blocks": False}, f"Say {stands}. {FORM}", []


def _choice(scores: Mapping[str, float]) -> tuple[dict[str, Any], str, list[str]]:
    """Return what a judge of choices is asked: a score where they are the numbers of a scale, else labels."""
    span = min(scores.values(), default=0.0), max(scores.values(), default=1.0)
    low, high = (0.0, 1.0) if span[0] >= 0 and span[1] <= 1 else span
    limit = low + HALF * (high - low)
    passing = [choice for choice, score in scores.items() if score >= limit]
    if not passing or len(passing) == len(scores):
        raise Unfit(f"of its choices all score {limit:g} or more, or none does: score them apart")
    is_plain = set(scores.values()) == {low, high}
    remarks = [] if is_plain else [f"the file names no threshold, so what scores {limit:g} or more passes"]
    numbers = _scale(scores)
    if not numbers:
        return {"question": "labels", "labels": list(scores), "passing_labels": passing}, FORM, remarks
    threshold = min(int(choice) for choice in passing)
    return {"question": "score", "range": [numbers[0], numbers[-1]], "pass_threshold": threshold}, FORM, remarks


def _scale(scores: Mapping[str, float]) -> list[int]:
    """Return the numbers of a scale that choices are, the higher the better; nothing where they are other words."""
    if not all(grader_text.NUMBER.fullmatch(choice) for choice in scores):
        return []
    numbers = sorted(map(int, scores))
    ordered = [scores[choice] for choice in sorted(scores, key=int)]
    is_scale = numbers == list(range(numbers[0], numbers[0] + len(numbers))) and ordered == sorted(ordered)
    return numbers if is_scale and len(numbers) >= STEPS else []


def _score(choice: str, found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or found != found or abs(found) > 1e9:  # noqa: PLR0124, PLR2004
        raise Unfit(f"the choice {quoted(choice)} scores {quoted(found)}, expected a number: give it one")
    return float(found)
