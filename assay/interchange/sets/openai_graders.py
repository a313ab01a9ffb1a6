"""OpenAI's graders that need no model: those that a check can stand for become expectations, the others are told."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assay.interchange.sets import openai_judges, own_code, templates
from assay.interchange.sets.builder import Draft, Gathering, shown
from assay.interchange.sets.source import json_text
from assay.records.case import Expectation

ANSWER = ("sample.output_text", "sample.choices[0].message.content")
"""How a template names the answer."""
OPERATIONS = {"eq": "equals", "ne": "not-equals", "neq": "not-equals", "like": "contains", "ilike": "icontains"}
MEASURES = {"fuzzy_match": "ratio", "rouge_l": "rouge-l", "cosine": "embedding"}
TYPES = ("string_check", "text_similarity", "python", "multi", *openai_judges.KINDS)
PARTS = (
    "list each of its graders by itself in `testing_criteria`: every check and every judge has to pass, and no formula "
    "joins them"
)


class Grader(NamedTuple):
    """A grader that becomes an expectation of each case."""

    place: str
    kind: str
    reference: str
    """A template over `item`."""
    check: str
    """The check, or the measure of a similarity."""
    threshold: float
    """Of a similarity."""


def usable(criteria: Sequence[openai_judges.Place], gathering: Gathering) -> list[Grader]:
    """Return the graders that a check can stand for; the others but judges are left, and told by type and name."""
    found = []
    for place, one in criteria:
        if one.get("type") in openai_judges.KINDS:
            continue
        grader, why = _usable(one, place)
        if grader is None:
            gathering.leave("grader", f"of type `{shown(one.get('type'))}`, named `{_name(one)}`", place, why)
        else:
            found.append(grader)
    return found


def listed(criteria: object, gathering: Gathering) -> list[openai_judges.Place]:
    """Return graders, each with its place; what is none is left."""
    found: list[openai_judges.Place] = []
    for number, one in enumerate(criteria if isinstance(criteria, list) else []):
        place = f"testing_criteria[{number}]"
        if isinstance(one, dict):
            found.append((place, one))
        else:
            gathering.leave("grader", "that is no object", place)
    return found


def grade(draft: Draft, grader: Grader, values: Mapping[str, Any], gathering: Gathering) -> set[str]:
    """Add what a grader expects of one case; return the fields of the item that it names."""
    made = templates.filled(grader.reference, values)
    if made.missing:
        gathering.leave("grader", f"of type `{grader.kind}` without its reference", draft.place, made.missing)
        return set()
    if grader.kind == "string_check":
        expectation = Expectation(check=grader.check, values=[made.text])
    else:
        options = {"measure": grader.check, "reference": made.text, "threshold": grader.threshold}
        expectation = Expectation(check="similarity", values=[json_text(options)])
    gathering.expect(draft, expectation, f"grader `{grader.kind}`", draft.place)
    return templates.fields(grader.reference, "item")


def _usable(one: Mapping[str, Any], place: str) -> tuple[Grader | None, str]:
    """Return the grader, or None and why no check can stand for it."""
    kind = one.get("type")
    if kind not in {"string_check", "text_similarity"}:
        to_do = {"python": own_code.stub("python", one.get("source"), one.get("name")), "multi": PARTS}
        return None, to_do.get(str(kind), "")
    answer, reference = one.get("input"), one.get("reference")
    if not isinstance(answer, str) or not isinstance(reference, str):
        return None, "its input and reference are no texts"
    if templates.hole(reference) in ANSWER and one.get("operation") in {"eq", "ne", "neq"}:
        answer, reference = reference, answer
    if templates.hole(answer) not in ANSWER or "sample." in reference:
        return None, "it does not compare the answer with a part of the item"
    if kind == "string_check":
        check = OPERATIONS.get(str(one.get("operation")), "")
        return (Grader(place, kind, reference, check, 0.0), "") if check else (None, "its operation is unknown")
    measure, threshold = MEASURES.get(str(one.get("evaluation_metric")), ""), one.get("pass_threshold")
    if not measure:
        return None, f"no check measures {shown(one.get('evaluation_metric'))}"
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 < threshold <= 1:
        return None, "its pass_threshold is no share above 0"
    return Grader(place, kind, reference, measure, threshold), ""


def _name(one: Mapping[str, Any]) -> str:
    inner = one.get("graders")
    several = inner.values() if isinstance(inner, dict) and "type" not in inner else [inner] if inner else []
    parts = [f"{part.get('type')} {part.get('name', '')}".strip() for part in several if isinstance(part, dict)]
    return shown(f"{one.get('name', '')}{' of ' + ', '.join(parts) if parts else ''}")
