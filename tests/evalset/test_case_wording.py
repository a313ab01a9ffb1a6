"""A case in words: what decides about it, what the user says, and everything that a person wrote into it."""

from typing import Any

import pytest

from assay.evalset.wording import conversation, expectations
from assay.records.case import SimulatedUser
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


@pytest.mark.parametrize(("persona", "who"), [("hurried", " (hurried)"), ("", "")])
def test_a_conversation_is_turns_and_what_is_wanted(persona: str, who: str) -> None:
    """Turn by turn, then who goes on, what for and until when; without a simulated user the turns alone."""
    user = SimulatedUser(goal="A refund.", persona=persona, stop="It is promised.", max_turns=3)
    assert conversation(case(1, turns=["One.", "Two."], user=user)) == (
        f"One.\nTwo.\nThen a simulated user{who} who wants: A refund. Stops when: It is promised."
    )
    assert conversation(case(1, turns=["One.", "Two."])) == "One.\nTwo."
