"""The two ways to ask a chat endpoint, chosen in params.yaml: now, or through the Batch API at half the price."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from assay.models.chat import Asks, Chat, Endpoint
from assay.models.decision import Decisions
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.models.resumable import Turns

Way = Callable[[Endpoint, Limits], AbstractAsyncContextManager[Asks]]


def way(journal: Journal, tell: Callable[[str], None]) -> Way:
    """Return a function that opens an endpoint in the mode that its limits name.

    Args:
        journal: Where the turns of conversations that were cut short are kept, and open batches with their replies.
        tell: Told how far a batch is, whenever it was looked at.
    """

    @asynccontextmanager
    async def opened(endpoint: Endpoint, limits: Limits) -> AsyncIterator[Asks]:
        async with Chat(endpoint, limits) as chat:
            if endpoint.api != "chat":
                yield Decisions(chat)
                return
            if limits.mode == "interactive":
                yield Turns(chat, journal, limits.price)
                return
            from assay.models.batch_chat import BatchChat

            batched = BatchChat(
                chat,
                journal,
                gather_s=limits.gather_s,
                poll_s=limits.poll_s,
                progress=lambda counts: tell(f"batch {counts.batch}: {counts.completed} of {counts.total} answered"),
                price=limits.price,
                concurrency=limits.concurrency,
            )
            async with batched:
                yield batched

    return opened
