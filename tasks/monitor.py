"""Monitor: what did production do last week that it did not do before, and what does that cost?"""

from datetime import datetime

from assay.orchestration.steps import door, task
from assay.stages import monitor as stage


@task
def monitor(now: datetime) -> int:
    """Measure the signals of the last window and file them; return how many alert."""
    return stage.run(now)


if __name__ == "__main__":
    door(monitor)
