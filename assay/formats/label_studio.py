"""Label Studio: tasks with their labelling interface, and its JSON export (annotations, drafts, predictions).

Its flat exports, JSON_MIN and CSV, have one row an annotation and are read as any table is.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from assay.errors import DataError
from assay.formats.given import Gathering, Reading, Said, mapping, sequence
from assay.formats.label_table import QUESTION, choices, shown, texts
from assay.records import Item


def read(tasks: Sequence[Any], file_name: str, gathering: Gathering) -> Reading:
    """Return the labels of an export: the answer to `outcome` in every annotation that was submitted.

    Args:
        tasks: What stands in the file.
        file_name: What a message calls the file.
        gathering: Where labels are put.

    Raises:
        DataError: A task names no item, an annotation is malformed or holds two outcomes; the text names it.
    """
    for number, found in enumerate(tasks, 1):
        place = f"{file_name}, task {number}"
        task = mapping(found, place, "the task")
        data = mapping(task.get("data"), place, "data")
        if not data.get("item_id"):
            raise DataError(f"{place}: no data.item_id, expected a task of ours: export the project with its data")
        for kind in ("predictions", "drafts"):
            if held := sequence(task.get(kind), place, kind):
                gathering.leave(kind, place, len(held))
        for count, annotation in enumerate(sequence(task.get("annotations"), place, "annotations"), 1):
            where = f"{place}, annotation {count}"
            _take(mapping(annotation, where, "the annotation"), data, where, gathering)
    return gathering.reading()


def write(items: Sequence[Item], rubric: str) -> tuple[str, str]:
    """Return the tasks as JSON, and the labelling interface as XML; of a pair the responses stand side by side.

    Raises:
        ValueError: The items ask different questions, which one interface cannot.
    """
    outcomes = choices(items)
    tasks = [{"data": texts(item, rubric)} for item in items]
    parts = {name: _part(name) for name in shown(items)}
    pair = "".join(f'<View style="flex: 1">{part}</View>' for name, part in parts.items() if name.startswith("resp"))
    above = "".join(part for name, part in parts.items() if not name.startswith("resp"))
    buttons = "".join(f'<Choice value="{word}" hotkey="{at}"/>' for at, word in enumerate(outcomes, 1))
    interface = (
        f'<View>{_part("rubric")}{above}<View style="display: flex; gap: 2em">{pair}</View>'
        f'<Choices name="{QUESTION}" toName="response_a" choice="single-radio" required="true">{buttons}</Choices>'
        "</View>\n"
    )
    return json.dumps(tasks, ensure_ascii=False, indent=1), interface


def _take(annotation: Mapping[str, Any], data: Mapping[str, Any], place: str, gathering: Gathering) -> None:
    if annotation.get("was_cancelled"):
        gathering.leave("skipped annotations", place)
        return
    words: list[object] = []
    for one in sequence(annotation.get("result"), place, "result"):
        result = mapping(one, place, "an entry of result")
        if (result.get("from_name"), result.get("type")) != (QUESTION, "choices"):
            gathering.leave(f"answers to other questions than `{QUESTION}`", place)
            continue
        value = mapping(result.get("value"), place, "value")
        words += sequence(value.get("choices"), place, "choices")
    if not words:
        gathering.leave(f"annotations without an answer to `{QUESTION}`", place)
        return
    if len(words) > 1:
        raise DataError(f"{place}: {len(words)} choices in an annotation, expected one: decide for one label")
    who, rubric, at = _who(annotation.get("completed_by")), data.get("rubric_version"), annotation.get("created_at")
    gathering.take(Said(data["item_id"], who, words[0], rubric, at), place)


def _part(name: str) -> str:
    """Return a heading and a text; what a person or a model wrote is never taken for an address or for markup."""
    return f'<Header value="{name.replace("_", " ")}"/><Text name="{name}" value="${name}" valueType="text"/>'


def _who(completed_by: object) -> object:
    """Return the annotator's address, or else number: an export has either the one or the whole person."""
    if isinstance(completed_by, dict):
        return completed_by.get("email") or completed_by.get("username") or completed_by.get("id")
    return completed_by
