"""Holds: an item that somebody looks at is kept for them, so that nobody is refused because others were faster."""

from contextlib import AbstractContextManager
from datetime import datetime, timedelta

HELD_FOR = timedelta(minutes=10)
"""How long an item is kept for somebody who does nothing."""


class Holds:
    """Who looks at what; everybody looks at one item at a time. Whoever asks holds the queue's lock."""

    def __init__(self) -> None:
        """Keep nothing yet."""
        self._held: dict[str, tuple[str, datetime]] = {}

    def keep(self, person: str, item: str, now: datetime) -> None:
        """Keep an item for somebody, instead of what they looked at before."""
        self._held[person] = (item, now + HELD_FOR)

    def renew(self, person: str, now: datetime) -> None:
        """Keep what somebody looks at from now on, unless it has expired: others may look at it by then."""
        item, until = self._held.get(person, ("", now))
        if until > now:
            self.keep(person, item, now)

    def free(self, person: str) -> None:
        """Keep nothing for somebody any more."""
        self._held.pop(person, None)

    def by_others(self, person: str, now: datetime) -> dict[str, set[str]]:
        """Return by item who else looks at it."""
        found: dict[str, set[str]] = {}
        for who, (item, until) in self._held.items():
            if who != person and until > now:
                found.setdefault(item, set()).add(who)
        return found


class Holding:
    """What every queue of the desk does with its holds, under its lock."""

    def __init__(self, lock: AbstractContextManager[object]) -> None:
        """Keep nothing yet; the lock lets in again whoever holds it."""
        self._lock, self._holds = lock, Holds()

    def hold(self, person: str, item: str, now: datetime) -> None:
        """Keep an item for somebody who looks at it; they look at one at a time."""
        with self._lock:
            self._holds.keep(person, item, now)

    def renew(self, person: str, now: datetime) -> None:
        """Keep what somebody looks at for longer, since they are there."""
        with self._lock:
            self._holds.renew(person, now)

    def leave(self, person: str) -> None:
        """Keep nothing for somebody who has gone."""
        with self._lock:
            self._holds.free(person)
