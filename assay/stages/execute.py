"""Execute: what does the product answer to every case of the evaluation set?

Reads the evaluation set, writes responses. Asks the target, each case once a trial and night; a failed call is a row.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from pydantic import Field

from assay.errors import EndpointError
from assay.models.engine import Answer, Call, Tally, Work, answer_all
from assay.models.journal import Journal, JournaledRun
from assay.models.limits import Limits
from assay.models.modes import way
from assay.project import last_run
from assay.project.answers import Count
from assay.project.journal import open_journal
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import Run, begun
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.project.taxonomy import TAXONOMY
from assay.records.case import Case
from assay.records.record import digest
from assay.records.response import Response
from assay.records.run import Answers
from assay.stages.declaration import Output, Stage
from assay.targets.conversation import Target
from assay.targets.open import opened
from assay.targets.preflight import require_given
from assay.targets.product_code import product_inputs
from assay.targets.settings import TargetSettings, is_version_told
from assay.targets.simulated_user import Player, playing

LOG = logging.getLogger(__name__)
Reuse = Literal["same-night", "same-version", "none"]


class Settings(Limits):
    """The section `execute` of params.yaml."""

    target: TargetSettings
    user: Player | None = None
    """Who plays the simulated users; left out when no case has one."""
    trials: int = Field(default=1, ge=1)
    reuse: Reuse = "same-night"
    """Which answers of earlier runs are kept where the product's version is known and the same: those of the same date,
    of any date, or none. Where it is not known, none ever is."""
    deadline_s: float = Field(default=30, gt=0)
    runner: Literal["threads", "processes", "dask", "ray"] = "threads"
    """`threads` asks from this process; the others from `workers` processes, here or elsewhere (shards.py)."""
    workers: int = Field(default=2, ge=1, le=1024)
    shard_cases: int | None = Field(default=None, ge=1)
    """Cases that a worker is handed at a time; left out, there are a few shards for each worker."""
    parts: str = ""
    """Where shards are filed: any address of fsspec that all workers can write; empty for .assay/parts."""
    runner_address: str = ""
    """Of a Dask or Ray cluster that runs already; empty to start `workers` processes here."""


STAGE = Stage(
    name="execute",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, CASES.path),
    writes=(Output(path=RESPONSES.path),),
    inputs=lambda settings: product_inputs(settings.target),
    asks="the product",
)


@dataclass(frozen=True, kw_only=True)
class Asking:
    """Who is asked in which run, and of which runs answers may be kept."""

    journal: Journal
    run: Run
    target: str
    """Fingerprint of who is asked."""
    trials: int
    runs: Sequence[str]
    """Ids of runs whose answers count, this one's first."""

    def calls(self, cases: Iterable[Case], target: Target) -> Iterator[Call]:
        """Yield one call a case and trial, in the order of the table of responses."""

        def call(case: Case, trial: int) -> Call:
            async def ask() -> Answer:
                response = await target.respond(case, trial, self.run.night)
                return Answer(response.model_dump_json(), fault=response.error_kind)

            return Call(self.key(case, trial), ask)

        return (call(case, trial) for case in cases for trial in range(self.trials))

    def key(self, case: Case, trial: int) -> str:
        """Return the key of the call whose answer counts: this run's, unless another one has answered."""
        return self._source(case.case_id, case.request(), trial)[0]

    def response(self, case: Case, trial: int) -> Response:
        """Return what became of a call that was made, as it is filed."""
        asked = case.request()
        key, source = self._source(case.case_id, asked, trial)
        outcome = self.journal.outcome(key)
        answer = Response.model_validate_json(outcome.answer)
        told: dict[str, object] = {"case_id": case.case_id, "revision": case.revision(), "request": asked}
        told |= {"run": self.run.id, "source_run": source}
        told["answered_at"] = answer.answered_at or datetime.fromtimestamp(outcome.at, UTC)
        return answer.model_copy(update=told)

    def _source(self, case_id: str, asked: str, trial: int) -> tuple[str, str]:
        """Return the key of a call, and the run that it is of; `asked` as from `Case.request`."""
        keys = {call_key(case_id, asked, self.target, trial, run): run for run in self.runs}
        known = self.journal.known(list(keys)) if len(keys) > 1 else set()
        own = next(iter(keys))
        key = next((key for key in keys if key in known), own)
        return key, keys[key]


