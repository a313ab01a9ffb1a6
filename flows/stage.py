"""Run any one stage by itself, chosen in a form."""

from datetime import UTC, datetime
from typing import Any, Literal

from prefect import Task, flow

from flows import spread
from flows.steps import recorded
from tasks import store
from tasks.calibrate import calibrate
from tasks.generate import generate
from tasks.judge import judge
from tasks.monitor import monitor
from tasks.publish import publish
from tasks.review import review

Stage = Literal["generate", "review", "execute", "judge", "calibrate", "monitor", "publish"]
STAGES: dict[str, Task[..., Any]] = {
    "generate": generate,
    "judge": judge,
    "calibrate": calibrate,
    "monitor": monitor,
    "publish": publish,
}


@flow(name="stage", flow_run_name="stage-{name}")
def stage(name: Stage) -> None:
    """Run one stage on what the others left in data/.

    Args:
        name: The stage, as in dvc.yaml.
    """
    now = datetime.now(UTC)
    with store.exclusive(f"stage {name}", now):
        if name == "review":
            recorded(review)
        elif name == "execute":
            spread.execute(now)
        else:
            recorded(STAGES[name], now)
