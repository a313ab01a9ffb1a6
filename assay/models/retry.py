"""Ask, and ask again where that can help: bounded, with jitter, as long as the endpoint wants to be left alone."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random,
    wait_random_exponential,
)

from assay.errors import CallError, EndpointError, OverloadError
from assay.models import usage
from assay.models.limiter import Governor
from assay.models.limits import Limits

Answer = TypeVar("Answer")
Once = Callable[[], Awaitable[Answer]]
Attempt = Callable[[Once[Answer], int], Awaitable[Answer]]
LONGEST_WAIT_S = 20.0
LONGEST_ASKED_S = 120.0
"""An endpoint that wants to be left alone for longer is given up for this call."""

Jitter = Callable[[RetryCallState], float]
_CROWDED: Jitter = wait_random_exponential(multiplier=0.25, max=LONGEST_WAIT_S)
"""Where the endpoint says that it is too much, or nobody is there."""
_BROKEN: Jitter = wait_random_exponential(multiplier=0.1, max=LONGEST_WAIT_S)
"""After a fault of a server or a connection."""
_SPOILT: Jitter = wait_random(0, 0.1)
"""After an answer that was none, or none in time: the next is as likely to be good now as later."""
SPOILT = {"malformed", "empty", "timeout"}


class Patience:
    """The one place that sends a request again; so it is the one that counts them."""

    def __init__(self, limits: Limits, *, jitter: Jitter | None = None) -> None:
        """Prepare the gate before one endpoint.

        Args:
            limits: How often again, and how many at once.
            jitter: Seconds to wait where the endpoint does not say how long; where it does, at most as much again is
                added. Left out, it depends on the fault.
        """
        self._limits, self._jitter = limits, jitter
        self._governor = Governor(limits)

    async def ask(self, once: Once[Answer], *, is_harmless: bool, tokens: int = 0) -> Answer:
        """Return what `once` returns, after as many attempts as it takes and the limits allow.

        Args:
            once: One attempt; it ends in time by itself.
            is_harmless: May it be sent again although it may have been processed? A language model's answer may; an
                order may not.
            tokens: How many tokens an attempt will take, for a budget a minute.

        Raises:
            CallError: The last attempt failed, or this fault is not worth another.
            BudgetError: Nothing is left to pay with.
        """
        used = usage.current()
        began, used.answered_s = used.clock(), 0.0
        attempt = self._hedged if is_harmless and self._limits.hedge_after_s is not None else self._governed
        try:
            return await attempt(once, tokens)
        except CallError as error:
            return await self._insist(error, attempt, once, tokens, is_harmless=is_harmless)
        finally:
            used.waited_s += used.clock() - began - used.answered_s

    async def _insist(
        self, first: CallError, attempt: Attempt[Answer], once: Once[Answer], tokens: int, *, is_harmless: bool
    ) -> Answer:
        """Go on after a first failure.

        The library is told of that failure as if it had made the attempt: on the way of every call it would cost 30
        microseconds.
        """
        failed = [first]

        async def again() -> Answer:
            if failed:
                raise failed.pop()
            return await attempt(once, tokens)

        attempts = AsyncRetrying(
            stop=stop_after_attempt(self._limits.max_retries + 1),
            wait=self._pause,
            retry=retry_if_exception(lambda error: _may_help(error, is_harmless=is_harmless)),
            sleep=asyncio.sleep,
            reraise=True,
        )
        return await attempts(again)

    def _pause(self, state: RetryCallState) -> float:
        """Return seconds to wait: what the endpoint asks for, plus jitter so that not all come back at once."""
        error = state.outcome.exception() if state.outcome else None
        asked = (error.wait_s or 0.0) if isinstance(error, OverloadError) else 0.0
        jitter = (self._jitter or _jitter(error))(state)
        return asked + min(jitter, asked) if asked else jitter

    async def _governed(self, once: Once[Answer], tokens: int) -> Answer:
        used = usage.current()
        await self._governor.enter(tokens)
        is_overload = is_over = False
        try:
            used.purse.require()
            used.requests += 1
            began = used.clock()
            answer = await once()
            used.answered_s = used.clock() - began
        except OverloadError:
            is_overload = True
            raise
        except EndpointError:
            is_over = True  # nobody takes this place: no call can succeed
            raise
        else:
            return answer
        finally:
            if not is_over:
                self._governor.leave(is_overload=is_overload)

    async def _hedged(self, once: Once[Answer], tokens: int) -> Answer:
        """Take the first answer of two requests, the second sent when the first is late."""
        racing = {asyncio.ensure_future(self._governed(once, tokens))}
        try:
            done, _ = await asyncio.wait(racing, timeout=self._limits.hedge_after_s)
            if not done:
                racing.add(asyncio.ensure_future(self._governed(once, tokens)))
            while True:
                done, rest = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
                first = next((one for one in done if not one.exception()), None)
                if first or not rest:
                    return (first or done.pop()).result()
                racing = rest
        finally:
            for one in racing:
                one.cancel()


def _jitter(error: BaseException | None) -> Jitter:
    if isinstance(error, OverloadError) or (isinstance(error, CallError) and error.again == "always"):
        return _CROWDED
    return _SPOILT if isinstance(error, CallError) and error.kind in SPOILT else _BROKEN


def _may_help(error: BaseException, *, is_harmless: bool) -> bool:
    if not isinstance(error, CallError):
        return False
    if isinstance(error, OverloadError) and (error.wait_s or 0) > LONGEST_ASKED_S:
        return False
    return error.again == "always" or (error.again == "if-harmless" and is_harmless)
