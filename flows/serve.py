"""Every deployment, and the only cron strings; schedules are in UTC."""

from typing import TYPE_CHECKING

from assay.orchestration.serving import deployment
from flows.calibrate import calibrate
from flows.grow import grow
from flows.monitor import monitor
from flows.nightly import nightly
from flows.release import release
from flows.stage import stage

if TYPE_CHECKING:
    from prefect.deployments.runner import RunnerDeployment

NIGHTLY = "0 2 * * *"
HOURLY = "15 * * * *"


def deployments() -> "list[RunnerDeployment]":
    """Return one deployment an intention."""
    return [
        deployment(nightly, "nightly", cron=NIGHTLY, is_alone=True),
        deployment(monitor, "hourly", cron=HOURLY, is_alone=True, is_paused=True),
        deployment(calibrate, "on-demand"),
        deployment(grow, "on-demand"),
        deployment(release, "on-demand"),
        deployment(stage, "on-demand"),
    ]
