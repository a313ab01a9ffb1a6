"""Recording: dvc.lock says what a stage read and wrote, and it cannot lie. All of it on a real DVC repository."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from assay.errors import RecordError
from assay.project.dvc import recording

STAGE = {"cmd": "echo never", "deps": ["in.txt", "code"], "params": ["copy"], "outs": ["out.txt"]}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A DVC repository with one stage that copies a file."""
    monkeypatch.chdir(tmp_path)
    for words in (["git", "init", "-q"], [sys.executable, "-m", "dvc", "init", "-q"]):
        subprocess.run(words, check=True, capture_output=True)
    Path("params.yaml").write_text("copy: {times: 1}\n")
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": {"copy": STAGE}}))
    Path("in.txt").write_text("one")
    Path("code").mkdir()
    Path("code/copy.py").write_text("pass")
    return tmp_path


def run_copy() -> None:
    with recording("copy"):
        Path("out.txt").write_text(Path("in.txt").read_text())


def status() -> str:
    done = subprocess.run([sys.executable, "-m", "dvc", "status"], check=True, capture_output=True, text=True)
    return done.stdout


def test_what_finished_is_recorded(repository: Path) -> None:
    """After a stage that ran through, DVC has nothing to do."""
    run_copy()
    assert "up to date" in status()


@pytest.mark.parametrize("moved", ["in.txt", "code/copy.py", "params.yaml"])
def test_an_input_that_moves_meanwhile_is_never_recorded(repository: Path, moved: str) -> None:
    """When data, code or parameters change while the stage runs, it is refused by name and dvc.lock stays as it was."""
    run_copy()
    lock = Path("dvc.lock").read_bytes()
    with (
        pytest.raises(RecordError, match=f"{moved.split('/', maxsplit=1)[0]}.* changed while copy ran"),
        recording("copy"),
    ):
        Path("out.txt").write_text("two")
        Path(moved).write_text("copy: {times: 2}")
    assert Path("dvc.lock").read_bytes() == lock
    assert "up to date" not in status()


def test_a_stage_that_failed_is_not_recorded(repository: Path) -> None:
    """An error inside the stage passes through and leaves dvc.lock as it was."""
    with pytest.raises(ZeroDivisionError), recording("copy"):
        Path("out.txt").write_text("half")
        _ = 1 // 0
    assert not Path("dvc.lock").exists()


def test_a_missing_input_is_named_before_anything_runs(repository: Path) -> None:
    """An input that dvc.yaml declares and that is not there is refused by name, and the stage never runs."""
    Path("in.txt").unlink()
    ran = []
    with pytest.raises(RecordError, match="in.txt is declared in dvc.yaml for copy but missing"), recording("copy"):
        ran.append(True)
    assert not ran


def test_without_dvc_nothing_is_claimed(repository: Path) -> None:
    """A folder that is no DVC repository is refused with what to do."""
    shutil.rmtree(".dvc")
    with pytest.raises(RecordError, match="no DVC repository: run `dvc init`"):
        run_copy()
