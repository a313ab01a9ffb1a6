"""One process of a Python product: `python -P -m assay.targets.worker module:name MAX_BYTES ROOT`.

It runs in the folder ROOT of the product and imports from there; the project's own `tasks` and `flows` are not on its
path. It reads calls from its standard input and writes answers to what was its standard output; the function sees
neither: what it prints is dropped, what it writes to standard error is shown. The first frame names the files that the
product declares; every other file of ROOT that it reads is told before the next answer. The process ends when its input
ends, also when Assay was killed, and with it all that it started.
"""

import asyncio
import hashlib
import importlib
import inspect
import json
import os
import select
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any, NoReturn

from assay.targets import frames
from assay.targets.file_reads import FileReads

MOST_THREADS = 4096
SHOWN = 300
"""Characters of an exception's text that an answer may hold."""

Send = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve the function until the input ends."""
    calls, answers = _claimed(sys.stdin.fileno(), sys.stdout.fileno())
    _end_with_input(calls, answers)

    def send(answer: dict[str, Any]) -> None:
        rest = memoryview(frames.pack(answer))
        while rest:
            rest = rest[os.write(answers, rest) :]

    name, max_bytes, root = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    stream = open(calls, "rb")  # noqa: SIM115, PTH123 - for as long as the process
    try:
        os.chdir(root)
        sys.path.insert(0, str(Path.cwd()))
        reads = FileReads(str(Path.cwd()), json.loads(_next(stream))["declared"])
        reads.watch()
        function = _loaded(name)
        worker, told = Worker(function, max_bytes, send, reads), _told(name, function)
    except BaseException as error:  # noqa: BLE001 - the project's module; its fault is told, not raised
        send({"fault": _shown(error)})
        os._exit(1)
    worker.send(told)
    asyncio.run(_serve(worker, stream))


class Worker:
    """What answers the calls: coroutines on the loop, plain functions on threads."""

    def __init__(self, function: Callable[..., Any], max_bytes: int, send: Send, reads: FileReads) -> None:
        """Prepare; a plain function gets a thread for every call that is in flight."""
        self._function, self._max_bytes, self._send, self._reads = function, max_bytes, send, reads
        self._is_async = inspect.iscoroutinefunction(inspect.unwrap(function))
        self._accepted = _accepted(function)
        self._threads = ThreadPoolExecutor(MOST_THREADS)
        self._running: set[asyncio.Task[None]] = set()

    def take(self, frame: str) -> None:
        """Begin one call, or answer that the loop is awake."""
        asked = json.loads(frame)
        if "messages" not in asked:
            self.send({"id": asked["id"], "awake": True})
            return
        task = asyncio.ensure_future(self._answer(asked))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    def send(self, answer: dict[str, Any]) -> None:
        """Send an answer, after the names of undeclared files that were read until now."""
        for name in self._reads.take():
            self._send({"read": name})
        self._send(answer)

    async def _answer(self, asked: dict[str, Any]) -> None:
        context = {name: value for name, value in asked["context"].items() if self._accepted(name)}
        try:
            found = await self._called(asked["messages"], context)
        except BaseException as error:  # noqa: BLE001 - also sys.exit and a cancelled task are that call's own fault
            self.send({"id": asked["id"], "raised": _shown(error)})
            return
        self.send(self._bounded(asked["id"], found))

    async def _called(self, messages: list[dict[str, str]], context: dict[str, Any]) -> Any:  # noqa: ANN401 - anything
        if self._is_async:
            return await self._function(messages, **context)
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, lambda: _contained(self._function, messages, context))
        return await found if isinstance(found, Awaitable) else found

    def _bounded(self, number: int, found: Any) -> dict[str, Any]:  # noqa: ANN401 - anything that a function returns
        try:
            size = len(frames.pack(found)) - frames.HEADER.size
        except (TypeError, ValueError, RecursionError) as error:
            return {"id": number, "odd": _shown(error)}
        return {"id": number, "too_long": size} if size > self._max_bytes else {"id": number, "answer": found}


class _ContainedError(Exception):
    """What a plain function raised that would end more than its call."""


def _contained(function: Callable[..., Any], messages: list[dict[str, str]], context: dict[str, Any]) -> Any:  # noqa: ANN401
    """Call a plain function; SystemExit and its kin, and StopIteration, could not leave a thread otherwise."""
    try:
        return function(messages, **context)
    except Exception as error:
        if isinstance(error, StopIteration):
            raise _ContainedError(_shown(error)) from error
        raise
    except BaseException as error:
        raise _ContainedError(_shown(error)) from error


async def _serve(worker: Worker, calls: IO[bytes]) -> None:
    loop = asyncio.get_running_loop()
    ended = threading.Thread(target=_read, args=(calls, lambda frame: loop.call_soon_threadsafe(worker.take, frame)))
    ended.start()
    await asyncio.Event().wait()


def _read(calls: IO[bytes], take: Callable[[str], object]) -> NoReturn:
    """Hand on every call until the input ends, and the process with it."""
    while True:
        take(_next(calls))


def _next(calls: IO[bytes]) -> str:
    """Return the text of the next frame; end the process with its input, whatever the function is doing."""
    header = calls.read(frames.HEADER.size)
    if len(header) < frames.HEADER.size:
        os._exit(0)
    return frames.unpack(calls.read(frames.HEADER.unpack(header)[0]))


def _claimed(reading: int, writing: int) -> tuple[int, int]:
    """Return the pipes under numbers of their own, and leave the function an empty input and a deaf output."""
    pipes = os.dup(reading), os.dup(writing)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, reading)
    os.dup2(nothing, writing)
    os.close(nothing)
    return pipes


def _end_with_input(calls: int, answers: int) -> None:
    """Leave a process that ends this one's group when nobody can send calls any more.

    A thread could not while a function holds the interpreter. It is forked before there is any thread, twice so that
    it is no child that a function could wait for, and as one of the group it ends with it.
    """
    if child := os.fork():
        os.waitpid(child, 0)
        return
    if os.fork():
        os._exit(0)
    os.close(answers)
    waiting = select.poll()
    waiting.register(calls, 0)  # its end alone: what comes in is for the other process
    waiting.poll()
    os.killpg(0, signal.SIGKILL)


def _loaded(name: str) -> Callable[..., Any]:
    module, _, function = name.partition(":")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    if not callable(found):
        raise TypeError(f"{name} is {type(found).__name__}, no function")
    return found


def _told(name: str, function: Callable[..., Any]) -> dict[str, str]:
    """Return the version of the function's module and the hash of the function's file."""
    module = sys.modules[name.partition(":")[0]]
    written = inspect.unwrap(function)
    file = inspect.getsourcefile(written if inspect.isroutine(written) else module)
    if file is None:
        raise TypeError(f"{name} has no source file, by which its version could be known")
    source = hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]
    return {"version": str(getattr(module, "__version__", ""))[:80], "source": source}


def _accepted(function: Callable[..., Any]) -> Callable[[str], bool]:
    """Return which words of the context the function takes."""
    parameters = inspect.signature(function).parameters
    if any(one.kind is one.VAR_KEYWORD for one in parameters.values()):
        return lambda _: True
    named = {
        one.name for one in list(parameters.values())[1:] if one.kind in {one.KEYWORD_ONLY, one.POSITIONAL_OR_KEYWORD}
    }
    return named.__contains__


def _shown(error: BaseException) -> str:
    try:
        said = str(error)
    except Exception as fault:  # noqa: BLE001 - an exception that cannot even say itself
        said = f"(its text raised {type(fault).__name__})"
    name = "" if isinstance(error, _ContainedError) else f"{type(error).__name__}: "
    return " ".join(f"{name}{said[: 2 * SHOWN]}".split())[:SHOWN]


if __name__ == "__main__":
    main()
