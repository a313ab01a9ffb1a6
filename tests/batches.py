"""A loopback service with the Files and Batches endpoints, as faulty as a test wants it; its books outlive its server.

Every request of a batch is answered by the same script as a direct one (tests/endpoint.py).
"""

import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from tests.endpoint import DROP, Body, Reply, Script, as_json, failure

End = Literal["completed", "expired", "cancelled", "failed"]
Fault = Callable[[str, str], Reply | None]
"""Returns what to answer instead, given the method and the path below /v1; None for the usual answer."""
NOT_RUN = {"expired": "batch_expired", "cancelled": "batch_cancelled"}
OPEN = {"status": "in_progress"}
FULL = {"status": "failed", "errors": {"data": [{"code": "token_limit_exceeded", "message": "too much waits"}]}}


def no_fault(method: str, path: str) -> Reply | None:
    """Answer as usual."""
    return None


def as_they_are(lines: list[bytes]) -> bytes:
    """Return the file that these lines make."""
    return b"".join(line + b"\n" for line in lines)


@dataclass
class Service:
    """The play, and the books that are kept of it."""

    script: Script
    polls: int = 1
    """How often a batch is looked at until it has ended."""
    end: End = "completed"
    errors: Sequence[Body] = ()
    """Why a batch failed."""
    is_executed: Callable[[Body], bool] = lambda _: True
    """Is this request's turn before the end?"""
    output: Callable[[list[bytes]], bytes] = as_they_are
    """Makes the output file."""
    late_looks: int = 0
    """How many looks at an ended batch do not know its files yet."""
    fault: Fault = no_fault
    room: int = 100
    """How many batches may be open at once."""
    page: int = 100
    """The most batches of one list."""

    files: dict[str, bytes] = field(default_factory=dict)
    batches: dict[str, Body] = field(default_factory=dict)
    direct: list[Body] = field(default_factory=list)
    """Chat completions that were asked directly."""
    seen: list[str] = field(default_factory=list)
    """Method and path of every request."""
    _number: Iterator[int] = field(default_factory=itertools.count)

    def requests(self) -> list[Body]:
        """Return the lines of all batches that were made."""
        inputs = [self.files[batch["input_file_id"]] for batch in self.batches.values()]
        return [json.loads(line) for content in inputs for line in content.splitlines()]

    def answer(self, method: str, path: str, query: dict[str, list[str]], kind: str, body: bytes) -> Reply:
        """Answer one request."""
        self.seen.append(f"{method} {path}")
        wrong = self.fault(method, path)
        if wrong:
            return wrong
        match [method, *path.strip("/").split("/")]:
            case ["POST", "files"]:
                return as_json({"id": self._kept(_uploaded(kind, body)), "object": "file"})
            case ["GET", "files", name, "content"] if name in self.files:
                return Reply(200, self.files[name], {"Content-Type": "application/octet-stream"})
            case ["POST", "batches"]:
                return as_json(self.created(json.loads(body)))
            case ["GET", "batches"]:
                return self._listed(query.get("after", [""])[0])
            case ["GET", "batches", name] if name in self.batches:
                return as_json(self._looked_at(self.batches[name]))
            case ["POST", "chat", "completions"]:
                self.direct.append(json.loads(body))
                return self.script(self.direct[-1])
        return failure(404, "no such route")

    def created(self, body: Body) -> Body:
        """Make a batch."""
        is_full = sum(batch["status"] == "in_progress" for batch in self.batches.values()) >= self.room
        batch = {
            "id": f"batch_{next(self._number)}",
            "object": "batch",
            "looks": 0,
            **body,
            **(FULL if is_full else OPEN),
        }
        self.batches[batch["id"]] = batch
        return batch

    def _listed(self, after: str) -> Reply:
        names = list(reversed(self.batches))
        start = names.index(after) + 1 if after else 0
        shown = [self.batches[name] for name in names[start : start + self.page]]
        return as_json({"object": "list", "data": shown, "has_more": start + self.page < len(names)})

    def _looked_at(self, batch: Body) -> Body:
        batch["looks"] += 1
        # As careless as a service can be: this splits at U+2028 and its like, too.
        lines = self.files[batch["input_file_id"]].decode().splitlines()
        batch["request_counts"] = {"total": len(lines), "completed": 0, "failed": 0}
        if batch["looks"] >= self.polls and batch["status"] == "in_progress":
            batch["status"] = self.end
            batch["errors"] = {"object": "list", "data": list(self.errors)}
        if (
            batch["looks"] >= self.polls + self.late_looks
            and batch["status"] != "failed"
            and "output_file_id" not in batch
        ):
            self._executed(batch, [json.loads(line) for line in lines])
        return batch

    def _executed(self, batch: Body, lines: list[Body]) -> None:
        done: list[Body] = []
        wrong: list[Body] = []
        for line in lines:
            found: dict[str, Any] = {"id": "batch_req_1", "custom_id": line["custom_id"], "response": None}
            if self.end in NOT_RUN and not self.is_executed(line["body"]):
                wrong.append(found | {"error": {"code": NOT_RUN[self.end], "message": "not executed"}})
                continue
            reply = self.script(line["body"])
            response = {"status_code": reply.status, "request_id": "r", "body": json.loads(reply.body)}
            (done if reply.status == 200 else wrong).append(found | {"response": response, "error": None})
        batch["request_counts"] = {"total": len(lines), "completed": len(done), "failed": len(wrong)}
        # As OpenAI does: there is no file for what did not occur.
        batch["output_file_id"] = self._kept(self.output([json.dumps(one).encode() for one in done])) if done else None
        batch["error_file_id"] = self._kept(as_they_are([json.dumps(one).encode() for one in wrong])) if wrong else None

    def _kept(self, content: bytes) -> str:
        name = f"file-{next(self._number)}"
        self.files[name] = content
        return name


