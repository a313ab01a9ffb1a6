"""Calibrate a judge again, on demand: from the Prefect UI's form or with `assay calibrate`."""

from datetime import UTC, datetime
from typing import Literal

from prefect import flow
from prefect.client.schemas.objects import State
from pydantic import BaseModel, Field

from flows import notices
from flows.steps import recorded, step
from tasks import store
from tasks.calibrate import calibrate as calibrate_stage
from tasks.calibrate import try_out
from tasks.judge import judge as judge_stage
from tasks.publish import publish

Judge = Literal["correctness", "preference"]


class Demands(BaseModel, extra="forbid"):
    """Floors to try in place of those in params.yaml; what is left empty stays as it is."""

    tpr: float | None = Field(default=None, ge=0, le=1, description="Pass/fail: lower bound of TPR")
    tnr: float | None = Field(default=None, ge=0, le=1, description="Pass/fail: lower bound of TNR")
    youden: float | None = Field(default=None, ge=0, le=1, description="Pass/fail: lower bound of TPR + TNR - 1")
    accuracy: float | None = Field(default=None, ge=0, le=1, description="Pairs: lower bound of agreement")
    kappa: float | None = Field(default=None, ge=-1, le=1, description="Pairs: lower bound of weighted kappa")
    max_conflict: float | None = Field(default=None, ge=0, le=1, description="Pairs: upper bound of conflicts")
    max_injected: float | None = Field(default=None, ge=0, le=1, description="Upper bound of moved verdicts")


@flow(name="calibrate", flow_run_name="calibrate-{judge}")
def calibrate(judge: Judge, label_set: str = "", demands: Demands | None = None) -> State[None]:
    """Hold a judge against the held-out labels and issue its certificate anew.

    Args:
        judge: Which judge. Its policy is in params.yaml, section calibrate.
        label_set: The sampling frame whose labels count, as data/labels names it; empty for all.
        demands: Other floors, to see what would become of the judge. Such a certificate is shown and never filed: what
            a gate rests on stands in params.yaml.
    """
    now = datetime.now(UTC)
    wanted = demands.model_dump(exclude_none=True) if demands else {}
    with store.exclusive("calibrate", now):
        if wanted:
            return notices.trial(step(try_out, now, judge, wanted, label_set))
        recorded(judge_stage, now)
        issued = recorded(calibrate_stage, now, [judge], renew=True, frame=label_set)
        recorded(publish, now)
        return notices.certificates(issued)
