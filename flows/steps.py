"""How a flow runs a stage: as a Prefect task inside a flow run, as the plain function without a server.

A nightly must need no server. So a flow's body calls its stages through `step`, and the same body serves the Prefect
UI, a schedule, and `assay nightly` on a laptop.
"""

from typing import ParamSpec, TypeVar

from prefect import Task
from prefect.context import FlowRunContext

from tasks.record import recording

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def step(stage: Task[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a stage once, visibly in Prefect where there is a flow run."""
    run = stage if FlowRunContext.get() else stage.fn
    return run(*args, **kwargs)


def recorded(stage: Task[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a stage and let DVC record what it read and wrote; nothing is recorded when it fails."""
    with recording(stage.name):
        return step(stage, *args, **kwargs)
