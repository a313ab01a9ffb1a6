"""Append-only logs in which each row holds the hash of itself and of the row before it.

A changed, missing, moved or added row breaks the chain at its place, so it is found and named. What a chain cannot see
is the loss of its last rows: whoever relies on a log therefore keeps the hash of the row up to which it was read
(`manifest.json` of the evaluation set, the notes of a release).

A row is acknowledged once it is on the disk. A machine that dies meanwhile leaves at most one row without its end,
which nobody was told of: reading refuses it, and the next one that appends takes its place.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from assay.errors import DataError
from assay.records.record import Record
from assay.storage import jsonl

Row = TypeVar("Row", bound=Record)
END = b"\n"
EMPTY = b'"}'
"""How a row ends whose hash is not known yet."""
CLOSING = 64 + len(EMPTY)
WHOLE = re.compile(rb'"chain":"[0-9a-f]{64}"}')
TAIL = 1 << 16
"""Bytes read at a time in search of the last row."""


def sealed(rows: Sequence[Row], after: str = "") -> list[Row]:
    """Return rows with their hashes, following a row whose hash is `after` (empty for none)."""
    found: list[Row] = []
    for row in rows:
        body = jsonl.written([row.model_copy(update={"chain": ""})]).removesuffix(EMPTY + END)
        after = link(after, body)
        found.append(row.model_copy(update={"chain": after}))
    return found


def link(after: str, body: bytes) -> str:
    """Return the hash of a row that follows one whose hash is `after`: SHA-256, 64 hexadecimal digits.

    Args:
        after: Empty for the first row.
        body: The row's line up to the value of its last field, which is `chain`. It is the bytes that are hashed, so
            a field that a later version adds to a record breaks no log of today.
    """
    return hashlib.sha256(after.encode() + body).hexdigest()


def signature(line: bytes) -> str:
    """Return the hash that a row bears; empty for no row."""
    return line[-CLOSING : -len(EMPTY)].decode(errors="replace")


def follow(lines: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Yield the rows of a log after the check of each.

    Args:
        lines: Without their ends.
        where: What a message calls the file.

    Raises:
        DataError: A row is not what was written, or does not follow the row before it.
    """
    after = ""
    for number, line in enumerate(lines, 1):
        after = link(after, line[:-CLOSING])
        if line[-CLOSING:] != after.encode() + b'"}':
            raise DataError(
                f"{where}, row {number} ({line[:80].decode(errors='replace')}...): this row, or the place of the one "
                "before it, is not what was signed, expected an unbroken chain of hashes: restore the file from Git"
            )
        yield line


def lines(file: Path, where: str) -> Iterator[bytes]:
    """Yield the rows of a log without their ends.

    Raises:
        DataError: The last one was cut short.
    """
    with file.open("rb") as log:
        for line in log:
            if not (line.endswith(END) or WHOLE.search(line)):
                raise DataError(
                    f"{where}: the last row was cut short ({line[:80].decode(errors='replace')}...), expected its end: "
                    "nobody was told that it was kept; start `assay desk`, which drops it, or restore the file from Git"
                )
            yield line.removesuffix(END)


def joined(first: Sequence[bytes], added: Sequence[bytes]) -> list[bytes]:
    """Return the log of two branches: that of the first as it is, then what only the second has, chained anew.

    Args:
        first: Its rows without their ends; their hashes stay, so whatever was made of them still finds its row.
        added: The rows that the other branch has beyond those that both begin with.
    """
    found = list(first)
    after = signature(first[-1]) if first else ""
    for line in added:
        after = link(after, line[:-CLOSING])
        found.append(line[:-CLOSING] + after.encode() + EMPTY)
    return found


@contextmanager
def held(file: Path) -> Iterator[IO[bytes]]:
    """Yield a log, open for reading and writing, that no other process appends to meanwhile."""
    with file.open("a+b") as log:
        fcntl.flock(log, fcntl.LOCK_EX)
        yield log


def mend(log: IO[bytes]) -> int:
    """Drop the row at the end of a held log that was cut short; return how many bytes that were."""
    end = log.seek(0, os.SEEK_END)
    size, _, _ = _last(log)
    log.truncate(size)
    os.fsync(log.fileno())
    return end - size


def append(log: IO[bytes], rows: Sequence[Row]) -> list[Row]:
    """Add rows to a held log and have them on the disk; return them with their hashes."""
    size, last, missing = _last(log)
    found = sealed(rows, signature(last))
    log.truncate(size)
    log.write(missing + jsonl.written(found))
    log.flush()
    os.fsync(log.fileno())
    return found


def _last(log: IO[bytes]) -> tuple[int, bytes, bytes]:
    """Return where the rows of a log end, the last one, and what is missing at its end."""
    end = start = log.seek(0, os.SEEK_END)
    tail = b""
    while start and tail.count(END) < 2:  # noqa: PLR2004 - the end of the last row, and that of the one before
        start = max(0, start - TAIL)
        log.seek(start)
        tail = log.read(end - start)
    whole, _, cut = tail.rpartition(END)
    if WHOLE.search(cut):
        return end, cut, END
    return end - len(cut), whole.rpartition(END)[2], b""
