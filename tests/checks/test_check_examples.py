"""Example answers: a check that fails a good one, or passes a bad one, is told, whoever wrote which of them wrong."""

from typing import Any

import pytest
import yaml

from assay.checks import registry
from assay.checks.examples import disagreements, sentences
from assay.desk import editing
from assay.desk.candidate_queue import RefusedError
from assay.errors import DataError
from assay.evalset import wording
from assay.interchange import cases_yaml
from assay.records.case import Case, Example, Expectation
from assay.records.record import digest
from tests.cast import case

DAYS = {"check": "icontains-any", "values": ["14 days"]}
CALL = {"check": "tool-call", "calls": [{"name": "refund", "arguments": {"order": "A"}}]}
STATE = {"check": "final-state", "states": [{"path": "$.paid", "equals": True}]}


def with_examples(*written: dict[str, Any], **fields: Any) -> Case:
    """Return a case as a person writes it."""
    one = {"case_id": "refunds-010", "layer": "unit", "category": "refunds", "turns": ["How long?"]} | fields
    return cases_yaml.parse(yaml.safe_dump([one | {"expectations": list(written)}]), "x.yaml")[0]


@pytest.mark.parametrize(
    ("written", "told"),
    [
        (DAYS | {"good": ["Within 14 days."], "bad": ["Within 30 days."]}, []),
        (DAYS | {"good": ["Two weeks."]}, ["good answer 1 fails check 1, `icontains-any`: "]),
        (
            DAYS | {"bad": ["No.", "Not 14 days."]},
            ["bad answer 2 passes check 1, `icontains-any`: "],
        ),
        ({"check": "not-contains", "values": ["30"], "good": ["14"], "bad": ["30"]}, []),
        (
            {"check": "is-json", "good": ["not JSON"]},
            ["good answer 1 fails check 1, `is-json`: "],
        ),
        ({"check": "is-json", "bad": ["[" * 200]}, []),
        (CALL | {"good": [{"calls": [{"name": "refund", "arguments": {"order": "A"}}]}], "bad": ["Refunded."]}, []),
        (
            CALL | {"bad": [{"calls": [{"name": "refund", "arguments": '{"order": "A", "usd": 9}'}]}]},
            ["bad answer 1"],
        ),
        (STATE | {"good": ["Paid.", {"final_state": {"paid": True}}], "bad": [{"final_state": {"paid": False}}]}, []),
        (STATE | {"bad": [{"final_state": {"paid": True}}]}, ["bad answer 1 passes"]),
        (STATE | {"bad": ["Not paid."]}, []),
        ({"check": "latency", "seconds": 1, "good": ["now"], "bad": ["late"]}, []),
        ({"check": "cost", "usd": 1, "good": ["cheap"], "bad": ["dear"]}, []),
        (
            {"check": "context-recall", "facts": ["14 days"], "threshold": 1, "good": ["x", {"contexts": ["30 days"]}]},
            ["good answer 2 fails"],
        ),
        ({"check": "refusal", "good": ["I can't help with that."], "bad": ["Sure."]}, []),
        ({"check": "empty", "good": [""], "bad": ["Hello."]}, []),
        ({"check": "python", "function": "my_checks:tone", "good": ["x"], "bad": ["x"]}, []),
    ],
)
def test_a_check_is_held_against_its_examples(written: dict[str, Any], told: list[str]) -> None:
    """What a check says of its own examples is told where it is the opposite; what no example can show is not asked."""
    found = list(disagreements(with_examples(written)))
    assert len(found) == len(told)
    for sentence, begins in zip(found, told, strict=True):
        assert sentence.startswith(f"case refunds-010: {begins}")


def test_examples_of_a_case_are_for_all_of_its_checks() -> None:
    """A good answer passes each check, a bad one fails some: whoever passes all is told with all that was said."""
    asked = with_examples(
        DAYS, {"check": "length-max", "words": 5}, good=["14 days."], bad=["Never, within " + "x " * 9]
    )
    assert sentences(asked) == []
    wrong = asked.model_copy(update={"good": [Example(text="14 days " * 9)], "bad": [Example(text="14 days")]})
    good, bad = sentences(wrong)
    assert "good answer 1 fails check 2, `length-max`" in good
    assert "bad answer 1 passes every check: " in bad


def test_an_example_changes_no_hash_of_before() -> None:
    """Examples move no verdict, so a revision never holds them; what a reviewer was shown, its digest, does."""
    plain = with_examples(DAYS)
    assert digest(plain.expectations[0]) == digest(Expectation(check="icontains-any", values=["14 days"]))
    shown = with_examples(DAYS | {"bad": ["30 days"]}, good=["14 days"])
    assert shown.expectations[0].scored() == plain.expectations[0]
    assert (shown.revision(), shown.request()) == (plain.revision(), plain.request())
    assert shown.digest() != plain.digest()


def test_examples_are_read_and_kept() -> None:
    """A text, and an answer with calls, contexts and a state, come through the record and back as they were written."""
    examples = ["plain", {"text": "a", "calls": [{"name": "x", "arguments": {"b": 1}}], "final_state": {"c": [1]}}]
    kept = registry.read(DAYS | {"good": examples, "bad": [{"contexts": ["one"]}]})
    assert [one.model_dump(exclude_defaults=True) for one in kept.good] == [
        {"text": "plain"},
        {"text": "a", "calls": [{"name": "x", "arguments": '{"b": 1}'}], "final_state": '{"c": [1]}'},
    ]
    assert registry.read(kept.model_dump()) == registry.read(registry.fields(kept)) == kept
    assert list(wording.texts(with_examples(DAYS | {"good": examples})))[-4:] == [
        "plain",
        "a",
        '{"c": [1]}',
        '{"b": 1}',
    ]
    with pytest.raises(DataError, match="good.0"):
        registry.read(DAYS | {"good": [7]})


def test_reviewers_are_told() -> None:
    """The desk shows a disagreement beside what is expected, refuses an edit that makes one, and keeps examples."""
    sound = with_examples(DAYS | {"good": ["14 days"]}, reference="Two weeks.", owner="care")
    wrong = sound.model_copy(update={"bad": [Example(text="14 days")]})
    assert any("bad answer 1 passes" in line for line in wording.expectations(wrong))
    assert not any("answer" in line for line in wording.expectations(sound))
    form = {"turn-0": "How long?", "case-category": "refunds", "reference": "Two weeks.", "check-0": "icontains-any"}
    assert editing.edited(sound, form | {"values-0": "14 days"}, {"refunds": "care"}) == sound
    with pytest.raises(RefusedError, match="good answer 1 fails check 1"):
        editing.edited(sound, form | {"values-0": "two weeks"}, {"refunds": "care"})
    changed = editing.edited(sound, form | {"check-0": "starts-with", "values-0": "Two"}, {"refunds": "care"})
    assert changed.expectations[0].good == []


def test_a_malformed_check_is_no_disagreement() -> None:
    """What could not be scored is refused elsewhere, and never raised while a page is shown."""
    of = case(1, expectations=[Expectation(check="regex", values=["("], good=[Example(text="x")])])
    assert sentences(of) == []
