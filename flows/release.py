"""Release the evaluation set: freeze it under a version, tag the commit, push the data."""

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from flows.steps import step
from tasks import store
from tasks.release import release as release_task


@flow(name="release", flow_run_name="release-{version}")
def release(version: str, note: str) -> State[None]:
    """Release the evaluation set as it is.

    Args:
        version: Such as v1.4.0, higher than every release before.
        note: What changed and why, in a sentence.
    """
    now = datetime.now(UTC)
    with store.exclusive("release", now):
        return Completed(name="Released", message=step(release_task, version, note, now))
