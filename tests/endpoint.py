"""A scripted OpenAI-compatible endpoint on loopback: real HTTP, with every fault that a product or a judge can have."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Reply:
    """One reply on the wire."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    delay_s: float = 0
    is_dropped: bool = False
    """The connection is closed after the body, or without a word when there is none."""


Body = dict[str, Any]
Script = Callable[[Body], Reply]


def completion(content: Any = "", model: Any = "support-2", **message: Any) -> Reply:
    """Return a well-formed completion with this message."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": content} | message}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return as_json({"id": "c", "object": "chat.completion", "model": model, "choices": [choice], "usage": usage})


def tool_call(name: str, arguments: str, call_id: str = "call-1") -> Body:
    """Return one tool call as OpenAI's API spells it."""
    return {"id": call_id, "type": "function", "function": {"name": name, "arguments": arguments}}


def as_json(body: Any, status: int = 200, **headers: str) -> Reply:
    """Return any JSON value with any status."""
    return Reply(status, json.dumps(body).encode(), {"Content-Type": "application/json"} | headers)


def failure(status: int, message: str = "no", code: str = "", **headers: str) -> Reply:
    """Return an error in OpenAI's shape; `retry_after_ms` becomes the header of that name."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return as_json({"error": {"message": message, "type": "x", "param": None, "code": code}}, status, **named)


DROP = Reply(is_dropped=True)
HTML = Reply(body=b"<html><h1>Bad gateway</h1></html>", headers={"Content-Type": "text/html"})


class Served:
    """What a test sees of the endpoint: its address and what it was asked."""

    def __init__(self, url: str) -> None:
        """Start with nothing asked."""
        self.url = url
        self.asked: list[Body] = []
        self.heads: list[tuple[str, dict[str, str]]] = []
        """Path and headers of each call, the headers by their name in small letters."""
        self.peak = 0
        """The most calls that were in flight at once."""
        self._in_flight = 0
        self._lock = threading.Lock()

    @contextmanager
    def counting(self, body: Body) -> Iterator[None]:
        """Count one call while it is in flight."""
        with self._lock:
            self.asked.append(body)
            self._in_flight += 1
            self.peak = max(self.peak, self._in_flight)
        try:
            yield
        finally:
            with self._lock:
                self._in_flight -= 1

    def said(self) -> list[str]:
        """Return the last message of every call, in the order of arrival."""
        return [body["messages"][-1]["content"] for body in self.asked]


@contextmanager
def serving(script: Script) -> Iterator[Served]:
    """Serve the script on a free port of 127.0.0.1 until the block ends."""
    closing = threading.Event()
    connections: list[socket.socket] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.append(self.connection)

        def do_GET(self) -> None:
            self._send(as_json({"object": "list", "data": []}))

        def do_POST(self) -> None:
            served.heads.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with served.counting(body):
                reply = script(body)
                closing.wait(reply.delay_s)
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.close_connection |= reply.is_dropped
            if reply.is_dropped and not reply.body:
                return
            headers = {"Content-Length": str(len(reply.body))} | reply.headers
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
    served = Served(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        closing.set()
        server.shutdown()
        server.server_close()
        thread.join()
        for connection in connections:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def refusing() -> Iterator[str]:
    """Yield an address at which nobody listens."""
    with serving(lambda _: DROP) as served:
        url = served.url
    yield url
