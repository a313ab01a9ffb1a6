"""A small project in a folder of its own, for every test that needs one."""

import shutil
from contextlib import chdir
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from tests import repository
from tests.cast import Project, small_project

hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")
"""How long an example takes says something of the machine, not of the code."""

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """One fixed moment: no test depends on the clock."""
    return NOW


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cast's project, made once: six cases with everything that people own, and no result yet."""
    folder = tmp_path_factory.mktemp("small")
    with chdir(folder):
        small_project(folder)
    return folder


@pytest.fixture
def project(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the cast's project for one test; the current folder is the project's."""
    shutil.copytree(small, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return Project(tmp_path)


@pytest.fixture(scope="session")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, made once."""
    folder = tmp_path_factory.mktemp("laid-out") / "project"
    folder.mkdir()
    with chdir(folder):
        repository.lay_out(folder)
    return folder


@pytest.fixture
def place(laid_out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of the repository for one test, as the current folder."""
    shutil.copytree(laid_out, tmp_path / "project", symlinks=True)
    monkeypatch.chdir(tmp_path / "project")
    return Project(tmp_path / "project")
