"""The file of the journal: SQLite (WAL), its tables, and a checksum over all that a row says."""

import os
import sqlite3
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import ConfigError

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, is_final INTEGER NOT NULL,
    run TEXT NOT NULL DEFAULT '', at INTEGER NOT NULL DEFAULT 0, checksum INTEGER
);
CREATE TABLE IF NOT EXISTS ledger (
    run TEXT, stage TEXT, calls INTEGER, failed INTEGER, requests INTEGER,
    prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL, checksum INTEGER, PRIMARY KEY (run, stage)
);
CREATE TABLE IF NOT EXISTS uses (key TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS runs (
    run TEXT PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0,
    target TEXT NOT NULL, is_version_known INTEGER NOT NULL, has_asked INTEGER NOT NULL, checksum INTEGER,
    is_fresh INTEGER NOT NULL DEFAULT 0
);
"""
INDEX = "CREATE INDEX IF NOT EXISTS answers_by_time ON answers (at, run)"
"""Answers are long: whoever looks for old ones, or for those of a run, need not read them."""
COLUMNS = {
    "answers": "key, answer, is_final, run, at",
    "ledger": "run, stage, calls, failed, requests, prompt_tokens, completion_tokens, cost_usd",
    "runs": "run, began, ended, target, is_version_known, has_asked, is_fresh",
}
"""What a checksum is taken over, in this order."""
BEFORE_RUNS = "key, answer, is_final"
"""The same of answers, in a journal of before runs had ids."""
BEFORE_FRESH = "run, began, ended, target, is_version_known, has_asked"
"""The same of runs, in a journal that did not say which of them asked everything anew."""


LOCKS = Path("/proc/locks")
"""Where Linux lists who holds a lock on which file."""
BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
DENIED = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN})
PRIMARY = 0xFF
"""Bits of SQLite's code that say which kind of error it is."""


class JournalFile:
    """An open journal: what it holds is read and written by statements; an error of SQLite is one of ours."""

    def __init__(self, file: Path) -> None:
        """Open it, creating it when absent, and give one that an older version wrote its new columns.

        Raises:
            ConfigError: The file is no journal, or cannot be opened.
        """
        self.file = file
        try:
            self._connection = sqlite3.connect(file, isolation_level=None, timeout=60)
        except sqlite3.Error as error:
            raise self.unreadable(error) from error
        self._connection.text_factory = bytes  # a damaged text need not be UTF-8
        self._connection.create_function("checksum", -1, checksum, deterministic=True)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(SCHEMA)
            self._upgrade()
            self._connection.execute(INDEX)
        except sqlite3.Error as error:
            self._connection.close()
            raise self.unreadable(error) from error

    def _upgrade(self) -> None:
        """Give a journal of an older version its columns and checksums; a damaged row stays one."""
        for table, columns in (("answers", BEFORE_RUNS), ("ledger", COLUMNS["ledger"])):
            if "checksum" not in self._columns(table):
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER")
                self._connection.execute(f"UPDATE {table} SET checksum = checksum({columns})")  # noqa: S608 - ours
        self._widen("answers", BEFORE_RUNS, {"run": "TEXT NOT NULL DEFAULT ''", "at": "INTEGER NOT NULL DEFAULT 0"})
        self._widen("runs", BEFORE_FRESH, {"is_fresh": "INTEGER NOT NULL DEFAULT 0"})

    def _widen(self, table: str, before: str, added: Mapping[str, str]) -> None:
        """Give a table columns that it lacks, and the sound rows a checksum over these too.

        Args:
            table: Which.
            before: What a checksum was taken over until now.
            added: The type of each column, by name.
        """
        if added.keys() <= self._columns(table):
            return
        with self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            if added.keys() <= self._columns(table):  # another process has done it meanwhile
                return
            for name, kind in added.items():
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
            self._connection.execute(
                f"UPDATE {table} SET checksum = checksum({COLUMNS[table]}) "  # noqa: S608 - ours
                f"WHERE checksum IS checksum({before})"
            )

    def _columns(self, table: str) -> set[str]:
        return {name.decode() for _, name, *_ in self._connection.execute(f"PRAGMA table_info({table})")}

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return what a query finds.

        Raises:
            ConfigError: The file can no longer be read.
        """
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self.unreadable(error) from error

    def write(self, *statements: tuple[str, Iterable[Sequence[object]]]) -> None:
        """Carry out statements, each for all its rows, in one transaction.

        Raises:
            ConfigError: The disk refused; nothing of the transaction is kept.
        """
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                for statement, rows in statements:  # rows may read on, in the same transaction
                    self._connection.executemany(statement, rows)
        except sqlite3.Error as error:
            raise self.unwritable(error) from error

    def unwritable(self, why: object) -> ConfigError:
        """Return the refusal of a file that cannot be written: locked, without permission, or on a full disk."""
        return self._withheld(why) or ConfigError(
            f"{self.file.name} cannot be written ({why}), expected it to keep finished calls: "
            "make room on the disk, or repair it, and run again; what it holds is not asked again"
        )

    def unreadable(self, why: object) -> ConfigError:
        """Return the refusal of a file that is no journal any more, unless others keep us from reading it."""
        return self._withheld(why) or ConfigError(
            f"{self.file.name} cannot be read ({why}), expected the journal of finished calls: "
            "move it away, then every call is asked anew"
        )

    def _withheld(self, why: object) -> ConfigError | None:
        """Return the refusal where the file is sound, and another process or a missing permission withholds it."""
        code = getattr(why, "sqlite_errorcode", 0) & PRIMARY
        if code in BUSY:
            return ConfigError(
                f"{self.file.name} is locked by another process{holders(self.file)}, expected it to be free within a "
                "minute: let that process end, then run again; what it holds is not asked again"
            )
        if code in DENIED:
            return ConfigError(
                f"{self.file.name} cannot be written ({why}), expected to be allowed to write it and its folder: give "
                f"write permission on {self.file.parent.name} and what is in it, then run again; what it holds is not "
                "asked again"
            )
        return None


def holders(file: Path, locks: Path = LOCKS) -> str:
    """Return which other processes hold a lock on a file, as ` (process 1, 2)`; empty where nobody can tell.

    Args:
        file: The file; those that SQLite keeps beside it count as well.
        locks: The system's list of locks.
    """
    try:
        inodes = {str(part.stat().st_ino) for part in file.parent.glob(f"{file.name}*")}
        held = [line.split() for line in locks.read_text(encoding="ascii").splitlines()]
    except (OSError, ValueError):
        return ""
    # A line is `1: POSIX ADVISORY WRITE 4711 08:01:1234 0 EOF`; one that waits has `->` in second place.
    found = {words[4] for words in held if len(words) > 5 and words[5].rsplit(":", 1)[-1] in inodes}  # noqa: PLR2004
    others = sorted(found - {str(os.getpid()), "-1"}, key=int)
    return f" (process {', '.join(others)})" if others else ""


def checksum(*values: object) -> int:
    """Return the CRC-32 of a row's values; text as SQLite hands it over or as bytes."""
    sum_ = 0
    for value in values:
        written = value if isinstance(value, bytes) else str(value).encode()
        sum_ = zlib.crc32(written, zlib.crc32(b"%d:" % len(written), sum_))
    return sum_
