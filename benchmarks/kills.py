"""Killed at random points again and again, a run asks again only what was in flight, and ends with the same tables.

`python -m benchmarks.kills URL` is the run that is killed, in the current folder; its clock stands still, since nothing
else could make two runs measure the same. `sweep` kills one, and compares it with an undisturbed one.
"""

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

from assay.project import files
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from benchmarks import faults
from benchmarks.jobs import NIGHT

TABLES = ("responses", "verdicts")
AHEAD = 2
"""Processes that load while one runs."""
IN_TABLES = 5
"""One kill in so many comes while a table is being written."""
INTO_TABLE_S = 0.05
"""A kill comes at most so long after a table was begun."""
PATIENCE_S = 120.0


class Moment(NamedTuple):
    """When a run is killed; in order of their places."""

    place: float
    """Questions that have come to the endpoint by then; a table is written half a question after its stage's last."""
    table: str
    """Empty, or the table that is being written."""


@dataclass(frozen=True, kw_only=True)
class Kill:
    """What one kill found and cost."""

    place: float
    table: str
    questions: int
    """Different ones that had come to the endpoint."""
    kept: int
    """Answers in the journal."""
    in_flight: int
    """Questions that had come and whose answer was not in the journal."""
    cut: int
    """Of these, requests that the endpoint had not answered."""
    repeated: int
    """Questions that had come before and came again until the next kill, or the end."""


