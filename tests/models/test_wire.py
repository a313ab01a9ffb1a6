"""The wire: what an endpoint asks for is understood, however it says it, and what it sends is bounded."""

import asyncio
from collections.abc import Mapping

import pytest

from assay.errors import CallError, OverloadError
from assay.models.limits import Limits
from assay.models.transport import LONG, Sent, Wire, refused
from tests.endpoint import Reply, serving

LIMITS = Limits(concurrency=2, deadline_s=5, max_retries=0)
DATE = "Mon, 02 Nov 2026 03:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250"}, 0.25),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Mon, 02 Nov 2026 03:00:20 GMT", "date": DATE}, 20.0),
        ({"retry-after": "Mon, 02 Nov 2026 02:59:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Mon, 02 Nov 2026 03:00:20 GMT"}, None),
        ({"retry-after": "soon", "date": DATE}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "9" * 5_000}, None),
    ],
)
def test_how_long_it_wants_to_be_left_alone(headers: Mapping[str, str], wait_s: float | None) -> None:
    """Seconds, milliseconds and a date are understood; what is none of them is no wait, never an error or for ever."""
    found = refused(Sent(429, headers, b""), "slow down")
    assert isinstance(found, OverloadError)
    assert found.wait_s == wait_s


@pytest.mark.parametrize(
    ("status", "kind", "again"),
    [
        (400, "refused-request", "never"),
        (404, "refused-request", "never"),
        (408, "refused-request", "if-harmless"),
        (409, "refused-request", "if-harmless"),
        (429, "rate-limit", "always"),
        (500, "server", "if-harmless"),
        (503, "server", "if-harmless"),
        (529, "server", "if-harmless"),
    ],
)
def test_each_refusal_says_whether_to_ask_again(status: int, kind: str, again: str) -> None:
    """What was turned away at the door may always be asked again, a fault on the way where it does no harm."""
    found = refused(Sent(status, {}, b""), "no")
    assert (found.kind, found.again) == (kind, again)
    assert refused(Sent(status, {"x-should-retry": "false"}, b""), "no").again == "never"


def send(reply: Reply, body: bytes = b"{}") -> Sent:
    """Send one request to an endpoint that answers so."""

    async def sent() -> Sent:
        with serving(lambda _: reply) as served:
            wire = Wire(served.url, LIMITS)
            try:
                return await wire.send(
                    "POST", f"{served.url}/chat", headers={}, body=body, is_harmless=True, read=lambda found: found
                )
            finally:
                await wire.close()

    return asyncio.run(sent())


def test_a_redirect_is_not_followed() -> None:
    """Another host would be sent the key: a redirect is an answer like any other."""
    found = send(Reply(307, headers={"Location": "http://127.0.0.1:9/"}))
    assert found.status == 307


def test_a_long_question_is_sent() -> None:
    """A body of several megabytes goes out without a warning of the transport's, and is what arrives."""
    body = b'{"text": "' + b"x" * (3 * LONG) + b'"}'
    assert send(Reply(body=b"ok"), body).body == b"ok"


def test_an_announced_flood_is_not_read() -> None:
    """A reply that announces more than may be read is refused at once."""
    with pytest.raises(CallError) as raised:
        send(Reply(headers={"Content-Length": str(10**12)}, is_dropped=True, body=b"x"))
    assert raised.value.kind == "too-long"


def test_half_a_character_in_an_error_is_replaced() -> None:
    """Our sentences can be written to any file, whatever they quote."""
    assert Wire("http://127.0.0.1", LIMITS).quoted("half \ud83d") == "half \ufffd"
