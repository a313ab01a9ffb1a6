"""Publish: is tonight's product worse than what was accepted, and how sure is that?"""

from datetime import datetime

from assay.orchestration.steps import door, task
from assay.report.gate import Gate
from assay.stages import publish as stage
from assay.stages.publish import Summary


@task
def publish(now: datetime) -> tuple[Gate, Summary]:
    """Write the report, the gate's word and the metrics; return the gate and what Prefect shows."""
    return stage.run(now)


if __name__ == "__main__":
    door(publish)
