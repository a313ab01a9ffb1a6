"""Paths and files of a project: its folder is the current one, which must hold params.yaml.

A write is whole or absent: temporary file, fsync, rename.
"""

import json
from pathlib import Path
from typing import Any

from assay.errors import ConfigError, DataError
from assay.storage import atomic
from assay.text import one_line, plain_json

PARAMS = "params.yaml"
PRIVATE = ".assay"
"""Journal, lock and memory of what was checked: never in Git, never in DVC, safe to delete between runs."""
OWNER, OTHERS = 0o700, 0o077
"""Bits of a file's mode."""


def root() -> Path:
    """Return the project's folder.

    Raises:
        ConfigError: The current folder is no project; the text says how to get one.
    """
    here = Path.cwd()
    if not (here / PARAMS).is_file():
        above = next((folder for folder in here.parents if _is_project(folder)), None)
        if above:
            raise ConfigError(f"{here} has no {PARAMS}, expected a project of Assay: {above} is one, change into it")
        raise ConfigError(
            f"{here} has no {PARAMS}, expected a project of Assay: change into its folder first, or make one with "
            "`assay init FOLDER`"
        )
    return here


def _is_project(folder: Path) -> bool:
    return (folder / PARAMS).is_file() and (folder / "data/taxonomy").is_dir()


def path(name: str) -> Path:
    """Return a file's path under the project; its folder exists afterwards."""
    target = root() / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def private(name: str) -> Path:
    """Return the path of a file that no stage declares: journal, logs, lock. Git ignores all of them.

    They hold answers, so nobody but their owner may read them; what is open to others is closed.

    Raises:
        ConfigError: The folder belongs to another user.
    """
    folder = root() / PRIVATE
    try:
        folder.mkdir(exist_ok=True, mode=OWNER)
        _close(folder)
        mark = folder / ".gitignore"
        if not mark.is_file():
            mark.write_text("*\n", encoding="utf8")
        target = path(f"{PRIVATE}/{name}")
        if target.exists():
            _close(target)
    except PermissionError as error:
        raise ConfigError(
            f"{error.filename} belongs to another user, expected it to be yours alone: work in a clone of your own"
        ) from error
    return target


def _close(file: Path) -> None:
    """Take from everybody but the owner what they may do with a file or folder."""
    mode = file.stat().st_mode
    if mode & OTHERS:
        file.chmod(mode & OWNER)


def exists(name: str) -> bool:
    """Tell whether a file of the project is there."""
    return (root() / name).is_file()


def write_bytes(name: str, data: bytes) -> None:
    """Replace a file so that a reader, or a crash at any moment, sees the old or the new one, never a part."""
    with atomic.replacing(path(name)) as file:
        file.write(data)


def write_json(name: str, value: object) -> None:
    """Write a small result as JSON that a diff can be read from."""
    write_bytes(name, json_bytes(value))


def json_bytes(value: object) -> bytes:
    """Return a small result as JSON that a diff can be read from; no number of it is NaN or infinite."""
    return plain_json(json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def read_json(name: str, fix_hint: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a small result; `fix_hint` says what to run when it is missing.

    Raises:
        DataError: It is missing, or no JSON.
    """
    file = path(name)
    if not file.is_file():
        raise DataError(f"{name} is missing, expected the result of an earlier stage: {fix_hint}")
    try:
        return json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not JSON ({one_line(error)}), expected an earlier result: {fix_hint}") from error
