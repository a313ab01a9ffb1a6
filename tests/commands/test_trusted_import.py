"""Imported cases that nobody reviews are admitted in somebody's name, and in nobody's never."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.project.tables.decisions import DECISIONS
from tests.cast import Project
from tests.repository import git

ROW = {"id": "tide-1", "question": "When is high tide at the north pier?", "answer": "At noon.", "category": "refunds"}


@pytest.fixture
def rows(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one case, in a repository whose Git knows no name."""
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", "/dev/null")
    git("init", "-q")
    file = project.folder / "rows.jsonl"
    file.write_text(json.dumps(ROW))
    return file


def run(file: Path, *words: str) -> Result:
    """Import the file."""
    return CliRunner().invoke(app, ["import", str(file), "--format", "auto", *words])


def names() -> set[str]:
    """Return who has admitted the case."""
    return {word.reviewer for word in DECISIONS.read() if word.candidate_id == "tide-1"}


def test_in_whose_name_is_said_or_known_to_git(rows: Path) -> None:
    """Without a name nothing is admitted; Git's is taken, and one that is said goes before it."""
    done = run(rows, "--trust")
    assert (done.exit_code, "found none" in done.stderr, names()) == (2, True, set())
    git("config", "user.name", "Ada Lovelace")
    assert run(rows, "--trust", "--dry-run").exit_code == 0
    assert names() == set()
    assert run(rows, "--trust").exit_code == 0
    assert names() == {"Ada Lovelace"}
    rows.write_text(json.dumps(ROW | {"answer": "At one."}))
    assert run(rows, "--trust", "--reviewer", "ben").exit_code == 0
    assert names() == {"Ada Lovelace", "ben"}


def test_only_cases_are_trusted(rows: Path) -> None:
    """Labels and decisions have their own names in them."""
    assert CliRunner().invoke(app, ["import", str(rows), "--trust"]).exit_code == 2
    assert CliRunner().invoke(app, ["import", str(rows), "--labels", "--trust"]).exit_code == 2
    assert names() == set()
