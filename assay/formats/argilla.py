"""Argilla 2: records with their settings, and its JSON of records with responses."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import DataError
from assay.formats.given import Given, Reading, annotator, moment, outcome
from assay.formats.label_studio import CHOICES
from assay.formats.label_table import texts
from assay.records import Item

QUESTION = "outcome"


def read(file: Path, records: Sequence[Any], who: str, meanings: Mapping[str, str]) -> Reading:
    """Return the labels of an export: every submitted response to the question `outcome`.

    Both layouts are read: responses by question with a list of answers, and a list of responses each with its values.

    Raises:
        DataError: A record names no item; the text names it.
    """
    labels: list[Given] = []
    left_out: list[str] = []
    for number, record in enumerate(records, 1):
        place = f"{file.name}, record {number}"
        item_id = (
            record.get("id") or (record.get("metadata") or {}).get("item_id") if isinstance(record, dict) else None
        )
        if not item_id:
            raise DataError(f"{place}: no id, expected that of an item: export the records with their ids")
        for user, status, value, at in _responses(record.get("responses") or {}):
            if status != "submitted":
                left_out.append(f"{place}: a response that is {status} left out")
                continue
            labels.append(
                Given(
                    item_id=str(item_id),
                    annotator=annotator(user or who, place),
                    outcome=outcome(value, place, meanings),
                    rubric_version=str((record.get("metadata") or {}).get("rubric_version") or ""),
                    labelled_at=moment(at, place),
                    place=place,
                )
            )
        if record.get("suggestions"):
            left_out.append(f"{place}: suggestions left out")
    return Reading(labels, left_out)


def write(items: Sequence[Item], rubric: str) -> str:
    """Return records with the settings of their dataset."""
    question = items[0].question if items else "pass-fail"
    fields = ["conversation", "reference", "response_a", *(["response_b"] if question == "pairwise" else [])]
    settings = {
        "guidelines": rubric,
        "fields": [{"name": name, "type": "text", "required": name == "response_a"} for name in fields],
        "questions": [{"name": QUESTION, "type": "label_selection", "labels": list(CHOICES[question])}],
    }
    records = [
        {"id": item.item_id, "fields": {name: texts(item, rubric)[name] for name in fields}, "responses": {}}
        for item in items
    ]
    return json.dumps({"settings": settings, "records": records}, ensure_ascii=False, indent=1)


def _responses(found: object) -> list[tuple[str, str, object, object]]:
    """Return user, status, value and time of each response, in whichever layout."""
    if isinstance(found, dict):
        answers = found.get(QUESTION) or []
        return [
            (
                str(one.get("user_id") or one.get("user") or ""),
                str(one.get("status") or "submitted"),
                one.get("value"),
                None,
            )
            for one in answers
            if isinstance(one, dict)
        ]
    rows = []
    for one in found if isinstance(found, list) else []:
        values = one.get("values") or {}
        value = (values.get(QUESTION) or {}).get("value")
        status = str(one.get("status") or "submitted")
        if value is not None or status != "submitted":
            rows.append((str(one.get("user_id") or ""), status, value, one.get("inserted_at")))
    return rows
