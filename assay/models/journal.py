"""The durable journal: a finished call counts once it is here, and never before.

Every row bears a checksum over all that it says, verified whenever it is read: what a disk has changed is no answer.
"""

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import reduce
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self

from assay.models.journal_file import COLUMNS, JournalFile, checksum
from assay.models.usage import Meter, Purse
from assay.records.ledger import Spent

KEEP = """
INSERT INTO answers (key, answer, is_final, run, at, checksum) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
    answer = excluded.answer, is_final = excluded.is_final, run = excluded.run, at = excluded.at,
    checksum = excluded.checksum
"""
USE = "INSERT INTO uses VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET at = excluded.at"
BOOK = "INSERT OR REPLACE INTO ledger VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
NOTE = f"INSERT OR REPLACE INTO runs ({COLUMNS['runs']}, checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - ours
WITHOUT_RUN = f"""
SELECT {COLUMNS["answers"]}, checksum, rowid FROM answers
WHERE rowid > ? AND run = '' AND is_final AND substr(answer, 1, ?) = ? ORDER BY rowid LIMIT ?
"""  # noqa: S608 - ours
REFILE = f"""
UPDATE OR REPLACE answers SET key = ?, run = ?, at = ?, checksum = checksum(?, answer, is_final, ?, ?)
WHERE key = ? AND run = '' AND checksum IS checksum({COLUMNS["answers"]})
"""  # noqa: S608 - ours
USED = "INSERT OR IGNORE INTO uses VALUES (?, ?)"
ALL_USED = "INSERT OR IGNORE INTO uses SELECT key, ? FROM answers WHERE run = ''"
FORGET = "DELETE FROM runs WHERE run NOT IN (SELECT run FROM runs ORDER BY began DESC LIMIT ?)"
LEDGER = f"SELECT {COLUMNS['ledger']}, checksum FROM ledger"  # noqa: S608 - ours
PRUNED_RUNS = 400
"""Runs that a journal knows by name; their answers go earlier."""
PAGE = 1_000
"""Rows that are read at a time, where all of them are looked at."""
SYNC_S = 1.0
"""So often, at most, the system is made to write what was committed to the disk itself."""
LOG = logging.getLogger(__name__)


class Outcome(NamedTuple):
    """What became of a call, in which run, and when."""

    answer: str
    is_final: bool
    run: str
    """Id of the run that asked; empty where nobody said."""
    at: int
    """Seconds since 1970; 0 where nobody said."""


class Refiled(NamedTuple):
    """An answer that nobody said the run of, and where it belongs."""

    before: str
    """The key under which it is."""
    key: str
    """The one under which it is found from now on."""
    run: str
    at: int
    """As for `Outcome`."""


class JournaledRun(NamedTuple):
    """A run that asked a product."""

    run: str
    began: int
    """Seconds since 1970."""
    ended: int
    """Likewise; 0 for a run that did not end well."""
    target: str
    """Fingerprint of the product."""
    is_version_known: bool
    has_asked: bool
    """Does it have answers of its own, or were all kept?"""
    is_fresh: bool = False
    """Was everything to be asked anew?"""