@contextmanager
def serving_batches(service: Service) -> Iterator[str]:
    """Serve on a free port of 127.0.0.1 until the block ends; yield the address."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer(b"")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body: bytes) -> None:
            url = urlsplit(self.path)
            kind, path = self.headers.get("Content-Type", ""), url.path.removeprefix("/v1")
            with lock:
                reply = service.answer(self.command, path, parse_qs(url.query), kind, body)
            # One request a connection: what the server leaves open at its end would be waited for.
            self.close_connection = True
            if not reply.is_dropped:
                headers = {"Content-Length": str(len(reply.body)), "Connection": "close"} | reply.headers
                lines = [f"HTTP/1.1 {reply.status} X", *(f"{name}: {value}" for name, value in headers.items())]
                self.wfile.write("\r\n".join([*lines, "", ""]).encode() + reply.body)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_: object) -> None:
            """A caller that went away is part of the play."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def once(method: str, path: str, reply: Reply = DROP, times: int = 1) -> Fault:
    """Return a fault that befalls the first requests with this method and this beginning of the path."""
    left = itertools.count(times, -1)

    def fault(found: str, where: str) -> Reply | None:
        return reply if found == method and where.startswith(path) and next(left) > 0 else None

    return fault


def always(method: str, path: str, reply: Reply = DROP) -> Fault:
    """Return a fault that befalls every such request."""
    return once(method, path, reply, times=1_000_000)


def _uploaded(kind: str, body: bytes) -> bytes:
    """Return the file of a multipart upload, which has to be one for a batch."""
    boundary = kind.partition("boundary=")[2].strip('"').encode()
    parts = dict(part.removesuffix(b"\r\n").split(b"\r\n\r\n", 1) for part in body.split(b"--" + boundary)[1:-1])
    (purpose,) = [content for head, content in parts.items() if b'name="purpose"' in head]
    (file,) = [content for head, content in parts.items() if b"filename=" in head]
    assert kind.startswith("multipart/form-data")
    assert purpose == b"batch"
    return file
