"""The durable journal: a finished call counts once it is here, and never before."""

import asyncio
import json
import sqlite3
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assay.errors import ConfigError


class Journal:
    """Finished calls by key, in SQLite (WAL, synchronous FULL).

    Calls that finish in the same turn of the event loop share one transaction; `put` returns after its commit.
    """

    def __init__(self, file: Path) -> None:
        """Open the journal, creating it when absent.

        Raises:
            ConfigError: The file is no journal, or cannot be opened.
        """
        self._file = file
        self._connection = sqlite3.connect(file, isolation_level=None)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=FULL")
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, answer TEXT NOT NULL) WITHOUT ROWID"
            )
        except sqlite3.Error as error:
            self._connection.close()
            raise ConfigError(
                f"{file.name} cannot be opened ({error}), expected the journal of finished calls: "
                "move it away, then every call is asked anew"
            ) from error
        self._waiting: list[tuple[str, str]] = []
        self._commit: asyncio.Future[None] | None = None

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._connection.close()

    def get(self, key: str) -> Any | None:  # noqa: ANN401 - any JSON value
        """Return the answer of a finished call, or None when it was never finished."""
        row = self._connection.execute("SELECT answer FROM calls WHERE key = ?", (key,)).fetchone()
        return None if row is None else json.loads(row[0])

    async def put(self, key: str, answer: object) -> None:
        """Keep an answer; when this returns, it survives a crash.

        Raises:
            ConfigError: The disk refused; nothing of this transaction is kept.
        """
        self._waiting.append((key, json.dumps(answer)))
        if self._commit is None:
            loop = asyncio.get_running_loop()
            self._commit = loop.create_future()
            loop.call_soon(self._write)
        await asyncio.shield(self._commit)

    def _write(self) -> None:
        done, self._commit = self._commit, None
        rows, self._waiting = self._waiting, []
        assert done is not None  # noqa: S101 - put() created it before scheduling this
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany("INSERT OR REPLACE INTO calls VALUES (?, ?)", rows)
        except sqlite3.Error as error:
            why = f"{self._file.name} cannot be written ({error}), expected it to keep {len(rows)} finished calls"
            done.set_exception(ConfigError(f"{why}: mend the disk and run again, what it holds is not asked again"))
        else:
            done.set_result(None)
