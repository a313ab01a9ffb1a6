"""Wake: end or extend the open batch, and tell the Prefect server, so that the run that waits for it goes on.

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

from assay.errors import ConfigError
from assay.project import files
from assay.stages import batches

ADDRESS = "prefect-address"
"""Private file that holds the address of the server while `assay serve` runs."""
ENDED = "assay.batch.ended"
"""The event."""


def act(action: batches.Action, who: str, note: str, now: datetime, days: float = 0) -> str:
    """Do what a person asks of the open batch; return what became of it, in a sentence.

    Raises:
        ConfigError: No batch is open, its rule is not met, or a note or a number of days is missing.
    """
    before = batches.require_open()
    batch = batches.act(before, action, who, note, now, days=days)
    if batch.state != "open":
        word = "closed" if batch.state == "close" else "abandoned: none of it is admitted"
        return f"{batch.name} is {word}. {wake(batch.name, now)}"
    if action == "go on":
        raise ConfigError(
            f"{batch.name} stays open ({batches.progress(batch)}), expected all that its rule asks for: decide on the "
            "rest, or close it early and say why"
        )
    return f"{batch.name}: {batches.progress(batch)}."


def wake(batch: str, now: datetime) -> str:
    """Emit the event that a batch has ended; return what will happen, in a sentence."""
    file = files.private(ADDRESS)
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
