"""Patience: what may be asked again is, as often as allowed; what may not be never is; all of it is counted."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from assay.errors import BudgetError, CallError, EndpointError, OverloadError
from assay.models.limits import Limits
from assay.models.retry import Patience
from assay.models.usage import Meter, Purse, metering


class Asked:
    """An endpoint that answers by a script, one entry an attempt."""

    def __init__(self, *script: Any) -> None:
        self._script = list(script)
        self.attempts = 0
        self.cancelled = 0

    async def once(self) -> str:
        """Answer, fail, or take so many seconds first."""
        self.attempts += 1
        said = self._script.pop(0)
        if isinstance(said, float):
            try:
                await asyncio.sleep(said)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            said = f"after {said}"
        if isinstance(said, Exception):
            raise said
        return str(said)


def ask(asked: Asked, used: Meter | None = None, *, is_harmless: bool = True, **limits: Any) -> str:
    """Ask the endpoint with patience."""

    async def run() -> str:
        found = Limits.model_validate({"concurrency": 2, "deadline_s": 5, "max_retries": 3} | limits)
        with metering(used or Meter()):
            return await Patience(found, jitter=lambda _: 0.0).ask(asked.once, is_harmless=is_harmless)

    return asyncio.run(run())


FAULTS: list[tuple[Callable[[], CallError], bool, bool]] = [
    (lambda: CallError("timeout", "t"), True, False),
    (lambda: CallError("connection", "t"), True, False),
    (lambda: CallError("server", "t"), True, False),
    (lambda: CallError("malformed", "t"), True, False),
    (lambda: CallError("empty", "t"), True, False),
    (lambda: CallError("connection", "t", again="always"), True, True),
    (lambda: OverloadError("rate-limit", "t", again="always", wait_s=0.0), True, True),
    (lambda: OverloadError("server", "t"), True, False),
    (lambda: CallError("refused-request", "t"), False, False),
    (lambda: CallError("crash", "t"), False, False),
    (lambda: CallError("too-long", "t"), False, False),
    (lambda: CallError("server", "t", again="never"), False, False),
    (lambda: OverloadError("rate-limit", "t", again="never", wait_s=0.0), False, False),
]


@pytest.mark.parametrize(("fault", "if_harmless", "if_harmful"), FAULTS)
def test_what_may_be_asked_again(fault: Callable[[], CallError], if_harmless: bool, if_harmful: bool) -> None:  # noqa: FBT001 - a table
    """A passing fault is asked again where that can do no harm; where it can, only what was never processed."""
    for is_harmless, is_again in ((True, if_harmless), (False, if_harmful)):
        asked = Asked(fault(), "answer")
        if is_again:
            assert ask(asked, is_harmless=is_harmless) == "answer"
        else:
            with pytest.raises(CallError):
                ask(asked, is_harmless=is_harmless)
        assert asked.attempts == 1 + is_again


@pytest.mark.parametrize("most", [0, 1, 4])
def test_patience_ends(most: int) -> None:
    """After as many repeats as allowed the last fault comes out as itself."""
    asked = Asked(*[CallError("server", f"fault {number}") for number in range(9)])
    with pytest.raises(CallError, match=f"^fault {most}$"):
        ask(asked, max_retries=most)
    assert asked.attempts == most + 1


def test_every_attempt_is_counted() -> None:
    """Requests include the repeats; the time of failed attempts is waiting, not answering."""
    used = Meter()
    assert ask(Asked(CallError("server", "x"), CallError("timeout", "x"), 0.05), used) == "after 0.05"
    assert used.requests == 3
    assert 0.05 <= used.answered_s < 1


def test_the_wait_that_is_asked_for_is_kept() -> None:
    """What is told to come later comes later, and that is waiting too."""
    used = Meter()
    ask(Asked(OverloadError("rate-limit", "x", again="always", wait_s=0.2), "answer"), used)
    assert used.waited_s >= 0.2


@pytest.mark.parametrize("end", [EndpointError("wrong key"), ZeroDivisionError("a bug")])
def test_what_is_no_fault_of_a_call_comes_out_at_once(end: Exception) -> None:
    """An error of the endpoint or of ours is never asked again."""
    asked = Asked(end, "answer")
    with pytest.raises(type(end)):
        ask(asked)
    assert asked.attempts == 1


def test_nothing_is_sent_with_an_empty_purse() -> None:
    """Where as much was spent as allowed, not even a repeat goes out."""
    asked = Asked("answer")
    with pytest.raises(BudgetError, match="higher --max-cost"):
        ask(asked, Meter(purse=Purse(cap_usd=1.0, spent_usd=1.0)))
    assert asked.attempts == 0


def test_hedging_is_off_until_asked_for() -> None:
    """A slow answer is waited for; nobody pays for a second one who did not ask for it."""
    asked = Asked(0.1, "second")
    assert ask(asked) == "after 0.1"
    assert asked.attempts == 1


def test_a_hedge_takes_the_first_answer() -> None:
    """When the first request is late a second is sent, its answer counts, and the first is given up."""
    asked, used = Asked(5.0, "second"), Meter()
    assert ask(asked, used, hedge_after_s=0.02) == "second"
    assert (asked.attempts, asked.cancelled, used.requests) == (2, 1, 2)


def test_a_failed_hedge_leaves_the_first() -> None:
    """A second request that fails does not spoil the first."""
    assert ask(Asked(0.1, CallError("server", "x")), hedge_after_s=0.02) == "after 0.1"


def test_a_hedge_in_which_all_fail_is_a_fault() -> None:
    """When both fail it is one failed attempt, and asked again as any other."""
    faults = [CallError("server", "x")] * 2
    assert ask(Asked(*faults, "third"), hedge_after_s=0.001) == "third"


def test_what_may_do_harm_is_never_hedged() -> None:
    """An order is not sent twice to win a race."""
    asked = Asked(0.1, "second")
    assert ask(asked, is_harmless=False, hedge_after_s=0.01) == "after 0.1"
    assert asked.attempts == 1
