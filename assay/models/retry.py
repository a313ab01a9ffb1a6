"""Ask, and ask again where that can help, by the kind of trouble.

* A rate limit costs time and no retry: the gate opens again when the endpoint wants it to.
* A fault of one request is tried again, `max_retries` times.
* While nobody is answered, nothing is counted: that is an outage, and the gate waits for its end (breaker.py).
* A refused key ends a run, but for one that was good a moment ago, which is tried again first.
"""

import asyncio
import math
import random
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from assay.errors import AccessError, CallError, EndpointError, OverloadError
from assay.models import usage
from assay.models.breaker import is_outage, is_rate_limit
from assay.models.limiter import Governor
from assay.models.limits import Limits
from assay.models.pace import Ticket

Answer = TypeVar("Answer")
Once = Callable[[], Awaitable[Answer]]
LONGEST_WAIT_S = 20.0
TURNS = 12.0
"""A call is refused for what it asks where so many of its turns have passed; each answer is shared by all that wait."""

OFTEN = 6
"""So many that find out are refused before one is sent that was answered before."""

Jitter = Callable[[int], float]
"""Seconds to wait before the n-th repeat."""
CROWDED_S, BROKEN_S, SPOILT_S = 0.25, 0.1, 0.1
"""Where nobody is there or it is too much; after a fault of a server or a connection; after an answer that was none."""
LOOK_S = 0.05
"""Between two looks whether others are answered."""
DOUBLED = 3
"""Times that the wait after a refusal is doubled; the gate itself stays closed for longer where it has to."""
SPOILT = {"malformed", "empty", "timeout"}
"""The next answer is as likely to be good now as later."""


def spread(most_s: float) -> float:
    """Return a wait at random, so that not all come back at once."""
    return random.uniform(0, most_s)  # noqa: S311 - no secret


