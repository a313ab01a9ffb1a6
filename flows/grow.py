"""Grow the evaluation set: admit what people decided, then propose new candidates and wait for people again."""

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.steps import recorded, step
from tasks import store
from tasks.generate import generate, waiting
from tasks.review import review


@flow(name="grow")
def grow() -> State[None]:
    """Admit decided candidates; once none is waiting for a person, generate the next batch."""
    now = datetime.now(UTC)
    with store.exclusive("grow", now):
        recorded(review)
        if not (undecided := step(waiting)):
            undecided = recorded(generate, now)
        text = f"{undecided} candidates wait for a decision: `assay export candidates FILE.csv`, decide, `assay import`"
        return Completed(name="AwaitingReview", message=text)
