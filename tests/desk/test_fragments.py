"""What the desk's script is answered: each form's result in one sentence, above the page that comes next."""

import html
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from assay.desk.app import create
from assay.desk.request import FRAGMENT, PLACE
from assay.records.label import Item
from tests.cast import item
from tests.desks import SITE, Browser, Logs, candidate, desk, proposal, task

FIRST, SECOND = "/candidates/refunds-001", "/candidates/refunds-002"


def told(answer: httpx.Response) -> tuple[int, str, str]:
    """Return an answer's status, the address of its page, and the sentence that stands above it."""
    status = re.search(r'role="status"[^>]*>([^<]*)<', answer.text)
    assert status
    return answer.status_code, answer.headers[PLACE], html.unescape(status[1])


class Script:
    """The desk's script in somebody's browser."""

    def __init__(self, logs: Logs, folder: Path, name: str = "ada") -> None:
        """Sign in."""
        made, tokens = desk(logs, folder)
        self.browser = Browser(TestClient(create(made), base_url=SITE))
        self.browser.sign_in(tokens[name])

    def send(self, shown: str, path: str, **fields: Any) -> httpx.Response:
        """Send a form of the page that is shown; the answer is the main part of the next one."""
        self.browser.get(shown)
        answer = self.browser.post(path, {FRAGMENT: "1"}, **fields)
        assert "<html" not in answer.text
        return answer


@pytest.fixture
def logs() -> Logs:
    """Two candidates, two answers to label, and a case to look at."""
    return Logs([candidate(1), candidate(2)], items=[item(1, "Yes, answer 1."), item(2, "Yes, answer 2.")])


@pytest.fixture
def script(logs: Logs, tmp_path: Path) -> Script:
    return Script(logs, tmp_path)


def keys(of: list[Item]) -> list[str]:
    return [f"/labels/{task(one).key}" for one in of]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"word": "admit"}, "Admitted: refunds-001."),
        ({"word": "reject", "reason": "unclear"}, "Rejected: refunds-001."),
        ({"word": "defer"}, "Put off."),
        (
            {"word": "edit", "case-category": "refunds", "turn-0": "Now?", "reference": "Yes."},
            "Admitted as edited: refunds-001.",
        ),
    ],
)
def test_a_word_is_told_above_the_next_candidate(script: Script, fields: dict[str, str], sentence: str) -> None:
    """What became of the item that was left stands above the one that comes next."""
    answer = script.send(FIRST, FIRST, **fields)
    assert told(answer) == (200, SECOND, sentence)
    assert '<h1 id="h-item">refunds-002</h1>' in answer.text


def test_what_is_put_off_is_behind_all_others(script: Script) -> None:
    """Once put off, an item is not the first to come again, and the first page counts it."""
    script.send(FIRST, FIRST, word="defer")
    assert script.browser.get("/candidates").headers["location"] == SECOND
    assert ", 1 put off" in script.browser.get("/").text


def test_a_taken_back_word_is_told_above_its_candidate(script: Script) -> None:
    """The item itself is shown again; with nothing to take back it is the first page with the fault."""
    assert told(script.send(FIRST, "/undo")) == (409, "/", "There is nothing to take back.")
    script.send(FIRST, FIRST, word="admit")
    answer = script.send(SECOND, "/undo")
    assert told(answer) == (200, FIRST, "Taken back: decide again.")
    assert '<h1 id="h-item">refunds-001</h1>' in answer.text


@pytest.mark.parametrize(
    ("fields", "sentence"), [({"label": "pass"}, "Labelled: pass."), ({"word": "defer"}, "Put off.")]
)
def test_a_label_is_told_above_the_next_item(script: Script, logs: Logs, fields: dict[str, str], sentence: str) -> None:
    """The item that comes next is the other one."""
    first = script.browser.get("/labels").headers["location"]
    (second,) = {*keys(logs.items)} - {first}
    answer = script.send(first, first, **fields)
    assert told(answer) == (200, second, sentence)
    assert f'action="{second}"' in answer.text


@pytest.mark.parametrize(("spans", "count"), [(f"[{','.join(['[0,1]'] * 50)}]", 50), ("", 0)])
def test_fifty_marks_are_taken(script: Script, logs: Logs, spans: str, count: int) -> None:
    """As many as an answer may have; no mark at all is none."""
    (first, *_) = keys(logs.items)
    assert script.send(first, first, label="fail", spans=spans, note=" why ").status_code == 200
    assert [(len(one.spans), one.note) for one in logs.answers] == [(count, "why")]


def test_the_last_label_leads_to_the_first_page(script: Script, logs: Logs) -> None:
    """Where nothing is left the sentence says so, after what became of the last one."""
    first, second = keys(logs.items)
    script.send(first, first, label="pass")
    answer = script.send(second, second, label="fail")
    assert told(answer) == (200, "/", "Labelled: fail. Nothing more to label for you.")
    assert told(script.send("/", "/hand-over")) == (200, "/", "2 labels handed over")


def test_a_taken_back_label_is_told_above_its_item(script: Script, logs: Logs) -> None:
    """The item itself is shown again; with nothing to take back it is the first page with the fault."""
    (first, *_) = keys(logs.items)
    assert told(script.send(first, "/labels-undo")) == (409, "/", "There is nothing to take back.")
    script.send(first, first, label="pass", note="right")
    answer = script.send("/", "/labels-undo")
    assert told(answer) == (200, first, "Taken back: label it again.")
    assert f'action="{first}"' in answer.text


def test_a_refused_form_is_told_above_its_own_page(script: Script, logs: Logs) -> None:
    """A word on what has changed, an unsound edit and an unknown label leave their page where it is."""
    assert told(script.send(FIRST, FIRST, word="admit", revision="0" * 16))[:2] == (409, FIRST)
    unsound = script.send(FIRST, FIRST, word="edit", **{"case-category": "none", "turn-0": "Typed."})
    assert told(unsound)[:2] == (409, f"{FIRST}/edit")
    assert "Typed." in unsound.text
    (label, *_) = keys(logs.items)
    assert told(script.send(label, label, label="perhaps"))[:2] == (409, label)
    assert (logs.decisions, logs.answers) == ([], [])


def test_a_retirement_is_told_above_what_is_left(logs: Logs, tmp_path: Path) -> None:
    """The case is gone from the list; a reviewer's try is told to be none of theirs."""
    logs.upkeep.found = [proposal("stale", "old")]
    answer = Script(logs, tmp_path, "eve").send("/health", "/health/refunds-100", note=" never fails ")
    assert told(answer) == (200, "/health", "refunds-100 is retired")
    assert logs.upkeep.retired == [("refunds-100", "eve", "never fails")]
    refused = Script(logs, tmp_path / "other").send("/health", "/health/refunds-100", note="x")
    assert told(refused) == (409, "/health", "Only an adjudicator takes cases out of the set.")
