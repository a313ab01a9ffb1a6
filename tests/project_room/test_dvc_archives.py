"""Archived runs in DVC's cache: committed by the process that records the stages, at no risk to these."""

from pathlib import Path

import pytest

from assay.errors import BusyError, RecordError
from assay.project import archive, dvc, failures, programs
from assay.project.archive import RUNS
from assay.records.parts import PARTS
from tests.archives import an_id, archived
from tests.cast import Project

FAKE = """
import sys
with open("calls.txt", "a") as file:
    print(*sys.argv[1:], file=file)
sys.exit(any(word.endswith({refused!r}) for word in sys.argv[1:]) and "ERROR: refused")
"""


BUSY = """
import pathlib, sys
calls = pathlib.Path("calls.txt")
before = calls.read_text() if calls.exists() else ""
calls.write_text(before + " ".join(sys.argv[1:]) + chr(10))
sys.exit({said!r} if before.count(chr(10)) < {times} else 0)
"""
"""Finds its lock held so many times."""


@pytest.fixture
def repository(project: Project) -> Project:
    """The project with the files that say that it is a repository, and no stage's inputs."""
    (project.folder / ".git").mkdir()
    (project.folder / ".dvc").mkdir()
    (project.folder / ".dvc/config").write_text("")
    (project.folder / "dvc.yaml").write_text("stages: {execute: {cmd: none}}\n")
    return project


def playing(repository: Project, refused: str) -> None:
    """Put a program in DVC's place that notes its words, and refuses those that end like this."""
    (repository.folder / "dvc.py").write_text(FAKE.format(refused=refused))


def calls() -> list[str]:
    """Return what DVC was asked to do."""
    file = Path("calls.txt")
    return file.read_text().splitlines() if file.exists() else []


def night() -> None:
    """Record one stage and archive one run, as a night does."""
    with dvc.recording_together(), dvc.recording("execute"):
        archived(1)


def test_a_refused_archive_costs_no_stage(repository: Project) -> None:
    """Where DVC refuses the archive the stages are recorded without it, the failure is named, and it is tried again."""
    playing(repository, ".dvc")
    night()
    assert calls() == [f"commit --force execute {RUNS}/{an_id(1)}.dvc", "commit --force execute"]
    assert [failure.part for failure in failures.read(("publish",))] == [PARTS["archive"]]
    assert "refused" in Path(failures.where("publish")).read_text()
    assert archive.pending() == [f"{RUNS}/{an_id(1)}.dvc"]


def test_a_refused_stage_costs_no_run(repository: Project) -> None:
    """Where DVC refuses the stages the run ends well, one line says so with the command for later, and all waits."""
    playing(repository, "execute")
    night()
    (failure,) = failures.read()
    assert failure.part.startswith(PARTS["stages"])
    assert f"`dvc commit --force execute {RUNS}/{an_id(1)}.dvc`" in failure.note
    assert "refused" in Path(failures.where("record")).read_text()
    assert archive.pending() == [f"{RUNS}/{an_id(1)}.dvc"]
    record = archive.known(an_id(1))
    assert record
    assert "refused" in record.lost
    playing(repository, "nobody at all")
    night()
    assert failures.read() == []
    record = archive.known(an_id(1))
    assert record
    assert (record.lost, archive.pending()) == ("", [])


def test_a_stage_whose_input_moved_is_an_error_as_ever(repository: Project) -> None:
    """What DVC could only record falsely ends the run: no verdict stands on inputs that changed meanwhile."""
    playing(repository, "nothing")
    (repository.folder / "dvc.yaml").write_text("stages: {execute: {cmd: none, deps: [in.txt]}}\n")
    Path("in.txt").write_text("before")
    with pytest.raises(RecordError, match="in.txt"), dvc.recording_together(), dvc.recording("execute"):
        Path("in.txt").write_text("after")
    assert calls() == []


@pytest.mark.parametrize(
    "said",
    [
        "ERROR: Unable to acquire lock. Most likely another DVC process is running",
        "ERROR: 'dvc.lock' is busy, it is being blocked by:\n  (PID 7): dvc repro",
    ],
)
def test_a_busy_lock_is_waited_for(repository: Project, capsys: pytest.CaptureFixture[str], said: str) -> None:
    """While another process holds DVC's lock the run waits, says so once, and records everything then."""
    (repository.folder / "dvc.py").write_text(BUSY.format(times=2, said=said))
    night()
    assert capsys.readouterr().err.count("waiting for it") == 1
    assert calls() == [f"commit --force execute {RUNS}/{an_id(1)}.dvc"] * 3
    assert (failures.read(), archive.pending()) == ([], [])


def test_a_lock_that_is_held_for_too_long_is_a_refusal_in_words(repository: Project) -> None:
    """After the patience the refusal says who is in the way, and DVC was not asked again for the stages alone."""
    (repository.folder / "dvc.py").write_text(BUSY.format(times=99, said="ERROR: Unable to acquire lock."))
    with pytest.raises(BusyError, match="holds DVC's lock"):
        programs.record("execute", patience_s=0)
    with pytest.raises(ValueError, match="of the run"), dvc.recording_together(), dvc.recording("execute"):
        raise ValueError("of the run")
    with pytest.raises(ValueError, match="of the run"), dvc.recording_together():
        with dvc.recording("execute"):
            archived(1)
        raise ValueError("of the run")
    assert len(calls()) == 2, "a run that failed does not wait for DVC besides"


def test_a_refused_archive_of_a_run_with_overrides_is_named(repository: Project) -> None:
    """A run that records no stage ends well where DVC refuses its archive, and names that too."""
    playing(repository, ".dvc")
    failures.add("publish", PARTS["history"], ValueError("earlier"))
    with dvc.recording_together():
        archived(1)
    assert [failure.part for failure in failures.read(("publish",))] == [PARTS["history"], PARTS["archive"]]


def test_one_process_records_both(repository: Project) -> None:
    """Stages and archive are one call of DVC, after which nothing waits."""
    playing(repository, "nothing")
    night()
    assert calls() == [f"commit --force execute {RUNS}/{an_id(1)}.dvc"]
    assert archive.pending() == []
    with dvc.recording_together():
        pass
    assert len(calls()) == 1


def test_an_archive_alone_names_no_stage(repository: Project) -> None:
    """A run with overrides has its archive committed, and nothing else: DVC without a target would commit all."""
    playing(repository, "nothing")
    with dvc.recording_together():
        archived(1, 2)
    assert calls() == [f"commit --force {RUNS}/{an_id(1)}.dvc {RUNS}/{an_id(2)}.dvc"]
