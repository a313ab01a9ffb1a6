"""Argilla: its exports are read in every layout that argilla 2.8.0 writes, and it is given what it can load.

Layouts and settings are those that argilla's own `records.to_list`, `to_dict`, `to_json`, `Settings.from_json` and
`records.from_json` wrote and read when this was written.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from assay.errors import DataError
from assay.interchange import labels
from tests.cast import item
from tests.handouts import judge, whose

ADA, BEN = "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"
FLAT = {
    "id": "x",
    "status": "completed",
    "_server_id": None,
    "response_a": "Yes.",
    "outcome.responses": ["fail", "pass", "pass"],
    "outcome.responses.users": [ADA, BEN, "carl"],
    "outcome.responses.status": ["submitted", "draft", "discarded"],
    "outcome.suggestion": "pass",
    "outcome.suggestion.score": 0.3,
    "outcome.suggestion.agent": "m",
}


def nested(*responses: object, **changes: Any) -> dict[str, Any]:
    """Return a record as `Record.to_dict` has it."""
    fields = {"id": "x", "fields": {"response_a": "Yes."}, "metadata": {}, "suggestions": {}, "vectors": {}}
    return fields | {"responses": {"outcome": list(responses)}, "status": "pending", "_server_id": None} | changes


def said(value: str, user: str = ADA, **changes: Any) -> dict[str, Any]:
    """Return one response as `Record.to_dict` has it: without its status."""
    return {"value": value, "user_id": user} | changes


def read(folder: Path, content: object, name: str = "records.json", **options: Any) -> labels.Reading:
    """Write an export and read it."""
    (folder / name).write_text(json.dumps(content))
    return labels.read(folder / name, asked=whose, **options)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (nested(id=None), "record 1: no id, expected item_id"),
        (nested("pass"), "record 1: responses.outcome is 'pass', expected an object"),
        (nested(responses={"outcome": "pass"}), "record 1: responses.outcome is 'pass', expected a list"),
        (nested(responses="pass"), "record 1: responses is 'pass', expected an object"),
        (nested(responses=["pass"]), "record 1: a response is 'pass', expected an object"),
        (nested(responses=[{"values": {"outcome": "pass"}}]), "record 1: values.outcome is 'pass', expected an object"),
        (nested(metadata=[1]), r"record 1: metadata is '\[1\]', expected an object"),
        (nested(suggestions=7), "record 1: suggestions is '7', expected an object"),
        (nested(said("good", status="submitted")), "record 1, response 1: the label is 'good', expected one of"),
        (nested(said("pass", "", status="submitted")), "record 1, response 1: the annotator is ''"),
        (FLAT | {"outcome.responses.users": [ADA]}, "record 1: outcome.responses has 3 values, 1 users and 3 statuses"),
        (FLAT | {"outcome.responses": "pass"}, "record 1: outcome.responses is 'pass', expected a list"),
    ],
)
def test_a_malformed_record_is_one_sentence(tmp_path: Path, broken: object, sentence: str) -> None:
    """Whatever an export's shape breaks is refused with its record and response, never a traceback."""
    with pytest.raises(DataError, match=f"records.json, {sentence}"):
        read(tmp_path, [broken])


def test_two_responses_of_one_person_are_refused(tmp_path: Path) -> None:
    """Two records about one item, with one person's answer to each, are told with both places."""
    record = nested(said("pass", BEN, status="draft"), said("pass", status="submitted"))
    with pytest.raises(DataError, match=f"record 2, response 2: {ADA} has labelled x in .*record 1, response 2 too"):
        read(tmp_path, [record, record])


@pytest.mark.parametrize("layout", ["list", "columns", "index", "records", "lines"])
def test_every_flat_layout_is_read(tmp_path: Path, layout: str) -> None:
    """As a list, as columns, by id, or a line each as from the Hub: what was submitted counts, the rest is told."""
    content: Any = {
        "list": [FLAT],
        "columns": {name: [value] for name, value in FLAT.items()},
        "index": {"x": FLAT},
        "records": {"records": [FLAT]},
        "lines": FLAT,
    }[layout]
    name = "records.jsonl" if layout == "lines" else "records.json"
    found = read(tmp_path, content, name)
    assert [(one.item_id, one.annotator, one.outcome) for one in found.labels] == [("x", ADA, "fail")]
    assert found.left_out == [
        f"1 responses that are draft left out, the first in {name}, record 1, response 2",
        f"1 responses that are discarded left out, the first in {name}, record 1, response 3",
        f"1 suggestions left out, the first in {name}, record 1",
    ]


