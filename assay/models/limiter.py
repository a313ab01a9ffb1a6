"""How many requests an endpoint gets at once and a minute: as many as allowed, fewer while it says that it is too many.

The number in flight follows AIMD in the form of DCTCP (Alizadeh et al., SIGCOMM 2010, eq. 2): once a window of as many
answers as are in flight, it shrinks by half the *share* of overload answers and grows by a constant step. So a few
stray 429s cost little, a real limit is found, and the way back up is always open. The rate is learnt in pace.py, and
breaker.py knows an endpoint that is not there at all.
"""

import asyncio
from collections import deque

from aiolimiter import AsyncLimiter

from assay.errors import CallError, OverloadError
from assay.models import usage
from assay.models.breaker import LONGEST_S, Breaker, is_outage, is_rate_limit
from assay.models.limits import Limits
from assay.models.pace import Pace, Ticket

STEPS = 16
"""Windows without overload that lead from nothing to the full number."""
TOKENS_BURST_S = 5
"""Tokens of so many seconds may be asked for at once."""
UNASKED_S = 10.0
"""The longest wait after a refusal that does not say how long."""
TOLD_S = 5.0
"""Whoever waits for longer than that says so on the progress line."""


class Governor:
    """The gate before one endpoint; `enter` and `leave` stand around every single request."""

    def __init__(self, limits: Limits, name: str = "") -> None:
        """Start at full speed: most endpoints can, and one that cannot says so within a window.

        Args:
            limits: How hard it may be asked.
            name: What messages call it.
        """
        self.breaker = Breaker(name, limits.patience_s)
        self._pace, self._name = Pace(), name
        self._most = limits.concurrency
        self._step = max(1.0, self._most / STEPS)
        self._limit = float(self._most)
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._answers = self._overloads = self._unheard = 0
        self._requests = _bucket(limits.requests_per_minute, 1)
        self._tokens = _bucket(limits.tokens_per_minute, TOKENS_BURST_S)
        self._lane = asyncio.Lock()
        self._probe: asyncio.Future[None] | None = None

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    async def enter(self, tokens: int) -> Ticket:
        """Wait until one more request may be sent, and return what `leave` is to be told of it.

        Args:
            tokens: How many tokens it will take, as far as anybody can tell beforehand.

        Raises:
            EndpointError: The endpoint is down, and has been for longer than is waited for.
        """
        if self._requests:
            await self._requests.acquire()
        if self._tokens:
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))
        if self._in_flight < self.limit and not self._waiting:
            self._in_flight += 1
        else:
            await self._place()
        loop = asyncio.get_running_loop()
        if self._pace.is_free and self.breaker.trouble is None:
            return self._pace.send(loop.time(), id(usage.current()))
        try:
            return await self._turn(loop)
        except BaseException:
            self._free()
            raise

    async def _place(self) -> None:
        """Wait for a place among those in flight."""
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._free()
            raise

    async def _turn(self, loop: asyncio.AbstractEventLoop) -> Ticket:
        """Wait until the rate and the breaker let one more in, one after the other."""
        async with self._lane:
            while True:
                now, trouble = loop.time(), self.breaker.trouble
                self.breaker.require(now)
                if trouble and self._probe:
                    await asyncio.wait([self._probe])
                elif (delay := self._pace.delay(now, is_probe=trouble is not None)) > 0:
                    if trouble or delay > TOLD_S:
                        usage.current().tell(self.breaker.waits_for() or f"{self._name} asked to wait {delay:,.0f} s")
                    await asyncio.sleep(min(delay, LONGEST_S))
                else:
                    break
            if trouble:
                self._probe = loop.create_future()
            return self._pace.send(now, id(usage.current()), is_probe=trouble is not None)

    def leave(self, ticket: Ticket, error: BaseException | None = None) -> None:
        """Count what became of a request, and let the next one in.

        Args:
            ticket: What `enter` returned.
            error: Why it was not answered.
        """
        now = asyncio.get_running_loop().time()
        is_overload = isinstance(error, OverloadError)
        self._answers += 1
        self._overloads += is_overload
        if self._answers >= self.limit:
            share = self._overloads / self._answers
            self._limit = min(self._most, max(1.0, self._limit * (1 - share / 2)) + self._step)
            self._answers = self._overloads = 0
        if not (error and is_rate_limit(error)):
            self._pace.answer()
        if error is None or (isinstance(error, CallError) and not (is_rate_limit(error) or is_outage(error))):
            self._unheard = 0
            if self.breaker.answered(ticket, now):
                usage.current().tell("")
        else:
            self._learn(ticket, error, now)
        if ticket.is_probe and self._probe:
            self._probe.set_result(None)
            self._probe = None
        self._free()

    def _learn(self, ticket: Ticket, error: BaseException, now: float) -> None:
        """Tell a rate limit from an outage, and close the gate for as long as either asks."""
        if is_rate_limit(error):
            assert isinstance(error, OverloadError)  # noqa: S101 - see is_rate_limit
            self._refused(ticket, error, now)
            return
        self.breaker.failed(ticket, error, now)
        if (trouble := self.breaker.trouble) and is_outage(error):
            self._pace.close(now + trouble.interval())

    def _refused(self, ticket: Ticket, error: OverloadError, now: float) -> None:
        if self.breaker.is_long(error):
            self.breaker.sent_away(ticket, error, now)
            if trouble := self.breaker.trouble:
                self._pace.close(now + trouble.interval())
            return
        unasked_s = min(UNASKED_S, 0.5 * 2.0**self._unheard)
        wait_s = unasked_s if error.wait_s is None else error.wait_s
        if not self._pace.refuse(ticket, now, wait_s):
            self._unheard += 1
            self.breaker.refused(ticket, error)

    def hint(self, limit: float, remaining: float, reset_s: float) -> None:
        """Learn from an answer how many requests are left, before one is refused.

        Args:
            limit: Requests that a full quota holds.
            remaining: Those that are left.
            reset_s: Seconds until the quota is full again.
        """
        if remaining < self._in_flight and reset_s > 0 and limit > remaining:
            self._pace.allow((limit - remaining) / reset_s, asyncio.get_running_loop().time())

    def _free(self) -> None:
        self._in_flight -= 1
        while self._waiting and self._in_flight < self.limit:
            place = self._waiting.popleft()
            if not place.done():
                self._in_flight += 1
                place.set_result(None)


def _bucket(per_minute: float | None, burst_s: float) -> AsyncLimiter | None:
    """Return a leaky bucket that holds so many seconds' worth, so that no minute ever exceeds its budget by more."""
    if per_minute is None:
        return None
    size = max(1.0, per_minute / 60 * burst_s)
    return AsyncLimiter(size, size / per_minute * 60)
