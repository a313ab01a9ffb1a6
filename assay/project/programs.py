"""Git and DVC as programs: what they do is done or refused, and why is one sentence.

DVC speaks to remotes of many kinds, and each fails in errors of its own; as a program it fails in one way.
"""

import hashlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import yaml

from assay.errors import BusyError, ConfigError
from assay.project import files
from assay.text import printable

LONGEST_REASON = 300
PATIENCE_S = 120
"""How long another process may hold DVC's lock while a run waits to record what it made."""
PAUSE_S = 1
"""Between two attempts; DVC itself waits for 3 seconds in each."""
BUSY = re.compile(r"Unable to acquire lock|is busy, it is being blocked by")
"""What DVC says where another process holds its lock, or that of a file."""
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


def record(*targets: str, patience_s: float = PATIENCE_S) -> None:
    """Let DVC commit stages and .dvc files, undisturbed; wait while another process holds its lock, and say so.

    Args:
        targets: Names of stages, and .dvc files.
        patience_s: How long to wait for the lock, beyond what DVC waits by itself.

    Raises:
        BusyError: Another process holds DVC's lock, and has not let go of it in time.
        ConfigError: DVC refuses; the text says why.
    """
    until, is_told = time.monotonic() + patience_s, False
    while True:
        done = _commit(targets)
        if not (done.returncode and BUSY.search(done.stderr)):
            _require(done, "dvc commit")
            return
        if time.monotonic() >= until:
            raise BusyError(
                f"another process holds DVC's lock ({_reason(done)}), expected it to be free within "
                f"{patience_s:.0f} seconds: let that process end, then do the same again"
            )
        if not is_told:
            is_told = True
            sys.stderr.write(
                f"assay: another process holds DVC's lock; waiting for it to record the run, {patience_s:.0f} seconds "
                "at most\n"
            )
        time.sleep(PAUSE_S)


def recording_command(*targets: str) -> str:
    """Return the command by which a person lets DVC commit stages and .dvc files."""
    return f"dvc commit --force {' '.join(targets)}"


def _commit(targets: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run `dvc commit` to its end.

    It writes dvc.lock in place, and cut short it would leave an empty one. A signal that comes meanwhile, from a
    terminal too, takes effect once DVC has ended.
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
    return subprocess.CompletedProcess(command, process.returncode, "", said)


def remote() -> str:
    """Return the name of the default DVC remote; empty where there is none."""
    done = _run([sys.executable, "-m", "dvc", "config", "core.remote"], {})
    return done.stdout.strip() if done.returncode == 0 else ""


def cached(md5: str) -> Path | None:
    """Return where the DVC cache of this machine keeps a file; None where it does not."""
    folder = Path(files.root(), dvc("cache", "dir"))
    file = folder / "files" / "md5" / md5[:2] / md5[2:]
    return file if file.is_file() else None


def unwritable() -> Path | None:
    """Return the folder of DVC on this machine into which it cannot write; None where it can write into each.

    These are its own folder, where its lock is, and its cache.

    Raises:
        ConfigError: DVC refuses to say where its cache is.
    """
    cache = Path(files.root(), dvc("cache", "dir"))
    objects = cache / "files/md5"
    folders = [files.root() / ".dvc", files.root() / ".dvc/tmp", cache, cache / "files", objects]
    folders += sorted(objects.glob("[0-9a-f][0-9a-f]"))
    return next((folder for folder in folders if folder.exists() and not _is_writable(folder)), None)


def _is_writable(folder: Path) -> bool:
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


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
