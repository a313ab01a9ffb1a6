"""What every page of the desk, and of the server beside it, is guarded by, before any of it is read.

Answers carry a policy under which a page runs the desk's own script and loads nothing else, is framed by nobody and
kept by no cache. A write that another site has sent is refused by what the browser says of its origin; the form's own
pass (assay/desk/reviewers.py) is the second lock.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1 << 20
"""Bytes of a form."""
MAX_FIELDS = 400
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
        "media-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class WithHeaders:
    """Add headers to every answer, an error's too."""

    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        """Wrap an application."""
        self._app, self._headers = app, headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer as the application does, with these headers."""

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(self._headers)
            await send(message)

        await self._app(scope, receive, told)


class NoForeignWrites:
    """Refuse writes that another site has sent."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        is_foreign = scope["type"] == "http" and scope["method"] not in ("GET", "HEAD") and _is_foreign(scope)
        app = PlainTextResponse("This was sent by another site.", 403) if is_foreign else self._app
        await app(scope, receive, send)


class NoForeignSockets:
    """Refuse WebSockets that a page of another site opens: browsers let any page do so, and say only whose it is."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse."""
        is_refused = scope["type"] == "websocket" and _is_another_page(Headers(scope=scope))
        app = PlainTextResponse("This was opened by another site.", 403) if is_refused else self._app
        await app(scope, receive, send)


def _is_another_page(headers: Headers) -> bool:
    """Tell whether a page of another origin asks; a program names none."""
    return "origin" in headers and not _is_own(headers)


def _is_own(headers: Headers) -> bool:
    """Tell whether the page that asks has the origin that it asks."""
    return urlsplit(headers.get("origin", "")).netloc == headers.get("host", "")


def _is_foreign(scope: Scope) -> bool:
    """Tell whether a browser says that a write comes from another origin, or does not say from where."""
    headers = Headers(scope=scope)
    if headers.get("sec-fetch-site", "same-origin") != "same-origin":
        return True
    return not _is_own(headers)


async def form(request: Request) -> dict[str, str]:
    """Return the fields of a form; the last of several values of one name.

    Raises:
        HTTPException: It is no form, or a very large one.
    """
    if int(request.headers.get("content-length") or MAX_BODY + 1) > MAX_BODY:
        raise HTTPException(413, "The form is too large.")
    try:
        text = (await request.body()).decode()
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict")
    except ValueError as error:
        raise HTTPException(400, "The form cannot be read.") from error
    return {name: values[-1].replace("\r\n", "\n") for name, values in fields.items()}
