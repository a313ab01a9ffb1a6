"""Labels on a judge's own scale at the desk: its keys, what passes, and that people see what the judge sees."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from assay.desk import label_page
from assay.desk.app import create
from assay.desk.candidate_queue import RefusedError
from assay.desk.label_page import Button, buttons, parts
from assay.desk.label_queue import Labelled, Task, asked, is_swapped
from assay.judges import prompt, questions
from assay.judges.declaration import Declaration
from assay.records.attachment import Attachment
from assay.records.response import MadeCall, Message
from tests.cast import AT, Project, item
from tests.desks import Logs, candidate, desk, task
from tests.judges_made import LABELS_OF_TONE, LONG_SCORE, SCORE, TRAJECTORY, made

SITE = "http://testserver"
NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e"
ONE = item(
    1,
    "It is done.",
    messages=[Message(role="user", content=f"Refund {NASTY}"), Message(role="tool", content="refunded 99")],
    tool_calls=[MadeCall(name="refund", arguments='{"amount": 99}', failed=True)],
    contexts=["Refunds take 14 days.", NASTY],
    final_state='{"refunded": 99}',
    rubric={"steps": "Was the order looked up first?", "tone": "Not for steps."},
    metadata={"plan": "gold", "secret": "not shown"},
)


@pytest.fixture
def tasks(project: Project) -> dict[str, Task]:
    """One answer that waits for five judges."""
    judges = {"tone": LABELS_OF_TONE, "depth": SCORE, "length": LONG_SCORE, "steps": TRAJECTORY}
    for name, fields in judges.items():
        made(project.folder, name, rubric=f"The rubric of {name}.", **fields)
    return {name: Task(prompt.load(name), ONE) for name in judges}


def say(logs: Logs, of: Task, choice: str, person: str = "ada") -> None:
    """Let somebody label a task."""
    row = Labelled(task=of.key, asked=asked(of, person), choice=choice, spans=[], note="", seconds=1.0)
    logs.labels().say(person, row, AT)


@pytest.mark.parametrize(
    ("name", "choice"),
    [
        ("tone", "pass"),
        ("tone", "Warm"),
        ("depth", "6"),
        ("depth", "4.0"),
        ("depth", ""),
        ("length", "101"),
        ("steps", "1"),
    ],
)
def test_a_word_outside_of_the_scale_is_refused(tasks: dict[str, Task], name: str, choice: str) -> None:
    """What the judge could not say is no label of its own, and leaves no row."""
    logs = Logs([candidate(1)], tasks=list(tasks.values()))
    with pytest.raises(RefusedError, match="This item takes"):
        say(logs, tasks[name], choice)
    assert logs.answers == []


@pytest.mark.parametrize(
    ("name", "choice", "outcome", "label"),
    [
        ("tone", "neutral", "pass", "neutral"),
        ("tone", "cold", "fail", "cold"),
        ("depth", "3", "fail", "3"),
        ("depth", "4", "pass", "4"),
        ("length", "70", "pass", "70"),
        ("steps", "fail", "fail", ""),
    ],
)
def test_an_answer_carries_judge_label_and_outcome(
    tasks: dict[str, Task], name: str, choice: str, outcome: str, label: str
) -> None:
    """The row has whose question it is and the judge's own word, and passes by passing labels or threshold."""
    logs = Logs([candidate(1)], tasks=list(tasks.values()))
    say(logs, tasks[name], choice)
    (row,) = logs.answers
    assert (row.judge, row.outcome, row.label) == (name, outcome, label)


@pytest.mark.parametrize(
    ("name", "legal"),
    [
        ("tone", "warm, neutral, cold"),
        ("depth", "a whole number from 1 to 5"),
        ("length", "a whole number from 0 to 100"),
        ("steps", "pass, fail"),
    ],
)
def test_a_refusal_says_what_may_be_said(tasks: dict[str, Task], name: str, legal: str) -> None:
    """All labels of a scale of words, both ends of one of numbers."""
    with pytest.raises(RefusedError, match=f"This item takes {legal}: choose one of them"):
        say(Logs([candidate(1)], tasks=list(tasks.values())), tasks[name], "perhaps")


