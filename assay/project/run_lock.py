"""The run lock: one run a project at a time, and whether a night is on; the kernel frees both on death."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from assay.errors import BusyError
from assay.project import files

LOCK = "lock"
"""Private file that the one run holds alone, with who that is."""
NIGHT = "night"
"""Private file that every night holds from before it has the lock, several of them together."""


@contextmanager
def exclusive(what: str, now: datetime, patience_s: float = 0) -> Iterator[None]:
    """Hold the project's one run lock.

    Args:
        what: Who holds it, for others.
        now: Since when.
        patience_s: How long to wait for another one to end.

    Raises:
        BusyError: Another process holds it; the text says which, and since when.
    """
    deadline = time.monotonic() + patience_s
    with files.private(LOCK).open("a+", encoding="utf8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    file.seek(0)
                    holder = file.read().strip() or "another run"
                    raise BusyError(f"{holder} holds the lock: wait until it ends") from error
            time.sleep(1)
        file.truncate(0)
        file.write(f"{what} (process {os.getpid()}, since {now:%Y-%m-%d %H:%M:%S} UTC)\n")
        file.flush()
        yield


@contextmanager
def night_on() -> Iterator[None]:
    """Let others see that a night is on, until the block or the process ends."""
    with files.private(NIGHT).open("a", encoding="utf8") as file:
        fcntl.flock(file, fcntl.LOCK_SH)  # waits for whoever just looks, no longer
        yield


def is_night_on() -> bool:
    """Tell whether a night is on, of this process or of another one; nothing is written, and no night has to wait."""
    try:
        with (files.root() / files.PRIVATE / NIGHT).open(encoding="utf8") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False
