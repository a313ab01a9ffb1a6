"""Judge: what do the checks and the judges say of tonight's responses, of the baseline's, and of the anchors?"""

from datetime import datetime

from assay.models.engine import Tally
from assay.orchestration.steps import door, task
from assay.stages import judge as stage


@task
def judge(now: datetime, max_cost_usd: float | None = None) -> Tally:
    """Judge tonight's responses, the baseline's and the anchors; return what that came to."""
    return stage.run(now, max_cost_usd)


if __name__ == "__main__":
    door(judge)
