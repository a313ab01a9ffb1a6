"""How fast an endpoint lets itself be asked, learnt from what it refuses.

Nothing is held back until refusals are many. From then on requests follow a token bucket. Its rate is what was let
through between two refusals, as botocore's adaptive mode measures it, and grows again along the cubic of RFC 9438: fast
where the last refusal is far, hardly at all near it, further beyond. While the endpoint wants to be left alone the
bucket fills, so that a quota a minute is used as soon as the next minute begins.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

BACK = 0.9
"""Of the rate that was refused, where the next attempt begins."""
SURE_S, UNSURE_S = 12.0, 1.0
"""How long until it has grown back: after a rate that was seen for a while, and after a mere burst."""
RECENT, DENSE = 32, 0.4
"""Refusals are many where they are this share of about so many answers."""
LONG = 2.0
"""So many times longer than the wait before it, an era shows what is let through without one."""
FAR = 50.0
"""Times of growing back after which a rate is as good as endless."""
INSTANT_S = 1e-3
WHOLE = 1 - 1e-9
SMOOTH_S = 0.25
"""Of so many seconds requests may be saved up while nothing keeps them back."""
SLOWEST = 1 / 60
"""A second; an endpoint that takes less than one request a minute is down."""


class Ticket(NamedTuple):
    """One request that was let in."""

    era: int
    sent: float
    call: int = 0
    """Tells apart the calls that requests belong to."""
    is_probe: bool = False


@dataclass(slots=True)
class Era:
    """The time from one refusal to the next."""

    number: int
    began: float
    opened: float
    """When the wait that was asked for was over."""
    peak: float | None = None
    """Requests a second that were refused at last; None where none ever was."""
    back_s: float = UNSURE_S
    sent: int = 0
    refused: int = 0
    ended: float = 0.0
    rate_then: float = 0.0
    """The rate when what was refused was sent."""
    room: float = math.inf
    """So many requests at once were let through at most after a wait, as far as earlier eras tell."""

    @property
    def admitted(self) -> int:
        """How many requests were let through."""
        return self.sent - self.refused

    def rate(self, now: float) -> float:
        """Return how many requests a second are let in."""
        if self.peak is None:
            return math.inf
        grown = (max(now - self.opened, 0.0) - self.back_s) / self.back_s
        return max(SLOWEST, self.peak * (1 + (1 - BACK) * min(grown, FAR) ** 3))


class Pace:
    """A token bucket that learns its rate; times are seconds of one clock, handed in."""

    def __init__(self) -> None:
        """Hold nothing back."""
        self.closed_until = 0.0
        self._era = Era(0, 0.0, 0.0, peak=None, back_s=UNSURE_S)
        self._last = self._era
        self._tokens = self._looked = self._share = 0.0

    @property
    def is_free(self) -> bool:
        """Tell whether nothing was ever refused."""
        return self._era.number == 0

    def rate(self, now: float) -> float:
        """Return how many requests a second are let in; endless before the first refusal."""
        return self._era.rate(now)

    def delay(self, now: float, *, is_probe: bool = False) -> float:
        """Return how many seconds the next request has to wait; 0 when it may be sent.

        Args:
            now: The time.
            is_probe: It is to find out whether anybody is there: the rate does not hold it back.
        """
        if now < self.closed_until:
            return self.closed_until - now
        if self._era.peak is None or is_probe:
            return 0.0
        rate = self._era.rate(now)
        self._fill(now, rate)
        return max(0.0, (1 - self._tokens) / rate) if self._tokens < WHOLE else 0.0

    def send(self, now: float, call: int = 0, *, is_probe: bool = False) -> Ticket:
        """Let one request of a call in."""
        era = self._era
        if not era.sent and not era.number:
            era.began = era.opened = now
        self._tokens -= era.peak is not None
        era.sent += 1
        return Ticket(era.number, now, call, is_probe)

    def close(self, until: float) -> None:
        """Let nothing in before that time."""
        self.closed_until = max(self.closed_until, until)

    def answer(self) -> None:
        """Take down that a request was let through."""
        self._share -= self._share / RECENT

    def refuse(self, ticket: Ticket, now: float, wait_s: float) -> bool:
        """Learn from a refusal; return whether anything was let in since the gate was closed last.

        A stray refusal says nothing: whoever met it comes again later. Where they are many there is a limit: from then
        on the gate is closed for as long as the endpoint asks, and the rate is that at which it let requests in. What
        was sent before the gate was closed says nothing new, but that one more was not let in.
        """
        if ticket.era == self._era.number:
            self._era.refused += 1
            self._share += (1 - self._share) / RECENT
            if self._era.number or self._share > DENSE:
                self._begin(ticket, now, wait_s)
        elif ticket.era == self._last.number:
            self._last.refused += 1
            self._learn()
            self.close(now + wait_s)
            self._era.opened = max(self._era.opened, self.closed_until)
        return self._last.admitted > 0 or not self._era.number

    def _begin(self, ticket: Ticket, now: float, wait_s: float) -> None:
        """Close the gate, and begin anew with what was learnt."""
        self.close(now + wait_s)
        self._last, self._era = self._era, Era(self._era.number + 1, now, self.closed_until, room=self._era.room)
        self._last.ended, self._last.rate_then = now, self._last.rate(ticket.sent)
        self._tokens, self._looked, self._share = 0.0, now, 0.0
        self._learn()

    def allow(self, rate: float, now: float) -> None:
        """Take an endpoint's own word for its rate, as long as nothing was refused yet."""
        if self._era.peak is None:
            self._last = self._era
            self._era = Era(self._era.number + 1, now, now - SURE_S, peak=max(SLOWEST, rate), back_s=SURE_S)
            self._tokens, self._looked = 0.0, now

    def _learn(self) -> None:
        """Set the rate of this era by what the last one let through."""
        last, era = self._last, self._era
        open_s, pause_s = last.ended - last.opened, last.opened - last.began
        kept_s = pause_s if math.isinf(last.room) else min(pause_s, last.room / (last.peak or 1.0))
        if not last.admitted:
            era.peak, era.back_s = last.peak, UNSURE_S
        elif last.number and open_s > LONG * pause_s:
            era.peak, era.back_s = last.rate_then, SURE_S
        else:
            era.peak, era.back_s = last.admitted / max(open_s + kept_s, INSTANT_S), UNSURE_S
        if last.number and open_s < SMOOTH_S:
            era.room = max(1.0, last.admitted)

    def _fill(self, now: float, rate: float) -> None:
        opened = self._era.opened
        kept = max(0.0, min(now, opened) - self._looked) * rate
        free = max(0.0, now - max(self._looked, opened)) * rate
        full = max(1.0, min(self._era.room, max(self._tokens + kept, SMOOTH_S * rate)))
        self._tokens = min(full, self._tokens + kept + free)
        self._looked = now
