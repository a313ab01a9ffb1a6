"""A small project in a folder of its own, for every test that needs one."""

from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest

from tests.cast import Project, small_project

hypothesis.settings.register_profile("tests", deadline=None)
hypothesis.settings.load_profile("tests")
"""How long an example takes says something of the machine, not of the code."""

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)


@pytest.fixture
def now() -> datetime:
    """One fixed moment: no test depends on the clock."""
    return NOW


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Six cases of the cast with everything that people own, and no result yet; the current folder is the project's."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    return small_project(tmp_path)
