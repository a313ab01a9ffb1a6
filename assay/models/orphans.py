"""Orphans: commands of ours that outlived the run that started them, and its supervisor too; they are ended.

A command carries in its environment which process started it, and for what. It is an orphan when that process is gone:
no process of that id is as old as the command.
"""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil

from assay.models.supervisor import REAPED_S, STARTED_BY

GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


def purpose(address: str, folder: str) -> str:
    """Return what a command is started for: to serve this address of a project."""
    return hashlib.sha256(f"{Path(folder).resolve()}\n{address}".encode()).hexdigest()[:16]


def mark(purpose: str) -> dict[str, str]:
    """Return what the environment of a command says of who started it."""
    return {STARTED_BY: f"{os.getpid()} {purpose}"}


def end(purpose: str, grace_s: float) -> None:
    """End all that was started for this purpose and whose run is gone: first a word, then by force."""
    left = list(_orphans(purpose))
    for force, patience_s in ((False, grace_s), (True, REAPED_S)):
        for process in left:
            _tell(process, force=force)
        left = psutil.wait_procs(left, timeout=patience_s)[1]


def holder(address: str) -> str:
    """Return who listens at an address, as ` (process 123, python3)`; empty where the system does not say."""
    parts = urlsplit(address)
    port = parts.port or {"https": 443}.get(parts.scheme, 80)
    try:
        found = psutil.net_connections("tcp")
        pid = next(one.pid for one in found if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid)
        name = psutil.Process(pid).name()
    except (StopIteration, *GONE):
        return ""
    return f" (process {pid}, {''.join(letter if letter.isprintable() else '?' for letter in name)})"


def _orphans(purpose: str) -> Iterator[psutil.Process]:
    """Yield them; what has left its supervisor's session since, as a daemon that others use, is none."""
    for process in psutil.process_iter():
        try:
            words = process.environ().get(STARTED_BY, "").split()
            if len(words) != 3 or words[1] != purpose:  # noqa: PLR2004 - parent, purpose, supervisor
                continue
            if os.getsid(process.pid) == int(words[2]) and not _is_parent(int(words[0]), process):
                yield process
        except (*GONE, ProcessLookupError, ValueError):
            continue


def _is_parent(pid: int, process: psutil.Process) -> bool:
    """Tell whether a process of this id is as old as the one that it is said to have started."""
    try:
        return psutil.Process(pid).create_time() <= process.create_time() and _is_alive(pid)
    except psutil.NoSuchProcess:
        return False


def _is_alive(pid: int) -> bool:
    """Tell whether a process runs; one that nobody has buried yet does not."""
    return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)


def _tell(process: psutil.Process, *, force: bool) -> None:
    try:
        process.kill() if force else process.terminate()
    except GONE:
        return
