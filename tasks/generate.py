"""Generate: which new cases should people look at, in the categories that are covered thinnest?"""

from datetime import datetime

from assay.orchestration.steps import door, task
from assay.stages import generate as stage


@task
def generate(now: datetime) -> int:
    """Propose a batch of candidates and file them; return how many."""
    return stage.run(now)


if __name__ == "__main__":
    door(generate)
