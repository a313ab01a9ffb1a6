"""Shards: how do several processes, here or elsewhere, share the work of `execute`?

The evaluation set is cut into runs of rows. Each is answered by one process with the same engine that asks without
shards, and its responses are filed as a part; the parts in order are the table of responses, byte for byte.

What was done is not done again: neither a shard whose part is whole and without a failed call, nor a call that the
journal of the worker's machine knows. Reads the evaluation set, writes parts and responses. Asks the target.
"""

import asyncio
import hashlib
import platform
from collections import deque
from collections.abc import Coroutine, Iterable, Sequence
from typing import Any

from pydantic import Field

from assay.errors import BudgetError, ConfigError, DataError
from assay.models.engine import Done, Progress, Tally, Work, answer_all
from assay.models.journal import Journal
from assay.models.usage import Meter, Purse
from assay.project import files, last_run, params, run_id
from assay.project.answers import Count
from assay.project.journal import JOURNAL, open_journal
from assay.project.params import read_params
from assay.project.run_id import Run
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.records.case import Case
from assay.records.record import Record, digest
from assay.records.response import Response
from assay.stages import execute
from assay.stages.execute import Settings
from assay.storage.parts import Parts, between
from assay.targets.preflight import require_given
from assay.targets.settings import is_version_told

SHARDS = 4
"""For each worker, so that one that is slower holds the others up only a little; each costs Prefect half a second."""
LEAST = 500
"""Cases of a shard, where nobody says how many."""
CHUNK = 1_000
"""Answers that a journal is told of at a time."""


class Shard(Record):
    """One shard as a worker is handed it: plain values only, for it may be anywhere."""

    run: str
    """Id of the run."""
    is_fresh: bool = False
    first: int = Field(ge=0)
    last: int = Field(ge=1)
    """Rows [first, last) of the evaluation set."""
    project: str
    """Hash of the evaluation set and the parameters that the worker has to have."""
    overrides: params.Overrides = params.Overrides()
    """Of the run, from params.yaml."""
    share_usd: float | None
    """What the worker may spend on it; None is no bound."""

    def identity(self) -> Run:
        """Return the run as a worker knows it."""
        return run_id.of_id(self.run, is_fresh=self.is_fresh)


class Part(Record):
    """What became of a shard, as a worker hands it back."""

    content: str
    """Hash under which its responses are filed."""
    target: str
    """Fingerprint of who answered."""
    version: str = ""
    """Of who answered, as a person calls it; empty where it is not known."""
    undeclared: list[str] = Field(default=[])
    """Files that the product reads and does not declare."""
    journal: str
    """Which journal has its calls: that of the worker's machine."""
    tally: Tally


