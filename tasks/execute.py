"""Execute: what does the product answer to every case of the evaluation set?"""

from datetime import datetime

from assay.models.engine import Tally
from assay.orchestration.steps import door, task
from assay.stages import execute as stage


@task
def execute(now: datetime, max_cost_usd: float | None = None) -> Tally:
    """Ask the target for every case and file its responses; return what that came to."""
    return stage.run(now, max_cost_usd)


if __name__ == "__main__":
    door(execute)
