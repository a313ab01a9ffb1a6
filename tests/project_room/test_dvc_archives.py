"""Archived runs in DVC's cache: committed by the process that records the stages, at no risk to these."""

from pathlib import Path

import pytest

from assay.errors import RecordError
from assay.project import archive, dvc, failures
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


def test_a_refused_stage_is_an_error_as_ever(repository: Project) -> None:
    """Where DVC refuses the stages the run says so, and the archive waits."""
    playing(repository, "execute")
    with pytest.raises(RecordError, match="execute"):
        night()
    assert archive.pending() == [f"{RUNS}/{an_id(1)}.dvc"]


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
