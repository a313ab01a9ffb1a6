"""A loopback endpoint with every fault that a gateway, a wire or a model can have, and what a run makes of them.

`python -m benchmarks.faults LATENCY_S SEED SHARE [KIND ...]` prints its port first, then serves until terminated. Each
kind of fault meets a share of the tries; which one meets which is decided by the seed, what is asked and how often that
came, so that it does not depend on the order of arrival. `GET /counts` tells what came and what was answered, `GET
/reached/N` answers when N different questions have come.
"""

import asyncio
import hashlib
import http.client
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from assay.project import files
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from benchmarks.endpoint import ANSWER, HEAD_END, LENGTH, reply

if TYPE_CHECKING:
    from assay.report import findings

KINDS = ("too-many", "server-fault", "reset", "hang", "truncated", "empty", "web-page", "error-body")
"""429 with or without Retry-After, 500, a connection reset, no answer ever, half a JSON declared as half or as whole, a
completion that says nothing, HTML with 200, an error in OpenAI's shape with 200. Where there are two forms, a question
always meets the same."""
LATE = frozenset({"", "truncated", "empty"})
"""Said after the latency, as a model does; everything else comes at once, as from a gateway."""
ROOT = Path(__file__).parent.parent
PATIENCE_S = 600
"""How long whoever waits for a number of questions waits."""
COUNT, CONCURRENCY, LATENCY_S, DEADLINE_S, SEED, SHARE = 2000, 64, 0.2, 1.0, 20, 0.05
ONE_IN = 5
"""So many questions to the judge have one that is answered with `fail`."""


