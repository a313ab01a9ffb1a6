"""Where the desk leads: along a category or a judge, past what is put off, back to what is taken back."""

import html
import re
from pathlib import Path

import httpx
import pytest
from starlette.testclient import TestClient

from assay.desk.app import create
from assay.desk.label_page import parts, title
from assay.desk.request import FRAGMENT, PLACE
from tests.cast import AT
from tests.desks import Logs, candidate, desk, labelled_items, person, said, task

SITE = "http://testserver"


class Seat:
    """Somebody's browser at a desk with four candidates and four items to label."""

    def __init__(self, folder: Path, name: str = "ada") -> None:
        """Sign in."""
        four = [candidate(1), candidate(2, "escalation"), candidate(3), candidate(4)]
        self.logs = Logs(four, items=labelled_items())
        made, tokens = desk(self.logs, folder)
        self.client = TestClient(create(made), base_url=SITE, follow_redirects=False)
        self.seen = ""
        self.post("/sign-in", token=tokens[name], next="/")

    def get(self, path: str) -> httpx.Response:
        """Look at a page."""
        answer = self.client.get(path)
        self.seen = answer.text
        return answer

    def post(self, path: str, **fields: str) -> httpx.Response:
        """Send a form of the page that was looked at last."""
        hidden = dict(re.findall(r'name="(csrf|revision)" value="([^"]*)"', self.seen))
        sent = {name: html.unescape(value) for name, value in hidden.items()} | fields
        return self.client.post(path, data=sent, headers={"Origin": SITE})

    def place(self, path: str) -> str:
        """Return where an address leads."""
        return self.get(path).headers["location"]


@pytest.fixture
def seat(tmp_path: Path) -> Seat:
    return Seat(tmp_path)


def test_a_category_is_kept_from_page_to_page(seat: Seat) -> None:
    """Whoever works through a category is led along it, by words, by what is put off and by what is taken back."""
    refunds = [f"/candidates/refunds-{at:03}?category=refunds" for at in (1, 3, 4)]
    assert seat.place("/candidates?category=refunds") == refunds[0]
    assert seat.place("/candidates?category=escalation") == "/candidates/escalation-002?category=escalation"
    seat.get(refunds[0])
    assert seat.post("/candidates/refunds-001", word="admit", category="refunds").headers["location"] == refunds[1]
    seat.get(refunds[1])
    assert seat.post("/candidates/refunds-003", word="defer", category="refunds").headers["location"] == refunds[2]
    seat.get(refunds[2])
    assert seat.post("/undo", category="refunds").headers["location"] == refunds[0]
    assert [row.decision for row in seat.logs.decisions] == ["admit", "withdraw"]


def test_a_category_that_is_done_leads_to_the_start(seat: Seat) -> None:
    """After the last of its items the first page says so."""
    seat.get("/candidates/escalation-002?category=escalation")
    answer = seat.client.post(
        "/candidates/escalation-002",
        data={
            **dict(re.findall(r'name="(csrf|revision)" value="([^"]*)"', seat.seen)),
            "word": "admit",
            "category": "escalation",
        },
        headers={"Origin": SITE, FRAGMENT: "1"},
    )
    assert answer.headers[PLACE] == "/"
    assert "Admitted: escalation-002. Nothing more for you here." in answer.text


def test_one_judge_s_labels_are_worked_through(seat: Seat) -> None:
    """Narrowed to a judge the desk leads along its items, behind the one that was left; a strange one to the start."""
    keys = [key for key in (task(one).key for one in seat.logs.items) if key.startswith("preference/")]
    places = {seat.place(f"/labels?judge=preference&after={key}") for key in keys}
    assert places == {f"/labels/{key}" for key in keys}
    assert seat.place("/labels?judge=nobody") == "/"


def test_what_is_passed_over_keeps_no_label(seat: Seat) -> None:
    """An item that is put off leaves no row and leads to another one; what is no item leads nowhere."""
    first = seat.place("/labels")
    seat.get(first)
    assert seat.post(first, word="defer").headers["location"] not in {first, "/"}
    assert seat.logs.answers == []
    assert seat.post("/labels-undo").status_code == 409
    assert seat.get("/labels/correctness/nothing").status_code == 404
    assert seat.get("/candidates/nothing").status_code == 404
    assert seat.get("/candidates/nothing/edit").status_code == 404


@pytest.mark.parametrize(("told", "kept"), [("2.5", 2.5), ("-1", 0.0), ("x", 0.0), ("nan", 0.0), ("", 0.0)])
def test_a_time_is_what_the_script_measured(seat: Seat, told: str, kept: float) -> None:
    """Seconds that are no number, or below 0, are none."""
    seat.get("/candidates/refunds-001")
    seat.post("/candidates/refunds-001", word="admit", seconds=told)
    assert [row.seconds for row in seat.logs.decisions] == [kept]


def test_texts_stand_under_their_headings() -> None:
    """The judge's texts in its order, a pair's two aside; an empty one is left out, an empty answer shown."""
    shown = parts(
        {
            "question": ["One.", "Two."],
            "reference": "",
            "response": "",
            "metadata_plan_name": "x",
            "response_a": "a",
            "response_b": "b",
        }
    )
    assert [(part.name, list(part.texts)) for part in shown] == [
        *(("question", ["One.", "Two."]), ("response", [""]), ("metadata_plan_name", ["x"])),
    ]
    assert (shown[2].title, title("final_state")) == ("plan name", title("final_state"))


@pytest.mark.parametrize(
    "name",
    [
        "question",
        "reference",
        "inputs",
        "case_rubric",
        "response",
        "contexts",
        "tool_calls",
        "conversation",
        "final_state",
    ],
)
def test_what_a_judge_is_shown_has_a_heading_in_words(name: str) -> None:
    """Whoever labels reads no name of a field; a named value stands under its own name."""
    assert title(name)[0].isupper()
    assert title(f"metadata_{name}_x") == f"{name.replace('_', ' ')} x"
    assert title(f"inputs_{name}_x") == f"{name.replace('_', ' ')} x"


def test_a_reason_is_of_a_rejection_alone(seat: Seat) -> None:
    """A note stands behind it; with an admission the note is all that is kept."""
    for number, fields, reason in (
        (1, {"word": "admit", "reason": "unclear", "note": " fine "}, "fine"),
        (3, {"word": "reject", "reason": "unclear", "note": " what? "}, "unclear: what?"),
        (4, {"word": "reject", "reason": "duplicate"}, "duplicate"),
    ):
        seat.get(f"/candidates/refunds-{number:03}")
        seat.post(f"/candidates/refunds-{number:03}", **fields)
        assert seat.logs.decisions[-1].reason == reason


def test_disputes_are_settled_one_behind_another(tmp_path: Path) -> None:
    """Whoever settles is led to the dispute behind the one that was left, in a ring, and without one to the first."""
    seat = Seat(tmp_path, "eve")
    queue = seat.logs.queue()
    for one in (seat.logs.candidates[0], seat.logs.candidates[2]):
        queue.say(person("ada"), said(one), AT)
        queue.say(person("ben"), said(one, "reject"), AT)
    places = [seat.place(f"/disputes{query}") for query in ("", "?after=refunds-001", "?after=refunds-003")]
    assert places == [f"/candidates/refunds-{at:03}" for at in (1, 3, 1)]