@pytest.mark.parametrize(("own", "outcomes"), [({}, ["fail", "pass"]), ({"depth": 5}, ["fail", "fail"])])
def test_a_case_may_ask_for_more_than_its_judge(
    tasks: dict[str, Task], own: dict[str, int], outcomes: list[str]
) -> None:
    """A score passes from the case's own threshold on, where it has one; the score itself is kept as it was given."""
    of = Task(tasks["depth"].judge, ONE.model_copy(update={"thresholds": own}))
    logs = Logs([candidate(1)], tasks=[of])
    for person, choice in (("ada", "3"), ("ben", "4")):
        say(logs, of, choice, person)
    assert [(row.outcome, row.label) for row in logs.answers] == list(zip(outcomes, ("3", "4"), strict=True))


def test_an_item_of_several_judges_is_several_tasks(tasks: dict[str, Task]) -> None:
    """Each judge's question is asked, counted, completed and taken back by itself, judge by judge."""
    logs = Logs([candidate(1)], tasks=list(tasks.values()))
    queue = logs.labels()
    assert queue.next_for("ada", AT) == tasks["depth"].key
    say(logs, tasks["depth"], "4")
    say(logs, tasks["tone"], "warm")
    assert queue.left_for("ada", AT) == 2
    assert (queue.left_for("ada", AT, "tone"), queue.left_for("ben", AT, "tone")) == (0, 1)
    assert queue.next_for("ben", AT, judge="tone") == tasks["tone"].key
    assert queue.undo("ada", AT) == tasks["tone"].key
    assert queue.left_for("ada", AT, "tone") == 1
    say(logs, tasks["depth"], "5", "ben")
    assert [queue.pile().is_complete(of.key) for of in tasks.values()] == [False, True, False, False]


def test_a_rubric_that_was_edited_meanwhile_is_another_question(tasks: dict[str, Task], project: Project) -> None:
    """A label by the rubric that was on the screen does not count for the one that is there by now."""
    before = tasks["tone"]
    made(project.folder, "tone", rubric="Another one altogether.", **LABELS_OF_TONE)
    logs = Logs([candidate(1)], tasks=[Task(prompt.load("tone"), ONE)])
    with pytest.raises(RefusedError, match="has changed since it was shown"):
        say(logs, before, "warm")


@pytest.mark.parametrize(
    ("fields", "keys"),
    [
        ({}, {"pass": "1", "fail": "2"}),
        ({"question": "pairwise"}, {"left": "1", "right": "2", "tie": "3"}),
        ({"question": "labels", "labels": ["warm", "cold"], "passing_labels": ["warm"]}, {"warm": "1", "cold": "2"}),
        ({"question": "score", "range": (0, 2), "pass_threshold": 1}, {"0": "0", "1": "1", "2": "2"}),
        ({"question": "score", "range": (8, 10), "pass_threshold": 9}, {"8": "8", "9": "9", "10": "0"}),
        ({"question": "score", "range": (0, 10), "pass_threshold": 5}, {}),
        ({"question": "score", "range": (-2, 2), "pass_threshold": 1}, {}),
    ],
)
def test_the_keys_of_a_scale(fields: dict[str, Any], keys: dict[str, str]) -> None:
    """Labels have keys by their places, numbers their own digit, and a range that digits cannot tell is typed."""
    assert {button.word: button.key for button in buttons(Declaration.model_validate(fields))} == keys


def test_twelve_labels_are_all_there() -> None:
    """What has no key left is a button all the same."""
    words = [f"label {number}" for number in range(12)]
    found = buttons(Declaration(question="labels", labels=tuple(words), passing_labels=(words[0],)))
    assert [button.word for button in found] == words
    assert found[9:] == [Button(words[9], "0"), Button(words[10], ""), Button(words[11], "")]


def test_people_see_what_the_judge_sees(tasks: dict[str, Task], tmp_path: Path) -> None:
    """Every text of the question, and no other one, each escaped, with the judge's rubric and the case's own for it."""
    of = tasks["steps"]
    logs = Logs([candidate(1)], tasks=[of])
    site, tokens = desk(logs, tmp_path)
    client = TestClient(create(site), base_url=SITE)
    client.post("/sign-in", data={"token": tokens["ada"]}, headers={"Origin": SITE})
    text = client.get(f"/labels/{of.key}").text
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text)).replace("<U+202E>", "\u202e")
    (texts,) = questions.of_item(of.judge, ONE, "").shown
    for value in texts.values():
        for part in [value] if isinstance(value, str) else value:
            assert part in plain
    assert "The rubric of steps." in plain
    for hidden in ("not shown\n", "Not for steps.", ONE.reference, "It is done."):
        assert hidden not in plain
    assert "<script>alert" not in text
    assert "<img" not in text


