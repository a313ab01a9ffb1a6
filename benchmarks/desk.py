"""Many reviewers at one desk that is killed meanwhile: what was acknowledged is in the log, and how long a word takes.

Each reviewer does what a browser does: sends the form of the item on the screen, and reads the next item out of the
answer. A word counts as acknowledged once that answer has come.
"""

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import yaml

from assay.commands.desk import people
from assay.project.tables.decisions import BATCHES
from assay.records.candidate import Candidate
from assay.records.case import Case, Expectation
from assay.records.decision import Decision
from assay.stages import batches
from assay.storage import hash_chain
from assay.storage.rows import parse_rows

FIELDS = re.compile(r'name="(csrf|revision)" value="([^"]*)"')
PATIENCE_S = 60.0
OK = 200


@dataclass
class Load:
    """What the reviewers saw."""

    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    """Reviewer and candidate."""
    waits: list[float] = field(default_factory=list)
    """Seconds from a word to the next item."""
    refused: int = 0
    lost: int = 0
    """Words whose answer never came: the desk was killed, and the reviewer said them again."""


def make(folder: Path, reviewers: int, candidates: int) -> list[str]:
    """Make a project with an open batch, in which everybody decides on everything; return the tokens."""
    params = yaml.safe_load((Path(__file__).parent.parent / "params.yaml").read_text(encoding="utf8"))
    params["review"] |= {"reviewers": min(reviewers, 9)}
    shutil.copytree(Path(__file__).parent.parent / "data/judges", folder / "data/judges")
    (folder / "data/taxonomy").mkdir(parents=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(params), encoding="utf8")
    about = {
        "definition": "Wrong.",
        "examples": ["x"],
        "severity": "high",
        "quota": 1,
        "owner": "care",
        "layer": "unit",
    }
    (folder / "data/taxonomy/refunds.yaml").write_text(yaml.safe_dump({"category": "refunds"} | about), encoding="utf8")
    with chdir(folder):
        batches.open_batch([_candidate(number) for number in range(candidates)], "", datetime.now(UTC))
        (opened,) = BATCHES.read()
        BATCHES.write([opened.model_copy(update={"reviewers": reviewers})])
        return [people().invite(f"r{number:02}", "reviewer") for number in range(reviewers)]


def _candidate(number: int) -> Candidate:
    case = Case(
        case_id=f"refunds-{number:04}",
        layer="unit",
        category="refunds",
        turns=[f"My order {number} came late, may I have my money back?"],
        reference="Yes, within 14 days.",
        expectations=[Expectation(check="icontains", values=["14 days"])],
        provenance="generated",
        parent="",
        owner="care",
    )
    return Candidate(candidate_id=case.case_id, case=case, generator="g", seed=1, nearest="", similarity=0)


class Desk:
    """The desk as a process of its own."""

    def __init__(self, folder: Path) -> None:
        """Choose a port."""
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self._folder, self.address = folder, f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it listens."""
        root = str(Path(__file__).parent.parent)
        command = [sys.executable, "-m", "assay.cli.main", "desk", "--port", str(self._port)]
        self._process = subprocess.Popen(command, cwd=self._folder, env=os.environ | {"PYTHONPATH": root})
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self._port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError(f"the desk did not listen on {self.address}")

    def kill(self) -> None:
        """Kill it at once."""
        if self._process:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()


async def _reviewer(desk: Desk, name: str, token: str, load: Load) -> None:
    """Admit whatever is shown until nothing is left."""
    headers = {"Origin": desk.address, "X-Assay-Fragment": "1"}
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(desk.address, headers=headers, cookie_jar=jar) as session:
        await _patiently(session, "POST", "/sign-in", load, {"token": token, "next": "/"})
        page, place = await _patiently(session, "GET", "/candidates", load)
        while place.startswith("/candidates/"):
            shown = {field: unescape(value) for field, value in FIELDS.findall(page)}
            began, said = time.monotonic(), place
            page, place = await _patiently(session, "POST", said, load, shown | {"word": "admit", "seconds": "1"})
            load.waits.append(time.monotonic() - began)
            load.acknowledged.add((name, said.rpartition("/")[2]))


async def _patiently(
    session: aiohttp.ClientSession, method: str, path: str, load: Load, data: dict[str, str] | None = None
) -> tuple[str, str]:
    """Ask until somebody answers; return the page and its place."""
    while True:
        try:
            async with session.request(method, path, data=data, allow_redirects=path != "/sign-in") as answer:
                load.refused += answer.status >= 400  # noqa: PLR2004 - what HTTP calls an error
                return await answer.text(), answer.headers.get("X-Assay-Place", "")
        except aiohttp.ClientError:
            load.lost += 1
            await asyncio.sleep(0.1)


async def _sitting(desk: Desk, tokens: Sequence[str], words: int, kills: int) -> Load:
    """Let everybody decide; kill the desk and start it again so many times meanwhile."""
    load = Load()
    work = [asyncio.create_task(_reviewer(desk, f"r{at:02}", token, load)) for at, token in enumerate(tokens)]
    for kill in range(kills):
        while len(load.acknowledged) < words * (kill + 1) // (kills + 1):  # noqa: ASYNC110 - it only counts
            await asyncio.sleep(0.005)
        desk.kill()
        await asyncio.to_thread(desk.start)
    await asyncio.gather(*work)
    return load


def run(folder: Path, reviewers: int, candidates: int, kills: int) -> dict[str, Any]:
    """Let reviewers decide on all candidates at a desk that is killed meanwhile; return what became of their words."""
    tokens, words = make(folder, reviewers, candidates), reviewers * candidates
    desk = Desk(folder)
    desk.start()
    began = time.monotonic()
    try:
        load = asyncio.run(_sitting(desk, tokens, words, kills))
    finally:
        desk.kill()
    wall = time.monotonic() - began
    kept = _kept(folder)
    waits = np.array(load.waits) * 1000
    return {
        "reviewers": reviewers,
        "kills": kills,
        "acknowledged": len(load.acknowledged),
        "acknowledged_but_lost": len(load.acknowledged - set(kept)),
        "rows": len(kept),
        "said_twice": len(kept) - len(set(kept)),
        "refused": load.refused,
        "unanswered": load.lost,
        "words_a_second": round(words / wall, 1),
        "to_next_item_ms": {name: round(float(np.percentile(waits, at)), 1) for name, at in (("p50", 50), ("p95", 95))},
    }


def _kept(folder: Path) -> list[tuple[str, str]]:
    """Return what the log holds, after the check of its chain."""
    file = folder / "data/decisions/decisions.jsonl"
    rows = hash_chain.follow(hash_chain.lines(file, "log"), "log")
    return [(row.reviewer, row.candidate_id) for row in parse_rows(Decision, rows, "log")]
