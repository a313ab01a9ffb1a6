"""The identity of a run: an id that sorts by time, given by whoever starts the run; and the run that is on now."""

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID

from assay.records.run import is_run_id

VARIABLE = "ASSAY_RUN"
"""Variable by which the processes of one run know it."""
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
    is_fresh: bool = False
    """Everything is asked anew, whatever was answered before."""

    @property
    def night(self) -> str:
        """Return the date on which the run began: what is asked once a night is asked once in it."""
        return f"{self.began:%Y-%m-%d}"

    @property
    def epoch(self) -> str:
        """Return what tells the questions of one night from the same ones of another: a fresh run's are its own."""
        return f"{self.night} {self.id}" if self.is_fresh else self.night

    def going_on(self, run_id: str, began: datetime, *, is_fresh: bool) -> "Run":
        """Return this run as the continuation of one that was interrupted, and as fresh as that one was begun."""
        return replace(self, id=run_id, began=began, is_fresh=is_fresh)


_current: ContextVar[Run | None] = ContextVar("_current", default=None)


def new_run(clock: Callable[[], datetime], entropy: Callable[[int], bytes], *, is_fresh: bool = False) -> Run:
    """Return a run that begins now.

    Args:
        clock: Returns the moment, in UTC.
        entropy: Returns so many bytes of chance.
        is_fresh: Is everything asked anew?
    """
    began = clock()
    return Run(id=run_id(began, entropy(ENTROPY)), began=began, clock=clock, is_fresh=is_fresh)


def starting(*, is_fresh: bool = False) -> Run:
    """Return a run that begins now by this machine's clock; `is_fresh` as for `new_run`."""
    return new_run(_now, secrets.token_bytes, is_fresh=is_fresh)


def of_id(id_: str, *, is_fresh: bool = False) -> Run:
    """Return a run that began in another process, as far as its id tells; `is_fresh` as for `new_run`."""
    return Run(id=id_, began=began(id_), clock=_now, is_fresh=is_fresh)


def _now() -> datetime:
    return datetime.now(UTC)


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


def began(id_: str) -> datetime:
    """Return when a run began, as its id tells to the millisecond; UTC."""
    return datetime.fromtimestamp((UUID(id_).int >> 80) / 1000, UTC)


def is_ahead(id_: str, now: datetime) -> bool:
    """Tell whether a run is dated later than a moment: the clock of its machine was ahead. It outranks no other run."""
    return began(id_) > now


def handed_down(environ: Mapping[str, str]) -> Run | None:
    """Return the run that the process which started this one is part of; None where it says none."""
    id_ = environ.get(VARIABLE, "")
    return of_id(id_) if is_run_id(id_) else None


def current() -> Run | None:
    """Return the run that is on; None outside of any."""
    return _current.get()


def begun(now: datetime) -> Run:
    """Return the run that is on; outside of any, one that began at this moment and is the same for all who ask."""
    return current() or Run(id=run_id(now, bytes(ENTROPY)), began=now, clock=lambda: now)


@contextmanager
def being(run: Run) -> Iterator[Run]:
    """Let a run be the one that is on, inside the block."""
    token = _current.set(run)
    try:
        yield run
    finally:
        _current.reset(token)


def go_on_as(run: Run) -> None:
    """Let another run be the one that is on, until the block of `being` around this ends."""
    _current.set(run)
