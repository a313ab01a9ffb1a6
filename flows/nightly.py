"""The nightly run: what does the product do today, and is that worse than what was accepted?"""

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows import notices, spread
from flows.steps import recorded
from tasks import store
from tasks.afford import afford
from tasks.calibrate import calibrate
from tasks.consult import embedded_throughout
from tasks.judge import judge, probing
from tasks.monitor import monitor
from tasks.publish import publish
from tasks.review import review


def name() -> str:
    """Return a run's name: its night."""
    return f"nightly-{datetime.now(UTC):%Y-%m-%d}"


@flow(name="nightly", flow_run_name=name)
def nightly(max_cost_usd: float | None = None) -> State[None]:
    """Run the product against the evaluation set, judge it, watch production, and publish one report.

    Args:
        max_cost_usd: Refuse a run that would cost more, and stop one that does; needs declared prices. Empty: no bound.
    """
    now = datetime.now(UTC)
    with store.exclusive("nightly", now), embedded_throughout():
        if not store.exists("cases"):
            recorded(review)
        if max_cost_usd is not None:
            afford(f"{now:%Y-%m-%d}", max_cost_usd)
        with probing(now, max_cost_usd):
            spread.execute(now, max_cost_usd)
        recorded(judge, now, max_cost_usd)
        recorded(calibrate, now)
        recorded(monitor, now)
        return notices.verdict(*recorded(publish, now))
