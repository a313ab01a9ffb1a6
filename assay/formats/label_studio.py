"""Label Studio: tasks with their labelling interface, and its JSON export (annotations, drafts, predictions)."""

import json
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from assay.errors import DataError
from assay.formats.given import Given, Reading, annotator, moment, outcome
from assay.formats.label_table import texts
from assay.records import Item

CHOICES = {"pass-fail": ("pass", "fail"), "pairwise": ("a", "tie", "b")}


def read(file: Path, tasks: Sequence[Any], who: str, meanings: Mapping[str, str]) -> Reading:
    """Return the labels of an export: every choice of every annotation that was submitted.

    Raises:
        DataError: A task names no item, or an annotation holds no single choice; the text names the task.
    """
    labels: list[Given] = []
    left_out: list[str] = []
    for number, task in enumerate(tasks, 1):
        place = f"{file.name}, task {number}"
        data = task.get("data") if isinstance(task, dict) else None
        if not isinstance(data, dict) or not data.get("item_id"):
            raise DataError(f"{place}: no data.item_id, expected a task of ours: export the project with its data")
        left_out += [
            f"{place}: {len(task.get(kind) or [])} {kind} left out"
            for kind in ("predictions", "drafts")
            if task.get(kind)
        ]
        for one in task.get("annotations") or []:
            if one.get("was_cancelled"):
                left_out.append(f"{place}: a skipped annotation left out")
                continue
            given = _choice(one, place)
            labels.append(
                Given(
                    item_id=str(data["item_id"]),
                    annotator=annotator(_who(one.get("completed_by")) or who, place),
                    outcome=outcome(given, place, meanings),
                    rubric_version=str(data.get("rubric_version") or ""),
                    labelled_at=moment(one.get("created_at"), place),
                    place=place,
                )
            )
    return Reading(labels, left_out)


def write(items: Sequence[Item], rubric: str) -> tuple[str, str]:
    """Return the tasks as JSON, and the labelling interface as XML."""
    tasks = [{"data": texts(item, rubric)} for item in items]
    question = items[0].question if items else "pass-fail"
    shown = ["conversation", "reference", "response_a", *(["response_b"] if question == "pairwise" else [])]
    parts = "".join(f'<Header value="{escape(name)}"/><Text name="{name}" value="${name}"/>' for name in shown)
    choices = "".join(f'<Choice value="{word}" hotkey="{at}"/>' for at, word in enumerate(CHOICES[question], 1))
    interface = (
        f'<View><Text name="rubric" value="$rubric"/>{parts}'
        '<Choices name="outcome" toName="response_a" choice="single-radio" required="true">'
        f"{choices}</Choices></View>\n"
    )
    return json.dumps(tasks, ensure_ascii=False, indent=1), interface


def _who(completed_by: object) -> str:
    """Return the annotator's address or number: an export has either the one or the whole person."""
    if isinstance(completed_by, dict):
        return str(completed_by.get("email") or completed_by.get("username") or completed_by.get("id") or "")
    return "" if completed_by is None else f"annotator-{completed_by}"


def _choice(annotation: Mapping[str, Any], place: str) -> object:
    given = [
        choice
        for result in annotation.get("result") or []
        if isinstance(result, dict) and result.get("type") == "choices"
        for choice in (result.get("value") or {}).get("choices") or []
    ]
    if len(given) != 1:
        raise DataError(f"{place}: {len(given)} choices in an annotation, expected one: decide for one label")
    return given[0]