def test_files_are_shown_to_people_where_the_judge_is_sent_them(project: Project) -> None:
    """Beside the texts and not among them; of a judge that is not shown them people see none either."""
    file = Attachment(sha256="0" * 64, media_type="image/png", name="receipt.png")
    of = item(1, "It is 3 euros.", attachments=[file])
    made(project.folder, "seeing", input="[question, response, attachments]")
    made(project.folder, "blind", input="[question, response]")
    for name, files in (("seeing", [file]), ("blind", [])):
        one = Task(prompt.load(name), of)
        shown = label_page.label("ada", Logs([candidate(1)], tasks=[one]).labels(), one, AT)
        assert (shown["files"], [part.name for part in shown["parts"]]) == (files, ["question", "response"])


@pytest.mark.parametrize(
    ("name", "choice", "own"), [("tone", "neutral", "neutral"), ("depth", "3", "3"), ("steps", "fail", "fail")]
)
def test_a_page_says_what_was_said_of_it(tasks: dict[str, Task], name: str, choice: str, own: str) -> None:
    """The judge's own word where it has a scale of its own; nothing to whoever has not labelled the item."""
    logs = Logs([candidate(1)], tasks=list(tasks.values()))
    say(logs, tasks[name], choice)
    queue = logs.labels()
    mine, theirs = (label_page.label(person, queue, tasks[name], AT) for person in ("ada", "ben"))
    assert (mine["own"], mine["done"], mine["left_for_me"]) == (own, 1, len(tasks) - 1)
    assert (theirs["own"], theirs["done"], theirs["left_for_me"]) == (None, 0, len(tasks))


def test_a_page_of_a_pair_says_the_side_that_was_chosen() -> None:
    """Whichever way round it was shown: the side, not the letter that the log has; a tie is one."""
    pairs = [item(number, "x", "pairwise", "y") for number in range(20)]
    logs = Logs([candidate(1)], items=pairs)
    queue = logs.labels()
    for at, of in enumerate(pairs):
        one = task(of)
        choice = ("left", "right", "tie")[at % 3]
        row = Labelled(task=one.key, asked=asked(one, "ada"), choice=choice, spans=[], note="", seconds=1.0)
        queue.say("ada", row, AT)
        shown = label_page.label("ada", queue, one, AT)
        assert shown["own"] == choice
        assert shown["sides"] == (["y", "x"] if is_swapped(of, "ada") else ["x", "y"])
    assert {is_swapped(of, "ada") for of in pairs} == {True, False}


def test_an_empty_answer_is_shown_as_one(tasks: dict[str, Task]) -> None:
    """An answer without a word is there to be judged; another text that is empty is not."""
    assert [part.name for part in parts({"question": ["Hi?"], "contexts": [], "response": ""})] == [
        "question",
        "response",
    ]


def test_a_number_is_typed_where_digits_do_not_do(tasks: dict[str, Task], tmp_path: Path) -> None:
    """A range of a hundred has a field with its bounds, and what is typed there is the label."""
    of = tasks["length"]
    logs = Logs([candidate(1)], tasks=[of, task(item(2, "Yes."))])
    site, tokens = desk(logs, tmp_path)
    client = TestClient(create(site), base_url=SITE)
    client.post("/sign-in", data={"token": tokens["ada"]}, headers={"Origin": SITE})
    text = client.get(f"/labels/{of.key}").text
    assert 'min="0" max="100"' in text
    hidden = dict(re.findall(r'name="(csrf|revision)" value="([^"]*)"', text))
    client.post(f"/labels/{of.key}", data={**hidden, "label": " 85 "}, headers={"Origin": SITE})
    assert [(row.judge, row.label, row.outcome) for row in logs.answers] == [("length", "85", "pass")]
    start = client.get("/").text
    assert "/labels?judge=correctness" in start
    assert (
        client.get("/labels?judge=correctness", follow_redirects=False)
        .headers["location"]
        .startswith("/labels/correctness/")
    )