class Course:
    """A run as the one who hands out its shards sees it: what waits, what may be spent, what came back.

    Every worker has an equal share of what is left to spend, and pays one shard after the other from it. So a run
    spends no more than was allowed, but for the requests that are in flight when a share is used up; and it may stop
    while the share of another worker is not.
    """

    def __init__(self, run: Run, max_cost_usd: float | None) -> None:
        """Look at the project; nothing is asked.

        Raises:
            ConfigError: The parameters do not go together.
            DataError: There is no evaluation set that keeps its contract, or a case lacks what its request takes.
        """
        self.settings = _settings()
        next(CASES.stream())
        require_given(self.settings.target, CASES.stream())
        total, workers = CASES.count(), self.settings.workers
        self.calls = total * self.settings.trials
        self._run, self._project = run, project(self.settings)
        self._waiting = deque(cut(total, self.settings.shard_cases or shard_size(total, workers)))
        self._parts: dict[int, Part] = {}
        with open_journal() as journal:
            purse = journal.purse(run.id, max_cost_usd)
        left = None if purse.cap_usd is None else max(0.0, purse.cap_usd - purse.spent_usd) / workers
        self._free = [left] * workers

    def take(self) -> Shard | None:
        """Return the next shard while there is one, and a worker for it."""
        if not (self._waiting and self._free):
            return None
        first, last = self._waiting.popleft()
        return Shard(
            run=self._run.id,
            is_fresh=self._run.is_fresh,
            first=first,
            last=last,
            project=self._project,
            overrides=params.overrides(),
            share_usd=self._free.pop(),
        )

    def back(self, shard: Shard, part: Part, step: Progress) -> None:
        """Keep what became of a shard; its worker is free again."""
        self._parts[shard.first] = part
        self._free.append(None if shard.share_usd is None else max(0.0, shard.share_usd - part.tally.cost_usd))
        _count(part.tally, step)
        with open_journal() as journal:
            if part.journal != _identity():
                rows = _parts(self.settings).rows(part.content)
                asyncio.run(_adopt(rows, journal, self._run.id))

    def gather(self) -> Tally:
        """Write the table of responses from the parts, in order; return what the calls came to.

        Raises:
            DataError: A part was damaged since, or the product became another one during the run.
            EndpointError: Every single call found the connection broken.
        """
        parts = [self._parts[first] for first in sorted(self._parts)]
        tally = _sum(part.tally for part in parts)
        names = sorted({part.target for part in parts})
        if len(names) > 1:
            raise DataError(
                f"the product became another one during the run ({', '.join(names)}), expected one version throughout: "
                "run again when it no longer moves, only the older version's cases are asked again"
            )
        kept, count = _parts(self.settings), Count(self._run.id)
        with RESPONSES.writing() as add:
            for part in parts:
                for row in kept.rows(part.content):
                    if not count.total:
                        execute.reached(tally, row)
                    count.add(row)
                    add(row)
        undeclared = sorted({name for part in parts for name in part.undeclared})
        version = parts[0].version if all(part.version for part in parts) else ""
        is_told = is_version_told(self.settings.target)
        answers = count.answers(known=tally.known, version=version, is_told=is_told, undeclared=undeclared)
        last_run.file_answers(self._run, answers)
        return tally


