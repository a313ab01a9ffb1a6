"""A session at the desk: its cookie, what it keeps for its person, and the files that its pages load."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.desk.app import create
from assay.desk.holds import HELD_FOR
from assay.desk.request import Desk
from tests.cast import AT
from tests.desks import SITE, Browser, Logs, candidate, desk, labelled_items, task

FIRST, SECOND = "/candidates/refunds-001", "/candidates/refunds-002"


def seated(made: Desk, tokens: dict[str, str], *names: str) -> list[Browser]:
    """Return these people's browsers, signed in at one desk."""
    app = create(made)
    browsers = [Browser(TestClient(app, base_url=SITE)) for _ in names]
    for name, browser in zip(names, browsers, strict=True):
        assert browser.sign_in(tokens[name]) == 303
    return browsers


@pytest.fixture
def logs() -> Logs:
    """Two candidates that one reviewer decides on, and four items to label."""
    return Logs([candidate(1), candidate(2)], reviewers=1, items=labelled_items())


@pytest.mark.parametrize("is_secure", [True, False])
def test_a_cookie_goes_through_https_alone_where_the_desk_does(logs: Logs, tmp_path: Path, *, is_secure: bool) -> None:
    """A desk that is reached through HTTPS has its cookie sent through nothing else; a local one has not."""
    made, tokens = desk(logs, tmp_path)
    browser = Browser(TestClient(create(replace(made, is_secure=is_secure)), base_url=SITE))
    cookie = browser.post("/sign-in", token=tokens["ada"], next="/").headers["set-cookie"]
    assert ("secure" in cookie.lower().split("; ")) is is_secure


def test_a_candidate_is_free_after_signing_out(logs: Logs, tmp_path: Path) -> None:
    """Whoever signs out leaves what they looked at to the next reviewer, at once."""
    ada, ben = seated(*desk(logs, tmp_path), "ada", "ben")
    assert ada.get(FIRST).status_code == 200
    assert ben.get("/candidates").headers["location"] == SECOND
    ada.post("/sign-out")
    assert ben.get("/candidates").headers["location"] == FIRST


def test_whoever_opens_an_item_to_label_keeps_it(logs: Logs, tmp_path: Path) -> None:
    """An item that two annotators opened by its address is theirs: a third one is not led to it."""
    logs.items = logs.items[:1]
    ada, ben, eve = seated(*desk(logs, tmp_path), "ada", "ben", "eve")
    place = f"/labels/{task(logs.items[0]).key}"
    assert ada.get(place).status_code == ben.get(place).status_code == 200
    assert eve.get("/labels").headers["location"] == "/"
    ben.post("/sign-out")
    assert eve.get("/labels").headers["location"] == place


def test_a_form_keeps_what_its_person_looks_at(logs: Logs, tmp_path: Path) -> None:
    """Sending any form renews a hold, as opening a page does: nobody else is led to that candidate."""
    made, tokens = desk(logs, tmp_path)
    clock: list[datetime] = [AT]
    ada, ben = seated(replace(made, now=lambda: clock[0]), tokens, "ada", "ben")
    ada.get(FIRST)
    clock[0] = AT + 0.9 * HELD_FOR
    assert ada.post("/undo").status_code == 409
    clock[0] = AT + 1.5 * HELD_FOR
    assert ben.get("/candidates").headers["location"] == SECOND


def test_a_page_s_own_files_are_there(logs: Logs, tmp_path: Path) -> None:
    """The script and the style that a page names are served, to whoever signs in too."""
    (ada,) = seated(*desk(logs, tmp_path), "ada")
    text = ada.get("/").text + ada.get("/sign-in").text
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', text))
    assert {path.rpartition(".")[2] for path in files} >= {"js", "css"}
    assert {path: ada.get(path).status_code for path in files} == dict.fromkeys(files, 200)
