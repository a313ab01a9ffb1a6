"""Git and DVC as programs: what they do is done or refused, and why is one sentence.

DVC speaks to remotes of many kinds, and each fails in errors of its own; as a program it fails in one way.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from assay.errors import ConfigError
from assay.project import files
from assay.text import printable

LONGEST_REASON = 300
MISSING = 128
"""Git's exit code when it does not know a revision, or a revision does not know a path."""


def git(*words: str, index: Path | None = None) -> str:
    """Run Git in the project; return what it prints.

    Args:
        words: The command and its arguments.
        index: A file to use in place of the repository's index; None for that one.

    Raises:
        ConfigError: It refuses; the text says why.
    """
    return _checked(["git", *words], f"git {words[0]}", {"GIT_INDEX_FILE": str(index)} if index else {}).strip()


def dvc(*words: str) -> str:
    """Run DVC in the project; return what it prints.

    Raises:
        ConfigError: It refuses; the text says why.
    """
    return _checked([sys.executable, "-m", "dvc", *words], f"dvc {words[0]}", {}).strip()


def record(*targets: str) -> None:
    """Let DVC commit stages and .dvc files, undisturbed.

    It writes dvc.lock in place, and cut short it would leave an empty one. A signal that comes meanwhile, from a
    terminal too, takes effect once DVC has ended.

    Raises:
        ConfigError: It refuses; the text says why.
    """
    command = [sys.executable, "-m", "dvc", "commit", "--force", *targets]
    with subprocess.Popen(
        command,
        cwd=files.root(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            said = process.communicate()[1]
        except BaseException:
            process.communicate()
            raise
    _require(subprocess.CompletedProcess(command, process.returncode, "", said), "dvc commit")


def remote() -> str:
    """Return the name of the default DVC remote; empty where there is none."""
    done = _run([sys.executable, "-m", "dvc", "config", "core.remote"], {})
    return done.stdout.strip() if done.returncode == 0 else ""


def cached(md5: str) -> Path | None:
    """Return where the DVC cache of this machine keeps a file; None where it does not."""
    folder = Path(files.root(), dvc("cache", "dir"))
    file = folder / "files" / "md5" / md5[:2] / md5[2:]
    return file if file.is_file() else None


def md5(file: Path) -> str:
    """Return the hash by which DVC knows a file."""
    with file.open("rb") as content_:
        return hashlib.file_digest(content_, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def outputs(lock: bytes, stage: str) -> dict[str, str]:
    """Return the hash of each output of a stage, by path, as a `dvc.lock` has them."""
    stages = (yaml.safe_load(lock) or {}).get("stages", {})
    return {out["path"]: str(out["md5"]) for out in stages.get(stage, {}).get("outs", []) if "md5" in out}


def content(revision: str, path: str) -> bytes | None:
    """Return a file as a commit has it; None where there is no such commit, or no such file in it."""
    done = subprocess.run(
        ["git", "cat-file", "blob", f"{revision}:./{path}"], cwd=files.root(), capture_output=True, check=False
    )
    return None if done.returncode == MISSING else done.stdout


def _checked(command: Sequence[str], name: str, variables: Mapping[str, str]) -> str:
    done = _run(command, variables)
    _require(done, name)
    return done.stdout


def _require(done: subprocess.CompletedProcess[str], name: str) -> None:
    if done.returncode:
        raise ConfigError(f"`{name}` failed ({_reason(done)}), expected it to work: fix that, then do the same again")


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Return why a program failed, as it says itself: its errors, or else the last line that it printed."""
    for text in (done.stderr, done.stdout):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:"))]
        if lines:
            return printable("; ".join(dict.fromkeys(errors)) or lines[-1])[:LONGEST_REASON]
    return f"it said nothing, exit code {done.returncode}"


def _run(command: Sequence[str], variables: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a program in the project, with variables of its own beside those of this process."""
    return subprocess.run(
        command,
        cwd=files.root(),
        env=os.environ | variables,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
