"""What a call has used: requests, tokens, money; and the purse that a run pays from."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from assay.errors import BudgetError
from assay.models.limits import Price


@dataclass
class Purse:
    """What a run may spend, in US dollars; None is no bound."""

    cap_usd: float | None = None
    spent_usd: float = 0.0

    def require(self) -> None:
        """Refuse the next request when nothing is left.

        Raises:
            BudgetError: As much was spent as was allowed.
        """
        if self.cap_usd is not None and self.spent_usd >= self.cap_usd:
            raise BudgetError(
                f"the run has cost ${self.spent_usd:.2f} of ${self.cap_usd:.2f} allowed, so it stopped; all answers "
                "are kept: run it again with a higher --max-cost, and it goes on from there"
            )


@dataclass
class Meter:
    """What one call has used so far, repeats included."""

    purse: Purse = field(default_factory=Purse)
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    answered_s: float = 0.0
    """How long the last attempt that was answered took."""
    waited_s: float = 0.0
    """Time that the product did not need: before a request could be sent, and in attempts that failed."""
    key: str = ""
    """The call's key in the journal: tells equal requests of two trials apart."""
    clock: Callable[[], float] = time.monotonic
    turn: int = 0
    """Requests of the conversation so far, repeats not counted."""
    tell: Callable[[str], None] = lambda _: None
    """Told what everybody waits for, and the empty text when it goes on."""
    last_turn: tuple[str, dict[str, Any], dict[str, Any]] | None = None
    """Key, request and reply of the last of them; kept once another request follows it."""

    def pay(self, prompt_tokens: int, completion_tokens: int, price: Price | None) -> None:
        """Count the tokens of one answer, and what they cost where that is declared."""
        self.prompt_tokens += prompt_tokens
        self.completion_tokens += completion_tokens
        if price:
            cost = price.of(prompt_tokens, completion_tokens)
            self.cost_usd += cost
            self.purse.spent_usd += cost


_METER: ContextVar[Meter | None] = ContextVar("_METER", default=None)


def current() -> Meter:
    """Return the meter of the call that is running; outside of any call, one that nobody reads."""
    return _METER.get() or Meter()


def use(meter: Meter) -> None:
    """Let everything that this task asks from now on count on this meter."""
    _METER.set(meter)


@contextmanager
def metering(meter: Meter) -> Iterator[None]:
    """Let everything that is asked inside the block count on this meter."""
    token = _METER.set(meter)
    try:
        yield
    finally:
        _METER.reset(token)
