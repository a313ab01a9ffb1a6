"""Calibrate a judge again, on demand: from the Prefect UI's form or with `assay calibrate`."""

from prefect import flow
from prefect.client.schemas.objects import State

from assay.orchestration import artifacts
from assay.orchestration.demands import Demands, Judge, tried
from assay.orchestration.runs import running
from assay.orchestration.steps import optional, recorded
from assay.stages.calibrate import require_labels
from tasks.calibrate import calibrate as calibrate_stage
from tasks.judge import judge as judge_stage
from tasks.monitor import monitor
from tasks.publish import publish


@flow(name="calibrate", flow_run_name="calibrate-{judge}")
def calibrate(
    judge: Judge, label_set: str = "", demands: Demands | None = None, env: str = "", overrides: tuple[str, ...] = ()
) -> State[None]:
    """Hold a judge against the held-out labels and issue its certificate anew.

    Args:
        judge: Which judge. Its policy is in its judge.yaml, or in params.yaml, section calibrate.
        label_set: The sampling frame whose labels count, as data/labels names it; empty for all.
        demands: Other floors, to see what would become of the judge; such a certificate is shown and never filed.
        env: Environment whose params.<env>.yaml holds over params.yaml, such as staging; empty for none.
        overrides: Single values over both, each section.key=value.
    """
    with running("calibrate", ("judge", "calibrate", "monitor", "publish"), env, overrides) as now:
        if demands and demands.wanted():
            return tried(now, judge, demands, label_set)
        require_labels(judge, label_set)
        recorded(judge_stage, now)
        issued = recorded(calibrate_stage, now, (judge,), renew=True, frame=label_set)
        optional(monitor, now)
        recorded(publish, now)
        return artifacts.certificates(issued)
