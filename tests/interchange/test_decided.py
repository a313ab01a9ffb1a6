"""Candidates to people elsewhere, and their words back: bound to what was shown, refused where they make no sense."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import ConfigError, DataError
from assay.interchange import decisions
from assay.records.candidate import Candidate, Source
from assay.records.case import Case, SimulatedUser
from tests.cast import case
from tests.handouts import KINDS, fill, result

HOSTILE = '<script>alert(1)</script> "/><Choice value="admit"/> & =1+1'
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
NASTY = ("\u2028", "\x85", "\r\n", "\r", "\n", '"', "'", "'=1", ",", ";", "\t", "=1", "@", "-", "\ufeff")


def candidate(number: int = 7, about: Case | None = None, **changes: Any) -> Candidate:
    """Return a candidate that resembles case 1."""
    of = about or case(number)
    fields = {"generator": "g", "seed": 1, "nearest": "refunds-001", "similarity": 0.5}
    return Candidate.model_validate({"candidate_id": of.case_id, "case": of} | fields | changes)


def written(folder: Path, name: str, *candidates: Candidate) -> Path:
    """Write candidates for people."""
    decisions.write(candidates or [candidate(7), candidate(8)], {"refunds-001": case(1)}.get, folder / name)
    return folder / name


@pytest.mark.parametrize("name", KINDS)
def test_what_people_say_comes_back(tmp_path: Path, name: str) -> None:
    """Written, filled as the tool fills it, and read: every candidate has its word, signed and with its reason."""
    answers = {"decision": "reject", "reason": "other", "note": "nobody says so"}
    file = fill(written(tmp_path, name), column="reviewer", **answers)
    found = decisions.read(file)
    assert [word[:5] for word in found.words] == [
        (one.candidate_id, one.digest(), "reject", "ada-lovelace", "other: nobody says so")
        for one in (candidate(7), candidate(8))
    ]
    assert found.left_out == []
    for word in found.words:
        word.require_unchanged(candidate(int(word.candidate_id[-1])))


@pytest.mark.parametrize("name", KINDS)
def test_what_people_need_is_there(tmp_path: Path, name: str) -> None:
    """Every turn, the simulated user, the reference, what is expected, the passage and the nearest case are shown."""
    user = SimulatedUser(persona="a tired student", goal="wants her money", stop="it is promised", max_turns=3)
    of = case(7, turns=["Hi.", "Where is my refund?"], user=user, reference="On its way.")
    whole = candidate(about=of, sources=[Source(document="refunds.md", quote="Within 14 days.")])
    text = written(tmp_path, name, whole).read_bytes().decode("utf-8-sig")
    for part in (
        "Hi.",
        "Where is my refund?",
        "a tired student",
        "wants her money",
        "On its way.",
        "icontains-any",
        "14 days",
    ):
        assert part in text
    assert "refunds.md: Within 14 days." in text
    assert "refunds-001: Cleo asks question 1" in text


@pytest.mark.parametrize("name", KINDS)
def test_nothing_tells_what_others_said(tmp_path: Path, name: str) -> None:
    """No generator, no seed, no way of making and no score is shown beside a candidate."""
    text = written(tmp_path, name, candidate(generator="gpt-x", made="production", similarity=0.4321)).read_text()
    for part in ("gpt-x", "production", "0.43", "seed", "generator"):
        assert part not in text


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"decision": "yes"}, "decision is 'yes', expected admit or reject"),
        ({"decision": "edit"}, "decision is 'edit', expected admit or reject: correct it, or edit at the desk"),
        ({"decision": "reject"}, "the reason is '', expected one of duplicate, unrealistic"),
        ({"decision": "reject", "reason": "bad"}, "the reason is 'bad', expected one of duplicate"),
        ({"decision": "reject", "reason": "other"}, "the reason is 'other', expected .* a note for the last"),
        ({"decision": "admit", "who": " "}, "the reviewer is ' ?', expected a name .* --reviewer NAME"),
    ],
)
@pytest.mark.parametrize("name", KINDS)
def test_a_word_that_makes_no_sense_is_refused(
    tmp_path: Path, name: str, answers: dict[str, str], sentence: str
) -> None:
    """An unknown word, a rejection without its reason and an unsigned row are refused with their place."""
    file = fill(written(tmp_path, name), column="reviewer", **answers)
    with pytest.raises(DataError, match=rf"^{name}, (row|task|record) \d.*: {sentence}"):
        decisions.read(file)


def test_who_is_said_once(tmp_path: Path) -> None:
    """Where the rows do not say who decided, it is who was named."""
    file = fill(written(tmp_path, "sheet.csv"), who="", column="reviewer", decision=" Admit ")
    assert {word.reviewer for word in decisions.read(file, "ann").words} == {"ann"}


@pytest.mark.parametrize("name", KINDS)
def test_nobody_decides_twice(tmp_path: Path, name: str) -> None:
    """Two words of one person on one candidate are refused with both places."""
    file = fill(written(tmp_path, name, candidate(7), candidate(7)), column="reviewer", decision="admit")
    with pytest.raises(DataError, match=r"ada-lovelace has decided on refunds-007 in .* too, expected one word"):
        decisions.read(file)


def test_open_rows_wait(tmp_path: Path) -> None:
    """Rows that nobody decided on are told, and are no words."""
    found = decisions.read(written(tmp_path, "sheet.csv"))
    assert found == ([], ["2 rows that have no decision yet left out, the first in sheet.csv, row 2"])


@pytest.mark.parametrize(("column", "cell"), [("conversation", "Something else"), ("reference", ""), ("category", "x")])
def test_a_changed_cell_is_no_edit(tmp_path: Path, column: str, cell: str) -> None:
    """Whoever admits a row that they changed is told so, instead of finding the old text in the evaluation set."""
    file = fill(written(tmp_path, "sheet.csv", candidate(7)), "ann", "reviewer", decision="admit", **{column: cell})
    (word,) = decisions.read(file).words
    with pytest.raises(DataError, match=f"`{column}` is '{cell}', expected the cell as exported.* at the desk"):
        word.require_unchanged(candidate(7))


def test_another_candidate_under_the_name_is_refused(tmp_path: Path) -> None:
    """A word on what was exported is no word on what has that name now."""
    (word,) = decisions.read(fill(written(tmp_path, "x.csv", candidate(7)), column="reviewer", decision="admit")).words
    with pytest.raises(DataError, match="is not as it was exported"):
        word.require_unchanged(candidate(about=case(7, reference="Another answer.")))


@settings(max_examples=40, deadline=None)
@given(texts=st.lists(st.lists(TEXTS | st.sampled_from(NASTY), max_size=4).map("".join), min_size=3, max_size=3))
@pytest.mark.parametrize("name", KINDS)
def test_any_text_survives(name: str, texts: list[str]) -> None:
    """Whatever a model wrote, a word on it is taken as one on what was shown, unchanged."""
    turn, reference, quote = texts
    of = candidate(about=case(7, turns=[turn, "b"], reference=reference), sources=[Source(document="d", quote=quote)])
    with tempfile.TemporaryDirectory() as folder:
        file = fill(written(Path(folder), name, of), column="reviewer", decision="admit")
        (word,) = decisions.read(file).words
    word.require_unchanged(of)


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    """What a spreadsheet would run is written behind an apostrophe."""
    file = written(tmp_path, "x.csv", candidate(about=case(7, turns=["=1+1"], reference="@SUM(A1)")))
    (row,) = csv.DictReader(io.StringIO(file.read_text("utf-8-sig"), newline=""))
    assert (row["conversation"], row["reference"]) == ("'=1+1", "'@SUM(A1)")


def test_label_studio_asks_all_of_it(tmp_path: Path) -> None:
    """Label Studio's interface is well-formed whatever was written: decision with keys, reason, note, conversation."""
    written(tmp_path, "x.label-studio.json", candidate(about=case(7, turns=[HOSTILE])))
    view = ET.fromstring((tmp_path / "x.label-studio.xml").read_text())  # noqa: S314 - we wrote it
    decision, reason = view.iter("Choices")
    assert [choice.attrib for choice in decision] == [
        {"value": "admit", "hotkey": "1"},
        {"value": "reject", "hotkey": "2"},
    ]
    assert [choice.get("value") for choice in reason][-1] == "other"
    assert (decision.get("required"), reason.get("required")) == ("true", None)
    assert [area.get("name") for area in view.iter("TextArea")] == ["note"]
    (task,) = json.loads((tmp_path / "x.label-studio.json").read_text())
    assert {str(text.get("value")).removeprefix("$") for text in view.iter("Text")} <= task["data"].keys()