class Journal:
    """Finished calls by key, and what they cost, in SQLite (WAL).

    Calls that finish in the same turn of the event loop share one transaction; `put` returns after its commit. A commit
    survives the death of the process. It survives the death of the machine once the system has written it, which it is
    made to do every second, and by `settle` and closing: so a power cut costs what was answered in the last second, and
    that is asked again.
    """

    def __init__(
        self,
        file: Path,
        *,
        fsync: Callable[[int], None] = os.fsync,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open the journal, creating it when absent.

        Args:
            file: Where it is.
            fsync: Makes the system write a file to its disk.
            clock: Returns the moment in seconds since 1970.

        Raises:
            ConfigError: The file is no journal, or cannot be opened.
        """
        self._database = JournalFile(file)
        self._fsync, self._clock = fsync, clock
        self._answers: list[tuple[str, str, bool, str, int, int]] = []
        self._used: set[str] = set()
        self._bookings: list[Spent] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._is_told = False
        self._synced_at, self._syncing = float("-inf"), False
        self._fault: OSError | None = None

    def __enter__(self) -> Self:
        """Return the journal itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._database.close()

    def known(self, keys: Sequence[str]) -> set[str]:
        """Return those of some keys whose calls are finished, so that they need not be asked again."""
        marks = ",".join("?" * len(keys))
        return {key for key, outcome in self._sound(f"key IN ({marks})", keys) if outcome.is_final}

    def use(self, keys: Iterable[str]) -> None:
        """Note that answers were used now, with the next transaction: what nobody uses any more is pruned one day."""
        self._used.update(keys)

    def has_any(self, prefix: str) -> bool:
        """Tell whether there is any key that begins so."""
        after = prefix[:-1] + chr(ord(prefix[-1]) + 1)
        return bool(self._database.rows("SELECT 1 FROM answers WHERE key >= ? AND key < ? LIMIT 1", (prefix, after)))

    def get(self, key: str) -> str | None:
        """Return the answer of a finished call, or None when it was never finished."""
        return next((outcome.answer for _, outcome in self._sound("key = ?", (key,)) if outcome.is_final), None)

    def outcome(self, key: str) -> Outcome:
        """Return what became of a call that was asked, finished or failed.

        Raises:
            ConfigError: It is not there, or no longer as it was written.
        """
        for _, outcome in self._sound("key = ?", (key,)):
            return outcome
        raise self._database.unreadable("what became of a call that was made is not there")

    def note(self, run: JournaledRun) -> None:
        """Keep what there is to know of a run, in place of what was known of it before."""
        self._database.write((NOTE, [self._noted(run)]))

    @staticmethod
    def _noted(run: JournaledRun) -> tuple[object, ...]:
        values = (*run[:4], int(run.is_version_known), int(run.has_asked), int(run.is_fresh))
        return (*values, checksum(*values))

    def end(self, run: str) -> None:
        """Note that a run has ended well; nothing where it asked no product."""
        for noted in self.runs():
            if noted.run == run:
                self.note(noted._replace(ended=int(self._clock())))

    def runs(self) -> list[JournaledRun]:
        """Return the runs that asked a product and are as they were noted, in the order in which they began."""
        rows = self._database.rows(f"SELECT {COLUMNS['runs']}, checksum FROM runs ORDER BY began, run")  # noqa: S608 - ours
        return [
            JournaledRun(row[0].decode(), row[1], row[2], row[3].decode(), *map(bool, row[4:]))
            for *row, mark in rows
            if mark == checksum(*row)
        ]

    def last_sign(self, run: str) -> int:
        """Return when a run was last known to be alive, in seconds since 1970; 0 for one that answered nothing."""
        return int(self._database.rows("SELECT coalesce(max(at), 0) FROM answers WHERE run = ?", (run,))[0][0])

    def prune(self, before: int, keep_runs: Sequence[str]) -> None:
        """Forget answers that were given and last used before a moment.

        Args:
            before: The moment, in seconds since 1970.
            keep_runs: What these runs asked stays nevertheless.
        """
        runs, used = ",".join("?" * len(keep_runs)), "SELECT key FROM uses WHERE at >= ?"
        stale = f"FROM answers WHERE at < ? AND run NOT IN ({runs}) AND key NOT IN ({used})"
        self._database.write(
            (f"DELETE {stale}", [(before, *keep_runs, before)]),
            ("DELETE FROM uses WHERE key NOT IN (SELECT key FROM answers)", [()]),
            (FORGET, [(PRUNED_RUNS,)]),
        )

    def ledger(self, run: str | None = None) -> list[Spent]:
        """Return what each stage of a run has used, or of every run, the oldest first.

        Raises:
            ConfigError: What was spent can no longer be read, so that no budget could be kept.
        """
        return self._spent(f"{LEDGER} WHERE ? IN (run, '') ORDER BY run, stage", (run or "",))

    def _spent(self, query: str, values: Sequence[str]) -> list[Spent]:
        rows = self._database.rows(query, values)
        for *kept, mark in rows:
            if mark != checksum(*kept):
                raise self._database.unreadable(f"what {kept[1]!r} has spent was changed on the disk")
        return [Spent(row[0].decode(), row[1].decode(), *row[2:-1]) for row in rows]

    def purse(self, run: str, cap_usd: float | None) -> Purse:
        """Return what a run may still spend: its stages, and whoever goes on with it, pay from one purse."""
        return Purse(cap_usd, sum(spent.cost_usd for spent in self.ledger(run)))

    def damaged(self) -> int:
        """Return how many answers a disk has changed; each is asked again when it is needed.

        Raises:
            ConfigError: The file as a whole can no longer be read.
        """
        faults = self._database.rows("PRAGMA quick_check(1)", ())
        if faults != [(b"ok",)]:
            raise self._database.unreadable(faults[0][0].decode(errors="replace"))
        self.ledger()
        query = f"SELECT count(*) FROM answers WHERE checksum({COLUMNS['answers']}) IS NOT checksum"  # noqa: S608 - ours
        return int(self._database.rows(query, ())[0][0])

    def _sound(self, condition: str, values: Sequence[str]) -> Iterator[tuple[str, Outcome]]:
        """Yield key and outcome of the rows that are as they were written; of others, nothing."""
        query = f"SELECT {COLUMNS['answers']}, checksum FROM answers WHERE {condition}"  # noqa: S608 - only marks
        return self._checked(self._database.rows(query, values))

    def _checked(self, rows: Iterable[Sequence[Any]]) -> Iterator[tuple[str, Outcome]]:
        for key, answer, is_final, run, at, mark in rows:
            if mark == checksum(key, answer, is_final, run, at):
                yield key.decode(), Outcome(answer.decode(), bool(is_final), run.decode(), at)
            elif not self._is_told:
                LOG.warning(
                    "%s holds answers that the disk has changed; they are asked again", self._database.file.name
                )
                self._is_told = True

    def without_run(self, beginning: str) -> Iterator[tuple[str, str]]:
        """Yield key and answer of the finished calls of which nobody said the run, a few at a time.

        Args:
            beginning: How the answer begins.
        """
        last = 0
        while rows := self._database.rows(WITHOUT_RUN, (last, len(beginning), beginning, PAGE)):
            last = rows[-1][-1]
            yield from ((key, outcome.answer) for key, outcome in self._checked(row[:-1] for row in rows))

    def refile(self, runs: Iterable[JournaledRun], answers: Sequence[Refiled]) -> None:
        """Note runs of which nobody had told, and file under them what they asked, in one transaction.

        When any of the answers without a run was last used nobody noted either: each counts as used now, so that it
        is pruned as late as one of today.
        """
        at, noted = int(self._clock()), [self._noted(run) for run in runs]
        self._database.write(
            (NOTE, noted),
            (REFILE, ((new.key, new.run, new.at, new.key, new.run, new.at, new.before) for new in answers)),
            (USED, ((new.key, at) for new in answers)),
            (ALL_USED, [(at,)]),
        )

    async def put(self, key: str, answer: str, *, is_final: bool = True, run: str = "") -> None:
        """Keep what became of a call, and which run asked; when this returns, it survives a crash.

        Raises:
            ConfigError: The disk refused; nothing of this transaction is kept.
            UnicodeEncodeError: The answer holds half a character, which no file can.
        """
        if self._fault:
            raise self._database.unwritable(self._fault)
        at = int(self._clock())
        mark = checksum(key, answer.encode(), int(is_final), run, at)
        loop = asyncio.get_running_loop()
        if not self._answers:
            loop.call_soon(self._write)
        kept: asyncio.Future[None] = loop.create_future()
        self._waiting.append(kept)
        self._answers.append((key, answer, is_final, run, at, mark))
        await kept

    async def finish(self, key: str, answer: str, *, is_final: bool, run: str, stage: str, used: Meter) -> None:
        """Keep what became of a call together with what it has used; as `put`."""
        tokens = (used.prompt_tokens, used.completion_tokens)
        self._bookings.append(Spent(run, stage, 1, int(not is_final), used.requests, *tokens, used.cost_usd))
        await self.put(key, answer, is_final=is_final, run=run)

    def settle(self) -> None:
        """Make everything that was kept survive the death of the machine."""
        if self._used:
            at, used = int(self._clock()), sorted(self._used)
            self._used.clear()
            self._database.write((USE, [(key, at) for key in used]))
        self._database.rows("PRAGMA wal_checkpoint(FULL)")

    def _sync(self) -> None:
        """Make the system write the log of commits to its disk; called in a thread of its own."""
        try:
            with suppress(FileNotFoundError):  # a checkpoint has just emptied it
                log = os.open(f"{self._database.file}-wal", os.O_RDONLY)
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
            self._database.write((KEEP, answers), (BOOK, self._booked(bookings)))
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
            yield (*whole, checksum(*whole))


def _sums(bookings: Sequence[Spent]) -> Iterator[Spent]:
    """Yield one booking a stage and run."""
    for _, found in groupby(sorted(bookings), key=itemgetter(0, 1)):
        yield reduce(_sum, found)


def _sum(one: Spent, other: Spent) -> Spent:
    """Return what two bookings of a stage come to."""
    return Spent(*one[:2], *map(sum, zip(one[2:], other[2:], strict=True)))  # type: ignore[arg-type]
