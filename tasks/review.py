"""Review: which cases have people admitted to the evaluation set?"""

from datetime import datetime

from assay.orchestration.steps import door, task
from assay.stages import review as stage


@task
def review(now: datetime) -> int:  # noqa: ARG001 - every stage is told the moment
    """Fold the logs of what people decided into the evaluation set; return its size."""
    return stage.run()


if __name__ == "__main__":
    door(review)
