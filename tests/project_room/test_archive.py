"""The archive: a run's files are kept whole under its id, once, and no later write reaches them."""

import json
from pathlib import Path

import pytest
import yaml

from assay.project import archive, files
from assay.project.archive import ARCHIVED, RUNS
from assay.project.results import REPORT
from tests.archives import a_record, an_id, archived, file_results
from tests.cast import Project


def inside(run: str) -> dict[str, bytes]:
    """Return the archived files of a run."""
    return {file.name: file.read_bytes() for file in (files.root() / RUNS / run).iterdir()}


def test_a_file_that_is_missing_leaves_the_earlier_archive(project: Project) -> None:
    """An archive that cannot be made whole leaves what was there, and nothing half made."""
    (run,) = archived(1)
    before, names = inside(run), project.files().keys()
    files.path(ARCHIVED[-1]).unlink()
    with pytest.raises(FileNotFoundError):
        archive.keep(a_record(1, word="regression"))
    assert inside(run) == before
    assert archive.read(run).word == "pass"
    assert names ^ project.files().keys() == {str(project.folder / ARCHIVED[-1])}


def test_a_write_in_place_changes_nothing_archived(project: Project) -> None:
    """A program that writes into a result of tonight, without renaming, does not reach the archived copy."""
    (run,) = archived(1)
    before = inside(run)
    for name in ARCHIVED:
        with (project.folder / name).open("r+b") as file:
            file.write(b"OVERWRITTEN")
    assert inside(run) == before


def test_the_tracking_file_is_dvc_s(project: Project) -> None:
    """The .dvc file names every archived file with size and MD5, and so does the record; Git ignores the folder."""
    (run,) = archived(1)
    outs = yaml.safe_load((project.folder / RUNS / f"{run}.dvc").read_text())["outs"]
    assert [out["path"] for out in outs] == [f"{run}/{Path(name).name}" for name in ARCHIVED]
    assert {out["hash"] for out in outs} == {"md5"}
    assert [out["size"] for out in outs] == [len(inside(run)[Path(name).name]) for name in ARCHIVED]
    assert archive.read(run).files == {Path(out["path"]).name: out["md5"] for out in outs}
    assert (project.folder / RUNS / ".gitignore").read_text() == "*/\n"
    assert archive.pending() == [f"{RUNS}/{run}.dvc"]


def test_a_run_that_is_published_again_is_replaced(project: Project) -> None:
    """Record and archive of one run are there once, as it was published last."""
    (run,) = archived(1)
    file_results("published again")
    archive.keep(a_record(1, word="uncalibrated"))
    assert archive.ids() == [run]
    assert archive.read(run).word == "uncalibrated"
    assert inside(run)["report.html"] == f"{REPORT}: published again\n".encode()
    assert sorted(file.name for file in (project.folder / RUNS).iterdir()) == [
        *(".gitignore", run, f"{run}.dvc", f"{run}.json")
    ]


def test_strange_files_are_no_runs(project: Project) -> None:
    """Whatever else lies beside the records is not listed."""
    (run,) = archived(1)
    for name in ("..json", "notes.json", f"{run.upper()}.json", f".{run}.json.partial"):
        (project.folder / RUNS / name).write_text("{}")
    assert archive.ids() == [run]


def test_pending_survives_only_what_is_true(project: Project) -> None:
    """A mark that was damaged, or names what is no run, asks DVC for nothing."""
    archived(1, 2)
    archive.committed([f"{RUNS}/{an_id(1)}.dvc"])
    assert archive.pending() == [f"{RUNS}/{an_id(2)}.dvc"]
    mark = files.private(archive.PENDING)
    mark.write_text(json.dumps(["../../params.yaml", an_id(2)]))
    assert archive.pending() == [f"{RUNS}/{an_id(2)}.dvc"]
    mark.write_text("[")
    assert archive.pending() == []
    assert project.folder.is_dir()


def test_a_record_says_why_dvc_has_not_its_files(project: Project) -> None:
    """Where DVC refuses, the record says why, and once it has committed the files it says nothing more of it."""
    (run,) = archived(1)
    whole = (project.folder / RUNS / f"{run}.json").read_bytes()
    archive.refused(archive.pending(), "the cache is full")
    assert archive.read(run).lost == "the cache is full"
    archive.committed(archive.pending())
    assert (project.folder / RUNS / f"{run}.json").read_bytes() == whole
