"""The durable journal: a finished call counts once it is here, and never before."""

import asyncio
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Self

from assay.errors import ConfigError
from assay.models.usage import Meter, Purse
from assay.records.ledger import Spent

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, is_final INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS ledger (
    run TEXT, stage TEXT, calls INTEGER, failed INTEGER, requests INTEGER,
    prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL, PRIMARY KEY (run, stage)
);
"""
KEEP = """
INSERT INTO answers VALUES (?, ?, ?)
ON CONFLICT (key) DO UPDATE SET answer = excluded.answer, is_final = excluded.is_final
"""
BOOK = """
INSERT INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (run, stage) DO UPDATE SET
    calls = calls + excluded.calls, failed = failed + excluded.failed, requests = requests + excluded.requests,
    prompt_tokens = prompt_tokens + excluded.prompt_tokens,
    completion_tokens = completion_tokens + excluded.completion_tokens, cost_usd = cost_usd + excluded.cost_usd
"""


class Journal:
    """Finished calls by key, and what they cost, in SQLite (WAL).

    Calls that finish in the same turn of the event loop share one transaction; `put` returns after its commit. A commit
    survives the death of the process. `settle`, and closing, make it survive the death of the machine; so that can lose
    what was answered since SQLite's last checkpoint, which is asked again.
    """

    def __init__(self, file: Path) -> None:
        """Open the journal, creating it when absent.

        Raises:
            ConfigError: The file is no journal, or cannot be opened.
        """
        self._file = file
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=60)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(SCHEMA)
        except sqlite3.Error as error:
            self._connection.close()
            raise ConfigError(
                f"{file.name} cannot be opened ({error}), expected the journal of finished calls: "
                "move it away, then every call is asked anew"
            ) from error
        self._answers: list[tuple[str, str, bool]] = []
        self._bookings: list[Spent] = []
        self._waiting: list[asyncio.Future[None]] = []

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._connection.close()

    def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of some keys whose calls are finished, so that they need not be asked again."""
        marks = ",".join("?" * len(keys))
        found = self._connection.execute(f"SELECT key FROM answers WHERE is_final AND key IN ({marks})", keys)  # noqa: S608 - only marks
        return {key for (key,) in found}

    def has_any(self, prefix: str) -> bool:
        """Tell whether there is any key that begins so."""
        found = self._connection.execute(
            "SELECT 1 FROM answers WHERE key >= ? AND key < ? LIMIT 1", (prefix, prefix[:-1] + chr(ord(prefix[-1]) + 1))
        )
        return found.fetchone() is not None

    def get(self, key: str) -> str | None:
        """Return the answer of a finished call, or None when it was never finished."""
        row = self._connection.execute("SELECT answer FROM answers WHERE key = ? AND is_final", (key,)).fetchone()
        return None if row is None else row[0]

    def outcome(self, key: str) -> str:
        """Return what became of a call that was asked, finished or failed.

        Raises:
            KeyError: It was never asked.
        """
        row = self._connection.execute("SELECT answer FROM answers WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        answer: str = row[0]
        return answer

    def ledger(self, run: str | None = None) -> list[Spent]:
        """Return what each stage of a run has used, or of every run, the oldest first."""
        found = self._connection.execute("SELECT * FROM ledger WHERE ? IN (run, '') ORDER BY run, stage", (run or "",))
        return [Spent(*row) for row in found]

    def purse(self, run: str, cap_usd: float | None) -> Purse:
        """Return what a run may still spend: its stages, and whoever goes on with it, pay from one purse."""
        return Purse(cap_usd, sum(spent.cost_usd for spent in self.ledger(run)))

    async def put(self, key: str, answer: str, *, is_final: bool = True) -> None:
        """Keep what became of a call; when this returns, it survives a crash.

        Raises:
            ConfigError: The disk refused; nothing of this transaction is kept.
            UnicodeEncodeError: The answer holds half a character, which no file can.
        """
        answer.encode()
        loop = asyncio.get_running_loop()
        if not self._answers:
            loop.call_soon(self._write)
        kept: asyncio.Future[None] = loop.create_future()
        self._waiting.append(kept)
        self._answers.append((key, answer, is_final))
        await kept

    async def finish(self, key: str, answer: str, *, is_final: bool, run: str, stage: str, used: Meter) -> None:
        """Keep what became of a call together with what it has used; as `put`."""
        tokens = (used.prompt_tokens, used.completion_tokens)
        self._bookings.append(Spent(run, stage, 1, int(not is_final), used.requests, *tokens, used.cost_usd))
        await self.put(key, answer, is_final=is_final)

    def settle(self) -> None:
        """Make everything that was kept survive the death of the machine."""
        self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()

    def _write(self) -> None:
        answers, self._answers = self._answers, []
        bookings, self._bookings = self._bookings, []
        waiting, self._waiting = self._waiting, []
        fault: Exception | None = None
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(KEEP, answers)
                self._connection.executemany(BOOK, _sums(bookings))
        except sqlite3.Error as error:
            why = f"{self._file.name} cannot be written ({error}), expected it to keep {len(answers)} finished calls"
            fault = ConfigError(f"{why}: mend the disk and run again, what it holds is not asked again")
        except Exception as error:  # noqa: BLE001 - whoever waits has to hear of it, whatever it is
            fault = error
        for kept in waiting:
            if kept.done():
                continue
            if fault:
                kept.set_exception(fault)
            else:
                kept.set_result(None)


def _sums(bookings: Sequence[Spent]) -> Iterator[Spent]:
    """Yield one booking a stage and run."""
    for (run, stage), found in groupby(sorted(bookings), key=itemgetter(0, 1)):
        yield Spent(run, stage, *map(sum, zip(*(spent[2:] for spent in found), strict=True)))
