"""Calibrate: does the judge agree with people on answers that it was not tuned on?"""

from datetime import datetime

from assay.calibration.certificate import Certificate
from assay.orchestration.steps import door, task
from assay.stages import calibrate as stage


@task
def calibrate(
    now: datetime, judges: tuple[str, ...] = (), *, renew: bool = False, frame: str = ""
) -> list[Certificate]:
    """Issue the certificates that are missing, or anew where a person asks for it; return those of `judges`, or all."""
    return stage.run(now, judges, renew=renew, frame=frame)


if __name__ == "__main__":
    door(calibrate)
