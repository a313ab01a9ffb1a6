"""The identity of a run: an id that sorts by time, given by whoever starts the run; and the run that is on now."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

ENTROPY = 10
"""Bytes of chance in an id."""
_VERSION, _VARIANT = 7 << 76, 2 << 62


@dataclass(frozen=True, kw_only=True)
class Run:
    """One execution of the pipeline."""

    id: str
    began: datetime
    clock: Callable[[], datetime]
    """Tells when it ended."""


_current: ContextVar[Run | None] = ContextVar("_current", default=None)


def new_run(clock: Callable[[], datetime], entropy: Callable[[int], bytes]) -> Run:
    """Return a run that begins now.

    Args:
        clock: Returns the moment, in UTC.
        entropy: Returns so many bytes of chance.
    """
    began = clock()
    return Run(id=run_id(began, entropy(ENTROPY)), began=began, clock=clock)


def run_id(began: datetime, chance: bytes) -> str:
    """Return the id of a run: a UUID of version 7, so that ids sort as the runs began.

    Args:
        began: When the run began.
        chance: Ten bytes of chance, of which 74 bits are used.

    Source:
        RFC 9562, 5.7.
    """
    if len(chance) != ENTROPY:
        raise ValueError(f"chance has {len(chance)} bytes, expected {ENTROPY}")
    drawn = int.from_bytes(chance)
    high, low = (drawn >> 62) & 0xFFF, drawn & ((1 << 62) - 1)
    return str(UUID(int=int(began.timestamp() * 1000) << 80 | _VERSION | high << 64 | _VARIANT | low))


def current() -> Run | None:
    """Return the run that is on; None outside of any."""
    return _current.get()


@contextmanager
def being(run: Run) -> Iterator[Run]:
    """Let a run be the one that is on, inside the block."""
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)
