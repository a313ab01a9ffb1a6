"""How many requests an endpoint gets at once and a minute: as many as allowed, fewer while it says that it is too many.

The number in flight follows AIMD in the form of DCTCP (Alizadeh et al., SIGCOMM 2010, eq. 2): once a window of as many
answers as are in flight, it shrinks by half the *share* of overload answers and grows by a constant step. So a few
stray 429s cost little, a real limit is found, and the way back up is always open.
"""

import asyncio
from collections import deque

from aiolimiter import AsyncLimiter

from assay.models.limits import Limits

STEPS = 16
"""Windows without overload that lead from nothing to the full number."""
TOKENS_BURST_S = 5
"""Tokens of so many seconds may be asked for at once."""


class Governor:
    """The gate before one endpoint; `enter` and `leave` stand around every single request."""

    def __init__(self, limits: Limits) -> None:
        """Start at full speed: most endpoints can, and one that cannot says so within a window."""
        self._most = limits.concurrency
        self._step = max(1.0, self._most / STEPS)
        self._limit = float(self._most)
        self._in_flight = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._answers = self._overloads = 0
        self._requests = _bucket(limits.requests_per_minute, 1)
        self._tokens = _bucket(limits.tokens_per_minute, TOKENS_BURST_S)

    @property
    def limit(self) -> int:
        """How many requests may be in flight now."""
        return int(self._limit)

    async def enter(self, tokens: int) -> None:
        """Wait until one more request may be sent.

        Args:
            tokens: How many tokens it will take, as far as anybody can tell beforehand.
        """
        if self._requests:
            await self._requests.acquire()
        if self._tokens:
            await self._tokens.acquire(min(tokens, self._tokens.max_rate))
        if self._in_flight < self.limit and not self._waiting:
            self._in_flight += 1
            return
        place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self._free()
            raise

    def leave(self, *, is_overload: bool) -> None:
        """Count one answer, and let the next request in."""
        self._answers += 1
        self._overloads += is_overload
        if self._answers >= self.limit:
            share = self._overloads / self._answers
            self._limit = min(self._most, max(1.0, self._limit * (1 - share / 2)) + self._step)
            self._answers = self._overloads = 0
        self._free()

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
