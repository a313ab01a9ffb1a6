"""Imported cases in a list: one word on many rows, each about what was shown, and none on what has to be looked at."""

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.desk import bulk
from assay.desk.app import create
from assay.records.candidate import Candidate
from tests.cast import AT as NOW
from tests.desks import Logs, candidate, desk, person, said

SITE = "http://testserver"


def imported(number: int, category: str = "refunds", similarity: float = 0.2, may_repeat: str = "") -> Candidate:
    """Return a case of another tool."""
    changes = {"made": "import", "similarity": similarity, "may_repeat": may_repeat}
    return candidate(number, category).model_copy(update=changes)


ROWS = [
    imported(1),
    imported(2, "escalation"),
    imported(3),
    imported(4, may_repeat="refunds-100"),
    imported(5, similarity=0.93),
    candidate(6),
]


@pytest.fixture
def logs() -> Logs:
    """Five imported cases, of which two may repeat others, and a generated one; one reviewer each."""
    return Logs(ROWS, reviewers=1)


@pytest.fixture
def ada(logs: Logs, tmp_path: Path) -> TestClient:
    """Ada's browser, signed in."""
    return signed_in(logs, tmp_path, "ada")


def signed_in(logs: Logs, folder: Path, name: str) -> TestClient:
    """Return the browser of somebody who is signed in."""
    made, tokens = desk(logs, folder)
    client = TestClient(create(made), follow_redirects=False)
    client.post("/sign-in", data={"token": tokens[name], "next": "/"}, headers={"Origin": SITE})
    return client


def choosable(client: TestClient, address: str = "/imports") -> dict[str, str]:
    """Return the rows that can be chosen in the list, with what goes back if they are."""
    return dict(re.findall(r'name="(chosen-[^"]+)" value="([^"]+)"', client.get(address).text))


def send(client: TestClient, **fields: str) -> int:
    """Send the list's form; return the status."""
    csrf = re.findall(r'name="csrf" value="([^"]*)"', client.get("/imports").text)[0]
    return client.post("/imports", data={"csrf": csrf, **fields}, headers={"Origin": SITE}).status_code


def test_what_may_repeat_or_was_generated_is_not_chosen_in_a_list(ada: TestClient) -> None:
    """The list has the imported cases alone, and a box for those that resemble none; narrowed, fewer of them."""
    assert set(choosable(ada)) == {"chosen-refunds-001", "chosen-escalation-002", "chosen-refunds-003"}
    assert "refunds-004" in ada.get("/imports").text
    assert "refunds-006" not in ada.get("/imports").text
    assert set(choosable(ada, "/imports?category=escalation")) == {"chosen-escalation-002"}
    assert set(choosable(ada, "/imports?text=question+3")) == {"chosen-refunds-003"}


def test_one_word_counts_on_each_chosen_row(logs: Logs, ada: TestClient) -> None:
    """Each chosen row has a decision of its own, of what was on the screen; the others wait."""
    rows = choosable(ada)
    assert send(ada, word="admit", seconds="6", **rows) == 200
    assert [(one.candidate_id, one.decision, one.digest, one.seconds) for one in logs.decisions] == [
        (of.candidate_id, "admit", of.digest(), 2.0) for of in ROWS[:3]
    ]
    assert choosable(ada) == {}


def test_a_reject_says_why(logs: Logs, ada: TestClient) -> None:
    """Without a reason nothing is rejected; with one each row has it."""
    rows = choosable(ada)
    assert send(ada, word="reject", **rows) == 409
    assert send(ada, word="reject", reason="other", **rows) == 409
    assert logs.decisions == []
    assert send(ada, word="reject", reason="duplicate", note="of the old set", **rows) == 200
    assert {one.reason for one in logs.decisions} == {"duplicate: of the old set"}


@pytest.mark.parametrize("fields", [{"word": "admit"}, {"word": "edit", "chosen-refunds-001": "x"}])
def test_nothing_chosen_is_nothing_done(logs: Logs, ada: TestClient, fields: dict[str, str]) -> None:
    """No row, or a word that a list does not have: refused."""
    assert (send(ada, **fields), logs.decisions) == (409, [])


def test_a_row_that_cannot_be_taken_costs_itself(logs: Logs, ada: TestClient) -> None:
    """Changed since, decided meanwhile, gone, generated or alike: told by name, and the rest counts."""
    rows = choosable(ada)
    logs.queue().say(person("ben"), said(ROWS[1]), NOW)
    sly = {f"{bulk.CHOSEN}{one.candidate_id}": one.digest() for one in ROWS[3:]} | {f"{bulk.CHOSEN}gone": "x"}
    csrf = re.findall(r'name="csrf" value="([^"]*)"', ada.get("/imports").text)[0]
    sent = {"csrf": csrf, "word": "admit", **rows, **sly, "chosen-refunds-001": "0" * 64}
    answer = ada.post("/imports", data=sent, headers={"Origin": SITE})
    assert answer.status_code == 409
    assert [one.candidate_id for one in logs.decisions if one.reviewer == "ada"] == ["refunds-003"]
    assert "1 admitted." in answer.text
    assert "And 1 more." in answer.text


def test_what_waits_for_a_batch_is_counted(ada: TestClient, tmp_path: Path) -> None:
    """While no batch is open the first page says how many candidates wait for one."""
    assert "7 candidates" not in ada.get("/").text
    closed = Logs(ROWS[:1])
    closed.batch = None
    assert "7 candidates on file wait for one" in signed_in(closed, tmp_path / "closed", "ben").get("/").text


def test_a_dispute_is_not_settled_in_a_list(tmp_path: Path) -> None:
    """An adjudicator's last word is given where both reviewers' words are shown."""
    logs = Logs([imported(1)])
    for name, word in (("ada", "admit"), ("ben", "reject")):
        logs.queue().say(person(name), said(imported(1), word), NOW)
    client = signed_in(logs, tmp_path, "eve")
    csrf = re.findall(r'name="csrf" value="([^"]*)"', client.get("/").text)[0]
    sent = {"csrf": csrf, "word": "admit", "chosen-refunds-001": imported(1).digest()}
    assert client.post("/imports", data=sent, headers={"Origin": SITE}).status_code == 409
    assert len(logs.decisions) == 2
