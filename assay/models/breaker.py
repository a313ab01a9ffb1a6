"""Is the endpoint there? While it is not, one request at a time finds out, at growing intervals, and the rest waits.

An outage can only be told from a question that breaks an endpoint once the endpoint has answered something. Then it is
an outage when many requests in a row fail, or when one fails as often as it may while nothing else is answered.
"""

from dataclasses import dataclass

from assay.errors import AccessError, CallError, EndpointError, OverloadError
from assay.models.pace import Ticket

IN_A_ROW = 10
"""Calls that fail, with no answer between them, are an outage."""
SILENT_S, ANSWERS = 1.0, 2.0
"""So many seconds, and so many times what an answer takes, have to pass without one."""
BOTH = 2
"""Attempts to find out, by a question of its own and by one that was answered before."""
FIRST_S, LONGEST_S = 0.5, 30.0
"""Between two attempts to find out."""
DOUBT_S = 60.0
"""How long a refused key that was good before may be a passing fault; a revoked one stays refused."""
OUTAGE = {"connection", "server", "timeout", "malformed"}
"""Kinds of a failed call that an endpoint which is down causes for every question."""


@dataclass(slots=True)
class Trouble:
    """A time in which nothing was answered."""

    since: float
    error: CallError | AccessError
    """The last failure."""
    tries: int = 0
    is_hopeless: bool = False
    """It lasts longer than anybody waits, as the endpoint itself says."""

    def note(self, ticket: Ticket, error: CallError | AccessError) -> None:
        """Take down one more failure; only those that were to find out count as attempts."""
        self.tries += ticket.is_probe
        self.error = error

    def interval(self) -> float:
        """Return how many seconds to wait until the next attempt."""
        return min(LONGEST_S, FIRST_S * 2.0**self.tries)


class Breaker:
    """What the last requests say of an endpoint; times are seconds of one clock, handed in."""

    def __init__(self, name: str, patience_s: float) -> None:
        """Know nothing yet.

        Args:
            name: What messages call the endpoint.
            patience_s: How long an outage is waited for.
        """
        self.has_answered = False
        self.trouble: Trouble | None = None
        self.asking = 0
        """Calls that want an answer now."""
        self.turns = 0.0
        """Answers so far, each shared by all that wanted one."""
        self._name, self._patience_s = name, patience_s
        self._answered_at = self._heard_at = float("-inf")
        self._answer_s = 0.0
        self._failed: set[int] = set()
        """Calls that failed since the last answer was heard."""
        self._failing_since = 0.0

    def answered(self, ticket: Ticket, now: float) -> bool:
        """Take down an answer; return whether it ended an outage."""
        self.has_answered = True
        self._failed.clear()
        self._heard_at = now
        self.turns += 1 / max(1, self.asking)
        self._answer_s += (now - ticket.sent - self._answer_s) / 8
        self._answered_at = max(self._answered_at, ticket.sent)
        if self.trouble and ticket.sent >= self.trouble.since:
            self.trouble = None
            return True
        return False

    def has_answered_since(self, when: float) -> bool:
        """Tell whether a request that was sent after that time was answered."""
        return self._answered_at > when

    @property
    def silence_s(self) -> float:
        """How many seconds without an answer are more than chance."""
        return SILENT_S + ANSWERS * self._answer_s

    def failed(self, ticket: Ticket, error: BaseException, now: float) -> None:
        """Take down a failure; ten in a row of an endpoint that has answered before are an outage.

        Of those that were sent together some may be too many and the others answered, so one counts only if it was sent
        after the last answer was heard.
        """
        if not is_outage(error) or not self.has_answered:
            return
        assert isinstance(error, CallError | AccessError)  # noqa: S101 - see is_outage
        if self.trouble:
            self.trouble.note(ticket, error)
        else:
            self._count(ticket, error, now)

    def sent_away(self, ticket: Ticket, error: OverloadError, now: float) -> None:
        """Take down a refusal for longer than anybody waits; two that find out say it for all."""
        if not self.trouble:
            self._count(ticket, error, now)
            return
        self.trouble.note(ticket, error)
        self.trouble.is_hopeless = self.trouble.tries >= BOTH

    def _count(self, ticket: Ticket, error: CallError | AccessError, now: float) -> None:
        if ticket.sent < self._heard_at:
            return
        self._failing_since = self._failing_since if self._failed else ticket.sent
        self._failed.add(ticket.call)
        if len(self._failed) >= IN_A_ROW and now - max(self._heard_at, self._failing_since) > self.silence_s:
            self.trouble = Trouble(self._failing_since, error)

    def refused(self, ticket: Ticket, error: OverloadError) -> None:
        """Take down a refusal after which nothing was let in: the endpoint is there, and too busy for anybody."""
        if self.trouble:
            self.trouble.note(ticket, error)
        else:
            self.trouble = Trouble(ticket.sent, error)

    def suspect(self, error: CallError | AccessError, since: float) -> None:
        """Hold a call that failed as often as it may, while nothing else was answered, for an outage."""
        is_hopeless = self.is_long(error) and not self.has_answered
        self.trouble = self.trouble or Trouble(since, error, is_hopeless=is_hopeless)

    def is_long(self, error: BaseException) -> bool:
        """Tell whether the endpoint asks for more quiet than anybody waits."""
        return isinstance(error, OverloadError) and (error.wait_s or 0.0) > self._patience_s

    def require(self, now: float) -> None:
        """Go on waiting, unless that has lasted too long.

        Raises:
            EndpointError: Nothing was answered for as long as the patience lasts; the text has the cause.
        """
        trouble = self.trouble
        if trouble is None:
            return
        silent_s = now - trouble.since
        if isinstance(trouble.error, AccessError) and silent_s > min(DOUBT_S, self._patience_s):
            raise EndpointError(str(trouble.error))
        wait_s = trouble.error.wait_s if trouble.is_hopeless and isinstance(trouble.error, OverloadError) else None
        if wait_s is None and silent_s <= self._patience_s:
            return
        what = f"has not answered for {silent_s:,.0f} s" if wait_s is None else f"asks for {wait_s:,.0f} s of quiet"
        raise EndpointError(
            f"{self._name or 'the endpoint'} {what} ({trouble.error}), and patience_s is {self._patience_s:g}: "
            "what was answered is kept, so run again when it answers"
        )

    def waits_for(self) -> str:
        """Return what is waited for, for a progress line; empty where nothing is."""
        return f"waiting for {self._name or 'the endpoint'} ({self.trouble.error})" if self.trouble else ""


def is_outage(error: BaseException) -> bool:
    """Tell whether an endpoint that is down would fail so for every question."""
    return isinstance(error, AccessError) or (isinstance(error, CallError) and error.kind in OUTAGE)


def is_rate_limit(error: BaseException) -> bool:
    """Tell whether the endpoint is there and has said that it is asked too often."""
    return isinstance(error, OverloadError) and (error.kind == "rate-limit" or error.wait_s is not None)
