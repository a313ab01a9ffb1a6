"""Runs of many conversations through a BatchChat, each of which may die at a chosen moment."""

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from assay.errors import AssayError
from assay.models.batch_api import Counts
from assay.models.batch_chat import BatchChat
from assay.models.chat import Chat, Endpoint
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.models.usage import Meter, metering
from tests.batches import Service, serving_batches
from tests.endpoint import Body, Reply, completion

KEY = "sk-cleo-secret-0123456789"
LIMITS = Limits(concurrency=8, deadline_s=5, max_retries=0, patience_s=1)
Said = list[str] | AssayError


class Crash(Exception):  # noqa: N818 - it is no error, it is the end
    """The process dies here."""


class DyingJournal(Journal):
    """A journal whose process dies before a key that begins so is written."""

    fatal = "batch:id:"

    async def put(self, key: str, answer: str, *, is_final: bool = True) -> None:
        """Keep an answer, or die."""
        if key.startswith(self.fatal):
            raise Crash
        await super().put(key, answer, is_final=is_final)


class Dies:
    """Progress that ends the process after so many looks."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, _: Counts) -> None:
        """Take note, or die."""
        self._left -= 1
        if self._left < 0:
            raise Crash


class Naps:
    """Sleeps for no time at all, and remembers for how long; may die in the n-th sleep."""

    def __init__(self, last: int = -1) -> None:
        self.taken: list[float] = []
        self._last = last

    async def __call__(self, seconds: float) -> None:
        """Sleep."""
        self.taken.append(seconds)
        if len(self.taken) == self._last:
            raise Crash
        await asyncio.sleep(0)


def echo(body: Body) -> Reply:
    """Answer with what was said last, and with the number of messages so far."""
    return completion(f"{body['messages'][-1]['content']}/{len(body['messages'])}")


def numbered() -> Callable[[Body], Reply]:
    """Return a script that never gives the same answer twice."""
    numbers = itertools.count(1)
    return lambda _: completion(f"answer {next(numbers)}")


async def talk(chat: BatchChat | Chat, key: str, turns: list[str]) -> list[str]:
    """Hold one conversation; return what the model said."""
    messages: list[Body] = []
    with metering(Meter(key=key)):
        for turn in turns:
            messages.append({"role": "user", "content": turn})
            reply = await chat.complete(messages=messages, temperature=0)
            messages.append({"role": "assistant", "content": reply["choices"][0]["message"]["content"]})
    return [message["content"] for message in messages[1::2]]


def run(
    service: Service,
    folder: Path,
    calls: dict[str, list[str]],
    *,
    kind: type[Journal] = Journal,
    fallback: type[Chat] = Chat,
    **options: Any,
) -> dict[str, Said]:
    """Hold all conversations at once, as one run on the folder's journal; return what was said, or why it ended."""

    async def held(url: str, journal: Journal) -> dict[str, Said]:
        settings: dict[str, Any] = {"gather_s": 0.02, "poll_s": 60, "progress": lambda _: None, "sleep": Naps()}
        endpoint = Endpoint(base_url=url, model="support-2", api_key=KEY)
        async with fallback(endpoint, LIMITS) as direct, BatchChat(direct, journal, **settings | options) as chat:
            talks = [talk(chat, key, turns) for key, turns in calls.items()]
            said = await asyncio.gather(*talks, return_exceptions=True)
        for one in said:
            if isinstance(one, BaseException) and not isinstance(one, AssayError):
                raise one
        return dict(zip(calls, said, strict=True))  # type: ignore[arg-type]

    with serving_batches(service) as url, kind(folder / "journal.sqlite") as journal:
        return asyncio.run(held(url, journal))


def why(service: Service, folder: Path, **options: Any) -> AssayError:
    """Return why one question has no answer."""
    found = run(service, folder, {"a": ["Hello"]}, **options)["a"]
    assert isinstance(found, AssayError)
    return found
