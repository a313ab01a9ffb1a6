"""The nightly run: what does the product do today, and is that worse than what was accepted?"""

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows import notices
from flows.steps import recorded
from tasks import store
from tasks.calibrate import calibrate
from tasks.consult import embedded_throughout
from tasks.execute import execute
from tasks.judge import judge
from tasks.monitor import monitor
from tasks.publish import publish
from tasks.review import review


def name() -> str:
    """Return a run's name: its night."""
    return f"nightly-{datetime.now(UTC):%Y-%m-%d}"


@flow(name="nightly", flow_run_name=name)
def nightly() -> State[None]:
    """Run the product against the evaluation set, judge it, watch production, and publish one report."""
    now = datetime.now(UTC)
    with store.exclusive("nightly", now), embedded_throughout():
        if not store.exists("cases"):
            recorded(review)
        recorded(execute, now)
        recorded(judge, now)
        recorded(calibrate, now)
        recorded(monitor, now)
        return notices.verdict(*recorded(publish, now))