def shard_size(total: int, workers: int) -> int:
    """Return how many cases make a shard, so that each worker has a few."""
    return max(LEAST, -(-total // (workers * SHARDS)))


def cut(total: int, size: int) -> list[tuple[int, int]]:
    """Return the shards of so many rows as [first, last), in order; each but the last has the full size."""
    return [(first, min(first + size, total)) for first in range(0, total, size)]


def require(settings: Settings) -> None:
    """Refuse parameters that do not go together.

    Raises:
        ConfigError: The sentence names them.
    """
    runner, workers = settings.runner, settings.workers
    is_local = runner in ("threads", "processes")
    if settings.runner_address and is_local:
        raise ConfigError(
            f"execute.runner_address is set, but {runner!r} needs none: leave it out, or choose dask or ray"
        )
    if settings.runner_address and not settings.parts:
        raise ConfigError(
            "execute.runner_address is set without execute.parts, but workers elsewhere cannot file their responses in "
            "this folder: name an address that all of them can write, such as s3://bucket/parts"
        )
    if runner != "threads" and settings.mode == "batch":
        raise ConfigError(
            f"execute.mode is 'batch' with runner {runner!r}, but a batch is one file that one process sends: "
            "choose runner threads"
        )
    if runner != "threads" and settings.concurrency < workers:
        raise ConfigError(
            f"execute.concurrency is {settings.concurrency} for {workers} workers, expected at least one request each: "
            "raise it, or lower workers"
        )


def share(settings: Settings) -> Settings:
    """Return what one worker may ask of the endpoint, so that all of them together keep within the limits."""
    rates = {name: getattr(settings, name) for name in ("requests_per_minute", "tokens_per_minute")}
    divided = {name: None if rate is None else rate / settings.workers for name, rate in rates.items()}
    return settings.model_copy(update={"concurrency": settings.concurrency // settings.workers, **divided})


def project(settings: Settings) -> str:
    """Return the hash of what every worker has to have: the evaluation set and the parameters."""
    with CASES.file().open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    return digest([content, settings])


def run_shard(shard: Shard) -> Part:
    """Answer one shard and file its responses; a shard that is filed and has no failed call is left as it is.

    Runs in any process whose current folder is the project's, with the same checkout, data/ and params.yaml, and the
    variables that hold the keys. A product that Assay starts itself is started here once more, on a port of its own.

    Raises:
        ConfigError: The folder is no project, or its parameters or variables are at fault.
        DataError: The worker has another evaluation set or other parameters than the run.
        EndpointError: The product cannot be asked.
        BudgetError: The worker's share is used up; every answer is kept.
    """
    with params.overriding(shard.overrides.env, shard.overrides.values):
        return _run_shard(shard)


def _run_shard(shard: Shard) -> Part:
    settings = _settings()
    if not CASES.exists() or project(settings) != shard.project:
        raise DataError(
            f"the worker on {platform.node()} has another evaluation set or other parameters than the run, expected "
            "the same: bring its folder to the run's commit with `git pull` and `dvc pull`"
        )
    cases = list(between(CASES.file(), Case, shard.first, shard.last))
    with open_journal() as journal:
        try:
            return asyncio.run(_answered(shard, settings, cases, journal))
        except BudgetError as error:
            raise BudgetError(
                f"one of {settings.workers} workers has spent its share of what the run may cost, so the run stopped; "
                "all answers are kept: run it again with a higher --max-cost, and it goes on from there"
            ) from error


async def _answered(shard: Shard, settings: Settings, cases: Sequence[Case], journal: Journal) -> Part:
    run, kept = shard.identity(), _parts(settings)
    async with execute.asking(settings, journal, run, share(settings)) as (asked, target):
        calls = list(asked.calls(cases, target))
        keys = [call.key for call in calls]
        content, tally, filed = "", Tally(known=len(keys)), kept.find(digest(keys))
        rows = filed[1] if filed and [_key(row) for row in filed[1]] == keys else []
        if filed and rows and not any(row.error_kind for row in rows):
            content = filed[0]
        else:
            await _adopt(rows, journal, "")
            work = Work(run.id, "execute", share(settings).conversations, Purse(shard.share_usd))
            tally = await answer_all(calls, journal, work, progress=lambda _: None)
            responses = [asked.response(case, trial) for case in cases for trial in range(settings.trials)]
            content = kept.keep(digest(keys), responses)
        return Part(
            content=content,
            target=target.fingerprint,
            version=target.version if target.is_version_known else "",
            undeclared=list(target.undeclared),
            journal=_identity(),
            tally=tally,
        )


async def _adopt(rows: Sequence[Response], journal: Journal, run: str) -> None:
    """Let a journal know answers that another one has; with a run, what they cost is booked on it too."""
    for first in range(0, len(rows), CHUNK):
        chunk = {_key(row): row for row in rows[first : first + CHUNK]}
        told: list[Coroutine[Any, Any, None]] = []
        for key in chunk.keys() - journal.known(list(chunk)):
            row, text = chunk[key], chunk[key].model_dump_json()
            if run:
                used = Meter(requests=1, cost_usd=row.cost_usd or 0.0)
                used.pay(row.prompt_tokens, row.completion_tokens, None)
                told.append(journal.finish(key, text, is_final=not row.error_kind, run=run, stage="execute", used=used))
            elif not row.error_kind:
                told.append(journal.put(key, text, run=row.source_run))
        await asyncio.gather(*told)


def _key(row: Response) -> str:
    """Return the key of the call that gave a response."""
    return execute.call_key(row.case_id, row.request, row.target, row.trial, row.source_run)


def _settings() -> Settings:
    settings = read_params("execute", Settings)
    require(settings)
    return settings


def _parts(settings: Settings) -> Parts[Response]:
    address = settings.parts or str(files.private("parts"))
    return Parts(address, Response, RESPONSES.order)


def _identity() -> str:
    """Return what tells this machine's journal from others."""
    found = files.private(JOURNAL).stat()
    return f"{platform.node()}:{found.st_dev}:{found.st_ino}"


def _count(tally: Tally, step: Progress) -> None:
    """Tell progress of the calls of one shard."""
    answered = tally.asked - tally.faults.total()
    for fault in ["", *tally.faults]:
        for _ in range(tally.faults[fault] if fault else answered):
            step(Done(is_known=False, fault=fault, cost_usd=tally.cost_usd / tally.asked))
    for _ in range(tally.known):
        step(Done(is_known=True))


def _sum(tallies: Iterable[Tally]) -> Tally:
    total = Tally()
    for tally in tallies:
        total.asked += tally.asked
        total.known += tally.known
        total.requests += tally.requests
        total.prompt_tokens += tally.prompt_tokens
        total.completion_tokens += tally.completion_tokens
        total.cost_usd += tally.cost_usd
        total.faults += tally.faults
    return total
