"""The nightly run: what does the product do today, and is that worse than what was accepted?"""

from prefect import flow
from prefect.client.schemas.objects import State

from assay.orchestration import artifacts, distribute
from assay.orchestration.runs import night, night_name
from assay.orchestration.steps import optional, recorded
from assay.stages.judge import greet
from tasks.calibrate import calibrate
from tasks.execute import execute
from tasks.judge import judge
from tasks.monitor import monitor
from tasks.publish import publish
from tasks.review import review


@flow(name="nightly", flow_run_name=night_name)
def nightly(
    max_cost_usd: float | None = None, env: str = "", overrides: tuple[str, ...] = (), *, fresh: bool = False
) -> State[None]:
    """Run the product against the evaluation set, judge it, watch production, and publish one report.

    Args:
        max_cost_usd: Refuse a run that would cost more, and stop one that does; needs declared prices. Empty: no bound.
        env: Environment whose params.<env>.yaml holds over params.yaml, such as staging; empty for none.
        overrides: Single values over both, each section.key=value.
        fresh: Ask everything anew, and continue no run that was interrupted.
    """
    with night(review, max_cost_usd, env, overrides, fresh=fresh) as now:
        greet(now, max_cost_usd)
        distribute.execute(execute, now, max_cost_usd)
        recorded(judge, now, max_cost_usd)
        recorded(calibrate, now)
        optional(monitor, now)
        gate, summary = recorded(publish, now)
        return artifacts.verdict(gate, summary)
