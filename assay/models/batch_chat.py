"""Ask through the Batch API: half the price, hours of waiting; whoever asks sees a `Chat` that takes its time.

What is asked is gathered until it is quiet for a moment, sent as one batch, waited for and handed out. A conversation
of several turns is several batches, one after another. All that was paid for is in the journal before it counts: a
restarted run that asks the same again finds the replies, or waits for the batch that is open already.

Keys in the journal: `batch:reply:<request>` is a reply; `batch:sent:<request>` is the mark of the batch that a request
went into, written before that batch is made; `batch:id:<mark>` is the batch's id, written once it is known;
`batch:done:<mark>` says that nothing more will come of it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Self

from assay.errors import AssayError, CallError, EndpointError
from assay.models import batch_files, usage
from assay.models.batch_api import Batch, Batches, Counts
from assay.models.chat import Chat, Endpoint, reply_usage
from assay.models.journal import Journal
from assay.models.limits import Price
from assay.records.record import digest

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""What one batch of OpenAI's may hold."""
CHUNK = 1000
"""Lines of a result file that are read and kept in one go."""
TRIES = 3
"""Batches that one request goes into at most; a service that loses or turns away more than that is given up."""
_REPLY, _SENT, _ID, _DONE = "batch:reply:", "batch:sent:", "batch:id:", "batch:done:"

Fate = Literal["answered", "missing", "unexecuted", "lost", "again"] | AssayError
"""What became of a request: the journal has the reply; no line of the result has it; the batch ended before its turn;
the service forgot the batch; no batch has it yet; or a fault of its own."""


class Fates(NamedTuple):
    """What became of a batch: of each request that a result names, and of all others."""

    by_id: Mapping[str, Fate]
    others: Fate


@dataclass
class _Basket:
    """Requests that are going to be sent together."""

    lines: dict[str, bytes] = field(default_factory=dict)
    size: int = 0
    is_closed: bool = False
    touched: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[Fates]" = field(init=False)
    """Carries the basket, and knows in the end what became of all that is in it."""

    def add(self, custom_id: str, line: bytes) -> None:
        """Put one request in."""
        self.lines[custom_id] = line
        self.size += len(line)
        self.touched.set()

    def close(self) -> None:
        """Let nothing more in."""
        self.is_closed = True
        self.touched.set()

    async def closed(self, quiet_s: float) -> None:
        """Wait until it is closed, which it is at the latest when nothing came for so long."""
        while not self.is_closed:
            self.touched.clear()
            try:
                await asyncio.wait_for(self.touched.wait(), quiet_s)
            except TimeoutError:
                self.is_closed = True


