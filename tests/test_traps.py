"""The traps of the stack that were met once, each guarded, so that an upgrade cannot walk into them unseen."""

import os
from importlib.metadata import version
from pathlib import Path

import pytest

from assay.project import entrypoint

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf8")


def as_numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".")[:2])


def test_prefect_s_server_can_be_imported() -> None:
    """FastAPI stays below 0.151: from 0.155 on Prefect's server cannot be imported, though `import prefect` works."""
    assert as_numbers(version("fastapi")) < (0, 151)
    from assay.orchestration.server import create_app

    assert callable(create_app)
    from prefect.server.api.server import create_app as prefect_app

    assert callable(prefect_app)


def test_sqlalchemy_lets_schedules_fire() -> None:
    """SQLAlchemy stays below 2.1, where Prefect's scheduler dies; tests/flows/test_server.py sees a run scheduled."""
    assert (2, 0) <= as_numbers(version("sqlalchemy")) < (2, 1)


def test_the_lock_pins_everything_and_names_no_host() -> None:
    """Every line of the lock is one package at one version, and none says where it is fetched from."""
    lines = [line for line in LOCK.splitlines() if line.strip()]
    assert all("==" in line for line in lines)
    assert "://" not in LOCK
    assert "index" not in LOCK


NAMES = ["prefect", "dvc", "pandas", "pyarrow", "openai", "scikit-learn", "great-expectations"]


@pytest.mark.parametrize("name", NAMES)
def test_installed_is_what_is_locked(name: str) -> None:
    """The environment under test has the versions of the lock."""
    assert f"{name}=={version(name)}" in LOCK


def test_no_telemetry_is_left_on() -> None:
    """Every process that Assay starts has the switches that keep Prefect, DVC and Great Expectations silent."""
    from assay.orchestration.server import QUIET

    assert QUIET["DO_NOT_TRACK"] == QUIET["DVC_NO_ANALYTICS"] == "1"
    assert QUIET["GX_ANALYTICS_ENABLED"] == QUIET["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_dvc_s_door_is_as_quiet_as_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stage that DVC runs by itself calls home no more than one that `assay` runs; the user's own word stays."""
    monkeypatch.setenv("DO_NOT_TRACK", "0")
    monkeypatch.delenv("GX_ANALYTICS_ENABLED", raising=False)
    seen: list[str] = []
    entrypoint.run(lambda: seen.extend([os.environ["GX_ANALYTICS_ENABLED"], os.environ["DO_NOT_TRACK"]]))
    assert seen == ["false", "0"]


def test_the_second_ui_stays_off() -> None:
    """Prefect's V2 UI calls an analytics host from the browser at every page, so it is not served."""
    from assay.orchestration.server import QUIET

    assert QUIET["PREFECT_SERVER_UI_V2_ENABLED"] == "false"


def test_results_are_never_pickles() -> None:
    """Prefect stores results as JSON: a pickle that somebody else wrote would run as code."""
    from assay.orchestration.server import QUIET

    assert QUIET["PREFECT_RESULTS_DEFAULT_SERIALIZER"] == "json"
