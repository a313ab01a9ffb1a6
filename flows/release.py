"""Release the evaluation set: freeze it under a version, push the data, tag the commit."""

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from assay.evalset.versions import Asked
from flows.steps import step
from tasks import store
from tasks.release import release as release_task


@flow(name="release", flow_run_name="release-{bump}")
def release(notes: str, bump: Asked = "auto") -> State[None]:
    """Release the evaluation set as it is.

    Args:
        notes: What changed and why, in a sentence or more.
        bump: `auto` takes what the rule demands: major when a case is gone or asks or expects something else, minor
            when cases were added, patch otherwise. More than that may be asked for.
    """
    now = datetime.now(UTC)
    with store.exclusive("release", now):
        done = step(release_task, bump, notes, now)
        return Completed(name="Released", message="\n".join(done))
