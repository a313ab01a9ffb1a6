"""The cast's project as a real repository: Git, DVC, a local remote beside it, and its set under review."""

import shutil
import subprocess
import sys
from contextlib import chdir
from pathlib import Path

from assay.project.tables.decisions import DECISIONS
from assay.records.case import Case
from assay.records.decision import Decision
from assay.stages import review
from tests.cast import decision, small_project

STAGE = (
    "stages: {review: {cmd: none, outs: [data/evalset/cases.parquet, data/evalset/past.parquet, "
    "{data/evalset/manifest.json: {cache: false}}]}}\n"
)


def git(*words: str) -> str:
    """Run Git in the current folder; return what it prints."""
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()


def dvc(*words: str) -> None:
    """Run DVC in the current folder."""
    subprocess.run([sys.executable, "-m", "dvc", *words], check=True, capture_output=True)


def lay_out(folder: Path) -> None:
    """Make the repository in a folder that is the current one, with nothing released; no labels lie in it."""
    _fill(folder)
    _initialise()
    dvc("init", "-q")
    dvc("remote", "add", "-q", "-d", "local", "../remote")
    reviewed("The set")


def lay_out_two(top: Path) -> None:
    """Make a repository in a folder that is the current one, with the projects `evals/a` and `evals/b`, no remote."""
    _initialise()
    (top / "product.py").write_text("ANSWER = 41\n")
    for name in ("a", "b"):
        folder = top / "evals" / name
        folder.mkdir(parents=True)
        with chdir(folder):
            _fill(folder)
            dvc("init", "-q", "--subdir")
            reviewed(f"The set of {name}")


def _fill(folder: Path) -> None:
    small_project(folder).open_doors()
    shutil.rmtree(folder / "data/labels")
    (folder / "dvc.yaml").write_text(STAGE)
    (folder / ".gitignore").write_text(".assay/\n")


def _initialise() -> None:
    git("init", "-q", "-b", "main")
    for name, value in (("user.name", "ada"), ("user.email", "ada@example.org")):
        git("config", name, value)


def reviewed(message: str) -> None:
    """Fold the logs into the set, have DVC record it, and commit all of it."""
    recorded()
    git("add", "-A")
    git("commit", "-q", "-m", message)


def recorded() -> None:
    """Fold the logs into the set and have DVC record it."""
    from dvc.repo import Repo

    review.run()
    with Repo() as repository:
        repository.commit("review", force=True)


def forget_remote() -> None:
    """Take the remote out of DVC's configuration."""
    Path(".dvc/config").write_text("")


def say(of: Case, word: str = "admit", reason: str = "seen in production") -> None:
    """Sign a word on a case into the log."""
    kept = of if word in ("admit", "edit") else None
    DECISIONS.append([decision(of, word, reason=reason, case=kept)])


def words() -> list[Decision]:
    """Return the log of decisions."""
    return DECISIONS.read()
