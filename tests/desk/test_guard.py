"""The guard: which sockets are opened, and what a browser has to say of where a write comes from."""

import asyncio
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from assay.desk.guard import NoForeignSockets, NoForeignWrites


def reached(guard: Any, scope: dict[str, Any]) -> bool:
    """Tell whether an application behind a guard is asked."""
    seen = []

    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(True)

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(_message: Message) -> None:
        return None

    asyncio.run(guard(app)(scope, receive, send))
    return bool(seen)


def scope(kind: str, method: str = "POST", **headers: str) -> dict[str, Any]:
    """Return a request to a desk at host:8000."""
    told = {"host": "host:8000"} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in told.items()]
    return {"type": kind, "method": method, "path": "/", "query_string": b"", "headers": raw, "extensions": {}}


@pytest.mark.parametrize(
    ("kind", "headers", "is_open"),
    [
        ("websocket", {}, True),
        ("websocket", {"origin": "http://host:8000"}, True),
        ("websocket", {"origin": "http://host:8001"}, False),
        ("websocket", {"origin": "https://evil.example"}, False),
        ("websocket", {"origin": "null"}, False),
        ("http", {"origin": "https://evil.example"}, True),
    ],
)
def test_a_socket_is_for_a_page_of_its_own_and_for_programs(
    kind: str, headers: dict[str, str], *, is_open: bool
) -> None:
    """A page of another origin opens none; a program names no page and may; other requests are not held up here."""
    extension = {"extensions": {"websocket.http.response": {}}}
    assert reached(NoForeignSockets, scope(kind, **headers) | extension) == is_open


@pytest.mark.parametrize(
    ("method", "headers", "is_open"),
    [
        ("GET", {}, True),
        ("HEAD", {"origin": "https://evil.example"}, True),
        ("POST", {"origin": "http://host:8000"}, True),
        ("POST", {"origin": "http://host:8000", "sec_fetch_site": "same-origin"}, True),
        ("POST", {"origin": "http://host:8000", "sec_fetch_site": "same-site"}, False),
        ("POST", {}, False),
        ("DELETE", {"origin": "https://evil.example"}, False),
    ],
)
def test_a_write_says_that_it_comes_from_here(method: str, headers: dict[str, str], *, is_open: bool) -> None:
    """Reading is for everybody; a write of another origin, a neighbouring site or of nobody knows where is refused."""
    assert reached(NoForeignWrites, scope("http", method, **headers)) == is_open
