"""Run any one stage by itself, chosen in a form."""

from typing import Literal

from prefect import flow

from assay.orchestration import distribute
from assay.orchestration.runs import running
from assay.orchestration.steps import Step, recorded
from tasks.calibrate import calibrate
from tasks.execute import execute
from tasks.generate import generate
from tasks.judge import judge
from tasks.monitor import monitor
from tasks.publish import publish
from tasks.review import review

Stage = Literal["generate", "review", "execute", "judge", "calibrate", "monitor", "publish"]
STAGES: dict[str, Step[..., object]] = {
    step.name: step for step in (generate, review, judge, calibrate, monitor, publish)
}


@flow(name="stage", flow_run_name="stage-{name}")
def stage(name: Stage, env: str = "", overrides: tuple[str, ...] = ()) -> None:
    """Run one stage on what the others left in data/.

    Args:
        name: The stage, as in dvc.yaml.
        env: Environment whose params.<env>.yaml holds over params.yaml, such as staging; empty for none.
        overrides: Single values over both, each section.key=value.
    """
    with running(f"stage {name}", (name,), env, overrides) as now:
        if name == "execute":
            distribute.execute(execute, now)
        else:
            recorded(STAGES[name], now)
