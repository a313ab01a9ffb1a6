"""An event loop in which nobody waits: when nothing is left to do, its clock jumps to the next thing that is due."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

Found = TypeVar("Found")


class VirtualLoop(asyncio.SelectorEventLoop):
    """Seconds of this loop cost nothing; it has no input or output."""

    def __init__(self) -> None:
        """Begin at nought."""
        super().__init__()
        self._now = 0.0
        look = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None = None) -> Any:
            self._now += timeout or 0.0
            return look(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        """Return the time of this loop, in seconds."""
        return self._now


def run(coroutine: Coroutine[Any, Any, Found]) -> Found:
    """Return what a coroutine returns, at once, however long it waits."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)