def test_a_draft_is_no_word(tmp_path: Path) -> None:
    """Skipped annotations, drafts, comments of one's own and notes without a decision are told and left out."""
    file = written(tmp_path, "x.label-studio.json", candidate(7))
    (task,) = json.loads(file.read_text())
    annotations = [
        {"result": [], "was_cancelled": True},
        {"result": [result("note", "hm")], "completed_by": 1},
        {"result": [result("decision", "admit"), result("comment", "fine")], "completed_by": 2},
    ]
    file.write_text(json.dumps([task | {"annotations": annotations, "drafts": [{}]}]))
    found = decisions.read(file)
    assert [(word.reviewer, word.decision) for word in found.words] == [("reviewer-2", "admit")]
    assert [line.split(" left out")[0] for line in found.left_out] == [
        "1 drafts",
        "1 skipped annotations",
        "1 annotations without an answer to `decision`",
        "1 answers to other questions than `decision`, `reason`, `note`",
    ]


def test_argilla_keeps_people_apart(tmp_path: Path) -> None:
    """Each person's reason and note stay with that person's decision, and a draft is none."""
    file = written(tmp_path, "x.argilla.json", candidate(7))
    (record,) = json.loads(file.read_text())
    said = {
        "note": [{"user_id": "ben", "value": "seen before", "status": "submitted"}],
        "decision": [
            {"user_id": "ann", "value": "admit", "status": "submitted"},
            {"user_id": "ben", "value": "reject", "status": "submitted"},
            {"user_id": "cem", "value": "admit", "status": "draft"},
        ],
        "reason": [{"user_id": "ben", "value": "duplicate", "status": "submitted"}],
    }
    file.write_text(json.dumps([record | {"responses": said}]))
    found = decisions.read(file)
    assert [(word.reviewer, word.decision, word.reason) for word in found.words] == [
        ("ann", "admit", ""),
        ("ben", "reject", "duplicate: seen before"),
    ]
    assert found.left_out == ["1 responses that are draft left out, the first in x.argilla.json, record 1, response 4"]


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("x.csv", "", "has the columns none at all, expected candidate_id and decision"),
        ("x.csv", "a,b\n1,2\n", "has the columns a, b, expected candidate_id and decision"),
        ("x.csv", b"\xff\xfe\x00", "expected UTF-8"),
        ("x.json", "[7]", "expected Label Studio's tasks .* rows with candidate_id and decision"),
        ("x.json", '[{"annotations": []}]', "no data.candidate_id, expected a task of ours"),
        ("x.json", '[{"responses": {}}]', "no id, expected candidate_id"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, name: str, text: str | bytes, sentence: str) -> None:
    """A file that holds no words on candidates is refused with what was expected."""
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(DataError, match=sentence):
        decisions.read(tmp_path / name)


def test_a_name_without_a_format_is_refused(tmp_path: Path) -> None:
    """A file whose name tells no format is not written."""
    with pytest.raises(ConfigError, match=r"x.xlsx names no format, expected .csv"):
        written(tmp_path, "x.xlsx")
    assert not list(tmp_path.iterdir())