class Patience:
    """The one place that sends a request again; so it is the one that counts them."""

    def __init__(self, limits: Limits, name: str = "", *, jitter: Jitter | None = None) -> None:
        """Prepare the gate before one endpoint.

        Args:
            limits: How often again, and how many at once.
            name: What messages call it.
            jitter: Seconds to wait before a repeat; left out, it depends on the fault.
        """
        self._limits, self._jitter = limits, jitter
        self.governor = Governor(limits, name)
        self._good: Once[Any] | None = None
        """A harmless request that was answered: whoever is there answers it again."""

    def vouch(self, good: Once[Any] | None) -> None:
        """Let it count as an endpoint that has answered before.

        Args:
            good: A harmless request that it answered; without one, a question that breaks it looks like an outage.
        """
        self.governor.breaker.has_answered = True
        self._good = good

    async def ask(self, once: Once[Answer], *, is_harmless: bool, tokens: int = 0) -> Answer:
        """Return what `once` returns, after as many attempts as it takes and the limits allow.

        Args:
            once: One attempt; it ends in time by itself.
            is_harmless: May it be sent again although it may have been processed? A language model's answer may; an
                order may not.
            tokens: How many tokens an attempt will take, for a budget a minute.

        Raises:
            CallError: The last attempt failed, or this fault is not worth another.
            EndpointError: No call can succeed, or nothing was answered for as long as the patience lasts.
            BudgetError: Nothing is left to pay with.
        """
        used = usage.current()
        began, used.answered_s = used.clock(), 0.0
        self.governor.breaker.asking += 1
        try:
            return await self._attempt(once, tokens, is_harmless=is_harmless)
        except (CallError, AccessError) as error:
            return await self._insist(error, once, tokens, is_harmless=is_harmless)
        finally:
            self.governor.breaker.asking -= 1
            used.waited_s += used.clock() - began - used.answered_s

    async def _insist(
        self, error: CallError | AccessError, once: Once[Answer], tokens: int, *, is_harmless: bool
    ) -> Answer:
        """Go on after a first failure."""
        clock, breaker = asyncio.get_running_loop().time, self.governor.breaker
        since, tries, refusals, turns = clock(), 0, 0, breaker.turns
        while True:
            if not _may_help(error, is_harmless=is_harmless):
                raise error
            if isinstance(error, OverloadError) and is_rate_limit(error):
                refusals += 1
                await self._require_soon(error, since, breaker.turns - turns)
                await asyncio.sleep(self._quiet_s(error, refusals))
            elif breaker.trouble is None:
                tries += 1
                await self._require_outage(error, tries, since)
                await asyncio.sleep(self._pause(error, tries))
            try:
                return await self._attempt(once, tokens, is_harmless=is_harmless)
            except (CallError, AccessError) as again:
                error = again

    async def _require_soon(self, error: OverloadError, since: float, turns: float) -> None:
        """Give up what is refused for ever while others are let in, or is told to wait for longer than anybody does.

        Raises:
            CallError: It is this call's own fault.
        """
        if turns >= TURNS:
            raise error
        if self.governor.breaker.is_long(error) and self.governor.breaker.trouble is None:
            if await self._is_answered(since):
                raise error
            self.governor.breaker.suspect(error, since)

    def _quiet_s(self, error: OverloadError, refusals: int) -> float:
        """Return how long a refused call waits, though the gate may be open for others."""
        if self.governor.breaker.trouble:
            return 0.0
        if error.wait_s is not None:
            return error.wait_s
        return self._jitter(refusals) if self._jitter else spread(CROWDED_S * 2.0 ** min(refusals, DOUBLED))

    async def _require_outage(self, error: CallError | AccessError, tries: int, since: float) -> None:
        """Let a call fail that was repeated as often as it may, unless nothing else is answered meanwhile either.

        Raises:
            CallError: It is this call's own fault.
            AccessError: The key was never good.
        """
        breaker = self.governor.breaker
        if isinstance(error, AccessError) and not breaker.has_answered:
            raise error
        if tries <= self._limits.max_retries:
            return
        if breaker.has_answered and is_outage(error) and not await self._is_answered(since):
            breaker.suspect(error, since)
        elif isinstance(error, AccessError):
            raise CallError("refused-request", str(error)) from error
        else:
            raise error

    async def _is_answered(self, since: float) -> bool:
        """Tell whether anything that was sent after that time is answered before the silence is more than chance."""
        breaker = self.governor.breaker
        for _ in range(math.ceil(breaker.silence_s / LOOK_S)):
            if breaker.has_answered_since(since) or breaker.trouble:
                break
            await asyncio.sleep(LOOK_S)
        return breaker.has_answered_since(since)

    def _pause(self, error: CallError | AccessError, tries: int) -> float:
        """Return seconds to wait before the next attempt: at random, so that not all come back at once."""
        if self._jitter:
            return self._jitter(tries)
        if isinstance(error, CallError) and error.kind in SPOILT:
            return spread(SPOILT_S)
        is_crowded = isinstance(error, OverloadError | AccessError) or error.again == "always"
        return spread(min(LONGEST_WAIT_S, (CROWDED_S if is_crowded else BROKEN_S) * 2.0**tries))

    async def _attempt(self, once: Once[Answer], tokens: int, *, is_harmless: bool) -> Answer:
        """Send it once, or twice where it may be sent twice and the first is late."""
        is_hedged = is_harmless and self._limits.hedge_after_s is not None
        return await (self._hedged if is_hedged else self._governed)(once, tokens, is_harmless=is_harmless)

    async def _governed(self, once: Once[Answer], tokens: int, *, is_harmless: bool) -> Answer:
        ticket = await self.governor.enter(tokens)
        if self._good and ticket.is_probe and is_harmless and self._is_replayed():
            is_limit = self._is_limited()
            await self._sent(self._good, ticket, is_harmless=True)
            # All that were refused so often are refused for what they ask, since this one was not.
            self.governor.breaker.turns += TURNS * is_limit
            ticket = await self.governor.enter(tokens)
        answer = await self._sent(once, ticket, is_harmless=is_harmless)
        if is_harmless and self._good is None:
            self._good = once
        return answer

    def _is_replayed(self) -> bool:
        """Tell whether a good request finds out next, since a question may be what breaks it.

        Every other time; of a limit it would use up what a question is waiting for, so there it comes last.
        """
        trouble = self.governor.breaker.trouble
        if trouble is None:
            return False
        return trouble.tries >= OFTEN if self._is_limited() else trouble.tries % 2 == 1

    def _is_limited(self) -> bool:
        trouble = self.governor.breaker.trouble
        return trouble is not None and is_rate_limit(trouble.error) and not self.governor.breaker.is_long(trouble.error)

    async def _sent(self, once: Once[Answer], ticket: Ticket, *, is_harmless: bool) -> Answer:
        used = usage.current()
        try:
            used.purse.require()
            used.requests += 1
            began = used.clock()
            answer = await once()
            used.answered_s = used.clock() - began
        except BaseException as error:
            if isinstance(error, CallError) and not is_harmless and not _may_help(error, is_harmless=is_harmless):
                await self._hold(error)
            # After a refusal of all calls nobody takes this place, unless that may be a passing fault.
            is_doubtful = isinstance(error, AccessError) and self.governor.breaker.has_answered
            if is_doubtful or not isinstance(error, EndpointError):
                self.governor.leave(ticket, error)
            raise
        self.governor.leave(ticket)
        return answer

    async def _hold(self, error: CallError) -> None:
        """Keep the place of a request that may not be repeated until it is clear that nothing is down.

        Each of those that come after it would be sent, and lost, at once.
        """
        since, breaker = asyncio.get_running_loop().time(), self.governor.breaker
        if breaker.has_answered and is_outage(error) and breaker.trouble is None and not await self._is_answered(since):
            breaker.suspect(error, since)

    async def _hedged(self, once: Once[Answer], tokens: int, *, is_harmless: bool) -> Answer:
        """Take the first answer of two requests, the second sent when the first is late."""
        racing = {asyncio.ensure_future(self._governed(once, tokens, is_harmless=is_harmless))}
        try:
            done, _ = await asyncio.wait(racing, timeout=self._limits.hedge_after_s)
            if not done:
                racing.add(asyncio.ensure_future(self._governed(once, tokens, is_harmless=is_harmless)))
            while True:
                done, rest = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
                first = next((one for one in done if not one.exception()), None)
                if first or not rest:
                    return (first or done.pop()).result()
                racing = rest
        finally:
            for one in racing:
                one.cancel()


def _may_help(error: CallError | AccessError, *, is_harmless: bool) -> bool:
    if isinstance(error, AccessError):
        return True  # turned away at the door
    return error.again == "always" or (error.again == "if-harmless" and is_harmless)
