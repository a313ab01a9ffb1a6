"""Demands: other floors of a judge's policy, tried from Prefect's form; nothing is filed."""

from datetime import datetime
from typing import Annotated

from prefect.client.schemas.objects import State
from pydantic import BaseModel, Field, WithJsonSchema

from assay.calibration.certificate import Certificate
from assay.judges import prompt
from assay.orchestration import artifacts
from assay.orchestration.steps import task
from assay.stages import calibrate

Judge = Annotated[str, WithJsonSchema({"type": "string", "enum": prompt.names()})]
"""One of the project's judges: the form of the Prefect UI lists those that there are when it is served."""


class Demands(BaseModel, extra="forbid"):
    """Floors to try in place of those in params.yaml; what is left empty stays as it is."""

    tpr: float | None = Field(default=None, ge=0, le=1, description="Pass/fail: lower bound of TPR")
    tnr: float | None = Field(default=None, ge=0, le=1, description="Pass/fail: lower bound of TNR")
    youden: float | None = Field(default=None, ge=0, le=1, description="Pass/fail: lower bound of TPR + TNR - 1")
    accuracy: float | None = Field(default=None, ge=0, le=1, description="Pairs: lower bound of agreement")
    kappa: float | None = Field(default=None, ge=-1, le=1, description="Pairs: lower bound of weighted kappa")
    max_conflict: float | None = Field(default=None, ge=0, le=1, description="Pairs: upper bound of conflicts")
    max_injected: float | None = Field(default=None, ge=0, le=1, description="Upper bound of moved verdicts")

    def wanted(self) -> dict[str, float]:
        """Return the floors that are asked for."""
        return self.model_dump(exclude_none=True)


@task
def try_out(now: datetime, judge: str, demands: dict[str, float], frame: str = "") -> Certificate:
    """Return the certificate that a judge would have under other demands."""
    return calibrate.try_out(now, judge, demands, frame)


def tried(now: datetime, judge: str, demands: Demands, frame: str) -> State[None]:
    """Return the final state of a trial of other demands."""
    return artifacts.trial(try_out(now, judge, demands.wanted(), frame))