class BatchChat:
    """A chat endpoint asked through its Batch API; outside of a metered call, and for the rest of a batch, directly.

    Two requests are the same request when they ask the same within the same call (`Meter.key`), so each trial has an
    answer of its own, and asking again within one call gives the same answer again.
    """

    def __init__(
        self,
        fallback: Chat,
        journal: Journal,
        *,
        gather_s: float,
        poll_s: float,
        progress: Callable[[Counts], None],
        price: Price | None = None,
        concurrency: int = 16,
        patience_s: float = 3600,
        max_requests: int = MOST_REQUESTS,
        max_bytes: int = MOST_BYTES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Prepare; nothing is contacted yet.

        Args:
            fallback: Asked at once for what an expired or cancelled batch leaves open; the caller closes it.
            journal: Where batches and replies are kept.
            gather_s: A batch is sent when nothing was asked for so long.
            poll_s: The longest wait between two looks at a batch, in seconds.
            progress: Told of each look.
            price: What a token costs in a batch.
            concurrency: Requests to `fallback` at once.
            patience_s: How long the service may be down or busy before the run gives up.
            max_requests: The most requests of one batch.
            max_bytes: The most bytes of one batch.
            sleep: Waits between looks and attempts.
        """
        self.endpoint: Endpoint = fallback.endpoint
        self._fallback, self._journal, self._price = fallback, journal, price
        self._gather_s, self._max_requests, self._max_bytes = gather_s, max_requests, max_bytes
        self._progress = progress
        self._batches = Batches(self.endpoint, poll_s=poll_s, patience_s=patience_s, sleep=sleep)
        self._direct = asyncio.Semaphore(concurrency)
        self._basket: _Basket | None = None
        self._by_request: dict[str, asyncio.Task[Fates]] = {}
        """Requests on their way into a batch."""
        self._by_mark: dict[str, asyncio.Task[Fates]] = {}
        """Batches that are on their way or waited for."""
        self._turned_away: set[str] = set()
        """Marks of batches that wait until another of ours has ended."""

    async def __aenter__(self) -> Self:
        """Return the client itself."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop waiting; the batches go on, and the next run finds them."""
        tasks = {*self._by_request.values(), *self._by_mark.values()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._batches.close()

    def vouch(self, request: dict[str, Any]) -> None:
        """Let it count as an endpoint that has answered a request; see `Chat.vouch`."""
        self._fallback.vouch(request)

    async def complete(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - OpenAI's parameters
        """Return the reply, as `Chat.complete` does, hours later.

        Raises:
            EndpointError: No request can succeed: wrong key, no quota, no Batch API, a batch that was turned away.
            CallError: This request failed; `kind` says how.
            BudgetError: Nothing is left to pay with.
        """
        used = usage.current()
        if not used.key:
            return await self._fallback.complete(**request)
        body = {"model": self.endpoint.model, **request}
        custom_id = digest([used.key, body])
        tries = 0
        while tries < TRIES:
            if (known := self._journal.get(_REPLY + custom_id)) is not None:
                return self._handed_out(known, used)
            used.purse.require()
            fate = await self._fate(custom_id, body)
            tries += fate != "again"
            if isinstance(fate, AssayError):
                raise fate
            if fate == "missing":
                raise CallError("malformed", "no line of the batch's result that can be read answers this request")
            if fate == "unexecuted":
                return await self._directly(custom_id, request)
        raise EndpointError(f"{self.endpoint} lost {TRIES} batches, expected their results: set `mode: interactive`")

    def _handed_out(self, known: str, used: usage.Meter) -> dict[str, Any]:
        """Return a reply and count it: no finished call has done so, or it would not be asked for."""
        reply: dict[str, Any] = json.loads(known)
        counted = reply_usage(reply)
        used.pay(counted.prompt_tokens, counted.completion_tokens, self._price)
        return reply

    async def _directly(self, custom_id: str, request: dict[str, Any]) -> dict[str, Any]:
        async with self._direct:
            reply = await self._fallback.complete(**request)
        await self._journal.put(_REPLY + custom_id, json.dumps(reply))
        return reply

    async def _fate(self, custom_id: str, body: dict[str, Any]) -> Fate:
        """Wait for what becomes of a request, in the batch that has it or else in the next one."""
        task = self._by_request.get(custom_id)
        if task is None:
            mark = self._journal.get(_SENT + custom_id)
            is_open = mark is not None and self._journal.get(_DONE + mark) is None
            task = self._resumed(mark) if mark is not None and is_open else self._gathered(custom_id, body)
        # One caller that gives up must not take the batch from the others.
        by_id, others = await asyncio.shield(task)
        return by_id.get(custom_id, others)

    def _gathered(self, custom_id: str, body: dict[str, Any]) -> asyncio.Task[Fates]:
        """Put a request into the basket that is being filled; a full one is closed, and a new one begun."""
        line = batch_files.request(custom_id, body)
        if len(line) > self._max_bytes:
            raise CallError("refused-request", f"the request has {len(line)} bytes, a batch takes {self._max_bytes}")
        basket = self._basket
        if basket and (len(basket.lines) >= self._max_requests or basket.size + len(line) > self._max_bytes):
            basket.close()
        if basket is None or basket.is_closed:
            basket = self._basket = _Basket()
            basket.task = asyncio.create_task(self._carried(basket))
        basket.add(custom_id, line)
        self._by_request[custom_id] = basket.task
        usage.current().requests += 1
        return basket.task

    async def _carried(self, basket: _Basket) -> Fates:
        """Send a basket once it is closed, and wait for what comes of it."""
        await basket.closed(self._gather_s)
        custom_ids = sorted(basket.lines)
        try:
            # What was sent before and came to nothing makes another mark, so that `find` cannot take one for the other.
            mark = digest([[custom_id, self._journal.get(_SENT + custom_id)] for custom_id in custom_ids])
            self._known_as(mark, basket.task)
            await asyncio.gather(*(self._journal.put(_SENT + custom_id, mark) for custom_id in custom_ids))
        finally:
            for custom_id in custom_ids:
                del self._by_request[custom_id]
        batch = await self._batches.send(mark, b"".join(basket.lines.values()))
        basket.lines.clear()
        return await self._recorded(mark, batch)

    def _resumed(self, mark: str) -> asyncio.Task[Fates]:
        """Wait for a batch that is open already."""
        return self._by_mark.get(mark) or self._known_as(mark, asyncio.create_task(self._found(mark)))

    async def _found(self, mark: str) -> Fates:
        """Wait for a batch of an earlier run, which may have ended before it could send it or note its id."""
        batch = self._journal.get(_ID + mark) or await self._batches.find(mark)
        if batch is None:
            return await self._done(mark, Fates({}, "again"))
        return await self._recorded(mark, batch)

    def _known_as(self, mark: str, task: asyncio.Task[Fates]) -> asyncio.Task[Fates]:
        self._by_mark[mark] = task
        task.add_done_callback(lambda _: self._by_mark.pop(mark))
        return task

    async def _recorded(self, mark: str, batch: str) -> Fates:
        """Note a batch's id, wait for its end and read what it came to."""
        await self._journal.put(_ID + mark, batch)
        self._journal.settle()
        ended = await self._batches.ended(batch, self._progress)
        if ended is None:
            return await self._done(mark, Fates({}, "lost"))
        if ended.status == "failed":
            return await self._done(mark, await self._refused(mark, ended))
        by_id: dict[str, Fate] = {}
        await self._read(mark, ended, by_id)
        if len(by_id) < ended.total():
            # Result files are known to come later than the word that a batch has ended, and to break off on the way.
            await self._batches.rest()
            await self._read(mark, await self._batches.ended(batch, self._progress) or ended, by_id)
        return await self._done(mark, Fates(by_id, "missing" if ended.status == "completed" else "unexecuted"))

    async def _done(self, mark: str, fates: Fates) -> Fates:
        await self._journal.put(_DONE + mark, "true")
        return fates

    async def _refused(self, mark: str, batch: Batch) -> Fates:
        """Wait until another batch makes room for one that is too many.

        Raises:
            EndpointError: There is none to wait for, or it was refused for another reason.
        """
        self._turned_away.add(mark)
        others = [task for other, task in self._by_mark.items() if other not in self._turned_away]
        if not (batch.is_over_limit() and others):
            await self._done(mark, Fates({}, "again"))
            raise EndpointError(
                f"{self.endpoint} refused batch {self._batches.quoted(batch.id)} "
                f"({self._batches.quoted(batch.why())}), expected it to be worked through: "
                "mend that, or set `mode: interactive`"
            )
        await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
        self._turned_away.discard(mark)
        return Fates({}, "again")

    async def _read(self, mark: str, batch: Batch, by_id: dict[str, Fate]) -> None:
        """Keep every reply of a batch, and add what became of each request; the first reply to one counts."""
        for file in (batch.output_file_id, batch.error_file_id):
            lines = (await self._batches.content(file)).split(b"\n")
            for start in range(0, len(lines), CHUNK):
                replies: dict[str, str] = {}
                for custom_id, result in batch_files.results(lines[start : start + CHUNK], self._fallback.read):
                    if self._journal.get(_SENT + custom_id) != mark or by_id.get(custom_id) == "answered":
                        continue
                    if isinstance(result, dict):
                        replies[custom_id], by_id[custom_id] = json.dumps(result), "answered"
                    else:
                        by_id[custom_id] = result
                await asyncio.gather(*(self._journal.put(_REPLY + name, reply) for name, reply in replies.items()))
