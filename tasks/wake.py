"""Wake: tell the Prefect server that a batch has ended, so that the run that waits for it goes on.

Without a server nothing waits, and `assay grow` does what is left. A server that cannot be reached finds out by itself:
the deployment `resume` looks every few minutes.
"""

import os
import uuid
from datetime import datetime

import httpx
from prefect.client.orchestration import get_client
from prefect.exceptions import PrefectException
from prefect.settings import PREFECT_API_URL, temporary_settings

from tasks import store

ADDRESS = "prefect-address"
"""Private file that holds the address of the server while `assay serve` runs."""
ENDED = "assay.batch.ended"
"""The event."""


def wake(batch: str, now: datetime) -> str:
    """Emit the event that a batch has ended; return what will happen, in a sentence."""
    file = store.private(ADDRESS)
    address = os.environ.get("PREFECT_API_URL") or (file.read_text(encoding="utf8").strip() if file.is_file() else "")
    if not address:
        return "No Prefect server runs: `assay grow` admits what was decided."
    event = {
        "id": str(uuid.uuid4()),
        "occurred": now.isoformat(),
        "event": ENDED,
        "resource": {"prefect.resource.id": f"assay.batch.{batch}", "prefect.resource.name": batch},
    }
    try:
        with temporary_settings({PREFECT_API_URL: address}), get_client(sync_client=True) as client:
            client.request("POST", "/events", json=[event]).raise_for_status()
    except (httpx.HTTPError, PrefectException, RuntimeError) as error:
        return f"The Prefect server at {address} does not answer ({error}): it goes on by itself once it is back."
    return "The run that waits for it goes on now."
