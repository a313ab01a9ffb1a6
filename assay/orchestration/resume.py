"""Resume: let every `grow` go on whose batch has ended; started by the desk's event, and by the clock."""

from datetime import UTC, datetime

from prefect import flow, get_client
from prefect.client.schemas.filters import (
    FlowFilter,
    FlowFilterName,
    FlowRunFilter,
    FlowRunFilterState,
    FlowRunFilterStateName,
)
from prefect.client.schemas.objects import State
from prefect.states import Completed

from assay.stages import batches

SAID = {"action": "go on", "who": batches.SYSTEM, "note": "the batch has ended"}


@flow(name="resume")
def resume() -> State[None]:
    """Let every suspended `grow` go on whose batch was closed or abandoned, or whose deadline has passed."""
    suspended = FlowRunFilterState(name=FlowRunFilterStateName(any_=["Suspended"]))
    found = []
    with get_client(sync_client=True) as client:
        waiting = client.read_flow_runs(
            flow_filter=FlowFilter(name=FlowFilterName(any_=["grow"])),
            flow_run_filter=FlowRunFilter(state=suspended),
        )
        for run in waiting:
            batch = batches.of_run(str(run.id))
            if batch and batch.is_over(datetime.now(UTC)):
                answer = client.resume_flow_run(run.id, run_input=SAID)
                found.append(f"{run.name}: {answer.status.value}")
    text = f"{len(waiting)} runs wait; resumed: {', '.join(found) or 'none'}"
    return Completed(name="Resumed" if found else "NothingToDo", message=text)
