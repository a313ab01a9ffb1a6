"""The world that a product's tools act on: the project's own code, run on arguments that a product invented.

It may raise, block or return garbage. So each conversation has a thread for it, and an answer that does not come in
time costs that conversation alone. A thread costs 25 microseconds a call where it is there already.
"""

import asyncio
import importlib
import json
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Protocol

from assay.errors import CallError, ConfigError, EndpointError
from assay.models.transport import writable
from assay.text import one_line

MOST_CHARACTERS = 8 * 1024 * 1024
"""Of one tool's result and of a state; more is garbage."""
MOST_LOST = 32
"""Threads that may be blocked at once before the run ends: an environment that always blocks answers nothing."""


class Environment(Protocol):
    """The world that the product's tools act on; a fresh one for each trial, used by one thread only."""

    tools: list[dict[str, Any]]

    def call(self, name: str, arguments: str) -> str:
        """Execute one tool call; JSON text in, JSON text out. An object with `error` says that the call failed."""

    def state(self) -> dict[str, Any]:
        """Return the whole state as JSON values."""


class NoTools:
    """The environment of a product without tools."""

    tools: list[dict[str, Any]] = []  # noqa: RUF012 - never mutated, part of the protocol

    def call(self, name: str, arguments: str) -> str:  # noqa: ARG002 - the protocol's signature
        """Answer that there is no such tool."""
        return json.dumps({"error": f"unknown tool {name[:80]}"})

    def state(self) -> dict[str, Any]:
        """Return nothing: there is no state."""
        return {}


def environment(module: str, root: str = ".", *, where: str = "execute.target") -> Callable[[], Environment]:
    """Return the `Environment` class of a module, or the one without tools for an empty name.

    Args:
        module: Of the product.
        root: The product's folder, from which it is imported.
        where: The part of params.yaml that names it, for a message.

    Raises:
        ConfigError: There is no such module or class.
    """
    if not module:
        return NoTools
    try:
        with _imports_from(Path(root).resolve()):
            found: Callable[[], Environment] = importlib.import_module(module).Environment
    except Exception as error:  # the product's own module: whatever it raises is its fault, and told
        raise ConfigError(
            f"{where}.environment is {module!r}, expected a module with a class Environment: {type(error).__name__}: "
            f"{one_line(error)}; correct it"
        ) from error
    return found


@contextmanager
def _imports_from(folder: Path) -> Iterator[None]:
    """Import the product's modules inside the block; a project elsewhere hides none of them by its own names.

    The folder stays on the path, behind all others, for what the product imports later.
    """
    before, is_project = list(sys.path), folder == Path.cwd()
    mine = {} if is_project else {name: sys.modules.pop(name) for name in list(sys.modules) if _is_project_s(name)}
    elsewhere = before if is_project else [entry for entry in before if Path(entry).resolve() != Path.cwd()]
    sys.path[:] = [str(folder), *elsewhere]
    try:
        yield
    finally:
        if not is_project:
            for name in [name for name in sys.modules if _is_project_s(name)]:
                del sys.modules[name]
        sys.modules.update(mine)
        sys.path[:] = before if str(folder) in before else [*before, str(folder)]


def _is_project_s(module: str) -> bool:
    """Tell whether a module has one of the two names that every project of Assay uses."""
    return module.split(".", 1)[0] in {"flows", "tasks"}


class World:
    """One trial's environment, on a thread of its own; it is made when it is first needed."""

    def __init__(self, make: Callable[[], Environment], lane: "_Lane", deadline_s: float) -> None:
        self._make, self._lane, self._deadline_s = make, lane, deadline_s
        self._made: Environment | None = None

    async def call(self, name: str, arguments: str) -> str:
        """Return the tool's result; raises CallError when the environment raises, blocks or returns no text."""
        return await self._look(lambda made: _text(made.call(name, arguments)))

    async def state(self) -> str:
        """Return the state as JSON text; raises CallError as `call` does."""
        return await self._look(lambda made: _text(json.dumps(made.state(), sort_keys=True, allow_nan=False)))

    async def _look(self, look: Callable[[Environment], str]) -> str:
        def looked() -> str:
            self._made = self._made or self._make()
            return look(self._made)

        try:
            async with asyncio.timeout(self._deadline_s):
                return await self._lane.run(looked)
        except asyncio.CancelledError:
            self._lane.is_lost = True
            raise
        except TimeoutError as error:
            self._lane.is_lost = True
            raise CallError("crash", f"the environment did not answer within {self._deadline_s:g} s") from error


class Worlds:
    """The worlds of all conversations, with the threads that they are lent."""

    def __init__(self, make: Callable[[], Environment], *, deadline_s: float, most_lost: int = MOST_LOST) -> None:
        """Prepare; no thread is started yet.

        Args:
            make: Makes a fresh environment.
            deadline_s: How long one look at it may take.
            most_lost: How many may be blocked at once before the run ends.
        """
        self._make, self._deadline_s, self._most_lost = make, deadline_s, most_lost
        self._idle: list[_Lane] = []
        self._lost: list[_Lane] = []

    @asynccontextmanager
    async def fresh(self) -> AsyncIterator[World]:
        """Yield a world that nobody has touched.

        Raises:
            EndpointError: So many environments are blocked that nothing more can come of the run.
        """
        self._lost = [lane for lane in self._lost if lane.thread.is_alive()]
        if len(self._lost) >= self._most_lost:
            raise EndpointError(
                f"the environment blocks: {self._most_lost} calls of it have not returned, expected each within "
                f"{self._deadline_s:g} s: correct it"
            )
        lane = self._idle.pop() if self._idle else _Lane()
        try:
            yield World(self._make, lane, self._deadline_s)
        finally:
            (self._lost if lane.is_lost else self._idle).append(lane)
            if lane.is_lost:
                lane.stop()

    def close(self) -> None:
        """End the threads; a blocked one ends with the process."""
        for lane in self._idle:
            lane.stop()


class _Lane:
    """A daemon thread that does one thing after the other."""

    def __init__(self) -> None:
        self.is_lost = False
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self.thread = threading.Thread(target=self._work, daemon=True, name="environment")
        self.thread.start()

    async def run(self, look: Callable[[], str]) -> str:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[str] = loop.create_future()

        def deliver(found: str | CallError) -> None:
            if answer.done():
                return
            if isinstance(found, CallError):
                answer.set_exception(found)
            else:
                answer.set_result(found)

        def job() -> None:
            found = _tried(look)
            with suppress(RuntimeError):  # the loop has closed: nobody waits any more
                loop.call_soon_threadsafe(deliver, found)

        self._jobs.put(job)
        return await answer

    def stop(self) -> None:
        self._jobs.put(None)

    def _work(self) -> None:
        while job := self._jobs.get():
            job()


def _tried(look: Callable[[], str]) -> str | CallError:
    """Return what the environment gives, or its fault; also `sys.exit` is a fault of that conversation alone."""
    try:
        return look()
    except BaseException as error:  # noqa: BLE001 - the boundary: any fault becomes a row
        text = writable(" ".join(f"{type(error).__name__}: {error}".split()))[:300]
        return CallError("crash", f"the environment raised {text}")


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise TypeError(f"it returned {type(found).__name__}, expected JSON text")
    if len(found) > MOST_CHARACTERS:
        raise ValueError(f"it returned {len(found)} characters, expected at most {MOST_CHARACTERS}")
    return writable(found)
