"""Every deployment, and the only cron strings."""

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import UUID

from flows import server
from tasks import store

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

LISTENER = "assay: a batch has ended"
NIGHTLY = "0 2 * * *"
HOURLY = "15 * * * *"
RESUME = "*/10 * * * *"
"""The event of the desk comes first; the clock is for deadlines, and for an event that no server heard."""


def deployments() -> "list[RunnerDeployment]":
    """Return one deployment an intention; schedules are in UTC."""
    from prefect.client.schemas.objects import ConcurrencyLimitConfig, ConcurrencyLimitStrategy
    from prefect.deployments.runner import RunnerDeployment
    from prefect.schedules import Cron

    from flows.calibrate import calibrate
    from flows.grow import grow
    from flows.monitor import monitor
    from flows.nightly import nightly
    from flows.release import release
    from flows.resume import resume
    from flows.stage import stage

    alone = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    nightly_cron, hourly_cron, resume_cron = (Cron(text, timezone="UTC") for text in (NIGHTLY, HOURLY, RESUME))
    of = RunnerDeployment.from_flow
    return [
        of(nightly, name="nightly", schedule=nightly_cron, concurrency_limit=alone),
        of(monitor, name="hourly", schedule=hourly_cron, concurrency_limit=alone, paused=True),
        of(calibrate, name="on-demand"),
        of(grow, name="on-demand"),
        of(resume, name="resume", schedule=resume_cron, concurrency_limit=alone),
        of(release, name="on-demand"),
        of(stage, name="on-demand"),
    ]


def forever(port: int, home: Path) -> None:
    """Start the server and serve all deployments until the process is stopped."""
    os.environ.update(server.settings(port, home))
    from tasks import wake

    note = store.private(wake.ADDRESS)
    with server.running(port, home) as address:
        from prefect import serve

        served = deployments()
        listen(served)
        note.write_text(f"{address}/api", encoding="utf8")
        print(f"assay: Prefect's UI is at {address}", flush=True)  # noqa: T201 - the command's own voice
        try:
            serve(*served, limit=4, print_starting_message=False)
        finally:
            note.unlink(missing_ok=True)


def listen(served: "Sequence[RunnerDeployment]") -> None:
    """Have the server run `resume` whenever the desk says that a batch has ended; replaces what was there before."""
    from prefect.automations import Automation
    from prefect.client.orchestration import get_client
    from prefect.events import EventTrigger, Posture, RunDeployment

    from tasks import wake

    (resume,) = [one for one in served if one.flow_name == "resume"]
    with get_client(sync_client=True) as client:
        for before in client.read_automations_by_name(LISTENER):
            client.delete_automation(before.id)
    Automation(
        name=LISTENER,
        description="The desk ended a batch: the run that waits for it goes on.",
        trigger=EventTrigger(
            posture=Posture.Reactive,
            expect={wake.ENDED},
            match={"prefect.resource.id": "assay.batch.*"},
            threshold=1,
            within=timedelta(0),
        ),
        actions=[RunDeployment(deployment_id=cast("UUID", resume.apply()), parameters={})],
    ).create()
