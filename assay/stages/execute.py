"""Execute: what does the product answer to every case of the evaluation set?

Reads the evaluation set, writes responses. Asks the target, each case once a trial and night; a failed call is a row.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Literal

from pydantic import Field

from assay.errors import EndpointError
from assay.models.engine import Answer, Call, Progress, Tally, Work, answer_all
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.models.modes import way
from assay.project import files
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.project.taxonomy import TAXONOMY
from assay.records.case import Case
from assay.records.record import digest
from assay.records.response import Response
from assay.stages.declaration import Output, Stage
from assay.targets.conversation import Target
from assay.targets.open import opened
from assay.targets.product_code import product_inputs
from assay.targets.settings import TargetSettings
from assay.targets.simulated_user import Player, playing

LOG = logging.getLogger(__name__)


class Settings(Limits):
    """The section `execute` of params.yaml."""

    target: TargetSettings
    user: Player | None = None
    """Who plays the simulated users; left out when no case has one."""
    trials: int = Field(default=1, ge=1)
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


def plan(cases: Iterable[Case], target: Target, trials: int, epoch: str) -> Iterator[Call]:
    """Yield one call a case and trial, in the order of the table of responses."""

    def call(case: Case, trial: int) -> Call:
        async def ask() -> Answer:
            response = await target.respond(case, trial, epoch)
            return Answer(response.model_dump_json(), fault=response.error_kind)

        return Call(key(case.case_id, case.revision(), target.fingerprint, trial, epoch), ask)

    return (call(case, trial) for case in cases for trial in range(trials))


def key(case_id: str, revision: str, fingerprint: str, trial: int, epoch: str) -> str:
    """Return a call's key in the journal: what is asked, who is asked, the trial and the epoch."""
    return digest(["execute", case_id, revision, fingerprint, trial, epoch])


async def respond(settings: Settings, journal: Journal, work: Work, step: Progress) -> tuple[str, Tally]:
    """Ask the target for every case; return the fingerprint of who answered, and what the calls came to."""
    who = playing(settings.user, os.environ, limits=settings)
    asking = way(journal, LOG.info)
    async with who as user, opened(settings.target, os.environ, limits=settings, way=asking, user=user) as target:
        calls = plan(CASES.stream(), target, settings.trials, work.run)
        return target.fingerprint, await answer_all(calls, journal, work, progress=step)


def file(fingerprint: str, trials: int, epoch: str, journal: Journal, tally: Tally) -> None:
    """Write the table of responses from the journal, every call found again by its key."""
    with RESPONSES.writing() as add:
        for number, case in enumerate(CASES.stream()):
            revision = case.revision()
            for trial in range(trials):
                outcome = journal.outcome(key(case.case_id, revision, fingerprint, trial, epoch))
                response = Response.model_validate_json(outcome)
                if not (number or trial):
                    reached(tally, response)
                add(response)


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
    settings, run = read_params("execute", Settings), f"{now:%Y-%m-%d}"
    total = CASES.count() * settings.trials
    with Journal(files.private("journal.sqlite")) as journal:
        work = Work(run, "execute", settings.conversations, journal.purse(run, max_cost_usd))
        with progress("execute", total) as step:
            fingerprint, tally = asyncio.run(respond(settings, journal, work, step))
        file(fingerprint, settings.trials, run, journal, tally)
    return tally
