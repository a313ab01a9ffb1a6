"""The guard: which sockets are opened, and what a browser has to say of where a write comes from."""

import asyncio
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from assay.desk.guard import HEADERS, NoForeignSockets, NoForeignWrites, WithHeaders, form


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


def test_what_is_no_request_is_let_through() -> None:
    """A server tells an application that it begins and ends, which is no write of anybody's."""
    assert reached(NoForeignWrites, {"type": "lifespan"})


def test_an_answer_is_shown_alone_and_kept_nowhere() -> None:
    """No other site frames, embeds, opens or is told of a page, nothing guesses its type, and no cache keeps it."""
    sent: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"cache-control", b"public")]})
        await send({"type": "http.response.body", "body": b"x"})

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(WithHeaders(app, HEADERS)(scope("http", "GET"), receive, send))
    start, body = sent
    told = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    policy = dict(part.strip().split(" ", 1) for part in told.pop("content-security-policy").split("; "))
    assert told == {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }
    assert policy == {
        **dict.fromkeys(("default-src", "base-uri", "frame-ancestors"), "'none'"),
        **dict.fromkeys(("script-src", "style-src", "connect-src", "media-src", "form-action"), "'self'"),
        "img-src": "'self' data:",
    }
    assert body == {"type": "http.response.body", "body": b"x"}


def sent_form(body: bytes, **headers: str) -> dict[str, str]:
    """Return the fields of a form with this body."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    told = {"content_length": str(len(body))} | headers
    return asyncio.run(form(Request(scope("http", "POST", **told), receive)))


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a=%FF", 400),
        (b"a=\xff", 400),
        ("&".join(f"f{number}=" for number in range(401)).encode(), 400),
        (b"a=" + b"x" * (2**20 - 1), 413),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(body: bytes, status: int) -> None:
    """Bytes that are no text, written or spelt out, more fields than any form has, or more than a megabyte."""
    with pytest.raises(HTTPException) as refused:
        sent_form(body)
    assert refused.value.status_code == status
    with pytest.raises(HTTPException) as untold:
        sent_form(b"a=1", content_length="")
    assert untold.value.status_code == 413


def test_a_form_is_read_as_it_was_typed() -> None:
    """Empty fields are there, of several values of a name the last one counts, and a line ends as in a file."""
    assert sent_form(b"a=&b=1&b=2&c=x%0D%0Ay+z") == {"a": "", "b": "2", "c": "x\ny z"}
    assert len(sent_form("&".join(f"f{number}=" for number in range(400)).encode())) == 400
    assert len(sent_form(b"a=" + b"x" * (2**20 - 2))["a"]) == 2**20 - 2
