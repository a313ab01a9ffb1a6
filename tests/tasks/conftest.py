"""The cast's project under Git and DVC, for tests of tasks that commit, tag or merge."""

import os
import shutil
from pathlib import Path

import pytest

from tests import repository
from tests.cast import Project


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, made once."""
    folder = tmp_path_factory.mktemp("laid-out") / "project"
    folder.mkdir()
    here = Path.cwd()
    os.chdir(folder)
    try:
        repository.lay_out(folder)
    finally:
        os.chdir(here)
    return folder


@pytest.fixture
def place(laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the repository for one test, as the current folder."""
    shutil.copytree(laid_out, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project")
