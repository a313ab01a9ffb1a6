"""Calibrate a judge again, on demand: from the Prefect UI's form or with `assay calibrate`."""

from datetime import UTC, datetime
from typing import Literal

from prefect import flow
from prefect.client.schemas.objects import State

from flows import notices
from flows.steps import recorded
from tasks import store
from tasks.calibrate import calibrate as calibrate_stage
from tasks.judge import judge as judge_stage
from tasks.publish import publish

Judge = Literal["correctness", "preference"]


@flow(name="calibrate", flow_run_name="calibrate-{judge}")
def calibrate(judge: Judge) -> State[None]:
    """Hold a judge against the held-out labels and issue its certificate anew.

    Args:
        judge: Which judge. Its policy is in params.yaml, section calibrate.
    """
    now = datetime.now(UTC)
    with store.exclusive("calibrate", now):
        recorded(judge_stage, now)
        issued = recorded(calibrate_stage, now, [judge], renew=True)
        recorded(publish, now)
        return notices.certificates(issued)
