"""OpenAI's hosted Evals, whose platform shuts down on 30 November 2026: what was exported of it while it could be.

Read are an eval with its rows (`{"eval": …, "rows": […], "runs": […]}`, as the migration guides' scripts write it), the
rows alone as they were uploaded (`{"item": {…}, "sample": {…}}`, one a line, an eval object among them if there is
one), and the output items of a run. A run's message template says which part of an item the user says.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from assay.interchange.sets import metadata, openai_graders, templates
from assay.interchange.sets.builder import Draft, Gathering, Listing, shown
from assay.interchange.sets.fields import Fields
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


def recognises(found: Source) -> bool:
    """Say whether a file holds an eval, its rows or the output of its runs."""
    if found.kind == "value":
        return bool(found.names() & {"testing_criteria", "data_source_config"}) or {"eval", "rows"} <= found.names()
    return any(
        isinstance(row.get("item"), dict) or isinstance(row.get("datasource_item"), dict) or row.get("object") == EVAL
        for _, row in found.rows[:2]
    )


def read(found: Source, gathering: Gathering) -> None:
    """Make each row a case, with those graders as expectations that need no model."""
    whole, rows = _parts(found)
    definition = _object(whole.get("eval")) if "eval" in whole else whole
    listed = whole.get("runs")
    runs = [_object(one) for one in listed] if isinstance(listed, list) else []
    sources = [_object(_object(_object(one.get("run", one)).get("data_source"))) for one in runs]
    rows = rows or _of_runs(sources)
    template = next((one for one in map(_template, sources) if one), [])
    graders = openai_graders.usable(definition.get("testing_criteria"), gathering)
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
        _take(draft, row, template, graders, gathering)
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


def _take(
    draft: Draft,
    row: dict[str, Any],
    template: list[dict[str, Any]],
    graders: list[openai_graders.Grader],
    g: Gathering,
) -> None:
    """Make an item a case: what is asked, what is expected, what is said about it."""
    item = _item(row)
    values = {"item": item}
    expected = {name for grader in graders for name in openai_graders.grade(draft, grader, values, g)}
    used = _ask(draft, template, values, g)
    rest = Fields(item, draft.place, g, prefix="item.")
    draft.case_id = rest.take(*IDS)
    if not used:
        name = next((one for one in ASKED if one in rest and one not in expected), "") or _only(rest, expected)
        asked(draft, rest.take(name), f"item.{name}", g)
    name = next((one for one in REFERENCES if one in rest), "")
    reply(draft, rest.take(name), f"item.{name}", g)
    metadata.hear(draft, rest, g)
    own = rest.inner("metadata")
    metadata.hear(draft, own, g)
    own.leave_rest()
    for name in used | expected:
        rest.take(name)
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
    for name in ("item", "datasource_item"):
        inner = row.get(name)
        if isinstance(inner, dict):
            nested = inner.get("item")
            return nested if isinstance(nested, dict) and inner.keys() <= {"item", "sample"} else inner
    return row


def _only(rest: Fields, expected: set[str]) -> str:
    """Return the one field that no grader looks at, where it is the only one."""
    free = [
        name for name in rest.unread() if name not in expected and name not in (*REFERENCES, "metadata", "category")
    ]
    return free[0] if len(free) == 1 else ""


def _object(found: object) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
