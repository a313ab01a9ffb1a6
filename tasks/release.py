"""Release: which evaluation set is this, what changed since the last one, and may it go out?"""

from datetime import datetime

from assay.evalset.versions import Asked
from assay.orchestration.steps import task
from assay.stages import release as stage


@task
def release(bump: Asked, notes: str, now: datetime) -> list[str]:
    """Release the evaluation set as it is; return the steps that were done."""
    return stage.run(bump, notes, now)
