"""Grow the evaluation set: generate candidates, wait for people, admit what they decided.

The wait holds no worker: the run is suspended, and what ends the batch (the desk, somebody in the form, its deadline)
resumes it. A resumed run starts from the top, so every step asks the logs of data/ what is done already; what it waits
for is the batch that it opened itself, whatever lies in data/candidates by then.
"""

from datetime import UTC, datetime
from itertools import count

from prefect import flow, get_run_logger, suspend_flow_run
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.input import RunInput
from prefect.states import Completed
from pydantic import Field

from assay.admission import Batch
from assay.errors import ConfigError
from flows import notices
from flows.steps import recorded
from tasks import batches, store
from tasks.generate import generate
from tasks.review import review

PATIENCE_S = 900
"""How long a resumed run waits for another one, such as the nightly, to end."""


class Act(RunInput):
    """What a person can do with an open batch from Prefect's form; leaving its fields as they are does nothing."""

    action: batches.Action = Field(title="What to do", description="`go on` admits nothing before the rule is met.")
    who: str = Field(title="Your name", min_length=1, max_length=100)
    note: str = Field(title="Why", min_length=1, max_length=2000)
    days: float = Field(default=7, title="Days, to extend by", gt=0, le=365)


@flow(name="grow")
def grow() -> State[None]:
    """Propose new cases, wait until people have decided on them at the desk, and admit what they decided."""
    run = _run()
    with store.exclusive("grow", datetime.now(UTC), PATIENCE_S if run else 0):
        batch = _batch(run, datetime.now(UTC))
    if batch is None:
        return Completed(name="NothingNew", message="no candidate came through the filters: widen the taxonomy")
    if not run or batch.run != run:
        return Completed(name="AwaitingReview", message=notices.batch(batch))
    batch = _wait(batch, run)
    with store.exclusive("grow", datetime.now(UTC), PATIENCE_S):
        size = recorded(review)
    admitted = sum(one.case is not None for one in batches.standing_of(batch).values())
    word = {"close": "Admitted", "abandon": "Abandoned"}[batch.state]
    text = f"{admitted if word == 'Admitted' else 0} of {len(batch.candidates)} candidates admitted ({batch.why})"
    return Completed(name=word, message=f"{text}; the set has {size} cases")


def _batch(run: str, now: datetime) -> Batch | None:
    """Return the batch that people are to decide on: this run's own, the open one, or a new one."""
    own = batches.of_run(run)
    if own:
        return own
    there = batches.opened()
    if there:
        there = batches.expire(there, now)
    recorded(review)
    if there and there.state == "open":
        return there
    if not batches.undecided():
        recorded(generate, now)
    found = batches.undecided()
    if not found:
        return None
    there = batches.open_batch(found, run, now)
    recorded(review)
    return there


def _wait(batch: Batch, run: str) -> Batch:
    """Return the batch once it has ended; until then the run is suspended, and nobody works on it."""
    for gate in count(1):
        batch = batches.expire(batches.known()[batch.name], datetime.now(UTC))
        if batch.state != "open":
            break
        notices.awaiting(batch)
        said = suspend_flow_run(wait_for_input=Act.with_initial_data(description=notices.batch(batch)), timeout=None)
        try:
            batches.act(
                batch, said.action, said.who, said.note, datetime.now(UTC), days=said.days, gate=f"{run}/{gate}"
            )
        except ConfigError as error:
            get_run_logger().error("%s; the run waits on", error)
    return batch


def _run() -> str:
    """Return the id of this flow run; empty without a server."""
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else ""
