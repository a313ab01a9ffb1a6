"""Execute: what does the product answer to every case of the evaluation set?

Reads the evaluation set, writes responses. Asks the target, each case once a trial and night; a failed call is a row.
"""

import asyncio
import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from prefect import task
from pydantic import Field

from assay.clients import endpoints
from assay.clients.chat import Chat, Endpoint
from assay.clients.engine import Answer, Call, Tally, answer_all
from assay.clients.journal import Journal
from assay.errors import EndpointError
from assay.records import Case, Record, Response, digest
from assay.targets.chat import ChatTarget, environment
from tasks import door, store


class Settings(Record):
    """The section `execute` of params.yaml."""

    target: endpoints.Target
    trials: int = Field(ge=1)
    concurrency: int = Field(ge=1, le=1024)
    deadline_s: float = Field(gt=0)


def plan(cases: Sequence[Case], target: ChatTarget, trials: int, epoch: str) -> list[Call]:
    """Return one call a case and trial; its key holds what is asked, who is asked, the trial and the epoch."""

    def call(case: Case, trial: int) -> Call:
        async def ask() -> Answer:
            response = await target.respond(case, trial, epoch)
            return Answer(response.model_dump(), is_final=response.status == "ok")

        return Call(key(case, target.fingerprint, trial, epoch), ask)

    return [call(case, trial) for case in cases for trial in range(trials)]


def key(case: Case, fingerprint: str, trial: int, epoch: str) -> str:
    """Return a call's key in the journal."""
    return digest(["execute", case.case_id, case.revision(), fingerprint, trial, epoch])


async def respond(
    settings: Settings,
    endpoint: Endpoint,
    cases: Sequence[Case],
    journal: Journal,
    epoch: str,
    progress: Callable[[], None],
) -> tuple[list[Response], Tally]:
    """Ask the target for every case; return one response a case and trial."""
    async with Chat(endpoint, deadline_s=settings.deadline_s) as chat:
        target = ChatTarget(settings.target.name, chat, environment(settings.target.environment))
        calls = plan(cases, target, settings.trials, epoch)
        answers, tally = await answer_all(calls, journal, concurrency=settings.concurrency, progress=progress)
    return reached([Response.model_validate(answers[call.key]) for call in calls], endpoint), tally


def reached(responses: list[Response], endpoint: Endpoint) -> list[Response]:
    """Return the responses, unless every single one says that the connection failed.

    Raises:
        EndpointError: Nothing was reached, so there is no run to speak of.
    """
    if {response.error_kind for response in responses} == {"connection"}:
        raise EndpointError(
            f"{endpoint} dropped all {len(responses)} calls ({responses[0].error}), expected answers: "
            "see what the product says, then run again"
        )
    return responses


@task
def execute(now: datetime) -> Tally:
    """Ask the target for every case and file its responses; return how many calls that took."""
    settings = store.params("execute", Settings)
    cases = store.read("cases", Case)
    journal_file, bar = store.private("journal.sqlite"), door.progress("execute", len(cases) * settings.trials)
    with endpoints.target(settings.target, os.environ) as endpoint, Journal(journal_file) as journal, bar as step:
        found = asyncio.run(respond(settings, endpoint, cases, journal, f"{now:%Y-%m-%d}", step))
    store.write("responses", found[0])
    return found[1]


if __name__ == "__main__":
    door.run(lambda: execute.fn(datetime.now(UTC)))
