"""The project's desk, served by this process to a real browser."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn
from playwright.sync_api import Page

from assay.commands import desk
from assay.desk.app import create
from assay.orchestration.batch_events import act


@contextmanager
def serving_desk(now: datetime) -> Iterator[str]:
    """Serve it on a free port until the block ends; yield its address."""
    app = create(desk.desk(lambda: now, act))
    server = uvicorn.Server(uvicorn.Config(app, host=desk.HOST, port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        threading.Event().wait(0.02)
    try:
        yield f"http://{desk.HOST}:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def sign_in(page: Page, address: str) -> None:
    """Sign ann in as an adjudicator, and wait for the first page."""
    token = desk.people().invite("ann", "adjudicator")
    page.goto(address)
    page.fill("#token", token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What there is to decide").wait_for()
