"""Execute: what does the product answer to every case of the evaluation set?

Reads the evaluation set, writes responses. Asks the target, each case once a trial and night; a failed call is a row.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Literal

from prefect import task
from pydantic import Field

from assay.clients.engine import Answer, Call, Progress, Tally, Work, answer_all
from assay.clients.journal import Journal
from assay.clients.limits import Limits
from assay.clients.ways import way
from assay.errors import EndpointError
from assay.records import Case, Response, digest
from assay.targets.conversation import Target
from assay.targets.open import opened
from assay.targets.settings import TargetSettings
from assay.targets.user import Player, playing
from tasks import door, store
from tasks.progress import progress

LOG = logging.getLogger(__name__)


class Settings(Limits):
    """The section `execute` of params.yaml."""

    target: TargetSettings
    user: Player | None = None
    """Who plays the simulated users; left out when no case has one."""
    trials: int = Field(ge=1)
    runner: Literal["threads", "processes", "dask", "ray"] = "threads"
    """`threads` asks from this process; the others from `workers` processes, here or elsewhere (tasks/shards.py)."""
    workers: int = Field(default=2, ge=1, le=1024)
    shard_cases: int | None = Field(default=None, ge=1)
    """Cases that a worker is handed at a time; left out, there are a few shards for each worker."""
    parts: str = ""
    """Where shards are filed: any address of fsspec that all workers can write; empty for .assay/parts."""
    runner_address: str = ""
    """Of a Dask or Ray cluster that runs already; empty to start `workers` processes here."""


def plan(cases: Iterable[Case], target: Target, trials: int, epoch: str) -> Iterator[Call]:
    """Yield one call a case and trial, in the order of the table of responses."""

    def call(case: Case, trial: int) -> Call:
        async def ask() -> Answer:
            response = await target.respond(case, trial, epoch)
            return Answer(response.model_dump_json(), fault=response.error_kind)

        return Call(key(case, target.fingerprint, trial, epoch), ask)

    return (call(case, trial) for case in cases for trial in range(trials))


def key(case: Case, fingerprint: str, trial: int, epoch: str) -> str:
    """Return a call's key in the journal: what is asked, who is asked, the trial and the epoch."""
    return digest(["execute", case.case_id, case.revision(), fingerprint, trial, epoch])


async def respond(settings: Settings, journal: Journal, work: Work, step: Progress) -> tuple[list[str], Tally]:
    """Ask the target for every case; return the keys of the calls, in the table's order, and what they came to."""
    keys: list[str] = []

    def noted(calls: Iterable[Call]) -> Iterator[Call]:
        for call in calls:
            keys.append(call.key)
            yield call

    who = playing(settings.user, os.environ, limits=settings)
    asking = way(journal, LOG.info)
    async with who as user, opened(settings.target, os.environ, limits=settings, way=asking, user=user) as target:
        calls = plan(store.stream("cases", Case), target, settings.trials, work.run)
        return keys, await answer_all(noted(calls), journal, work, progress=step)


def file(keys: Sequence[str], journal: Journal, tally: Tally) -> None:
    """Write the table of responses from the journal."""
    with store.writing("responses") as add:
        for number, key_ in enumerate(keys):
            response = Response.model_validate_json(journal.outcome(key_))
            if not number:
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


@task
def execute(now: datetime, max_cost_usd: float | None = None) -> Tally:
    """Ask the target for every case and file its responses; return what that came to."""
    settings, run = store.params("execute", Settings), f"{now:%Y-%m-%d}"
    total = store.count("cases") * settings.trials
    with Journal(store.private("journal.sqlite")) as journal:
        work = Work(run, "execute", settings.conversations, journal.purse(run, max_cost_usd))
        with progress("execute", total) as step:
            keys, tally = asyncio.run(respond(settings, journal, work, step))
        file(keys, journal, tally)
    return tally


if __name__ == "__main__":
    door.run(lambda: execute.fn(datetime.now(UTC)))
