"""Serving: every deployment of a project on one server, until the process is stopped."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from prefect import Flow

from assay.orchestration import batch_events, server
from assay.project import files
from assay.project.entrypoint import TERMINATED

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

LISTENER = "assay: a batch has ended"
RESUME = timedelta(minutes=10)
"""The event of the desk comes first; the clock is for deadlines, and for an event that no server heard."""


def deployment(
    flow: Flow[..., Any],
    name: str,
    *,
    cron: str = "",
    every: timedelta | None = None,
    is_alone: bool = False,
    is_paused: bool = False,
    is_packaged: bool = False,
) -> "RunnerDeployment":
    """Return a deployment of a flow.

    Args:
        flow: What runs.
        name: Of the deployment.
        cron: Its schedule, in UTC; empty for none.
        every: How often it runs instead; None for none.
        is_alone: A run that would begin while another one is on is cancelled.
        is_paused: The schedule waits until somebody starts it.
        is_packaged: The flow is the tool's own, found by its module and not by a file of the project.
    """
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    limit = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    return RunnerDeployment.from_flow(
        flow,
        name=name,
        schedule=Cron(cron, timezone="UTC") if cron else None,
        interval=every,
        concurrency_limit=limit if is_alone else None,
        paused=is_paused,
        entrypoint_type=EntrypointType.MODULE_PATH if is_packaged else EntrypointType.FILE_PATH,
    )


def forever(port: int, home: Path, deployments: "Callable[[], Sequence[RunnerDeployment]]") -> None:
    """Start the server and serve all deployments until the process is stopped.

    The environment has the server's settings already: Prefect reads them when it is first imported.

    Raises:
        SystemExit: SIGTERM came, which Prefect handles itself and ends with 0.
    """
    note = files.private(batch_events.ADDRESS)
    with server.running(port, home) as address:
        from prefect import serve

        resume = resuming()
        listen(resume)
        note.write_text(f"{address}/api", encoding="utf8")
        print(f"assay: Prefect's UI is at {address}", flush=True)  # noqa: T201 - the command's own voice
        try:
            serve(*deployments(), resume, limit=4, print_starting_message=False)
        except SystemExit as error:
            raise SystemExit(TERMINATED) from error
        finally:
            note.unlink(missing_ok=True)


def resuming() -> "RunnerDeployment":
    """Return the deployment that lets a waiting `grow` go on."""
    from assay.orchestration.resume import resume

    return deployment(resume, "resume", every=RESUME, is_alone=True, is_packaged=True)


def listen(resume: "RunnerDeployment") -> None:
    """Have the server run `resume` whenever the desk says that a batch has ended; replaces what was there before."""
    from prefect.automations import Automation
    from prefect.client.orchestration import get_client
    from prefect.events import EventTrigger, Posture, RunDeployment

    with get_client(sync_client=True) as client:
        for before in client.read_automations_by_name(LISTENER):
            client.delete_automation(before.id)
    Automation(
        name=LISTENER,
        description="The desk ended a batch: the run that waits for it goes on.",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            expect={batch_events.ENDED},
            match={"prefect.resource.id": "assay.batch.*"},
            threshold=1,
            within=timedelta(0),
        ),
        actions=[RunDeployment(deployment_id=cast("UUID", resume.apply()), parameters={})],
    ).create()
