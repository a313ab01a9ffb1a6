"""Watch production traffic and publish what it means for the business."""

from datetime import UTC, datetime

from prefect import flow
from prefect.client.schemas.objects import State

from flows import notices
from flows.steps import recorded
from tasks import store
from tasks.monitor import monitor as monitor_stage
from tasks.publish import publish


@flow(name="monitor")
def monitor() -> State[None]:
    """Measure the signals of the last window against the weeks before, and publish them with the last run's verdict."""
    now = datetime.now(UTC)
    with store.exclusive("monitor", now):
        recorded(monitor_stage, now)
        return notices.verdict(*recorded(publish, now))
