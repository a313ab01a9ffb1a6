"""Pruning: old runs give up their files and nothing else, and DVC's cache nothing that is referred to."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from assay.project import archive, files
from assay.project.archive import RUNS
from assay.project.archive_pruning import CACHE, prune
from assay.project.tables.responses import BASELINE
from tests.archives import FIRST, a_record, an_id, archived, file_results
from tests.cast import Project, case, response
from tests.repository import git

LATER = FIRST + timedelta(days=30)


def pruned(keep: int, filed: str = "", now: datetime = LATER) -> list[str]:
    """Prune, as the run that was filed last does."""
    return prune(keep, filed, now)


def accept(**changes: str) -> None:
    """Let the baseline be of one run."""
    BASELINE.write([response(case(1), **changes)])


def cached() -> set[str]:
    """Return the objects in the project's cache."""
    return {f"{file.parent.name}{file.name}" for file in (files.root() / CACHE).glob("*/*")}


def cache() -> None:
    """Put every archived file into the project's own cache, as DVC does."""
    for run in archive.ids():
        for name, md5 in archive.read(run).files.items():
            target = files.path(f"{CACHE}/{md5[:2]}/{md5[2:]}")
            target.write_bytes((files.root() / RUNS / run / name).read_bytes())


def objects(*numbers: int) -> set[str]:
    """Return the objects of these nights' runs."""
    return {md5 for number in numbers for md5 in archive.read(an_id(number)).files.values()}


@pytest.fixture
def repository(project: Project) -> Project:
    """The project in Git, with four archived runs in its cache."""
    git("init", "-q", "-b", "main")
    for name, value in (("user.name", "ada"), ("user.email", "ada@example.org")):
        git("config", name, value)
    archived(1, 2, 3, 4)
    cache()
    accept(target="other@1", run="")
    return project


def test_old_runs_keep_their_record_alone(repository: Project) -> None:
    """Beyond the newest ones folder, .dvc file and objects go; the record stays, and the newest are whole."""
    assert sorted(pruned(2)) == [an_id(1), an_id(2)]
    assert archive.ids() == [an_id(number) for number in (4, 3, 2, 1)]
    assert [archive.state(an_id(number)) for number in (1, 2, 3, 4)] == ["pruned", "pruned", "here", "here"]
    assert not (repository.folder / RUNS / an_id(1)).exists()
    assert cached() == objects(3, 4)
    assert pruned(2) == []


def test_a_run_of_the_future_outranks_none(repository: Project) -> None:
    """Of two kept runs neither is the one that a clock ahead dated later than now, and the one just filed stays."""
    now = FIRST + timedelta(days=3, hours=1)
    assert sorted(pruned(2, an_id(3), now)) == [an_id(1), an_id(4)]
    assert pruned(1, an_id(2), now) == []
    assert archive.state(an_id(2)) == archive.state(an_id(3)) == "here"
    assert pruned(1, an_id(3), now) == [an_id(2)]
    assert pruned(0, an_id(3), now) == [an_id(3)]
    assert repository.folder.is_dir()


def test_a_damaged_record_stops_no_pruning(repository: Project) -> None:
    """The files of a run whose record cannot be read stay, and those of others go as before."""
    (repository.folder / RUNS / f"{an_id(1)}.json").write_text("{")
    assert pruned(2) == [an_id(2)]
    assert archive.state(an_id(1)) == "here"


def test_the_accepted_run_is_never_pruned(repository: Project) -> None:
    """The run whose answers are the baseline keeps its files however old it is; an old baseline's has no id."""
    accept(target="support@2", run=an_id(1), source_run=an_id(2))
    assert pruned(1) == [an_id(3), an_id(2)]
    assert cached() == objects(1, 4)
    accept(target="support@2", epoch=a_record(1).night, run="")
    assert pruned(1) == []
    assert repository.folder.is_dir()


def test_an_object_that_is_referred_to_stays(repository: Project) -> None:
    """What dvc.lock, a .dvc file elsewhere, a folder's list, another branch or a release names is not deleted."""
    named = sorted(objects(1))
    (repository.folder / "dvc.lock").write_text(f"md5: {named[0]}\n")
    (repository.folder / "more").mkdir()
    (repository.folder / "more/table.dvc").write_text(f"outs:\n- md5: {named[1]}\n")
    listing = "ab" + "0" * 30
    files.path(f"{CACHE}/ab/{'0' * 30}.dir").write_text(f'[{{"md5": "{named[2]}", "relpath": "x"}}]')
    (repository.folder / "folder.dvc").write_text(f"outs:\n- md5: {listing}.dir\n")
    for number, ref in ((3, "evalset@v1.0.0"), (4, "a/b=evalset@v1.0.0")):
        (repository.folder / "dvc.lock").write_text(f"md5: {named[number]}\n")
        git("add", "dvc.lock")
        git("commit", "-q", "-m", ref)
        git("tag", ref)
    (repository.folder / "dvc.lock").write_text(f"md5: {named[0]}\n")
    pruned(3)
    assert cached() & objects(1) == set(named[:5])


def test_an_object_of_two_runs_stays(repository: Project) -> None:
    """A file that a kept run shares with a pruned one is not deleted."""
    file_results("night 1")
    archive.keep(a_record(5))
    pruned(1)
    assert cached() == objects(5) == objects(1)
    assert repository.folder.is_dir()


def test_a_cache_elsewhere_is_left_alone(repository: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A cache that lies outside of the project, which others may share, keeps everything."""
    shared = tmp_path_factory.mktemp("shared") / "md5"
    own = repository.folder / CACHE
    own.rename(shared)
    own.symlink_to(shared)
    before = cached()
    pruned(1)
    assert cached() == before >= objects(1)


def test_without_git_the_cache_is_left_alone(repository: Project) -> None:
    """Where nobody knows what releases need, files of the workspace go and no object does."""
    before = cached()
    (repository.folder / ".git").rename(Path("nowhere"))
    assert sorted(pruned(2)) == [an_id(1), an_id(2)]
    assert cached() == before
