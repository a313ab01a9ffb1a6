"""Growth of the evaluation set: open a batch of candidates, wait until people have decided, say what came of it.

The wait holds no worker: the run is suspended, and what ends the batch (the desk, somebody in the form, its deadline)
resumes it. A resumed run starts from the top, so every step asks the logs of data/ what is done already; what it waits
for is the batch that it opened itself, whatever lies in data/candidates by then.
"""

from datetime import UTC, datetime
from itertools import count

from prefect import get_run_logger, suspend_flow_run
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.input import RunInput
from prefect.states import Completed
from pydantic import Field

from assay.errors import ConfigError
from assay.evalset.admission import Batch
from assay.orchestration import artifacts
from assay.orchestration.steps import Step, recorded
from assay.project import files
from assay.stages import batches
from assay.stages.generate import DROPPED

PATIENCE_S = 900
"""How long a resumed run waits for another one, such as the nightly, to end."""


class Act(RunInput):
    """What a person can do with an open batch from Prefect's form; leaving its fields as they are does nothing."""

    action: batches.Action = Field(title="What to do", description="`go on` admits nothing before the rule is met.")
    who: str = Field(title="Your name", min_length=1, max_length=100)
    note: str = Field(title="Why", min_length=1, max_length=2000)
    days: float = Field(default=7, title="Days, to extend by", gt=0, le=365)


def patience_s() -> float:
    """Return how long to wait for the project: a run of a server waits, a person is told at once."""
    return PATIENCE_S if _run_id() else 0


def next_batch(now: datetime, generate: Step[[datetime], int], review: Step[[datetime], int]) -> Batch | None:
    """Return the batch that people are to decide on: this run's own, the open one, or a new one; None without any.

    Args:
        now: The moment.
        generate: Proposes candidates, where nothing waits for people.
        review: Admits what people decided so far.
    """
    run = _run_id()
    if own := batches.of_run(run):
        return own
    batch = batches.opened()
    if batch:
        batch = batches.expire(batch, now)
    recorded(review, now)
    if batch and batch.state == "open":
        return batch
    if not batches.undecided():
        recorded(generate, now)
    candidates = batches.undecided()
    if not candidates:
        return None
    batch = batches.open_batch(candidates, run, now)
    recorded(review, now)
    return batch


def is_awaited(batch: Batch | None) -> bool:
    """Tell whether this run is the one that waits for the batch; without a server nothing waits."""
    return batch is not None and bool(_run_id()) and batch.run == _run_id()


def opened(batch: Batch | None) -> State[None]:
    """Return the final state of a run that does not wait: what people have to decide on."""
    if batch is None:
        return Completed(name="NothingNew", message=_nothing())
    return Completed(name="AwaitingReview", message=artifacts.batch(batch))


def _nothing() -> str:
    """Return why there is no candidate: what the generator said could not be read, or is there already."""
    if held := batches.held():
        return f"no candidate: {held}"
    told = files.read_json(DROPPED, "run `assay grow`")
    if told.get("asks") == 0:
        return "no candidate: every category has its quota; `--set generate.beyond_quota=true` asks nevertheless"
    unread: list[str] = told["unread"]
    if not unread:
        return "no candidate came through the filters: widen the taxonomy"
    return f"no candidate: {len(unread)} times what the generator said could not be read ({unread[0]}): mend it"


def wait(batch: Batch) -> Batch:
    """Return the batch once it has ended; until then the run is suspended, and nobody works on it."""
    for gate in count(1):
        batch = batches.expire(batches.known()[batch.name], datetime.now(UTC))
        if batch.state != "open":
            break
        artifacts.awaiting(batch)
        act = suspend_flow_run(wait_for_input=Act.with_initial_data(description=artifacts.batch(batch)), timeout=None)
        try:
            place = f"{_run_id()}/{gate}"
            batches.act(batch, act.action, act.who, act.note, datetime.now(UTC), days=act.days, gate=place)
        except ConfigError as error:
            get_run_logger().error("%s; the run waits on", error)
    return batch


def ended(batch: Batch, cases: int) -> State[None]:
    """Return the final state of a run whose batch has ended: how many candidates were admitted."""
    admitted = sum(standing.case is not None for standing in batches.standing_of(batch).values())
    name = {"close": "Admitted", "abandon": "Abandoned"}[batch.state]
    text = f"{admitted if name == 'Admitted' else 0} of {len(batch.candidates)} candidates admitted ({batch.why})"
    return Completed(name=name, message=f"{text}; the set has {cases} cases")


def _run_id() -> str:
    """Return the id of this flow run; empty without a server."""
    context = FlowRunContext.get()
    return str(context.flow_run.id) if context and context.flow_run else ""
