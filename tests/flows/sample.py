"""The sample project in a folder of its own: a fresh clone with what this checkout holds, and commands run in it."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.layout import ROOT


@dataclass(frozen=True)
class Sample:
    """A clone of the project."""

    folder: Path

    def run(self, *words: str, code: int | None = 0, offline: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a Python module as a command; `offline` cuts the network off, but for loopback."""
        command = [sys.executable, "-m", *words]
        if offline:
            command = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *command]
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "PREFECT_"))}
        environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environ['PATH']}"
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)
        assert code is None or done.returncode == code, (
            f"{words} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
        )
        return done

    def git(self, *words: str) -> str:
        """Run Git and return what it prints."""
        done = subprocess.run(["git", *words], cwd=self.folder, capture_output=True, text=True, check=True)
        return done.stdout


def clone(folder: Path) -> Sample:
    """Return the project as a fresh clone of this checkout's files would hold it, committed."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file() and not name.startswith(("data/calibration/", "data/reports/", "data/runs/0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    sample = Sample(folder)
    sample.git("init", "--quiet")
    for name, value in (("user.name", "ada"), ("user.email", "ada@example.org")):
        sample.git("config", name, value)
    sample.git("add", "--all")
    sample.git("commit", "--quiet", "--message", "clone")
    return sample


def can_cut_network() -> bool:
    """Tell whether this machine lets us run a command without network."""
    command = ["unshare", "--net", "sh", "-c", "ip link set lo up"]
    return (
        shutil.which("unshare") is not None and not subprocess.run(command, capture_output=True, check=False).returncode
    )