class Run:
    """One project whose stages run in a process group of their own; the next processes load while one runs."""

    def __init__(self, folder: Path, served: faults.Served, starts: int) -> None:
        """Describe the run, and how often it will be started."""
        self.folder, self._served, self._left = folder, served, starts
        self._loaded: deque[subprocess.Popen[bytes]] = deque()

    def __enter__(self) -> Self:
        """Load the first processes."""
        self._load()
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes that were not needed."""
        for process in self._loaded:
            process.kill()
            process.communicate()

    def start(self) -> "subprocess.Popen[bytes]":
        """Start both stages."""
        process = self._loaded.popleft()
        assert process.stdin  # noqa: S101 - asked for in _load
        process.stdin.close()
        self._load()
        return process

    def _load(self) -> None:
        command = [sys.executable, "-m", "benchmarks.kills", self._served.url]
        how = {"cwd": self.folder, "env": os.environ | {"PYTHONPATH": str(faults.ROOT)}, "start_new_session": True}
        while self._left and len(self._loaded) < AHEAD:
            self._left -= 1
            quiet = subprocess.DEVNULL
            self._loaded.append(subprocess.Popen(command, stdin=subprocess.PIPE, stderr=quiet, **how))  # type: ignore[call-overload]

    def finish(self) -> None:
        """Run to the end."""
        code = self.start().wait()
        if code:
            raise RuntimeError(f"the run in {self.folder} ended with {code}, expected 0: run it by hand to see why")

    def kill(self, moment: Moment, delay_s: float) -> None:
        """Start the stages and kill them at a moment; `delay_s` after a table was begun."""
        before = set(self._begun(moment.table)) if moment.table else set()
        run = self.start()
        if moment.table:
            self._await_table(moment.table, before)
            time.sleep(delay_s)
        else:
            self._served.reached(int(moment.place))
        os.killpg(run.pid, signal.SIGKILL)
        if run.wait() != -signal.SIGKILL:
            raise RuntimeError(f"the run had ended before it was killed at {moment}, expected it to be under way")

    def kept(self) -> int:
        """Return how many answers the journal holds, without touching it."""
        file = self.folder / ".assay/journal.sqlite"
        if not file.exists():
            return 0
        journal = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
        try:
            return int(journal.execute("SELECT count(*) FROM answers").fetchone()[0])
        finally:
            journal.close()

    def table(self, name: str) -> bytes:
        """Return the bytes of a table."""
        return (self.folder / f"data/{name}/{name}.parquet").read_bytes()

    def strays(self) -> list[str]:
        """Return the files beside the tables that no run has cleared away."""
        return sorted(file.name for name in TABLES for file, _ in self._begun(name))

    def _begun(self, name: str) -> Iterator[tuple[Path, int]]:
        """Yield what was begun and not ended, and when: a run begins anew what another one left."""
        for file in (self.folder / f"data/{name}").glob(".*.partial"):
            with suppress(FileNotFoundError):  # it has just been ended
                yield file, file.stat().st_mtime_ns

    def _await_table(self, name: str, before: set[tuple[Path, int]]) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not set(self._begun(name)) - before:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name} was not begun within {PATIENCE_S:g} s, expected the run to write it")
            time.sleep(0.001)


def moments(cases: int, kills: int, rng: random.Random) -> list[Moment]:
    """Return random moments of a run, in order: most while it asks, the others while it writes a table."""
    written = {name: (number + 1) * cases + 0.5 + number for number, name in enumerate(TABLES)}
    chosen = [TABLES[number % len(TABLES)] for number in range(kills // IN_TABLES)]
    asking = [Moment(rng.randint(1, 2 * cases), "") for _ in range(kills - len(chosen))]
    return sorted([*asking, *(Moment(written[name], name) for name in chosen)])


def sweep(folder: Path, *, cases: int, kills: int, latency_s: float, concurrency: int, seed: int) -> dict[str, Any]:
    """Run a project undisturbed and one that is killed, and compare what they come to.

    Args:
        folder: Where the two projects are made.
        cases: Of each project.
        kills: How often.
        latency_s: Of the endpoint.
        concurrency: Of both stages.
        seed: Decides when.
    """
    from benchmarks import project

    def made(name: str, served: faults.Served, starts: int) -> Run:
        (folder / name).mkdir()
        project.make(folder / name, served.url, cases, concurrency)
        return Run(folder / name, served, starts)

    rng = random.Random(seed)  # noqa: S311 - no secret
    with faults.serving(latency_s, seed, 0) as served, made("calm", served, 1) as calm:
        calm.finish()
    with faults.serving(latency_s, seed, 0) as served, made("killed", served, kills + 1) as killed:
        found = list(_kills(killed, served, moments(cases, kills, rng), rng))
        counts = served.counts()
    return {
        "cases": cases,
        "concurrency": concurrency,
        "kills": [asdict(one) for one in found],
        "requests": counts["requests"],
        "questions": counts["questions"],
        "repeated": sum(one.repeated for one in found),
        "answered_again": counts["answered_again"],
        "most_in_flight": max(one.in_flight for one in found),
        "is_bounded": all(one.repeated <= one.in_flight for one in found),
        "is_identical": {name: calm.table(name) == killed.table(name) for name in TABLES},
        "strays": killed.strays(),
    }


def _kills(run: Run, served: faults.Served, when: list[Moment], rng: random.Random) -> Iterator[Kill]:
    """Kill the run at each moment, let it end, and tell what each kill has cost."""
    before = served.counts()
    for number, moment in enumerate(when):
        if not number:
            run.kill(moment, rng.uniform(0, INTO_TABLE_S))
        counts, kept = served.counts(), run.kept()
        if number + 1 < len(when):
            run.kill(when[number + 1], rng.uniform(0, INTO_TABLE_S))
        else:
            run.finish()
        after = served.counts()
        yield Kill(
            place=moment.place,
            table=moment.table,
            questions=counts["questions"],
            kept=kept,
            in_flight=counts["questions"] - kept,
            cut=counts["abandoned"] - before["abandoned"],
            repeated=(after["requests"] - after["questions"]) - (counts["requests"] - counts["questions"]),
        )
        before = counts


def run(base_url: str) -> None:
    """Run both stages in the current folder as a night does, but for a clock that stands still.

    They begin when the standard input ends, so that a run can be loaded before its turn has come.
    """
    os.environ["OPENAI_BASE_URL"] = base_url
    from assay.models.engine import Tally, Work, answer_all
    from assay.models.journal import Journal
    from assay.project.run_id import begun
    from assay.stages import execute, judge

    sys.stdin.read()
    settings, run = read_params("execute", execute.Settings), begun(NIGHT)

    async def executed(journal: Journal) -> Tally:
        work = Work(run.id, "execute", settings.conversations, journal.purse(run.id, None), clock=lambda: 0.0)
        async with execute.asking(settings, journal, run, settings) as (asked, target):
            tally = await answer_all(asked.calls(CASES.stream(), target), journal, work, progress=lambda _: None)
            execute.file(asked, target, tally, is_told=False)
        return tally

    with Journal(files.private("journal.sqlite"), clock=NIGHT.timestamp) as journal:
        asyncio.run(executed(journal))
    judge.run(NIGHT)


if __name__ == "__main__":
    run(sys.argv[1])
