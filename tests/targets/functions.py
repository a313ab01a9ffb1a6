"""Products that are functions, each with its own way to go wrong; they run in processes of their own."""

import asyncio
import ctypes
import os
import re
import sys
import threading
import time
from typing import Any, NoReturn

__version__ = "3.1"
DEEP = 20_000


def answer(messages: list[dict[str, str]], **context: Any) -> Any:
    """Do what the last message says."""
    print("noise")  # noqa: T201 - the test is that nobody hears it
    os.write(1, b"\x00\x00\x00\x02{}")
    asked, _, rest = messages[-1]["content"].partition(" ")
    return ACTIONS[asked](rest) if asked in ACTIONS else {"text": asked, "contexts": [str(sorted(context))]}


async def answer_async(messages: list[dict[str, str]], *, conversation_id: str) -> Any:
    """Do what the last message says on the event loop; `nap` waits as a coroutine should."""
    asked, _, rest = messages[-1]["content"].partition(" ")
    if asked == "nap":
        await asyncio.sleep(float(rest))
        return f"{conversation_id} {threading.active_count()}"
    return answer(messages)


def attached(messages: list[dict[str, str]], *, attachments: list[dict[str, str]]) -> str:
    """Say what is attached."""
    return str([(one["name"], one["type"], len(one["data"])) for one in attachments])


def remember(messages: list[dict[str, str]]) -> str:
    """Say what was said."""
    return " / ".join(f"{one['role']}: {one['content']}" for one in messages)


async def stuck(messages: list[dict[str, str]]) -> str:
    """Hold the interpreter, so that not even a thread of the process can act."""
    re.match(r"(a+)+$", "a" * 60 + "b")
    return str(messages)


NOT_A_FUNCTION = "text"


def _raise(text: str) -> NoReturn:
    raise ValueError(text)


def _stop(_: str) -> NoReturn:
    raise StopIteration


class UnsayableError(Exception):
    """An exception that raises when it is printed."""

    def __str__(self) -> str:
        raise RuntimeError


def _unsayable(_: str) -> NoReturn:
    raise UnsayableError


def _deep(_: str) -> list[Any]:
    found: list[Any] = []
    for _ in range(DEEP):
        found = [found]
    return found


def _forge(_: str) -> str:
    """Write into every pipe that the process has."""
    for number in range(3, 64):
        try:
            os.write(number, b"\xff" * 64)
        except OSError:
            continue
    time.sleep(30)
    return ""


ACTIONS: dict[str, Any] = {
    "exit": lambda rest: os._exit(int(rest)),
    "sys.exit": lambda rest: sys.exit(int(rest)),
    "segfault": lambda _: ctypes.string_at(0),
    "block": lambda rest: time.sleep(float(rest)),
    "raise": _raise,
    "stop": _stop,
    "unsayable": _unsayable,
    "big": lambda rest: "x" * int(rest),
    "surrogate": lambda _: "half \ud83d",
    "odd": lambda _: {"text": {1, 2}},
    "nan": lambda _: {"text": "hi", "final_state": float("nan")},
    "deep": _deep,
    "none": lambda _: None,
    "forge": _forge,
    "read": lambda _: f"read {sys.stdin.read()!r}",
    "pid": lambda _: str(os.getpid()),
}
