"""The durable journal: a finished call counts once it is here, and never before.

Every row bears a checksum over all that it says, verified whenever it is read: what a disk has changed is no answer.
"""

import asyncio
import logging
import os
import sqlite3
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from assay.errors import ConfigError
from assay.models.usage import Meter, Purse
from assay.records.ledger import Spent

SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, answer TEXT NOT NULL, is_final INTEGER NOT NULL, checksum INTEGER
);
CREATE TABLE IF NOT EXISTS ledger (
    run TEXT, stage TEXT, calls INTEGER, failed INTEGER, requests INTEGER,
    prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL, checksum INTEGER, PRIMARY KEY (run, stage)
);
"""
COLUMNS = {
    "answers": "key, answer, is_final",
    "ledger": "run, stage, calls, failed, requests, prompt_tokens, completion_tokens, cost_usd",
}
"""What a checksum is taken over, in this order."""
KEEP = """
INSERT INTO answers VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    answer = excluded.answer, is_final = excluded.is_final, checksum = excluded.checksum
"""
BOOK = "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
LEDGER = f"SELECT {COLUMNS['ledger']}, checksum FROM ledger"  # noqa: S608 - ours
SYNC_S = 1.0
"""So often, at most, the system is made to write what was committed to the disk itself."""
LOG = logging.getLogger(__name__)


class Journal:
    """Finished calls by key, and what they cost, in SQLite (WAL).

    Calls that finish in the same turn of the event loop share one transaction; `put` returns after its commit. A commit
    survives the death of the process. It survives the death of the machine once the system has written it, which it is
    made to do every second, and by `settle` and closing: so a power cut costs what was answered in the last second, and
    that is asked again.
    """

    def __init__(self, file: Path, *, fsync: Callable[[int], None] = os.fsync) -> None:
        """Open the journal, creating it when absent.

        Args:
            file: Where it is.
            fsync: Makes the system write a file to its disk.

        Raises:
            ConfigError: The file is no journal, or cannot be opened.
        """
        self._file, self._fsync = file, fsync
        self._connection = sqlite3.connect(file, isolation_level=None, timeout=60)
        self._connection.text_factory = bytes  # a damaged text need not be UTF-8
        self._connection.create_function("checksum", -1, _checksum, deterministic=True)
        try:
            self._connection.execute("PRAGMA journal_mode=WAL")
            self._connection.execute("PRAGMA synchronous=NORMAL")
            self._connection.executescript(SCHEMA)
            self._upgrade()
        except sqlite3.Error as error:
            self._connection.close()
            raise self._unreadable(error) from error
        self._answers: list[tuple[str, str, bool, int]] = []
        self._bookings: list[Spent] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._is_told = False
        self._synced_at, self._syncing = float("-inf"), False
        self._fault: OSError | None = None

    def _upgrade(self) -> None:
        """Give the rows of a journal that an older version wrote their checksums."""
        for table, columns in COLUMNS.items():
            known = {name for _, name, *_ in self._connection.execute(f"PRAGMA table_info({table})")}
            if b"checksum" not in known:
                self._connection.execute(f"ALTER TABLE {table} ADD COLUMN checksum INTEGER")
                self._connection.execute(f"UPDATE {table} SET checksum = checksum({columns})")  # noqa: S608 - ours

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
        return {key for key, _, is_final in self._sound(f"key IN ({marks})", keys) if is_final}

    def has_any(self, prefix: str) -> bool:
        """Tell whether there is any key that begins so."""
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        return bool(self._rows("SELECT 1 FROM answers WHERE key >= ? AND key < ? LIMIT 1", (prefix, after)))

    def get(self, key: str) -> str | None:
        """Return the answer of a finished call, or None when it was never finished."""
        return next((answer for _, answer, is_final in self._sound("key = ?", (key,)) if is_final), None)

    def outcome(self, key: str) -> str:
        """Return what became of a call that was asked, finished or failed.

        Raises:
            ConfigError: It is not there, or no longer as it was written.
        """
        for _, answer, _ in self._sound("key = ?", (key,)):
            return answer
        raise self._unreadable("what became of a call that was made is not there")

    def ledger(self, run: str | None = None) -> list[Spent]:
        """Return what each stage of a run has used, or of every run, the oldest first.

        Raises:
            ConfigError: What was spent can no longer be read, so that no budget could be kept.
        """
        return self._spent(f"{LEDGER} WHERE ? IN (run, '') ORDER BY run, stage", (run or "",))

    def _spent(self, query: str, values: Sequence[str]) -> list[Spent]:
        rows = self._rows(query, values)
        for *kept, checksum in rows:
            if checksum != _checksum(*kept):
                raise self._unreadable(f"what {kept[1]!r} has spent was changed on the disk")
        return [Spent(row[0].decode(), row[1].decode(), *row[2:-1]) for row in rows]

    def purse(self, run: str, cap_usd: float | None) -> Purse:
        """Return what a run may still spend: its stages, and whoever goes on with it, pay from one purse."""
        return Purse(cap_usd, sum(spent.cost_usd for spent in self.ledger(run)))

    def damaged(self) -> int:
        """Return how many answers a disk has changed; each is asked again when it is needed.

        Raises:
            ConfigError: The file as a whole can no longer be read.
        """
        faults = self._rows("PRAGMA quick_check(1)", ())
        if faults != [(b"ok",)]:
            raise self._unreadable(faults[0][0].decode(errors="replace"))
        self.ledger()
        query = f"SELECT count(*) FROM answers WHERE checksum({COLUMNS['answers']}) IS NOT checksum"  # noqa: S608 - ours
        return int(self._rows(query, ())[0][0])

    def _sound(self, condition: str, values: Sequence[str]) -> Iterator[tuple[str, str, bool]]:
        """Yield key, answer and finality of the rows that are as they were written; of others, nothing."""
        query = f"SELECT {COLUMNS['answers']}, checksum FROM answers WHERE {condition}"  # noqa: S608 - only marks
        for key, answer, is_final, checksum in self._rows(query, values):
            if checksum == _checksum(key, answer, is_final):
                yield key.decode(), answer.decode(), bool(is_final)
            elif not self._is_told:
                LOG.warning("%s holds answers that the disk has changed; they are asked again", self._file.name)
                self._is_told = True

    def _rows(self, query: str, values: Sequence[str]) -> list[Any]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            raise self._unreadable(error) from error

    def _unwritable(self, why: object) -> ConfigError:
        return ConfigError(
            f"{self._file.name} cannot be written ({why}), expected it to keep finished calls: "
            "mend the disk and run again, what it holds is not asked again"
        )

    def _unreadable(self, why: object) -> ConfigError:
        return ConfigError(
            f"{self._file.name} cannot be read ({why}), expected the journal of finished calls: "
            "move it away, then every call is asked anew"
        )

    async def put(self, key: str, answer: str, *, is_final: bool = True) -> None:
        """Keep what became of a call; when this returns, it survives a crash.

        Raises:
            ConfigError: The disk refused; nothing of this transaction is kept.
            UnicodeEncodeError: The answer holds half a character, which no file can.
        """
        if self._fault:
            raise self._unwritable(self._fault)
        checksum = _checksum(key, answer.encode(), int(is_final))
        loop = asyncio.get_running_loop()
        if not self._answers:
            loop.call_soon(self._write)
        kept: asyncio.Future[None] = loop.create_future()
        self._waiting.append(kept)
        self._answers.append((key, answer, is_final, checksum))
        await kept

    async def finish(self, key: str, answer: str, *, is_final: bool, run: str, stage: str, used: Meter) -> None:
        """Keep what became of a call together with what it has used; as `put`."""
        tokens = (used.prompt_tokens, used.completion_tokens)
        self._bookings.append(Spent(run, stage, 1, int(not is_final), used.requests, *tokens, used.cost_usd))
        await self.put(key, answer, is_final=is_final)

    def settle(self) -> None:
        """Make everything that was kept survive the death of the machine."""
        self._connection.execute("PRAGMA wal_checkpoint(FULL)").fetchall()

    def _sync(self) -> None:
        """Make the system write the log of commits to its disk; called in a thread of its own."""
        try:
            with suppress(FileNotFoundError):  # a checkpoint has just emptied it
                log = os.open(f"{self._file}-wal", os.O_RDONLY)
                try:
                    self._fsync(log)
                finally:
                    os.close(log)
        except OSError as error:
            self._fault = error
        finally:
            self._syncing = False

    def _write(self) -> None:
        answers, self._answers = self._answers, []
        bookings, self._bookings = self._bookings, []
        waiting, self._waiting = self._waiting, []
        fault: Exception | None = None
        try:
            with self._connection:
                self._connection.execute("BEGIN IMMEDIATE")
                self._connection.executemany(KEEP, answers)
                self._connection.executemany(BOOK, self._booked(bookings))
        except sqlite3.Error as error:
            fault = self._unwritable(error)
        except Exception as error:  # noqa: BLE001 - whoever waits has to hear of it, whatever it is
            fault = error
        for kept in waiting:
            if kept.done():
                continue
            if fault:
                kept.set_exception(fault)
            else:
                kept.set_result(None)
        loop = asyncio.get_running_loop()
        if not self._syncing and loop.time() - self._synced_at > SYNC_S:
            self._synced_at, self._syncing = loop.time(), True
            loop.run_in_executor(None, self._sync)

    def _booked(self, bookings: Sequence[Spent]) -> Iterator[tuple[object, ...]]:
        """Yield what each stage of each run has used with these bookings, each with its checksum."""
        for spent in _sums(bookings):
            before = self._spent(f"{LEDGER} WHERE run = ? AND stage = ?", spent[:2])
            whole = _sum(before[0], spent) if before else spent
            yield (*whole, _checksum(*whole))


def _sums(bookings: Sequence[Spent]) -> Iterator[Spent]:
    """Yield one booking a stage and run."""
    for _, found in groupby(sorted(bookings), key=itemgetter(0, 1)):
        yield reduce(_sum, found)


def _sum(one: Spent, other: Spent) -> Spent:
    """Return what two bookings of a stage come to."""
    return Spent(*one[:2], *map(sum, zip(one[2:], other[2:], strict=True)))  # type: ignore[arg-type]


def _checksum(*values: object) -> int:
    """Return the CRC-32 of a row's values; text as SQLite hands it over or as bytes."""
    sum_ = 0
    for value in values:
        written = value if isinstance(value, bytes) else str(value).encode()
        sum_ = zlib.crc32(b"%d:%s" % (len(written), written), sum_)
    return sum_
