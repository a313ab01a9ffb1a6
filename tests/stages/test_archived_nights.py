"""What `publish` archives: the run that it published, with what its record says of it."""

import json
from datetime import datetime
from pathlib import Path

from assay.project import archive, failures, files, params
from assay.project.archive import ARCHIVED, RUNS
from assay.project.results import GATE, read_gate
from assay.project.run_id import Run, being
from assay.records.parts import PARTS
from assay.stages import publish
from tests.archives import an_id
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


def test_a_full_disk_costs_the_archive_alone(night: Night) -> None:
    """Where the archive cannot be written the verdict stands, and the failure is named."""
    night.write()
    (files.root() / RUNS).write_text("a file where the folder should be")
    word = published(an_id(1))
    assert (word, read_gate().run) == (json.loads((files.root() / GATE).read_bytes())["word"], an_id(1))
    assert [failure.part for failure in failures.read(("publish",))] == [PARTS["archive"]]
