"""What was asked: which answers and labels belong to a case as it is today."""

from typing import Any

import pytest

from assay.records.case import Case, Expectation
from tests.cast import case, item, response

USER = {"goal": "A refund.", "persona": "", "stop": "It is promised.", "max_turns": 3}
CHANGES: list[tuple[dict[str, Any], bool, bool]] = [
    ({"turns": ["Else?"]}, False, False),
    ({"user": USER}, False, True),
    ({"reference": "No."}, True, False),
    ({"expectations": [Expectation(check="contains", values=["30"])]}, True, True),
    ({"category": "escalation"}, True, True),
    ({"layer": "task"}, True, True),
    ({"owner": "care"}, True, True),
]
"""A change of a case, whether it asks the same, and whether people who labelled an answer to it were shown the same."""


def changed(changes: dict[str, Any]) -> Case:
    """Return the case as a person changed it."""
    return Case.model_validate(case(1).model_dump() | changes)


@pytest.mark.parametrize(("changes", "asks_the_same"), [(changes, is_same) for changes, is_same, _ in CHANGES])
def test_a_response_answers_what_was_asked(changes: dict[str, Any], *, asks_the_same: bool) -> None:
    """Turns and simulated user decide; nothing that is expected of the answer does."""
    given = response(case(1), request=case(1).request())
    assert given.answers(case(1))
    assert given.answers(changed(changes)) == asks_the_same


@pytest.mark.parametrize("changes", [changes for changes, _, _ in CHANGES])
def test_a_response_of_before_answers_the_whole_case(changes: dict[str, Any]) -> None:
    """Without the hash of what was asked any change of the revision is taken for another question."""
    given = response(case(1))
    assert given.answers(case(1))
    assert given.answers(changed(changes)) == (changes.keys() == {"owner"})


def test_another_case_with_the_same_question_is_another() -> None:
    """Two cases that ask the same are asked twice, so neither's answer is the other's."""
    other = case(1, case_id="refunds-002")
    assert other.request() == case(1).request()
    assert not response(case(1), request=case(1).request()).answers(other)
    assert not response(case(1)).answers(other)
    assert not item(1, "Yes.").asks(other)


@pytest.mark.parametrize(("changes", "shows_the_same"), [(changes, is_same) for changes, _, is_same in CHANGES])
def test_a_label_is_of_the_reference_that_was_shown(changes: dict[str, Any], *, shows_the_same: bool) -> None:
    """A label given by another question or reference is none on the case of today."""
    assert item(1, "Yes.").asks(case(1))
    assert item(1, "Yes.").asks(changed(changes)) == shows_the_same


def test_a_label_given_without_a_reference_outlives_it() -> None:
    """Whoever labelled without a reference was moved by none, so a corrected one leaves the label as it is."""
    bare = item(1, "Yes.", reference="")
    assert bare.asks(case(1, reference="No."))
    assert not bare.asks(case(1, turns=["Else?"]))
