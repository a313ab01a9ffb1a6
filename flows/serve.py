"""Every deployment, and the only cron strings."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from flows import server

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

NIGHTLY = "0 2 * * *"
HOURLY = "15 * * * *"


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
    from flows.stage import stage

    alone = ConcurrencyLimitConfig(limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW)
    nightly_cron, hourly_cron = Cron(NIGHTLY, timezone="UTC"), Cron(HOURLY, timezone="UTC")
    of = RunnerDeployment.from_flow
    return [
        of(nightly, name="nightly", schedule=nightly_cron, concurrency_limit=alone),
        of(monitor, name="hourly", schedule=hourly_cron, concurrency_limit=alone, paused=True),
        of(calibrate, name="on-demand"),
        of(grow, name="on-demand"),
        of(release, name="on-demand"),
        of(stage, name="on-demand"),
    ]


def forever(port: int, home: Path) -> None:
    """Start the server and serve all deployments until the process is stopped."""
    os.environ.update(server.settings(port, home))
    with server.running(port, home) as address:
        from prefect import serve

        print(f"assay: Prefect's UI is at {address}", flush=True)  # noqa: T201 - the command's own voice
        serve(*deployments(), limit=2, print_starting_message=False)
