"""Two projects in one repository, on real Git and DVC: each sees its own releases; a person's index stays theirs."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from gto.tag import parse_name

from assay.cli.main import app
from assay.errors import ConfigError
from assay.project import commits, releases
from assay.project.release_tags import tag_name, tags
from assay.stages import release
from tests import repository
from tests.cast import case
from tests.layout import ROOT
from tests.repository import dvc, git, recorded, reviewed, say

pytestmark = pytest.mark.slow
NOTES = "data/releases/evalset-v1.0.0.json"
OURS = [f"evals/a/data/releases/evalset-v1.0.0.{kind}" for kind in ("json", "md")]
RELEASE = """
from datetime import UTC, datetime
from assay.stages import release
release.run("auto", "The first set.", datetime(2026, 11, 2, 3, tzinfo=UTC))
"""


@pytest.fixture(scope="session")
def two_laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository of two projects, made once."""
    top = tmp_path_factory.mktemp("two")
    with chdir(top):
        repository.lay_out_two(top)
    return top


@pytest.fixture
def top(two_laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the repository for one test; project `evals/a` is the current folder."""
    shutil.copytree(two_laid_out, tmp_path / "two", symlinks=True)
    monkeypatch.chdir(tmp_path / "two/evals/a")
    return tmp_path / "two"


def hooked(top: Path, name: str, script: str) -> Path:
    """Give the repository a hook."""
    hook = top / ".git/hooks" / name
    hook.write_text(f"#!/bin/sh\n{script}\n")
    hook.chmod(0o755)
    return hook


def change_by_hand(top: Path) -> None:
    """Stage a new file, a part of a change and a removal, and change another file, in and beside the project."""
    (top / "mine.txt").write_text("not yet\n")
    (top / "product.py").write_text("ANSWER = 42\n")
    git("-C", str(top), "add", "mine.txt", "product.py")
    (top / "product.py").write_text("ANSWER = 43\n")
    Path("params.yaml").write_text(Path("params.yaml").read_text() + "# tuned\n")
    git("rm", "-q", "--cached", "../b/.gitignore")


CHANGED_BY_HAND = ["MM product.py", "A  mine.txt", " M evals/a/params.yaml", "D  evals/b/.gitignore"]


def status(top: Path) -> list[str]:
    """Return what differs from HEAD, without what is not tracked."""
    done = subprocess.run(
        ["git", "status", "--short", "--untracked-files=no"], cwd=top, check=True, capture_output=True, text=True
    )
    return sorted(done.stdout.splitlines())


def staged() -> str:
    """Return the whole index of the repository."""
    return git("ls-files", "--stage", "--full-name", ":/")


def without_folder(version: str) -> None:
    """Make a release's tag one that an earlier version of the package has made."""
    new, old = tag_name(f"evalset@{version}"), f"evalset@{version}"
    git("tag", "--annotate", "--message=before", old, f"{new}^{{commit}}")
    git("tag", "--delete", new)


def test_each_project_sees_its_own_releases(top: Path, now: datetime) -> None:
    """Released in turns, two projects have tags of their own, which GTO reads; none counts or shows the other's."""
    steps: dict[str, tuple[Callable[[], None], str]] = {
        "a": (lambda: say(case(4)), "v1.1.0"),
        "b": (lambda: say(case(2, turns=["Cleo asks something else."]), "edit", "too easy"), "v2.0.0"),
    }
    for name in steps:
        with chdir(top / "evals" / name):
            assert release.run("auto", "First.", now)[-1].startswith(f"evals/{name}=evalset@v1.0.0 is tagged: 6 cases.")
    for name, (change, second) in steps.items():
        with chdir(top / "evals" / name):
            change()
            recorded()
            release.run("auto", "Second.", now)
            assert tags() == {f"evalset@{it}": f"evals/{name}=evalset@{it}" for it in ("v1.0.0", second)}
            last = releases.inventory().last
            assert last
            assert (last.release, last.after) == (f"evalset@{second}", "evalset@v1.0.0")
            shown = CliRunner().invoke(app, ["diff", "v1.0.0", f"evalset@{second}"])
            assert shown.output.startswith(f"evalset@v1.0.0 to evalset@{second}: "), shown.output
    with pytest.raises(ConfigError, match=r"expected one of: evalset@v1.0.0, evalset@v1.1.0: "):
        releases.cases("v2.0.0")
    assert git("tag").splitlines() == [f"evals/{it}" for it in (
        "a=evalset@v1.0.0", "a=evalset@v1.1.0", "b=evalset@v1.0.0", "b=evalset@v2.0.0"
    )]  # fmt: skip
    assert {parse_name(tag)["name"] for tag in git("tag").splitlines()} == {"evals/a:evalset", "evals/b:evalset"}
    assert git("log", "--max-count=4", "--format=%s").splitlines() == [
        "Release evals/b=evalset@v2.0.0: Second.",
        "Release evals/a=evalset@v1.1.0: Second.",
        "Release evals/b=evalset@v1.0.0: First.",
        "Release evals/a=evalset@v1.0.0: First.",
    ]


def test_what_a_person_has_staged_stays_staged(top: Path, now: datetime) -> None:
    """A release commits its own files alone; what is staged, in part too, removed or changed beside it stays so."""
    change_by_hand(top)
    before = staged().splitlines()
    assert status(top) == sorted(CHANGED_BY_HAND)
    release.run("auto", "First.", now)
    assert git("show", "--name-only", "--format=", "HEAD").splitlines() == OURS
    assert status(top) == sorted(CHANGED_BY_HAND)
    assert [line for line in staged().splitlines() if line.split("\t")[1] not in OURS] == before
    assert (top / "product.py").read_text() == "ANSWER = 43\n"


def test_files_of_ours_that_were_staged_are_committed_as_they_lie_there(top: Path, now: datetime) -> None:
    """What a release commits is committed as it lies there, and staged so, also where it was staged otherwise."""
    rules = Path("data/taxonomy/refunds.yaml")
    text = rules.read_text()
    rules.write_text(text + "# staged\n")
    git("add", str(rules))
    rules.write_text(text + "# as it is\n")
    release.run("auto", "First.", now)
    assert git("show", f"HEAD:./{rules}").endswith("# as it is")
    assert status(top) == []


def test_a_commit_that_is_refused_leaves_the_index_alone(
    top: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a hook refuses or nobody is named: one sentence, no commit, no tag, and the index as it was."""
    change_by_hand(top)
    before = (staged(), git("rev-parse", "HEAD"), git("tag"))
    hook = hooked(top, "pre-commit", "git diff --cached --name-only; echo 'fatal: not on a Friday' >&2; exit 1")
    with pytest.raises(ConfigError, match=r"`git commit` failed \(fatal: not on a Friday\)"):
        release.run("auto", "First.", now)
    assert (staged(), git("rev-parse", "HEAD"), git("tag")) == before
    hook.unlink()
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    git("config", "--unset", "user.name")
    git("config", "user.useConfigOnly", "true")
    with pytest.raises(ConfigError, match=r"`git commit` failed \([^\n]+\), expected it to work"):
        release.run("auto", "First.", now)
    assert (staged(), git("rev-parse", "HEAD"), git("tag")) == before


def test_a_commit_of_somebody_else_meanwhile_is_not_undone(top: Path, now: datetime) -> None:
    """Where the branch moves while Git commits, ours is refused and theirs stays; again, it goes on from theirs."""
    hook = hooked(
        top,
        "pre-commit",
        "unset GIT_INDEX_FILE; git update-ref HEAD $(git commit-tree -p HEAD -m theirs 'HEAD^{tree}')",
    )
    with pytest.raises(ConfigError, match="`git commit` failed"):
        release.run("auto", "First.", now)
    assert (git("log", "-1", "--format=%s"), git("tag")) == ("theirs", "")
    hook.unlink()
    release.run("auto", "First.", now)
    assert git("log", "-2", "--format=%s").splitlines() == ["Release evals/a=evalset@v1.0.0: First.", "theirs"]


@pytest.mark.parametrize("step", ["pre-commit", "commit-msg", "post-commit"])
def test_killed_while_git_commits(top: Path, now: datetime, step: str) -> None:
    """Killed with all its children within the commit and called again: one commit, one tag, the first notes."""
    change_by_hand(top)
    hook = hooked(top, step, "kill -9 0")
    done = subprocess.run(
        [sys.executable, "-c", RELEASE],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        start_new_session=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    hook.unlink()
    first = Path(NOTES).read_bytes()
    release.run("auto", "Other words.", now + timedelta(days=1))
    assert git("tag") == "evals/a=evalset@v1.0.0"
    assert git("log", "-2", "--format=%s").splitlines() == [
        "Release evals/a=evalset@v1.0.0: The first set.",
        "The set of b",
    ]
    assert Path(NOTES).read_bytes() == first
    assert git("show", "--name-only", "--format=", "evals/a=evalset@v1.0.0^{commit}").splitlines() == OURS
    assert status(top) == sorted(CHANGED_BY_HAND)


def test_an_index_that_follows_late_keeps_what_was_staged_since(top: Path) -> None:
    """Of a commit that was killed before the index followed, only files that nobody has staged since are taken over."""
    rules = Path("data/taxonomy")
    for name in ("one", "two"):
        (rules / f"{name}.yaml").write_text(name)
    before = top / "index-before"
    shutil.copyfile(top / ".git/index", before)
    made = commits.commit(["data/taxonomy"], "Two files")
    shutil.copyfile(before, top / ".git/index")
    before.unlink()
    (rules / "two.yaml").write_text("changed since")
    git("add", "data/taxonomy/two.yaml")
    commits.follow(made, ["data/taxonomy"])
    assert status(top) == ["M  evals/a/data/taxonomy/two.yaml"]
    commits.follow(git("rev-list", "--max-parents=0", "HEAD"), ["data/taxonomy"])
    assert status(top) == ["M  evals/a/data/taxonomy/two.yaml"]


def test_on_no_branch(top: Path, now: datetime) -> None:
    """With a detached HEAD the release is committed there, and no branch moves."""
    at = git("rev-parse", "main")
    git("checkout", "-q", "--detach")
    release.run("auto", "First.", now)
    assert (git("rev-parse", "main"), git("rev-parse", "HEAD^")) == (at, at)
    assert git("rev-parse", "evals/a=evalset@v1.0.0^{commit}") == git("rev-parse", "HEAD")


def test_tags_of_before_stay_valid(top: Path, now: datetime) -> None:
    """A tag without a folder is of the project whose notes it marks, for ever; the other project does not see it."""
    release.run("auto", "First.", now)
    without_folder("v1.0.0")
    assert tags() == {"evalset@v1.0.0": "evalset@v1.0.0"}
    say(case(4))
    recorded()
    assert [it.case_id for it in releases.compare(None, None).added] == ["refunds-004"]
    assert len(releases.cases("v1.0.0")) == 6
    with chdir(top / "evals/b"):
        assert (tags(), releases.inventory().last) == ({}, None)
        with pytest.raises(ConfigError, match="expected one of: none yet"):
            releases.cases("v1.0.0")
        release.run("auto", "First of b.", now)
    release.run("auto", "Second.", now)
    assert git("tag").splitlines() == ["evals/a=evalset@v1.1.0", "evals/b=evalset@v1.0.0", "evalset@v1.0.0"]
    kept = Path(NOTES).read_bytes()
    Path(NOTES).write_bytes(kept + b"\n")
    assert releases.inventory().last
    git("tag", "--force", "evalset@v1.0.0", "HEAD~3")
    with pytest.raises(ConfigError, match=r"evalset@v1.0.0 has notes and no tag"):
        releases.inventory()


def test_notes_changed_after_a_release_of_before(top: Path, now: datetime) -> None:
    """Notes that are not those of a tag without a folder are refused as those of any other tag are."""
    release.run("auto", "First.", now)
    without_folder("v1.0.0")
    Path(NOTES).write_bytes(Path(NOTES).read_bytes().replace(b"First.", b"Forged"))
    with pytest.raises(ConfigError, match=r"is not what was committed at evalset@v1.0.0"):
        releases.inventory()


def test_a_name_that_another_project_took_before(top: Path, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project at the top does not take a folder's old tag for its own; what the refusal says to do makes room."""
    release.run("auto", "First.", now)
    without_folder("v1.0.0")
    monkeypatch.chdir(top)
    for name in ("params.yaml", "dvc.yaml", "data", "prompts", "tasks", "flows"):
        source = top / "evals/b" / name
        if source.is_dir():
            shutil.copytree(source, top / name)
        elif source.exists():
            shutil.copyfile(source, top / name)
    dvc("init", "-q")
    reviewed("A project at the top")
    assert (tags(), releases.inventory().last) == ({}, None)
    with pytest.raises(ConfigError, match="the tag evalset@v1.0.0 is of the project in evals/a") as refusal:
        release.run("auto", "First of the top.", now)
    command = re.findall(r"`git ([^`]+)`", str(refusal.value))[0].split()
    git(*command)
    git("tag", "--delete", "evalset@v1.0.0")
    release.run("auto", "First of the top.", now)
    assert tags() == {"evalset@v1.0.0": "evalset@v1.0.0"}
    with chdir(top / "evals/a"):
        assert tags() == {"evalset@v1.0.0": "evals/a=evalset@v1.0.0"}
        assert releases.inventory().last


def test_a_release_in_a_folder_comes_from_the_remote(top: Path, now: datetime, tmp_path: Path) -> None:
    """A past release of a project in a folder is fetched by DVC where neither the cache nor the log has it."""
    dvc("remote", "add", "-q", "-d", "store", str(tmp_path / "store"))
    reviewed("A remote")
    release.run("auto", "First.", now)
    git("rm", "-q", "-r", "--cached", "data/decisions")
    git("commit", "-q", "-m", "lost")
    git("tag", "-f", "evals/a=evalset@v1.0.0")
    shutil.rmtree(".dvc/cache")
    assert len(releases.cases("v1.0.0")) == 6


@pytest.mark.parametrize(
    ("folder", "tag"),
    [
        ("", "evalset@v1.0.0"),
        ("evals/support-2_a.b", "evals/support-2_a.b=evalset@v1.0.0"),
        ("-x/.y/a..b/c.lock/d.lock", "%2Dx/%2Ey/a.%2Eb/c%2Elock/d%2Elock=evalset@v1.0.0"),
        ("my evals/a=b@{~^:?*[\\", "my%20evals/a%3Db%40%7B%7E%5E%3A%3F%2A%5B%5C=evalset@v1.0.0"),
        ("é", "%C3%A9=evalset@v1.0.0"),
    ],
)
def test_any_folder_can_stand_in_a_tag(folder: str, tag: str) -> None:
    """A folder that GTO can name stands there as it is; of any other, what Git refuses in a tag stands as %XX."""
    assert tag_name("evalset@v1.0.0", folder) == tag
    git("check-ref-format", f"refs/tags/{tag}")