def call_key(case_id: str, asked: str, target: str, trial: int, run: str) -> str:
    """Return a call's key in the journal.

    Args:
        case_id: The case: two that ask the same are asked twice.
        asked: As from `Case.request`.
        target: Fingerprint of who is asked.
        trial: Which trial.
        run: Id of the run that asks.
    """
    return digest(["execute", case_id, asked, target, trial, run])


def kept_runs(journal: Journal, run: Run, target: Target, reuse: Reuse) -> list[str]:
    """Return the runs whose answers count in a run, itself first: of no other one where the version is not known."""
    if run.is_fresh or reuse == "none" or not target.is_version_known:
        return [run.id]
    earlier = [
        noted.run
        for noted in reversed(journal.runs())
        if noted.is_version_known and noted.has_asked and noted.target == target.fingerprint and noted.run != run.id
        if reuse == "same-version" or f"{datetime.fromtimestamp(noted.began, UTC):%Y-%m-%d}" == run.night
    ]
    return [run.id, *earlier]


def noted(run: Run, target: Target, *, has_asked: bool = True) -> JournaledRun:
    """Return what the journal keeps of a run."""
    began = int(run.began.timestamp())
    return JournaledRun(run.id, began, 0, target.fingerprint, target.is_version_known, has_asked, run.is_fresh)


@asynccontextmanager
async def asking(
    settings: Settings, journal: Journal, run: Run, limits: Settings
) -> AsyncIterator[tuple[Asking, Target]]:
    """Open the product; yield who is asked, with what of earlier runs counts.

    Args:
        settings: The section `execute` of params.yaml.
        journal: Where finished calls are.
        run: In which run.
        limits: How hard the product may be asked: the settings themselves, or a worker's share of them.
    """
    who = playing(settings.user, os.environ, limits=limits)
    mode = way(journal, LOG.info)
    async with who as user, opened(settings.target, os.environ, limits=limits, way=mode, user=user) as target:
        journal.note(noted(run, target))
        runs = kept_runs(journal, run, target, settings.reuse)
        yield Asking(journal=journal, run=run, target=target.fingerprint, trials=settings.trials, runs=runs), target


def file(asked: Asking, target: Target, tally: Tally, *, is_told: bool) -> Answers:
    """Write the table of responses from the journal, every call found again by its key; return whence they come.

    Args:
        asked: What was asked.
        target: Who was asked.
        tally: What that came to.
        is_told: The product itself says which version it is.
    """
    count = Count(asked.run.id)
    with RESPONSES.writing() as add:
        for case in CASES.stream():
            for trial in range(asked.trials):
                response = asked.response(case, trial)
                if not count.total:
                    reached(tally, response)
                count.add(response)
                add(response)
    version = target.version if target.is_version_known else ""
    return count.answers(known=tally.known, version=version, is_told=is_told, undeclared=target.undeclared)


def reached(tally: Tally, first: Response) -> None:
    """Refuse a run in which every single call found the connection broken.

    Raises:
        EndpointError: Nothing was answered, so there is no product to evaluate.
    """
    if tally.asked and not tally.known and tally.faults["connection"] == tally.asked:
        raise EndpointError(
            f"the product dropped all {tally.asked} calls ({first.error}), expected answers: "
            "see what it says, then run again"
        )


def run(now: datetime, max_cost_usd: float | None = None) -> Tally:
    """Ask the target for every case and file its responses; return what that came to."""
    settings, run, total = read_params("execute", Settings), begun(now), CASES.count()
    require_given(settings.target, CASES.stream())

    async def executed(journal: Journal) -> Tally:
        work = Work(run.id, "execute", settings.conversations, journal.purse(run.id, max_cost_usd))
        async with asking(settings, journal, run, settings) as (asked, target):
            with progress("execute", total * settings.trials) as step:
                tally = await answer_all(asked.calls(CASES.stream(), target), journal, work, progress=step)
            answers = file(asked, target, tally, is_told=is_version_told(settings.target))
            journal.note(noted(run, target, has_asked=answers.asked > 0))
        last_run.file_answers(run, answers)
        return tally

    with open_journal() as journal:
        return asyncio.run(executed(journal))
