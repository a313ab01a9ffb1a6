"""One process of a Python product, as Assay sees it: calls go in, answers come out, and in the end it is gone."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, NoReturn, Self

from assay.errors import EndpointError
from assay.targets import frames, json_text, worker

AWAKE_S = 1.0
"""How long a process may take to say that its event loop is awake."""
LAST_WORDS_S = 0.2
"""How long after the end of a process its last answers are read."""
ENVELOPE_BYTES = 16 * 1024
"""Of an answer's frame, beside the answer."""


class EndedError(Exception):
    """The process ended while a call was in flight; which of its calls did it is not known."""


class WorkerProcess:
    """A started process; `load` calls are in flight."""

    def __init__(self, process: Process, max_bytes: int, note_read: Callable[[str], None]) -> None:
        self._process, self._max_frame, self._note_read = process, max_bytes + ENVELOPE_BYTES, note_read
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._numbers = count(1)
        self._is_leaving = False
        self._reading: asyncio.Task[None] | None = None
        self.load = 0
        self.told: dict[str, Any] = {}
        """`version` of the function's module and the hash of the function's `file`, or the `fault`."""
        self.end = ""
        """How the process ended, for a person."""

    @classmethod
    async def started(
        cls,
        function: str,
        root: str,
        max_bytes: int,
        *,
        declared: Sequence[str],
        note_read: Callable[[str], None],
        patience_s: float,
    ) -> Self:
        """Return a process that is ready to be called.

        Args:
            function: `module:name`.
            root: The folder that the module is imported from, and in which it runs.
            max_bytes: How long one answer may be.
            declared: Its modules and data files, as seen from that folder.
            note_read: Is told of each other file there that it reads.
            patience_s: How long it may take.

        Raises:
            EndpointError: It is not ready in time, or the function cannot be loaded.
        """
        # -P: the project's folder is not on the path; the worker puts the product's there.
        command = (sys.executable, "-P", "-m", worker.__name__, function, str(max_bytes), root)
        process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE, start_new_session=True)
        found = cls(process, max_bytes, note_read)
        try:
            async with asyncio.timeout(patience_s):
                await found._write({"declared": list(declared)})
                found.told = await found._answer()
        except (TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            why = (
                f"is silent after {patience_s:g} s" if isinstance(error, TimeoutError) else "ended before it was ready"
            )
            await found.close()
            raise EndpointError(f"the process of {function} {why}, expected it to load: see what it printed") from error
        except BaseException:
            await found.close()
            raise
        if "fault" in found.told:
            await found.close()
            raise EndpointError(
                f"execute.target.function {function} cannot be loaded ({found.told['fault']}), expected module:name of "
                "a function: correct it"
            )
        found._reading = asyncio.create_task(found._read())
        return found

    @property
    def is_open(self) -> bool:
        """Tell whether new calls may be given to the process."""
        return not self._is_leaving and self._reading is not None and not self._reading.done()

    async def ask(self, messages: list[dict[str, str]], context: dict[str, Any]) -> dict[str, Any]:
        """Return the answer's frame.

        Raises:
            EndedError: The process ended first.
        """
        self.load += 1
        try:
            return await self._sent({"messages": messages, "context": context})
        finally:
            self.load -= 1
            if self._is_leaving and not self.load:
                self._kill()

    async def retire(self) -> bool:
        """Take no more calls, and end with the last one in flight; at once when the event loop does not turn any more.

        Return whether it turns, so that the call which is late is late for itself alone.
        """
        self._is_leaving = True
        self.load += 1
        is_awake = await self._is_awake()
        self.load -= 1
        if not (is_awake and self.load):
            self._kill()
        return is_awake

    async def _is_awake(self) -> bool:
        try:
            async with asyncio.timeout(AWAKE_S):
                await self._sent({})
        except (TimeoutError, EndedError):
            return False
        return True

    async def close(self) -> None:
        """End the process now, with all that it started."""
        self._is_leaving = True
        self._kill()
        await self._process.wait()
        self._kill()
        if self._reading:
            await self._reading
        if self._process.stdin:
            self._process.stdin.close()
        # The pipes close one turn of the loop after the process; left open, they would outlive the loop.
        self._process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public way
        await asyncio.sleep(0)

    async def _sent(self, asked: dict[str, Any]) -> dict[str, Any]:
        if self._reading is None or self._reading.done():
            raise EndedError
        number = next(self._numbers)
        self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._write({"id": number} | asked)
            return await self._waiting[number]
        finally:
            del self._waiting[number]

    async def _write(self, frame: dict[str, Any]) -> None:
        if self._process.stdin:
            self._process.stdin.write(frames.pack(frame))
            with suppress(ConnectionError):  # the reader sees the end too, and says it to all that wait
                await self._process.stdin.drain()

    async def _read(self) -> None:
        """Hand on every answer until the process ends, or writes what is none; then tell all that still wait."""
        reading = asyncio.ensure_future(self._answers())
        gone = asyncio.ensure_future(self._process.wait())
        # The end of the pipe says it too, and later answers come first; but a child may hold the pipe open.
        gone.add_done_callback(lambda _: asyncio.get_running_loop().call_later(LAST_WORDS_S, reading.cancel))
        await asyncio.wait({reading})
        self._kill()
        code = await gone
        is_garbage = not reading.cancelled() and not isinstance(reading.exception(), asyncio.IncompleteReadError)
        ended = f"signal {-code}" if code < 0 else f"exit code {code}"
        self.end = "it wrote into the pipe that answers come from" if is_garbage else ended
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(EndedError())

    async def _answers(self) -> NoReturn:
        while True:
            answer = await self._answer()
            waiting = self._waiting.get(answer.get("id", 0))
            if waiting and not waiting.done():
                waiting.set_result(answer)

    async def _answer(self) -> dict[str, Any]:
        """Return the next frame that is no note of a file that was read; those are passed on."""
        while "read" in (frame := await self._frame()):
            self._note_read(str(frame["read"]))
        return frame

    async def _frame(self) -> dict[str, Any]:
        """Return the next frame; raises ValueError for one that is too long, no JSON or no object."""
        if self._process.stdout is None:
            raise ValueError("there is no pipe")
        (size,) = frames.HEADER.unpack(await self._process.stdout.readexactly(frames.HEADER.size))
        if size > self._max_frame:
            raise ValueError(f"a frame of {size} bytes")
        found = json_text.load(frames.unpack(await self._process.stdout.readexactly(size)))
        if not isinstance(found, dict):
            raise ValueError(f"a frame with {type(found).__name__}")  # noqa: TRY004 - a value of the other side
        return found

    def _kill(self) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
