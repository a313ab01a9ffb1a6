"""Accept: what people decide in a spreadsheet arrives signed, bound to what they saw, and never as a formula."""

import csv
import io
from datetime import datetime
from pathlib import Path

import pytest

from assay.admission import Past
from assay.errors import AssayError, ConfigError, DataError
from assay.records import Candidate, Case, Decision, Response
from tasks import batches, store
from tasks.accept import accept, admit_written, export_candidates, import_decisions, retire
from tasks.review import review
from tests.cast import Project, broken, case, response

CELL = '=HYPERLINK("http://evil.example")'


def candidate(number: int, **changes: object) -> Candidate:
    of = case(number, **changes)
    return Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0.1)


def fill(file: Path, **answers: str) -> None:
    """Fill every row of an exported sheet."""
    rows = list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8-sig"))))
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, rows[0])
    writer.writeheader()
    writer.writerows([row | answers for row in rows])
    file.write_text(sheet.getvalue(), encoding="utf-8-sig")


def test_decisions_make_the_round(project: Project, now: datetime) -> None:
    """An exported candidate that a reviewer admits enters the evaluation set; a decided one is not exported again."""
    store.write("candidates", [candidate(7), candidate(8)])
    sheet = project.folder / "sheet.csv"
    assert export_candidates(sheet) == 2
    fill(sheet, decision="admit", reviewer="ben", reason="real")
    assert import_decisions(sheet, now) == 2
    assert review.fn() == 8
    assert export_candidates(sheet) == 0


def test_a_model_s_text_is_no_formula(project: Project) -> None:
    """A text that a spreadsheet would run is written with an apostrophe before it."""
    store.write("candidates", [candidate(7, turns=[CELL])])
    sheet = project.folder / "sheet.csv"
    export_candidates(sheet)
    (row,) = csv.DictReader(io.StringIO(sheet.read_text(encoding="utf-8-sig")))
    assert row["turns"] == f"'{CELL}"


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"decision": "yes", "reviewer": "ben"}, "decision is 'yes', expected admit or reject"),
        ({"decision": "admit", "reviewer": " "}, "reviewer is empty"),
        ({"decision": "admit", "reviewer": "ben", "digest": "0"}, "not the one on file"),
        ({"decision": "admit", "reviewer": "ben", "candidate_id": "other"}, "not the one on file"),
    ],
)
def test_a_bad_row_is_refused(project: Project, now: datetime, answers: dict[str, str], found: str) -> None:
    """A row without a known word, a name or the very candidate on file is refused, and the log stays as it was."""
    store.write("candidates", [candidate(7)])
    sheet = project.folder / "sheet.csv"
    export_candidates(sheet)
    fill(sheet, **answers)
    before = project.files()
    with pytest.raises(DataError, match=found):
        import_decisions(sheet, now)
    assert project.files() == before


@pytest.mark.parametrize("data", [b"", b"a,b\n1,2\n", b"\xff\xfe\x00"])
def test_a_foreign_sheet_is_refused(project: Project, now: datetime, data: bytes) -> None:
    """A file that is no exported sheet is refused with what is missing."""
    sheet = project.folder / "sheet.csv"
    sheet.write_bytes(data)
    store.write("candidates", [candidate(7)])
    with pytest.raises(ConfigError, match="expected an exported sheet|save it so again"):
        import_decisions(sheet, now)


def test_an_empty_decision_waits(project: Project, now: datetime) -> None:
    """A row that nobody decided stays open; importing it appends nothing."""
    store.write("candidates", [candidate(7)])
    sheet = project.folder / "sheet.csv"
    export_candidates(sheet)
    assert import_decisions(sheet, now) == 0
    assert len(store.read("decisions", Decision)) == 6


def test_only_answers_become_a_baseline(project: Project) -> None:
    """A failed call is never accepted as a good answer."""
    store.write("responses", [response(case(1)), broken(case(2)), response(case(3), trial=0)])
    assert accept() == 2
    assert [one.case_id for one in store.read("baseline", Response)] == ["refunds-001", "refunds-003"]


def test_nothing_to_accept(project: Project) -> None:
    """Without a run there is nothing to accept, and the old baseline stays."""
    before = project.files()
    with pytest.raises(AssayError, match="responses.parquet is missing"):
        accept()
    assert project.files() == before


WRITTEN = """
- case_id: refunds-010
  layer: unit
  category: refunds
  turns: ["How long does Cleo have?"]
  reference: Fourteen days.
  expectations: [{check: icontains-any, values: [14, fourteen]}]
  provenance: written
  parent: ""
  owner: payments
"""


def test_hand_written_cases_are_admitted_by_name(project: Project, now: datetime) -> None:
    """Cases in a YAML file enter the set signed by who admits them, also where there was no log before."""
    store.path("decisions").unlink()
    sheet = project.folder / "cases.yaml"
    sheet.write_text(WRITTEN.replace("14, fourteen", '"14", fourteen'))
    assert admit_written(sheet, "ada", now) == 1
    assert review.fn() == 1
    assert store.read("decisions", Decision)[0].reviewer == "ada"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (WRITTEN, "expectations.0.values.0 is 14, expected"),
        (WRITTEN.replace("[14, fourteen]", "[]"), "icontains-any"),
        (WRITTEN.replace("14, fourteen", "fourteen").replace("icontains-any", "guess"), "guess"),
        ("{", "no YAML list of cases"),
        ("7", "no YAML list of cases"),
    ],
)
def test_a_bad_case_is_refused(project: Project, now: datetime, text: str, found: str) -> None:
    """A case at fault is refused with what was found, and the log stays as it was."""
    sheet = project.folder / "cases.yaml"
    sheet.write_text(text)
    before = project.files()
    with pytest.raises(AssayError, match=found):
        admit_written(sheet, "ada", now)
    assert project.files() == before


def test_a_case_is_retired_with_a_reason(project: Project, now: datetime) -> None:
    """A retirement is a signed word on the case as it stands, and the next fold leaves it out and remembers it."""
    assert retire(["refunds-001"], "ada", "never fails", now) == 1
    review.fn()
    assert "refunds-001" not in {one.case_id for one in store.read("cases", Case)}
    (gone,) = store.read("past", Past)
    assert (gone.candidate_id, gone.why) == ("refunds-001", "retired")


@pytest.mark.parametrize(("names", "reason"), [(["refunds-001", "none"], "old"), (["refunds-001"], " ")])
def test_a_retirement_that_makes_no_sense_is_refused(
    project: Project, now: datetime, names: list[str], reason: str
) -> None:
    """An unknown case or an empty reason retires nothing, not even the others."""
    before = project.files()
    with pytest.raises(ConfigError, match="nothing was retired"):
        retire(names, "ada", reason, now)
    assert project.files() == before


def test_a_sheet_counts_in_the_open_batch(project: Project, now: datetime) -> None:
    """Decisions of a sheet are words in the batch that is open, by whoever signed the row."""
    of = case(30)
    one = Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0)
    batch = batches.open_batch([one], "", now)
    file = project.folder / "sheet.csv"
    assert export_candidates(file) == 1
    rows = list(csv.DictReader(file.read_text(encoding="utf-8-sig").splitlines()))
    rows[0] |= {"decision": "admit", "reviewer": "ada"}
    with file.open("w", newline="") as sheet:
        writer = csv.DictWriter(sheet, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert import_decisions(file, now) == 1
    assert store.read("decisions", Decision)[-1].batch == batch.name
    assert batches.standing_of(batch)["refunds-030"].state == "decided"
