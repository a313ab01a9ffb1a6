"""Ninety nights of a live product that never says the same twice: does the project stay as large, and a night as long?

Stages and pruning as in a night, each at a date of its own, without Prefect and DVC, whose costs do not depend on it.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any
from unittest.mock import patch

import yaml
from aiohttp import web

from assay.models.journal import Journal
from assay.project import continuation, run_id
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.stages import calibrate, execute, judge, publish
from benchmarks import project

FIRST = datetime(2026, 1, 1, 2, tzinfo=UTC)
CASES, NIGHTS, KEEP = 200, 90, 14
TOKENS = 60
"""Of a judge's reply, each with five log-probabilities: some 28 kB."""
SHOWN = (1, 5, 20, 45, 90)


class Shop:
    """A product whose answers bear the date, and a judge with log-probabilities, behind one endpoint."""

    def __init__(self) -> None:
        """Begin before the first night."""
        self.night = 0
        self.asked = 0

    async def answer(self, request: web.Request) -> web.Response:
        """Answer one chat request."""
        body = await request.json()
        self.asked += 1
        if "response_format" not in body:
            return web.json_response(_completion(f"Within 14 days, as of night {self.night}.", None))
        top = [{"token": f"token{number}", "logprob": -1.5, "bytes": [116, 111, 107]} for number in range(5)]
        token = {"token": "pass", "logprob": -0.1, "bytes": [112, 97], "top_logprobs": top}
        return web.json_response(_completion('{"verdict": "pass"}', {"content": [token] * TOKENS}))


def _completion(text: str, logprobs: dict[str, Any] | None) -> dict[str, Any]:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message, "logprobs": logprobs}
    usage = {"prompt_tokens": 400, "completion_tokens": 10, "total_tokens": 410}
    return {"id": "c", "object": "chat.completion", "model": "m", "choices": [choice], "usage": usage}


@contextmanager
def serving(shop: Shop) -> Iterator[str]:
    """Serve it on a free port until the block ends."""
    import asyncio

    app = web.Application()
    app.router.add_post("/v1/chat/completions", shop.answer)
    loop, ready = asyncio.new_event_loop(), []

    async def start() -> None:
        runner = web.AppRunner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        ready.append(runner.addresses[0][1])

    loop.run_until_complete(start())
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{ready[0]}/v1"
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def night(moment: datetime) -> float:
    """Play one night; return its seconds."""
    began = time.monotonic()
    run = run_id.new_run(lambda: moment, os.urandom)
    with (
        patch("assay.project.journal.Journal", partial(Journal, clock=moment.timestamp)),
        run_id.being(run),
    ):
        execute.run(moment)
        judge.run(moment)
        calibrate.run(moment)
        publish.run(moment)
        continuation.ended(run)
        continuation.prune(moment)
    return time.monotonic() - began


def size(*names: str) -> float:
    """Return the megabytes of files and folders of the project."""
    files = [file for name in names for file in (Path(name).rglob("*") if Path(name).is_dir() else [Path(name)])]
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 2)


def in_git() -> list[str]:
    """Return the files that Git keeps of the runs."""
    return [str(file) for file in Path("data/runs").iterdir() if file.is_file()]


def measure() -> dict[str, Any]:
    """Play the nights; return what the project has grown to, and how long a night took, on some of them."""
    shop, figures = Shop(), {}
    with tempfile.TemporaryDirectory() as folder, serving(shop) as url, project.inside(Path(folder)):
        project.make(Path(folder), url, CASES, 16)
        whole = yaml.safe_load(Path("params.yaml").read_text())
        whole["publish"] = {"keep": KEEP}
        Path("params.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
        os.environ |= {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "sk-none"}
        for name in ("data/labels", "data/releases", "data/calibration", "data/baseline"):
            Path(name).mkdir(parents=True, exist_ok=True)
        SIGNALS.write([])
        for number in range(1, NIGHTS + 1):
            shop.night, before = number, shop.asked
            seconds = night(FIRST + timedelta(days=number))
            if number == 1:
                shutil.copy(RESPONSES.file(), BASELINE.file())
            if number in SHOWN:
                figures[number] = {
                    "seconds": round(seconds, 2),
                    "calls": shop.asked - before,
                    "journal_mb": size(".assay/journal.sqlite", ".assay/journal.sqlite-wal"),
                    "archive_mb": size("data/runs"),
                    "in_git_kb": round(
                        1000 * size("data/reports/history.jsonl", *map(str, Path("data/runs").glob("*.*")))
                    ),
                }
    return {"cases": CASES, "keep": KEEP, "nights": figures}
