"""Label Studio: its exports are read as it writes them, and it is given what it can show.

The flat exports are what label-studio-sdk 2.1.2 made of our own tasks and interface.
"""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from assay.errors import DataError
from assay.interchange import labels
from tests.cast import item
from tests.handouts import judge, whose

AT = "2026-11-03T10:00:00.123456Z"
JSON_MIN = {
    "item_id": "x",
    "response_a": "=1+1",
    "id": 1,
    "outcome": "fail",
    "annotator": 12,
    "annotation_id": 22,
    "created_at": AT,
    "updated_at": AT,
    "lead_time": 4.2,
}
CSV = """"annotation_id","annotator","created_at","id","item_id","lead_time","outcome","response_a","updated_at"
22,"12","2026-11-03T10:00:00.123456Z",1,"x",4.2,"fail","=1 ""+"" 1","2026-11-03T10:00:00.123456Z"
"""


def answer(*outcomes: str, name: str = "outcome", kind: str = "choices") -> dict[str, Any]:
    """Return one entry of an annotation's result."""
    value = {"choices": list(outcomes)}
    return {"id": "a1", "type": kind, "from_name": name, "to_name": "response_a", "origin": "manual", "value": value}


def annotation(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return an annotation as Label Studio exports it."""
    fields = {"id": 22, "completed_by": 12, "was_cancelled": False, "ground_truth": False, "created_at": AT}
    return fields | {"updated_at": AT, "lead_time": 4.2, "result": list(results)} | changes


def task(*annotations: Any, **changes: Any) -> dict[str, Any]:
    """Return a task of ours as Label Studio exports it."""
    fields = {"id": 1, "data": {"item_id": "x", "response_a": "Yes."}, "drafts": [], "predictions": []}
    return fields | {"annotations": list(annotations)} | changes


def read(folder: Path, *tasks: object, name: str = "tasks.json", **options: Any) -> labels.Reading:
    """Write an export and read it."""
    (folder / name).write_text(json.dumps(tasks))
    return labels.read(folder / name, asked=whose, **options)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (task(data={}), "task 1: no data.item_id, expected a task of ours"),
        (task(data=["x"]), r"task 1: data is .*, expected an object"),
        (task("x"), "task 1, annotation 1: the annotation is 'x', expected an object"),
        (task(annotations={"id": 1}), "task 1: annotations is .*, expected a list"),
        (task(annotation("x")), "annotation 1: an entry of result is 'x', expected an object"),  # type: ignore[arg-type]
        (task(annotation(result="x")), "annotation 1: result is 'x', expected a list"),
        (task(annotation(answer() | {"value": "pass"})), "value is 'pass', expected an object"),
        (task(annotation(answer() | {"value": {"choices": "pass"}})), "choices is 'pass', expected a list"),
        (task(predictions=3), "task 1: predictions is '3', expected a list"),
        (task(annotation(answer("pass", "fail"))), "annotation 1: 2 choices in an annotation, expected one"),
        (task(annotation(answer("pass"), answer("fail"))), "annotation 1: 2 choices in an annotation"),
        (task(annotation(answer("good"))), "annotation 1: the label is 'good', expected one of pass, fail.*--map"),
        (task(annotation(answer("pass"), completed_by=None)), "annotation 1: the annotator is ''"),
        (task(annotation(answer("pass"), created_at=5)), "annotation 1: the time is '5', expected ISO 8601"),
    ],
)
def test_a_malformed_task_is_one_sentence(tmp_path: Path, broken: object, sentence: str) -> None:
    """Whatever an export's shape breaks is refused with its task and annotation, never a traceback."""
    with pytest.raises(DataError, match=f"tasks.json, {sentence}" if sentence.startswith("task 1") else sentence):
        read(tmp_path, broken)


def test_two_annotations_of_one_person_are_refused(tmp_path: Path) -> None:
    """Somebody who annotated a task twice is told with both annotations, though the task is one."""
    twice = task(annotation(answer("pass")), annotation(answer("pass"), completed_by=13), annotation(answer("fail")))
    with pytest.raises(DataError, match="task 1, annotation 3: annotator-12 has labelled x in .*task 1, annotation 1"):
        read(tmp_path, twice)


def test_several_people_label_one_task(tmp_path: Path) -> None:
    """Each annotation of a task is one label, with its person, its time and its place."""
    found = read(tmp_path, task(annotation(answer("pass")), annotation(answer("fail"), completed_by=13)))
    assert [(one.item_id, one.annotator, one.outcome) for one in found.labels] == [
        ("x", "annotator-12", "pass"),
        ("x", "annotator-13", "fail"),
    ]
    assert found.labels[1].place == "tasks.json, task 1, annotation 2"
    assert found.labels[0].labelled_at
    assert found.labels[0].labelled_at.isoformat() == "2026-11-03T10:00:00.123456+00:00"
    assert found.left_out == []


@pytest.mark.parametrize(
    ("completed_by", "name"),
    [
        (12, "annotator-12"),
        ({"id": 12, "email": "Ada@example.org", "first_name": ""}, "ada-example.org"),
        ({"id": 12, "email": "", "username": "ada"}, "ada"),
        ({"id": 12}, "annotator-12"),
        (None, "ben"),
    ],
)
def test_a_person_is_a_number_or_an_object(tmp_path: Path, completed_by: object, name: str) -> None:
    """An annotator is told by address, user name or number; where an export says none, it is who was named."""
    found = read(tmp_path, task(annotation(answer("pass"), completed_by=completed_by)), annotator="ben")
    assert [one.annotator for one in found.labels] == [name]


def test_what_is_no_label_is_told(tmp_path: Path) -> None:
    """Skipped and empty annotations, drafts, predictions and other questions are left out, each kind in a sentence."""
    comment = answer(name="why", kind="textarea") | {"value": {"text": ["pass"]}}
    found = read(
        tmp_path,
        task(annotation(answer("pass"), was_cancelled=True), predictions=[{"result": [answer("fail")]}, {}]),
        task(annotation(comment, answer("b", name="tone")), drafts=[{"result": [answer("fail")]}], predictions=[{}]),
    )
    assert found.labels == []
    assert found.left_out == [
        "3 predictions left out, the first in tasks.json, task 1",
        "1 skipped annotations left out, the first in tasks.json, task 1, annotation 1",
        "1 drafts left out, the first in tasks.json, task 2",
        "2 answers to other questions than `outcome` left out, the first in tasks.json, task 2, annotation 1",
        "1 annotations without an answer to `outcome` left out, the first in tasks.json, task 2, annotation 1",
    ]


def test_other_questions_do_not_disturb(tmp_path: Path) -> None:
    """A comment beside the outcome is told and the outcome is read."""
    found = read(tmp_path, task(annotation(answer("b", name="tone"), answer("fail"))))
    assert [one.outcome for one in found.labels] == ["fail"]
    assert len(found.left_out) == 1


def test_the_rubric_s_version_comes_with_the_task(tmp_path: Path) -> None:
    """A task that says by which rubric it was labelled keeps it; else the version is empty."""
    versioned = task(annotation(answer("pass")), data={"item_id": "y", "rubric_version": "3"})
    found = read(tmp_path, task(annotation(answer("pass"))), versioned)
    assert [one.rubric_version for one in found.labels] == ["", "3"]


def test_the_flat_exports_say_the_same(tmp_path: Path) -> None:
    """JSON_MIN, CSV and TSV give the label that the full export gives, down to the person's name and the time."""
    (full,) = read(tmp_path, task(annotation(answer("fail")))).labels
    (flat,) = read(tmp_path, JSON_MIN, name="min.json").labels
    (tmp_path / "export.csv").write_text(CSV)
    (tmp_path / "export.tsv").write_text(CSV.replace('","', '"\t"').replace(",", "\t"))
    tables = [labels.read(tmp_path / f"export.{ending}", asked=whose).labels[0] for ending in ("csv", "tsv")]
    assert {one._replace(place="") for one in (full, flat, *tables)} == {full._replace(place="")}


def test_a_task_nobody_labelled_is_told(tmp_path: Path) -> None:
    """In the flat exports a task without annotations is a row without an outcome."""
    bare = {"item_id": "y", "id": 2, "annotator": "", "annotation_id": None}
    found = read(tmp_path, JSON_MIN, bare)
    assert len(found.labels) == 1
    assert found.left_out == ["1 rows that have no outcome yet left out, the first in tasks.json, record 2"]


@pytest.mark.parametrize(("question", "outcomes"), [("pass-fail", ["pass", "fail"]), ("pairwise", ["a", "tie", "b"])])
def test_the_interface_shows_every_text(tmp_path: Path, question: str, outcomes: list[str]) -> None:
    """The interface is well-formed whatever was written, has one choice an outcome, and names only data that exists."""
    hostile = '"/><Choice value="pass"/>&]]>'
    labels.write([item(1, hostile, question, hostile)], tmp_path / "tasks.label-studio.json", judge(question, hostile))
    (written,) = json.loads((tmp_path / "tasks.label-studio.json").read_text())
    view = ET.fromstring((tmp_path / "tasks.label-studio.xml").read_text())  # noqa: S314 - we wrote it
    (choices,) = view.iter("Choices")
    texts = {text.get("name"): text for text in view.iter("Text")}
    assert [choice.get("value") for choice in view.iter("Choice")] == outcomes
    assert (choices.get("name"), choices.get("choice"), choices.get("toName") in texts) == (
        "outcome",
        "single-radio",
        True,
    )
    assert {str(text.get("value")).removeprefix("$") for text in texts.values()} <= written["data"].keys()
    assert ("response_b" in texts) == (question == "pairwise")
    assert {text.get("valueType") for text in texts.values()} == {"text"}


def test_a_pair_stands_side_by_side(tmp_path: Path) -> None:
    """Both responses of a pair are in one row of the interface, in equal width."""
    labels.write([item(1, "A", "pairwise", "B")], tmp_path / "tasks.label-studio.json", judge("pairwise"))
    view = ET.fromstring((tmp_path / "tasks.label-studio.xml").read_text())  # noqa: S314 - we wrote it
    (row,) = [part for part in view.iter("View") if "display: flex" in part.get("style", "")]
    assert [text.get("name") for text in row.iter("Text")] == ["response_a", "response_b"]
    assert [part.get("style") for part in row.findall("View")] == ["flex: 1", "flex: 1"]
