"""A case in words: what decides about it, what the user says, and everything that a person wrote into it."""

from typing import Any

import pytest

from assay.evalset.wording import conversation, expectations, given, good_answers, texts
from assay.records.attachment import Attachment, described
from assay.records.case import Example, SimulatedUser
from tests.cast import call, case


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"check": "icontains-any", "values": ["a", "b"]}, "icontains-any: “a”, “b”"),
        ({"check": "equals", "values": ["a"], "exact": True}, "equals, exact: “a”"),
        (
            {"check": "tool-call", "calls": [call("pay", '{"a": 1}'), call("look")]},
            'tool-call: pay({"a": 1}), look({})',
        ),
        ({"check": "tool-call", "values": ["a"], "calls": [call("pay")]}, "tool-call: “a”; pay({})"),
        ({"check": "no-personal-data"}, "no-personal-data: nothing more"),
    ],
)
def test_an_expectation_is_a_line(fields: dict[str, Any], row: str) -> None:
    """Its check, whether exactly, its values and its calls; one that has neither says so."""
    assert expectations(case(1, expectations=[fields])) == [row]


def test_an_empty_answer_that_is_allowed_is_told_last() -> None:
    """A case that may be answered with nothing says it after its expectations."""
    assert expectations(case(1, empty="allowed"))[1:] == ["an empty answer is allowed"]
    assert expectations(case(1, expectations=[])) == []


def test_what_judges_ask_of_a_case_is_told() -> None:
    """From which score on an answer passes, and where checks and examples say the opposite."""
    rows = expectations(case(1, thresholds={"depth": 4}, bad=[Example(text="Within 14 days.")]))
    assert rows[1] == "depth: 4 or more passes"
    assert rows[2].startswith("checks and examples disagree: case refunds-001: bad answer 1")
    assert len(rows) == 3


def test_what_goes_with_the_turns_is_told_behind_them() -> None:
    """Named values, documents and files, each on a line, before a simulated user."""
    file = Attachment(sha256="0" * 64, media_type="image/png", name="receipt.png")
    one = case(1, turns=["One."], inputs={"plan": "gold", "limit": 3}, contexts=["The terms."], attachments=[file])
    assert given(one) == ["limit: 3", "plan: gold"]
    first, *rest = conversation(one).split("\n")
    assert (first, rest[:3]) == ("One.", ["With limit: 3", "With plan: gold", "Given document: The terms."])
    assert rest[3:] == [f"Attached: {line}" for line in described([file])]


def test_good_answers_are_paragraphs() -> None:
    """Each one once, the first one first; none is nothing."""
    assert good_answers(case(1, reference="A.", references=["B.", "A."])) == "A.\n\nB."
    assert good_answers(case(1, reference="")) == ""


def test_every_text_that_somebody_wrote_is_there() -> None:
    """Of examples too, of the case's own and of each check's; of files their names."""
    file = Attachment(sha256="0" * 64, media_type="image/png", name="receipt.png")
    example = Example(text="x1", final_state='{"x": 2}', contexts=["x3"], calls=[call("pay", '{"x": 4}')])
    bad = Example(text="x5", calls=[call("pay", '{"x": 6}')])
    expectation = {"check": "equals", "values": ["v"], "good": [example], "bad": [bad]}
    user = SimulatedUser(goal="g", persona="p", stop="s", max_turns=1)
    fields = {"turns": ["t"], "reference": "r", "attachments": [file], "user": user, "contexts": ["c"]}
    of_check = {"x1", '{"x": 2}', "x3", '{"x": 4}', "x5", '{"x": 6}'}
    common = {"t", "r", "receipt.png", "c", "v", "g", "p", "s"}
    assert set(texts(case(1, expectations=[expectation], **fields))) == common | of_check
    own = case(1, expectations=[{"check": "equals", "values": ["v"]}], good=[example], bad=[bad], **fields)
    assert set(texts(own)) == common | of_check


@pytest.mark.parametrize(("persona", "who"), [("hurried", " (hurried)"), ("", "")])
def test_a_conversation_is_turns_and_what_is_wanted(persona: str, who: str) -> None:
    """Turn by turn, then who goes on, what for and until when; without a simulated user the turns alone."""
    user = SimulatedUser(goal="A refund.", persona=persona, stop="It is promised.", max_turns=3)
    assert conversation(case(1, turns=["One.", "Two."], user=user)) == (
        f"One.\nTwo.\nThen a simulated user{who} who wants: A refund. Stops when: It is promised."
    )
    assert conversation(case(1, turns=["One.", "Two."])) == "One.\nTwo."
