"""OpenAI's hosted Evals, whose platform shuts down on 30 November 2026: what was exported of it while it could be.

Read are an eval with its rows (`{"eval": …, "rows": […], "runs": […]}`, as the migration guides' scripts write it), the
rows alone as they were uploaded (`{"item": {…}, "sample": {…}}`, one a line, an eval object among them if there is
one), the output items of a run, and the grader of a fine-tuning job. A run's message template says which part of an
item the user says.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assay.interchange.sets import metadata, openai_graders, openai_judges, templates
from assay.interchange.sets.builder import Draft, Gathering, Listing, name, shown
from assay.interchange.sets.fields import EMPTY, Fields
from assay.interchange.sets.messages import asked, content, is_conversation, messages_of, reply
from assay.interchange.sets.rows import IDS, INPUTS, REFERENCES
from assay.interchange.sets.source import Row, Source, listed
from assay.records.case import Case
from assay.records.record import digest

NAME = "openai-evals"
SUFFIXES = (".jsonl", ".json")
EVAL, OUTPUT = "eval", "eval.run.output_item"
LOGS = ("logs", "stored_completions")
ASKED = (*INPUTS, "user", "text")
OF_GRADER = frozenset({"input", "graders", "source"})
"""Fields one of which every grader has."""


class Plan(NamedTuple):
    """What is made of every row."""

    template: list[dict[str, Any]]
    """The messages that a run made of each item."""
    graders: list[openai_graders.Grader]
    parts: openai_judges.ItemParts
    tag: str
    """Of the judges that are for these cases; empty for none."""


def recognises(found: Source) -> bool:
    """Say whether a file holds an eval, its rows or the output of its runs."""
    if found.kind == "value":
        is_eval = bool(found.names() & {"testing_criteria", "data_source_config"}) or {"eval", "rows"} <= found.names()
        return is_eval or bool(_graders(found.value))
    return any(
        isinstance(row.get("item"), dict) or isinstance(row.get("datasource_item"), dict) or row.get("object") == EVAL
        for _, row in found.rows[:2]
    )


def read(found: Source, gathering: Gathering) -> None:
    """Make each row a case, with those graders as expectations that need no model, and the others judges."""
    whole, rows = _parts(found)
    definition = _object(whole.get("eval")) if "eval" in whole else whole
    listed = whole.get("runs")
    runs = [_object(one) for one in listed] if isinstance(listed, list) else []
    sources = [_object(_object(_object(one.get("run", one)).get("data_source"))) for one in runs]
    rows = rows or _of_runs(sources)
    template = next((one for one in map(_template, sources) if one), [])
    criteria = [*openai_graders.listed(definition.get("testing_criteria"), gathering), *_graders(whole)]
    graders = openai_graders.usable(criteria, gathering)
    first = _item(rows[0][1]) if rows else {}
    parts = _parts_of(first, template, graders)
    tag = (name(definition.get("name")) or name(found.name.partition(".")[0])) if rows else ""
    openai_judges.gather(criteria, parts, tag, gathering)
    for grader in graders if not rows else []:
        gathering.leave("grader", f"of type `{grader.kind}` without rows", grader.place, "a check belongs to cases")
    plan = Plan(template, graders, parts, tag if gathering.has_judges else "")
    for number, _ in enumerate(runs):
        gathering.leave("run", "with answers and scores, outside any case", f"runs[{number}]")
    seen: set[str] = set()
    is_logged = _object(definition.get("data_source_config")).get("type") in LOGS
    for place, row in rows:
        key = digest(row.get("datasource_item"))
        if "datasource_item" in row and key in seen:
            gathering.leave("output item", "of an item that was met before", place)
            continue
        seen.add(key)
        draft = Draft(place=place, provenance="production" if is_logged else "written")
        _take(draft, row, plan, gathering)
        gathering.add(draft)


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:
    """Return the rows of these cases as they were uploaded; graders belong to an eval, not to a row."""
    rows = []
    for case in cases:
        if case.user is not None:
            listing.leave("case", "left out, for an item has no simulated user", case.case_id)
            continue
        metadata.lose(case, listing, "expectations")
        told = metadata.tell(case)
        told.pop("expectations", None)
        said = case.turns[0] if len(case.turns) == 1 else messages_of(case.turns)
        reference = {"reference": case.reference} if case.reference else {}
        rows.append({"item": {"id": told.pop("case_id"), "input": said, **reference, **told}})
    return listed(rows, suffix)


def _parts(found: Source) -> tuple[dict[str, Any], list[Row]]:
    """Return the object with the eval, and the rows."""
    if found.kind == "value":
        listed = found.value.get("rows")
        rows = [(f"rows[{number}]", one) for number, one in enumerate(listed if isinstance(listed, list) else [])]
        return found.value, [(place, one) for place, one in rows if isinstance(one, dict)]
    evals = [row for _, row in found.rows if row.get("object") == EVAL]
    return {"eval": evals[0] if evals else {}}, [one for one in found.rows if one[1].get("object") != EVAL]


def _of_runs(sources: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the rows that stand in the runs' own sources, each once."""
    found: list[Row] = []
    for number, source in enumerate(sources):
        rows = _object(source.get("source")).get("content")
        for place, one in enumerate(rows if isinstance(rows, list) else []):
            if isinstance(one, dict) and all(one != other for _, other in found):
                found.append((f"runs[{number}].data_source.source.content[{place}]", one))
    return found