def test_a_status_is_never_assumed(tmp_path: Path) -> None:
    """Without a status a draft looks like a label, so only the one response of a completed record is taken."""
    found = read(
        tmp_path,
        [
            nested(said("pass"), status="completed"),
            nested(said("fail"), id="y"),
            nested(said("fail"), said("pass", BEN), id="z", status="completed"),
        ],
    )
    assert [(one.item_id, one.outcome) for one in found.labels] == [("x", "pass")]
    (told,) = found.left_out
    assert told.startswith("3 responses that may be drafts (export with records.to_list(flatten=True), which tells)")
    assert told.endswith("the first in records.json, record 2, response 1")


def test_a_status_that_is_told_counts(tmp_path: Path) -> None:
    """A completed record does not make its discarded response a label."""
    found = read(tmp_path, [nested(said("pass", status="discarded"), status="completed")])
    assert found.labels == []
    assert len(found.left_out) == 1


def test_each_persons_answers_in_a_list_are_read(tmp_path: Path) -> None:
    """The server's own layout has one response a person with all its values, its status and its time."""
    one = {"values": {"outcome": {"value": "fail"}, "why": {"value": "both"}}, "status": "submitted", "user_id": ADA}
    empty = {"values": None, "status": "discarded", "user_id": BEN}
    found = read(tmp_path, [nested(responses=[one | {"inserted_at": "2026-11-03T10:00:00"}, empty])])
    (label,) = found.labels
    assert (label.outcome, label.annotator, label.labelled_at and label.labelled_at.isoformat()) == (
        "fail",
        ADA,
        "2026-11-03T10:00:00+00:00",
    )
    assert [line.split(" left out")[0] for line in found.left_out] == [
        "1 responses to other questions than `outcome`",
        "1 responses that are discarded",
    ]


def test_metadata_tells_item_and_rubric(tmp_path: Path) -> None:
    """A record without an id of its own is found by that in its metadata, and so is the rubric's version."""
    record = nested(
        said("pass", status="submitted"), id=None, metadata={"item_id": "y", "rubric_version": "2"}, suggestions=[{}]
    )
    found = read(tmp_path, [record])
    assert [(one.item_id, one.rubric_version) for one in found.labels] == [("y", "2")]
    assert found.left_out == ["1 suggestions left out, the first in records.json, record 1"]


@pytest.mark.parametrize(("question", "outcomes"), [("pass-fail", ["pass", "fail"]), ("pairwise", ["a", "tie", "b"])])
def test_argilla_can_load_what_is_written(tmp_path: Path, question: str, outcomes: list[str]) -> None:
    """Records have the fields that the settings declare, the rubric is the guidelines, and outcomes are the options."""
    labels.write([item(1, "", question, "Or <b>no</b>.")], tmp_path / "items.argilla.json", judge(question, "Be fair."))
    (record,) = json.loads((tmp_path / "items.argilla.json").read_text())
    settings = json.loads((tmp_path / "items.argilla.settings.json").read_text())
    (asked,) = settings["questions"]
    assert [field["name"] for field in settings["fields"]] == list(record["fields"])
    assert {field["settings"]["type"] for field in settings["fields"]} == {"text"}
    assert [field["name"] for field in settings["fields"] if field["required"]] == [
        "response_a" if question == "pairwise" else "response"
    ]
    assert (settings["guidelines"], asked["name"], asked["settings"]["type"]) == (
        "Be fair.",
        "outcome",
        "label_selection",
    )
    assert [option["value"] for option in asked["settings"]["options"]] == outcomes
    assert record["metadata"] == {"judge": judge(question).name}
    assert record.keys() == {"id", "fields", "responses", "metadata"}
    assert ("response_b" in record["fields"]) == (question == "pairwise")
