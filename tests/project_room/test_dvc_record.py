"""DVC as a program: what it writes is whole, whatever happens to the run meanwhile."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.cast import Project
from tests.layout import ROOT

DVC = """
import pathlib, time
file = pathlib.Path("dvc.lock")
file.write_text("")
time.sleep(1)
file.write_text("whole")
"""
"""Writes as DVC does: the file is empty until it is whole."""
RECORD = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in a shell's background
from assay.project import programs
from assay.project.entrypoint import run
run(lambda: programs.record("execute"))
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, -signal.SIGINT)])
def test_a_record_is_never_cut_short(project: Project, number: signal.Signals, code: int) -> None:
    """Ended by a signal that its whole terminal gets, a run waits until dvc.lock is whole, and ends then."""
    (project.folder / "dvc.py").write_text(DVC)
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", RECORD]
    with subprocess.Popen(words, env=environ, stderr=subprocess.DEVNULL, start_new_session=True) as run:
        deadline = time.monotonic() + 30
        while not (project.folder / "dvc.lock").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        os.killpg(run.pid, number)
        assert run.wait(30) == code
    assert (project.folder / "dvc.lock").read_text() == "whole"
