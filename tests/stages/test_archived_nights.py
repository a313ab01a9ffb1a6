"""What `publish` archives: the run that it published, with what its record says of it."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.project import archive, failures, files, params
from assay.project.archive import ARCHIVED, RUNS
from assay.project.results import GATE, REPORT, read_gate
from assay.project.run_id import Run, being, run_id
from assay.project.tables.history import HISTORY
from assay.records.parts import PARTS
from assay.stages import publish
from tests.archives import a_record, an_id, file_results
from tests.conftest import NOW
from tests.nights import Night


def published(run: str) -> str:
    """Publish the night of the current folder as a run; return the gate's word."""
    with being(Run(id=run, began=NOW, clock=lambda: NOW)):
        return publish.run(NOW)[0].word


def test_publishing_archives_the_run(night: Night) -> None:
    """The run's files are those on file, its record says what the gate says, and where the answers come from."""
    night.write()
    word = published(an_id(1))
    copies = {file.name: file.read_bytes() for file in (files.root() / RUNS / an_id(1)).iterdir()}
    assert copies == {Path(name).name: (files.root() / name).read_bytes() for name in ARCHIVED}
    record = archive.read(an_id(1))
    assert (record.word, record.cases, record.calls.asked, record.calls.kept) == (word, 200, 200, 0)
    assert record.target == "support@2"


def test_kept_answers_are_counted_by_their_source(night: Night) -> None:
    """An answer that another run asked for counts as kept, with when the oldest was given."""
    rows = night.responses
    old = {"run": an_id(2), "source_run": an_id(1), "answered_at": NOW}
    night.responses = [
        row.model_copy(update=old if number < 50 else {"run": an_id(2), "source_run": an_id(2)})
        for number, row in enumerate(rows)
    ]
    night.write()
    published(an_id(2))
    calls = archive.read(an_id(2)).calls
    assert (calls.asked, calls.kept, calls.sources, calls.since) == (150, 50, [an_id(1)], NOW)


def test_whoever_keeps_nothing_has_the_record_alone(night: Night) -> None:
    """With publish.keep 0 a run is listed, and neither a folder nor a .dvc file of it is there."""
    night.write()
    with params.overriding(values=("publish.keep=0",)):
        word = published(an_id(1))
    assert (archive.read(an_id(1)).word, archive.read(an_id(1)).files, archive.state(an_id(1))) == (word, {}, "pruned")
    assert [file.name for file in sorted((files.root() / RUNS).iterdir())] == [".gitignore", f"{an_id(1)}.json"]


def test_a_night_without_an_id_is_not_archived(night: Night, now: datetime) -> None:
    """Results of before runs had ids are published, and not archived."""
    night.write()
    assert publish.run(now)[0].run == ""
    assert archive.ids() == []


@pytest.mark.parametrize("again", [False, True])
def test_a_run_that_cannot_be_archived_has_its_record(night: Night, *, again: bool) -> None:
    """The verdict stands, and the record says why there are no files, or that they are those of an earlier archive."""
    night.write()
    if again:
        published(an_id(1))
    partial = files.root() / RUNS / f".{an_id(1)}.partial"
    partial.parent.mkdir(parents=True, exist_ok=True)
    partial.write_text("a file that is in the way of the folder")
    word = published(an_id(1))
    record = archive.read(an_id(1))
    assert (record.word, read_gate().word) == (word, word)
    assert (bool(record.files), record.failures) == (again, 1)
    assert "FileExistsError" in record.lost
    assert [failure.part for failure in failures.read(("publish",))] == [PARTS["archive"]]
    row = json.loads(CliRunner().invoke(app, ["runs", "--json"]).stdout)[0]
    assert (row["archive"], row["lost"]) == ("here" if again else "lost", record.lost)
    partial.unlink()
    published(an_id(1))
    assert (archive.read(an_id(1)).lost, len(archive.read(an_id(1)).files)) == ("", len(ARCHIVED))


def test_tonight_is_never_pruned_for_a_run_of_the_future(night: Night) -> None:
    """With one kept run, a record from a clock that was ahead costs tonight neither its files nor its report."""
    file_results("of the future")
    archive.keep(a_record(900))
    night.write()
    with params.overriding(values=("publish.keep=1",)):
        published(run_id(NOW, bytes(10)))
    tonight = CliRunner().invoke(app, ["report", "last"]).stdout.strip()
    assert Path(tonight) == archive.report_file(run_id(NOW, bytes(10)))
    assert [archive.state(run) for run in archive.ids(NOW)] == ["here", "pruned"]


def test_a_run_that_asked_nothing_is_of_its_own_date(night: Night) -> None:
    """Answers of an earlier night date no run: record, report, history and `assay report DATE` have the run's own."""
    rows = night.responses
    for number in (1, 2):
        kept = {"run": an_id(number), "source_run": an_id(1), "answered_at": NOW, "epoch": "2026-11-03"}
        night.responses = [row.model_copy(update=kept) for row in rows]
        night.write()
        published(an_id(number))
    assert [archive.read(an_id(number)).night for number in (1, 2)] == ["2026-11-03", "2026-11-04"]
    assert [(row.night, row.run) for row in HISTORY.read()] == [("2026-11-03", an_id(1)), ("2026-11-04", an_id(2))]
    assert "<dt>Night</dt><dd>2026-11-04</dd>" in (files.root() / REPORT).read_text()
    shown = CliRunner().invoke(app, ["report", "2026-11-04"]).stdout.strip()
    assert Path(shown) == archive.report_file(an_id(2))
    HISTORY.write([row.model_copy(update={"night": "2026-11-03"}) for row in HISTORY.read()])
    published(an_id(2))
    assert [(row.night, row.run) for row in HISTORY.read()] == [("2026-11-03", an_id(1)), ("2026-11-04", an_id(2))]


def test_a_full_disk_costs_the_archive_alone(night: Night) -> None:
    """Where not even the record can be written the verdict stands, and both failures are named."""
    night.write()
    (files.root() / RUNS).write_text("a file where the folder should be")
    word = published(an_id(1))
    assert not any(archive.ids())
    assert (word, read_gate().run) == (json.loads((files.root() / GATE).read_bytes())["word"], an_id(1))
    assert [failure.part for failure in failures.read(("publish",))] == [PARTS["archive"], PARTS["record"]]
