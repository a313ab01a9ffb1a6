"""The desk as a web application: addresses, who is let in, and what is refused before it is read.

Every page works without a script, by forms and redirections. The script (static/desk.js) adds the keyboard, and asks
for the next page's main part only, so that one key is one request.
"""

from collections.abc import Awaitable, Callable
from functools import wraps
from pathlib import Path
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from assay.desk import bulk, candidate_pages, file_pages, label_pages, pages, retirement_pages
from assay.desk.guard import HEADERS, NoForeignWrites, WithHeaders, form
from assay.desk.request import COOKIE, Desk, Visit
from assay.desk.reviewers import SESSION_S

Handler = Callable[[Visit], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
PAGES: dict[str, Handler] = {
    "/": candidate_pages.start,
    "/candidates": candidate_pages.following,
    "/candidates/{key}": candidate_pages.one,
    "/candidates/{key}/edit": candidate_pages.edit,
    "/disputes": candidate_pages.dispute,
    "/imports": bulk.rows,
    "/labels": label_pages.following,
    "/labels/{judge}/{key}": label_pages.one,
    "/health": retirement_pages.proposals,
    "/attachments/{key}": file_pages.one,
}
FORMS: dict[str, Handler] = {
    "/candidates/{key}": candidate_pages.decide,
    "/imports": bulk.decide,
    "/undo": candidate_pages.undo,
    "/close": candidate_pages.close,
    "/labels/{judge}/{key}": label_pages.answer,
    "/labels-undo": label_pages.undo,
    "/hand-over": label_pages.hand_over,
    "/health/{key}": retirement_pages.retire,
}


def create(desk: Desk) -> Starlette:
    """Return the application."""
    static = Mount("/static", StaticFiles(directory=Path(__file__).parent / "static"))
    doors = [
        Route("/sign-in", _sign_in(desk), methods=["GET", "POST"]),
        Route("/sign-out", _form(desk, _sign_out), methods=["POST"]),
    ]
    shown = [Route(path, _page(desk, handler), methods=["GET"]) for path, handler in PAGES.items()]
    done = [Route(path, _form(desk, handler), methods=["POST"]) for path, handler in FORMS.items()]
    guards = [
        Middleware(WithHeaders, headers=HEADERS),
        Middleware(NoForeignWrites),
        Middleware(TrustedHostMiddleware, allowed_hosts=list(desk.hosts)),
    ]
    return Starlette(routes=[static, *doors, *shown, *done], middleware=guards)


def _page(desk: Desk, handler: Handler) -> Endpoint:
    """Make an endpoint of a page for people who are signed in."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        person = desk.people.of_session(request.cookies.get(COOKIE, ""))
        if person is None:
            return RedirectResponse(f"/sign-in?{urlencode({'next': request.url.path})}", 303)
        desk.renew(person)
        return await run_in_threadpool(handler, Visit(desk, person, request, {}))

    return endpoint


def _form(desk: Desk, handler: Handler) -> Endpoint:
    """Make an endpoint of what a form does."""

    @wraps(handler)
    async def endpoint(request: Request) -> Response:
        cookie = request.cookies.get(COOKIE, "")
        person, fields = desk.people.of_session(cookie), await form(request)
        if person is None:
            return PlainTextResponse("You are signed out: load the page again and sign in.", 401)
        if not desk.people.is_pass(fields.get("csrf", ""), cookie):
            return PlainTextResponse("This form is not one of your session: load the page again.", 403)
        desk.renew(person)
        return await run_in_threadpool(handler, Visit(desk, person, request, fields))

    return endpoint


def _sign_in(desk: Desk) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        fields = await form(request) if request.method == "POST" else {}
        goal = _own(fields.get("next") or request.query_params.get("next", "/"))
        person = desk.people.by_token(fields["token"].strip()) if fields.get("token") else None
        if person:
            answer = RedirectResponse(goal, 303)
            session = desk.people.session(person)
            secure = desk.is_secure
            answer.set_cookie(COOKIE, session, SESSION_S, httponly=True, samesite="strict", secure=secure)
            return answer
        fault = "Nobody has this token: ask whoever invited you." if fields else ""
        text = pages.environment().get_template("sign-in.html").render(next=goal, fault=fault)
        return HTMLResponse(text, 401 if fields else 200)

    return endpoint


def _sign_out(visit: Visit) -> Response:
    """End the session for good, and leave to others what was looked at."""
    visit.desk.people.end(visit.request.cookies.get(COOKIE, ""))
    visit.desk.candidates.leave(visit.person.name)
    visit.desk.labels.leave(visit.person.name)
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(COOKIE)
    return answer


def _own(goal: str) -> str:
    """Return an address of the desk itself; for any other one that of the first page."""
    return goal if goal.startswith("/") and not goal.startswith(("//", "/\\")) and goal.isprintable() else "/"
