"""Prefect's server on loopback: its UI and API on one port, nothing else answered, nothing sent anywhere."""

import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from assay.desk.guard import NoForeignSockets, WithHeaders
from assay.errors import BusyError, EndpointError
from assay.judges import prompt
from assay.models import orphans
from assay.models.process import supervised
from assay.orchestration import run_pages
from assay.orchestration.run_pages import REPORT_PAGE, RUNS_PAGE
from assay.project import archive, files
from assay.project.certificates import CALIBRATION
from assay.project.entrypoint import QUIET
from assay.project.results import REPORT, report_of

HOST = "127.0.0.1"
GRACE_S = 10
"""How long the server may take to end after it was asked to."""
CERTIFICATES = "/assay/certificates/"
POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
"""Forbids every page to load or send anything elsewhere (analytics of the second UI, pictures of artifacts), and other
sites to show it in a frame, where a click could be stolen."""


def settings(port: int, home: Path) -> dict[str, str]:
    """Return the environment of the server and of everything that speaks to it.

    Who runs alone is kept on disk: in memory, as by default, a restart of the server would forget that the turn of a
    run that died with it expires, and every later run would be cancelled.
    """
    address = f"http://{HOST}:{port}"
    return QUIET | {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": f"{address}/api",
        "PREFECT_UI_API_URL": f"{address}/api",
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_CSRF_PROTECTION_ENABLED": "true",
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": address,
        "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    }


class WithResults:
    """Show reports, runs and certificates beside Prefect's pages: a browser follows no link from there to a file."""

    def __init__(self, app: ASGIApp) -> None:
        """Wrap an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a result of the project, or let Prefect answer."""
        answer = await run_in_threadpool(result, scope["path"]) if scope["type"] == "http" else None
        await (answer or self._app)(scope, receive, send)


def result(path: str) -> Response | None:
    """Return the answer to an address of ours as the disk has it now; None for any other address.

    What follows the address chooses one of the runs or of the judges of the project, and becomes no part of a path.
    """
    if path == RUNS_PAGE:
        return HTMLResponse(run_pages.index(datetime.now(UTC)))
    if path == REPORT_PAGE:
        return _file(files.path(REPORT))
    run = path.removeprefix(f"{REPORT_PAGE}/")
    if run != path:
        return _report(run)
    judge = path.removeprefix(CERTIFICATES).removesuffix(".json")
    if path == certificate(judge) and judge in prompt.names():
        return _file(files.path(f"{CALIBRATION}/{judge}.json"))
    return None


def _file(file: Path) -> Response | None:
    return FileResponse(file) if file.is_file() else None


def _report(beginning: str) -> Response:
    """Return the report of the run whose id begins so, or a page that says how to get it."""
    run = run_pages.named(beginning)
    if run is None:
        return HTMLResponse(run_pages.unknown(), 404)
    there = (_file(file) for file in (archive.report_file(run), report_of(run)) if file)
    return next(filter(None, there), None) or HTMLResponse(run_pages.absent(run), 404)


def create_app() -> ASGIApp:
    """Return Prefect's application, closed to other host names (DNS rebinding) and to other sites."""
    from prefect.server.api.server import create_app as prefect_app

    headers = {"Content-Security-Policy": POLICY, "X-Frame-Options": "DENY"}
    app = WithHeaders(NoForeignSockets(WithResults(prefect_app())), headers)
    return TrustedHostMiddleware(app, allowed_hosts=[HOST, "localhost"])


def certificate(judge: str) -> str:
    """Return where this server shows a judge's certificate."""
    return f"{CERTIFICATES}{judge}.json"


@contextmanager
def running(port: int, home: Path, *, patience_s: float = 120) -> Iterator[str]:
    """Start the server, yield its address once it is healthy, and stop it afterwards.

    Raises:
        BusyError: Something else listens on the port.
        EndpointError: The server did not become healthy.
    """
    address = f"http://{HOST}:{port}"
    purpose = orphans.purpose(address, str(home))
    orphans.end(purpose, GRACE_S)
    if _is_healthy(address):
        raise BusyError(f"port {port} is taken by another Prefect server: stop it, or choose another with --port")
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    command = [sys.executable, "-m", "uvicorn", "--factory", "assay.orchestration.server:create_app", "--host", HOST]
    command += ["--port", str(port), "--log-level", "warning", "--timeout-keep-alive", "5"]
    environ = settings(port, home) | orphans.mark(purpose)
    with supervised(command, environ=environ, grace_s=GRACE_S) as process:
        deadline = time.monotonic() + patience_s
        while not _is_healthy(address):
            if process.poll() is not None or time.monotonic() > deadline:
                raise EndpointError(f"Prefect's server did not start on {address}: read what it printed above")
            time.sleep(0.2)
        yield address


def _is_healthy(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/health", timeout=2) as answer:  # noqa: S310 - our own address
            return bool(answer.status == 200)  # noqa: PLR2004 - HTTP OK
    except OSError:
        return False
