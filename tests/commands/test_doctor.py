"""Doctor: names the table at fault, looks at all of them, and never shows a key."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.doctor import data_docs, examine
from assay.errors import ConfigError, DataError
from assay.models.journal import Journal
from assay.project import archive, entrypoint
from assay.project.archive import RUNS
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.registry import TABLES
from assay.project.tables.responses import BASELINE
from assay.records.case import Example
from assay.stages import review
from tests.archives import a_record, an_id
from tests.cast import Project
from tests.repository import dvc, git


def said(docs: Path | None = None) -> tuple[list[str], str]:
    """Return the findings and the error that ended the examination."""
    found: list[str] = []
    try:
        found.extend(examine(docs))
    except DataError as fault:
        return found, str(fault)
    return found, ""


def lines_until_fault() -> list[str]:
    """Return what was said before the examination ended with an error."""
    found = []
    examination = examine(None)
    while True:
        try:
            found.append(next(examination))
        except (StopIteration, DataError):
            return found


def test_a_sound_project(project: Project) -> None:
    """Every table on file keeps its contract, and what no stage has made yet is no fault."""
    review.run()
    found, fault = said()
    assert fault == ""
    assert "data/labels/labels.jsonl: 360 rows, contract kept" in found
    assert "data/verdicts/verdicts.parquet: not there yet" in found
    assert found[0].startswith("assay-pipeline ")


def broken_label() -> None:
    LABELS.file().write_text("{}\n")


def unknown_category() -> None:
    ITEMS.file().write_text(ITEMS.file().read_text().replace('"refunds"', '"invented"'))


def cut_off() -> None:
    BASELINE.file().write_bytes(BASELINE.file().read_bytes()[:-100])


@pytest.mark.parametrize(
    ("damage", "table"),
    [(broken_label, "labels.jsonl"), (unknown_category, "items.jsonl"), (cut_off, "responses.parquet")],
)
def test_the_table_at_fault_is_named(
    project: Project, capsys: pytest.CaptureFixture[str], damage: Callable[[], None], table: str
) -> None:
    """A damaged table is named with its fault and ends the command with exit code 2; the others are examined too."""
    damage()
    found = lines_until_fault()
    (at_fault,) = [line for line in found if "AT FAULT" in line]
    assert table in at_fault
    assert len(found) == 5 + len(TABLES)
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(lambda: list(examine(None)))
    assert ended.value.code == 2
    assert table in capsys.readouterr().err


def test_a_damaged_record_of_a_run_is_named(project: Project) -> None:
    """A record that cannot be read is named with the file to restore, the sound ones are counted, and it is a fault."""
    damaged = an_id(1)
    archive.note(a_record(2))
    (project.folder / RUNS / f"{damaged}.json").write_text("<b>")
    found, fault = said()
    assert f"git checkout -- {RUNS}/{damaged}.json" in fault
    assert f"{RUNS}: 1 records of runs can be read" in found
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 2


def test_every_table_at_fault_has_its_reason(project: Project) -> None:
    """Of two damaged tables both are reported with what is wrong, not only the first."""
    broken_label()
    cut_off()
    faults = [line for line in lines_until_fault() if "AT FAULT" in line]
    assert ["is missing" in line or "cannot be read" in line for line in faults] == [True, True]


def test_a_key_is_never_shown(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether a key is set is told, and not a character of it."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    found, _ = said()
    assert "OPENAI_API_KEY: set" in found
    assert "OPENAI_BASE_URL: not set" in found
    assert "secret" not in "\n".join(found)


@pytest.mark.slow
def test_data_docs_are_built_where_they_are_asked_for(project: Project) -> None:
    """Data Docs have an index page in the folder asked for, and nothing under data/ changes."""
    before = project.files()
    page = data_docs(project.folder / "docs")
    assert page == project.folder / "docs/index.html"
    assert page.is_file()
    assert project.files() == before


def test_a_flipped_byte_of_the_log_is_named(project: Project) -> None:
    """One changed letter in what somebody signed is found, with its row."""
    log = DECISIONS.file()
    data = log.read_bytes()
    place = data.index(b"refunds-002")
    log.write_bytes(data[:place] + b"R" + data[place + 1 :])
    assert "data/decisions/decisions.jsonl, row 2" in said()[1]


def test_a_cache_that_cannot_be_written_is_named(project: Project) -> None:
    """Where DVC could not put what a run made, the folder is named, and it is a fault."""
    git("init", "-q")
    dvc("init", "-q")
    assert not [line for line in said()[0] if line.startswith("DVC")]
    (project.folder / ".dvc/cache").mkdir(exist_ok=True)
    (project.folder / ".dvc/cache/files").write_text("no folder")
    with pytest.raises(ConfigError, match=r"\.dvc/cache/files cannot be written"):
        list(examine(None))


def test_rows_that_were_lost_at_the_end_are_missed(project: Project) -> None:
    """A log whose last rows were cut off cleanly breaks no chain, but the evaluation set was made of them."""
    review.run()
    log = DECISIONS.file()
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[:-1]))
    found, fault = said()
    assert "data/evalset/manifest.json was made of a row that is not there any more" in fault
    assert any(line.startswith("Decisions: AT FAULT") for line in found)


def test_an_intact_log_is_said_to_be_so(project: Project) -> None:
    """The examination says how many decisions there are and what they come to."""
    review.run()
    assert any("6 decisions, an unbroken chain to" in line and "6 cases" in line for line in said()[0])


def test_what_the_disk_changed_is_counted(project: Project) -> None:
    """Answers that are no longer what was written are told as a number, and a journal that is none is a fault."""
    file = project.folder / ".assay/journal.sqlite"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    with Journal(file) as journal:
        asyncio.run(journal.put("sound", "1"))
        asyncio.run(journal.put("damaged", "2"))
        journal._database._connection.execute("UPDATE answers SET answer = '3' WHERE key = 'damaged'")
    assert "Journal: 1 answers were changed on the disk" in "\n".join(examine(None))
    file.write_bytes(b"no database " * 400)
    with pytest.raises(ConfigError, match="move it away"):
        list(examine(None))


def test_a_scorer_that_its_examples_refute_is_named(project: Project) -> None:
    """A check that passes a bad example is a fault; one that says what it should is counted."""
    review.run()
    first, *others = CASES.read()
    sound = first.model_copy(update={"good": [Example(text="Within 14 days.")], "bad": [Example(text="Never.")]})
    CASES.write([sound, *others])
    assert "Scorers: say of the examples of 1 case what they should" in said()[0]
    CASES.write([sound.model_copy(update={"bad": sound.good}), *others])
    found, fault = said()
    assert f"case {first.case_id}: bad answer 1 passes every check" in fault
    assert [one for one in found if one.startswith("Scorers: AT FAULT: ")] == [
        f"Scorers: AT FAULT: {fault.partition(': correct')[0]}"
    ]


def test_cases_that_contradict_each_other_are_a_finding(project: Project) -> None:
    """Two cases that ask the same and are answered otherwise are named, and are no fault: the doctor ends well."""
    review.run()
    first, second, *others = CASES.read()
    told = {"turns": ["May I send the lamp back?"], "reference": "Yes."}
    again = {"turns": ["Can I send the lamp back?"], "reference": "No."}
    CASES.write([first.model_copy(update=told), second.model_copy(update=again), *others])
    (line,) = [one for one in said()[0] if one.startswith("Cases: ")]
    assert f"({first.case_id} and {second.case_id}: yes and no)" in line
    assert said()[1] == ""