def whole(status: bytes, body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    """Return a whole HTTP answer."""
    declared = b"Content-Length: %d" % (len(body) if length is None else length)
    return b"\r\n".join([b"HTTP/1.1 " + status, *headers, declared, b"", body])


JSON = b"Content-Type: application/json"
ERROR = json.dumps({"error": {"message": "the model is at its limit", "type": "overloaded", "code": "busy"}}).encode()
HALF = ANSWER.partition(HEAD_END)[2][:100]
FAULTS = {
    "too-many": whole(b"429 Too Many Requests", ERROR, JSON),
    "server-fault": whole(b"500 Internal Server Error", ERROR, JSON),
    "truncated": whole(b"200 OK", HALF, JSON),
    "empty": reply(""),
    "web-page": whole(b"200 OK", b"<html><h1>Sign in</h1></html>", b"Content-Type: text/html"),
    "error-body": whole(b"200 OK", ERROR, JSON),
}
OTHER_FORMS = {
    "too-many": whole(b"429 Too Many Requests", ERROR, JSON, b"Retry-After: 1"),
    "truncated": whole(b"200 OK", HALF, JSON, length=2 * len(HALF)),
}
PASS, FAIL = reply('{"verdict": "pass"}'), reply('{"verdict": "fail"}')


class Weather:
    """Which fault a try meets."""

    def __init__(self, seed: int, share: float, kinds: Sequence[str] = KINDS) -> None:
        """Fix the weather.

        Args:
            seed: Another seed, other tries.
            share: Of the tries that meet each kind.
            kinds: The kinds there are.

        Raises:
            ValueError: A kind is unknown, or the shares come to more than all tries.
        """
        if set(kinds) - set(KINDS) or share * len(kinds) > 1:
            raise ValueError(f"found {share} of each of {', '.join(kinds)}; expected at most all tries, and {KINDS}")
        self._seed, self._share, self._kinds = seed, share, kinds

    def of(self, question: bytes, before: int) -> str:
        """Return the kind that meets a question which came `before` times already; empty for none."""
        drawn = hashlib.blake2b(b"%d %d %s" % (self._seed, before, question), digest_size=8).digest()
        kind = int(int.from_bytes(drawn) / 2**64 / self._share) if self._share else len(self._kinds)
        return self._kinds[kind] if kind < len(self._kinds) else ""


class Ledger:
    """What came to the endpoint and what became of it."""

    def __init__(self) -> None:
        """Start with nothing."""
        self.came: Counter[bytes] = Counter()
        self.answered: Counter[bytes] = Counter()
        self.faults: Counter[str] = Counter()
        self.waiting = self.abandoned = 0
        self.first_s = self.last_s = 0.0
        self._awaited: list[tuple[int, asyncio.Future[None]]] = []

    def take(self, question: bytes, at_s: float) -> int:
        """Count a request; return how often it came before."""
        self.first_s = self.first_s or at_s
        self.last_s = at_s
        self.came[question] += 1
        self.waiting += 1
        for number, reached in self._awaited:
            if len(self.came) >= number and not reached.done():
                reached.set_result(None)
        return self.came[question] - 1

    async def reached(self, number: int) -> None:
        """Wait until so many different questions have come."""
        if len(self.came) < number:
            place = number, asyncio.get_running_loop().create_future()
            self._awaited.append(place)
            await place[1]
            self._awaited.remove(place)

    def told(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {
            "requests": self.came.total(),
            "questions": len(self.came),
            "answered": self.answered.total(),
            "answered_again": self.answered.total() - len(self.answered),
            "faults": dict(sorted(self.faults.items())),
            "waiting": self.waiting,
            "abandoned": self.abandoned,
            "span_s": round(self.last_s - self.first_s, 3),
        }


class Connection(asyncio.Protocol):
    """One connection; its requests come one after the other."""

    def __init__(self, latency_s: float, weather: Weather, ledger: Ledger) -> None:
        self._latency_s, self._weather, self._ledger = latency_s, weather, ledger
        self._loop, self._unread = asyncio.get_running_loop(), b""
        self._is_waiting = False
        self._telling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - a TCP server makes no other
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Count a caller that went away before its answer."""
        self._ledger.abandoned += self._is_waiting
        self._ended()

    def data_received(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self._unread += data
        head, found, rest = self._unread.partition(HEAD_END)
        if not found:
            return
        lines = head.lower().split(b"\r\n")
        length = next((int(line[len(LENGTH) :]) for line in lines if line.startswith(LENGTH)), 0)
        if len(rest) < length:
            return
        self._unread = rest[length:]
        if head.startswith(b"GET"):
            self._telling = self._loop.create_task(self._tell(head.split()[1].decode()))
        else:
            self._meet(rest[:length])

    def _meet(self, body: bytes) -> None:
        question = hashlib.blake2b(body, digest_size=8).digest()
        kind = self._weather.of(question, self._ledger.take(question, self._loop.time()))
        self._is_waiting = True
        if kind:
            self._ledger.faults[kind] += 1
        if kind in LATE:
            is_judge = b'"response_format"' in body
            good = ANSWER if not is_judge else PASS if question[0] % ONE_IN else FAIL
            self._loop.call_later(self._latency_s, self._say, question, kind, good)
        elif kind == "reset":
            self._reset()
        elif kind != "hang":
            self._say(question, kind, b"")

    def _say(self, question: bytes, kind: str, good: bytes) -> None:
        """Say the answer or the fault, unless the caller has gone."""
        if not self._is_waiting:
            return
        self._ended()
        self._ledger.last_s = self._loop.time()
        if not kind:
            self._ledger.answered[question] += 1
        is_other = kind in OTHER_FORMS and question[1] % 2
        self._transport.write(OTHER_FORMS[kind] if is_other else FAULTS.get(kind, good))
        if kind == "truncated" and is_other:
            self._transport.close()

    def _reset(self) -> None:
        """Close without the word of farewell that TCP has for it."""
        self._ended()
        linger = struct.pack("ii", 1, 0)
        self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self._transport.abort()

    def _ended(self) -> None:
        self._ledger.waiting -= self._is_waiting
        self._is_waiting = False

    async def _tell(self, path: str) -> None:
        if path.startswith("/reached/"):
            await self._ledger.reached(int(path.rpartition("/")[2]))
        self._transport.write(whole(b"200 OK", json.dumps(self._ledger.told()).encode(), JSON))


async def serve(latency_s: float, weather: Weather) -> None:
    """Serve on a free port until terminated."""
    ledger = Ledger()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(latency_s, weather, ledger), "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


class Served(NamedTuple):
    """A fault server that runs."""

    url: str

    def counts(self) -> dict[str, Any]:
        """Return what came and what was answered."""
        return self._get("counts")

    def reached(self, number: int) -> dict[str, Any]:
        """Wait until so many different questions have come; return the counts of that moment."""
        return self._get(f"reached/{number}")

    def _get(self, path: str) -> dict[str, Any]:
        address = urlsplit(self.url)
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=PATIENCE_S)
        try:
            connection.request("GET", f"/{path}")
            found: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return found


@contextmanager
def serving(latency_s: float, seed: int, share: float, *kinds: str) -> Iterator[Served]:
    """Serve in a process of its own while the block runs; see the top of this file for the arguments."""
    command = [sys.executable, "-m", "benchmarks.faults", str(latency_s), str(seed), str(share), *kinds]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as server:
        assert server.stdout  # noqa: S101 - asked for above
        try:
            yield Served(f"http://127.0.0.1:{server.stdout.readline().strip()}/v1")
        finally:
            server.kill()


class Ran(NamedTuple):
    """What one run of both stages came to."""

    figures: dict[str, Any]
    """Seconds, requests, rows and errors, as JSON values."""
    outcomes: "findings.Outcomes"
    """Of its cases, as the report folds them."""


def measure() -> dict[str, Any]:
    """Run one project undisturbed and one among faults; return the figures of both and what a report says of them.

    `ratio` is that of the times from the first request to the last answer: what Python takes to start is in neither.
    """
    from assay.report import comparison, findings

    with tempfile.TemporaryDirectory() as folder:
        calm, faulty = (ran(Path(folder), share, cases=COUNT) for share in (0.0, SHARE))
    compared = comparison.compare("all", dict.fromkeys(calm.outcomes.by_case, ""), faulty.outcomes, calm.outcomes)
    accounted = findings.account(faulty.outcomes)
    return {
        "undisturbed": calm.figures,
        "among_faults": faulty.figures,
        "ratio": round(faulty.figures["endpoint"]["span_s"] / calm.figures["endpoint"]["span_s"], 2),
        "reported": {
            "rate": compared.target.model_dump(),
            "rate_of_these_cases_undisturbed": compared.baseline.estimate,
            "accounting": accounted.model_dump(),
            "share_of_errors": (accounted.wire_failed + accounted.judge_failed) / accounted.planned,
        },
    }


def ran(folder: Path, share: float, *, cases: int) -> Ran:
    """Make a project with so many cases, run execute and judge on it in a process of their own, and tell what came.

    Args:
        folder: Where the project's folder is made.
        share: Of the tries that meet each kind of fault.
        cases: How many.
    """
    from assay.models.journal import Journal
    from assay.report import findings
    from benchmarks import project

    place = folder / f"faults-{share}"
    place.mkdir()
    with serving(LATENCY_S, SEED, share) as served:
        project.make(place, served.url, cases, CONCURRENCY, deadline_s=DEADLINE_S)
        command = [sys.executable, "-m", "benchmarks.jobs", "assay", served.url, str(cases), str(CONCURRENCY)]
        began = time.monotonic()
        subprocess.run(command, cwd=place, env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True, capture_output=True)
        wall_s, counts = time.monotonic() - began, served.counts()
    with project.inside(place), Journal(files.private("journal.sqlite")) as journal:
        responses, verdicts = RESPONSES.read(), VERDICTS.read()
        outcomes = findings.outcomes("target", CASES.read(), responses, verdicts, checks_only=False)
        spent = {
            row.stage: {"calls": row.calls, "failed": row.failed, "requests": row.requests} for row in journal.ledger()
        }
    unscored = Counter(
        row.detail.partition(":")[0] for row in verdicts if row.status == "error" and row.scorer == "correctness"
    )
    figures = {
        "wall_s": round(wall_s, 2),
        "endpoint": counts,
        "ledger": spent,
        "rows": {"cases": cases, "responses": len(responses), "answered": sum(row.status == "ok" for row in responses)},
        "errors": dict(Counter(row.error_kind for row in responses if row.error_kind)),
        "unscored": dict(unscored),
    }
    return Ran(figures, outcomes)


if __name__ == "__main__":
    chosen = Weather(int(sys.argv[2]), float(sys.argv[3]), tuple(sys.argv[4:]) or KINDS)
    asyncio.run(serve(float(sys.argv[1]), chosen))
