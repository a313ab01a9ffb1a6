"""The run lock: one run a project at a time; the kernel frees it on death."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from assay.errors import BusyError
from assay.project import files


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
    with files.private("lock").open("a+", encoding="utf8") as file:
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
