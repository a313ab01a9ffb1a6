"""Steps of a flow: the decorator `task`, and how a stage is run, recorded and opened to DVC.

A nightly must need no server. So a step is a Prefect task inside a flow run, and the plain function without one; the
same flow serves the Prefect UI, a schedule, and `assay nightly` on a laptop.
"""

import contextvars
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial, update_wrapper
from typing import Generic, ParamSpec, TypeVar
from uuid import UUID

from prefect import Task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.context import FlowRunContext

from assay.project import code_lock, continuation, failures, results, run_id, whose
from assay.project.dvc import recording
from assay.project.entrypoint import run
from assay.project.progress import Say, reporter
from assay.project.tables.signals import SIGNALS
from assay.records.optional import Guard
from assay.records.parts import PARTS

OPTIONAL = {"monitor": (PARTS["signals"], SIGNALS)}
"""Stages that no verdict rests on: what the report calls what they find, and the table that a later stage expects."""
LOG = logging.getLogger(__name__)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result", covariant=True)  # noqa: PLC0105 - the plain name reads better


class Step(Generic[Arguments, Result]):
    """A function of a project that a flow calls."""

    def __init__(self, fn: Callable[Arguments, Result]) -> None:
        """Wrap a function; it keeps its name and docstring."""
        self.fn = fn
        self.name = fn.__name__
        self._task: Task[Arguments, Result] = Task(fn)
        update_wrapper(self, fn)

    def __call__(self, *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        """Run it: in a flow run as a Prefect task that the UI shows, else as it is."""
        if FlowRunContext.get() is None:
            return self.fn(*args, **kwargs)
        with reporting():
            return self._task(*args, **kwargs)


def task(fn: Callable[Arguments, Result]) -> Step[Arguments, Result]:
    """Make a step of a function: `@task`, as Prefect's, that needs no server."""
    return Step(fn)


def recorded(stage: Step[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
    """Run a stage and let DVC record what it read and wrote; nothing is recorded when it fails."""
    with recording(stage.name):
        return stage(*args, **kwargs)


def optional(stage: Step[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs) -> Result | None:
    """Run a stage that no verdict rests on, as `recorded` does; where it fails that is noted, and the run goes on.

    Raises:
        BudgetError: The run may cost no more; likewise EndpointError, where nobody can be asked.
    """
    guard = Guard()
    part, table = OPTIONAL[stage.name]
    result = guard.optional(part, lambda: recorded(stage, *args, **kwargs), None)
    if guard.failures:
        failures.keep(stage.name, guard)
        if not table.exists():
            table.write([])
    return result


def door(stage: Step[..., object]) -> None:
    """Run a stage as `python -m tasks.<stage>`, for `dvc repro`; refused where assay.lock is stale.

    The stages that one `assay repro` starts are one run. An error of ours is one sentence on stderr and its exit code.
    """

    def command() -> None:
        code_lock.require_fresh(stage.name)
        mine = run_id.handed_down(os.environ) or run_id.starting()
        mine = continuation.resumed(mine) if stage.name == "execute" else continuation.as_begun(mine)
        with run_id.being(mine):
            stage.fn(datetime.now(UTC))
            if not results.is_interrupted(mine.id):  # that one ends once it is published
                continuation.ended(mine)
            if stage.name == "publish":
                whose.conclude()

    run(command)


@contextmanager
def reporting() -> Iterator[None]:
    """Show the progress of stages inside the block as artifacts of the flow run too."""
    token = reporter.set(_artifact)
    try:
        yield
    finally:
        reporter.reset(token)


@contextmanager
def _artifact(what: str) -> Iterator[Say]:
    """Yield a function that updates this stage's progress artifact of the flow run.

    Prefect's client is called in a thread of its own, so that no answer waits for the server.
    """
    artifact: UUID = create_progress_artifact(progress=0.0, key=f"progress-{what}", description=what)  # type: ignore[assignment]
    updates: list[Future[object]] = []
    with ThreadPoolExecutor(1) as apart:
        here = contextvars.copy_context()

        def tell(line: str, share: float) -> None:
            update = partial(update_progress_artifact, artifact_id=artifact, progress=share * 100, description=line)
            updates.append(apart.submit(here.run, update))

        yield tell
    for failed in filter(None, (update.exception() for update in updates)):
        LOG.warning("Prefect did not take the progress of %s: %s", what, failed)
