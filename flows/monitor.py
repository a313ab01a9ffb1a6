"""Watch production traffic and publish what it means for the business."""

from prefect import flow
from prefect.client.schemas.objects import State

from assay.orchestration import artifacts
from assay.orchestration.runs import running
from assay.orchestration.steps import recorded
from tasks.monitor import monitor as monitor_stage
from tasks.publish import publish


@flow(name="monitor")
def monitor(env: str = "", overrides: tuple[str, ...] = ()) -> State[None]:
    """Measure the signals of the last window against the weeks before, and publish them with the last run's verdict.

    Args:
        env: Environment whose params.<env>.yaml holds over params.yaml, such as staging; empty for none.
        overrides: Single values over both, each section.key=value.
    """
    with running("monitor", ("monitor", "publish"), env, overrides) as now:
        recorded(monitor_stage, now)
        return artifacts.verdict(*recorded(publish, now))