def _template(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the messages that a run made of each item; of a reference to one, the message that quotes it."""
    messages = _object(source.get("input_messages"))
    reference = messages.get("item_reference")
    if isinstance(reference, str):
        return [{"role": "user", "content": f"{{{{ {reference} }}}}"}]
    found = messages.get("template")
    return found if isinstance(found, list) and is_conversation(found) else []


def _graders(whole: Mapping[str, Any]) -> list[openai_judges.Place]:
    """Return the grader that a file holds by itself, or that of a fine-tuning job; none for any other file."""
    reinforcement = _object(_object(whole.get("method")).get("reinforcement"))
    for place, one in (("grader", whole.get("grader")), ("method", reinforcement.get("grader")), ("the file", whole)):
        if isinstance(one, dict) and one.get("type") in openai_graders.TYPES and not OF_GRADER.isdisjoint(one):
            return [(place, one)]
    return []


def _parts_of(
    item: Mapping[str, Any], template: list[dict[str, Any]], graders: Sequence[openai_graders.Grader]
) -> openai_judges.ItemParts:
    """Return as what a judge is shown the fields of an item: told by the first one, or by their names where none is."""
    if not item:
        return openai_judges.ItemParts(dict.fromkeys(ASKED, "question") | dict.fromkeys(REFERENCES, "reference"))
    held = [field for field in item if item[field] not in EMPTY and field not in IDS]
    if template:
        said = [templates.hole(_text(one.get("content"))) for one in template if one.get("role") == "user"]
        question = said[0].removeprefix("item.") if len(said) == 1 else ""
    else:
        expected = {field for grader in graders for field in templates.fields(grader.reference, "item")}
        question = _guessed(held, expected)
    reference = next((field for field in REFERENCES if field in held and field != question), "")
    return openai_judges.ItemParts({question: "question", reference: "reference"})


def _take(draft: Draft, row: dict[str, Any], plan: Plan, g: Gathering) -> None:
    """Make an item a case: what is asked, what is expected, what is said about it."""
    item = _item(row)
    values = {"item": item}
    expected = {name for grader in plan.graders for name in openai_graders.grade(draft, grader, values, g)}
    used = _ask(draft, plan.template, values, g)
    rest = Fields(item, draft.place, g, prefix="item.")
    draft.case_id = rest.take(*IDS)
    if not used:
        field = _guessed(rest.unread(), expected)
        asked(draft, rest.take(field), f"item.{field}", g)
    field = next((one for one in REFERENCES if one in rest), "")
    reply(draft, rest.take(field), f"item.{field}", g)
    metadata.hear(draft, rest, g)
    own = rest.inner("metadata")
    metadata.hear(draft, own, g)
    own.leave_rest()
    draft.case_tags += [plan.tag] if plan.tag else []
    for key, path in plan.parts.named.items():
        if (value := templates.at(values, path)) is not None:
            g.give(draft, key, value, path)
    for field in (
        used
        | expected
        | {next(iter(templates.fields(f"{{{{{path}}}}}", "item"))) for path in plan.parts.named.values()}
    ):
        rest.take(field)
    rest.leave_rest()
    if isinstance(row.get("sample"), dict):
        g.leave("answer", "of a run (`sample`), outside any case", draft.place)


def _ask(draft: Draft, template: list[dict[str, Any]], values: Mapping[str, Any], g: Gathering) -> set[str]:
    """Take what the user says from the template's messages; return the fields of the item that it says."""
    used: set[str] = set()
    for number, message in enumerate(template):
        text = content(message.get("content"), f"template[{number}]", g)
        path = templates.hole(text)
        if message.get("role") == "user" and path and is_conversation(templates.at(values, path)):
            asked(draft, templates.at(values, path), path, g)
            used |= templates.fields(text, "item")
            continue
        if message.get("role") != "user":
            g.leave("message", f"of the role `{shown(message.get('role'))}` in a run's template", f"template[{number}]")
            continue
        made = templates.filled(text, values)
        if made.missing:
            g.leave("message", "of a run's template that cannot be filled", draft.place, made.missing)
            continue
        draft.turns.append(made.text)
        used |= templates.fields(text, "item")
    return used


def _item(row: dict[str, Any]) -> dict[str, Any]:
    """Return the item of a row, in whichever wrapping."""
    for wrapping in ("item", "datasource_item"):
        inner = row.get(wrapping)
        if isinstance(inner, dict):
            nested = inner.get("item")
            return nested if isinstance(nested, dict) and inner.keys() <= {"item", "sample"} else inner
    return row


def _guessed(fields: Sequence[str], expected: set[str]) -> str:
    """Return which of the fields of an item holds what the user says, where no template tells; empty for none."""
    usual = next((one for one in ASKED if one in fields and one not in expected), "")
    free = [one for one in fields if one not in expected and one not in (*REFERENCES, "metadata", "category")]
    return usual or (free[0] if len(free) == 1 else "")


def _text(found: object) -> str:
    """Return the text of a message that has one part; empty for any other."""
    one = found[0] if isinstance(found, list) and len(found) == 1 else found
    text = one.get("text") if isinstance(one, dict) else one
    return text if isinstance(text, str) else ""


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
