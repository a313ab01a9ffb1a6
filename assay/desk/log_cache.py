"""A log at the desk: what it comes to is held in memory, read anew when somebody else has written, and added to."""

import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

State = TypeVar("State")
Row = TypeVar("Row")


class Live(Generic[State, Row]):
    """What a log comes to, for many threads and beside other programs that write it."""

    def __init__(
        self,
        read: Callable[[], tuple[State, Any]],
        version: Callable[[], Any],
        sign: Callable[[Row, Any], tuple[Row, Any] | None],
        take: Callable[[State, Row], None],
    ) -> None:
        """Read nothing yet.

        Args:
            read: Returns what the log comes to, and what its files were like.
            version: Returns what the files are like now.
            sign: Appends a row, durably, if the files are still like this; returns it as it was signed, with what they
                are like then. None where somebody else has written meanwhile.
            take: Lets one more row count.
        """
        self._read, self._version, self._sign, self._take = read, version, sign, take
        self.lock = threading.RLock()
        self._state: State | None = None
        self._known: Any = None

    def state(self) -> State:
        """Return what the log comes to by now."""
        with self.lock:
            if self._state is None or self._known != self._version():
                self._state, self._known = self._read()
            return self._state

    def write(self, make: Callable[[State], Row]) -> Row:
        """Append a row that was made for what the log comes to at that very moment; return it as it was signed."""
        with self.lock:
            while True:
                state = self.state()
                written = self._sign(make(state), self._known)
                if written:
                    break
            signed, self._known = written
            self._take(state, signed)
            return signed
