"""A candidate in a form: what comes back is a sound case or a sentence, and what was not touched stays."""

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.desk import editing
from assay.desk.candidate_queue import RefusedError
from assay.records.case import Case, Example, Expectation, SimulatedUser
from tests.cast import call, case

OWNERS = {"refunds": "payments", "escalation": "care"}
FULL = case(
    1,
    turns=["First,\nin two lines.", " second "],
    expectations=[
        Expectation(check="icontains-any", values=["14 days", "two weeks"]),
        Expectation(check="equals", values=["14\u00a0days"], exact=True),
        Expectation(check="tool-call", calls=[call("refund", '{"amount": 3}'), call("look_up")]),
    ],
    user=SimulatedUser(goal="A refund.", persona="", stop="It is promised.", max_turns=3),
    inputs={"language": "de", "limit": 3},
    references=["Two weeks.", "A fortnight."],
)


def form(of: Case, **changes: str) -> dict[str, str]:
    """Return the form of a case as a browser sends it."""
    shown = editing.fields(of, {})
    fields = {f"turn-{number}": text for number, text in enumerate(shown["turns"])}
    fields |= {f"reference-{number}": text for number, text in enumerate(shown["references"])}
    names = ("check", "values", "calls", "exact")
    for number, row in enumerate(shown["expectations"]):
        fields |= {f"{name}-{number}": text for name, text in zip(names, row, strict=True)}
    return (
        fields
        | {"inputs": shown["inputs"], "reference": shown["reference"], "case-category": shown["category"]}
        | changes
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"case-category": "invented"}, "The category is 'invented'"),
        ({"turn-0": " ", "turn-1": ""}, "turns: List should have at least 1 item"),
        ({"check-0": "no-such-check"}, "no-such-check"),
        ({"check-0": "regex", "values-0": "("}, "refunds|regex|pattern"),
        ({"values-0": "[1]"}, "Values of expectation 1: expected a list of texts"),
        ({"values-0": '["a", 1]'}, "Values of expectation 1: expected a list of texts"),
        ({"values-0": '["a"'}, "Values of expectation 1: this is no JSON"),
        ({"exact-2": "on"}, "check 'tool-call' has `exact`"),
        ({"calls-2": "refund {amount: 3}"}, "Calls of expectation 3: refund needs its arguments as JSON"),
        (
            dict.fromkeys(("reference", "reference-0", "reference-1", "check-0", "check-1", "check-2"), ""),
            "nothing could ever fail",
        ),
        ({"inputs": "{language: de}"}, "inputs: "),
        ({"inputs": '{"a b": 1}'}, "inputs: .*'a b'"),
        ({"turn-0": "half a \ud800 character"}, "half a character"),
    ],
)
def test_an_unsound_case_is_refused(changes: dict[str, str], sentence: str) -> None:
    """Each fault of an edited case is one sentence that names the field."""
    with pytest.raises(RefusedError, match=sentence):
        editing.edited(FULL, form(FULL, **changes), OWNERS)


def test_an_untouched_form_is_the_same_case() -> None:
    """What the form shows, sent back as it is, is the case that was shown, with all that no field holds."""
    assert editing.edited(FULL, form(FULL), OWNERS) == FULL


VALUES = st.text(min_size=1).filter(lambda text: bool(text.strip()) and (text.isprintable() or "\n" in text))
"""What an expectation may hold: a blank value is refused, whoever wrote it."""


@given(st.lists(VALUES, min_size=1, max_size=4))
@example(["[1]", "[a", "plain"])
@example([" a ", "two\nlines", "page\x0cbreak"])
def test_any_value_survives_the_form(values: list[str]) -> None:
    """Values with line ends, brackets or blanks come back as they were."""
    of = case(1, expectations=[Expectation(check="icontains-any", values=values)])
    assert editing.edited(of, form(of), OWNERS).expectations == of.expectations


def test_another_category_has_another_owner() -> None:
    """A case that is moved to a category belongs to whoever owns that one."""
    moved = editing.edited(FULL, form(FULL, **{"case-category": "escalation"}), OWNERS)
    assert (moved.category, moved.owner) == ("escalation", "care")


def test_the_owner_of_a_case_that_stays_is_its_own() -> None:
    """Only a move changes who owns a case: that somebody else owns its category by now does not."""
    assert editing.edited(FULL, form(FULL), OWNERS | {"refunds": "somebody else"}).owner == FULL.owner


def test_there_is_one_empty_field_of_each_kind() -> None:
    """To add a turn, a good answer or an expectation; as many come back with a fault, as they were typed."""
    shown = editing.fields(FULL, {})
    assert (shown["turns"], shown["references"]) == ([*FULL.turns, ""], [*FULL.references, ""])
    assert [row[0] for row in shown["expectations"]] == ["icontains-any", "equals", "tool-call", ""]
    typed = form(FULL, **{"turn-2": "And more?", "reference-2": "Nor later."})
    again = editing.fields(FULL, typed)
    assert (again["turns"], again["references"]) == ([*FULL.turns, "And more?"], [*FULL.references, "Nor later."])
    assert len(again["expectations"]) == len(FULL.expectations) + 1


def test_however_many_turns_a_case_has_none_is_lost() -> None:
    """A long conversation comes back whole, with what was added to it."""
    long = case(1, turns=[f"Turn {number}." for number in range(60)])
    assert editing.edited(long, form(long, **{"turn-60": "The last."}), OWNERS).turns == [*long.turns, "The last."]


@pytest.mark.parametrize(
    ("changes", "is_sound"),
    [
        ({"reference": "", "references": []}, True),
        ({"expectations": []}, True),
        ({"expectations": [], "reference": ""}, True),
        ({"expectations": [], "reference": "", "references": []}, False),
    ],
)
def test_without_a_project_a_reference_or_a_check_decides(changes: dict[str, Any], *, is_sound: bool) -> None:
    """Either may fail a case where nobody tells which judges there are; a case with neither could not be failed."""
    assert editing.has_any(FULL.model_copy(update=changes)) is is_sound


def test_examples_stay_with_their_check() -> None:
    """What shows that a check passes and fails the right answers stays while the check does, and goes with it."""
    good, bad = [Example(text="Within 14 days.")], [Example(text="Never.")]
    of = case(1, expectations=[Expectation(check="icontains-any", values=["14 days"], good=good, bad=bad)])
    (kept,) = editing.edited(of, form(of, **{"values-0": "14 days\nfortnight"}), OWNERS).expectations
    assert (kept.values, kept.good, kept.bad) == (["14 days", "fortnight"], good, bad)
    (other,) = editing.edited(of, form(of, **{"check-0": "icontains-all"}), OWNERS).expectations
    assert (other.check, other.good, other.bad) == ("icontains-all", [], [])


def test_an_expectation_may_be_added() -> None:
    """The empty fields, filled in, are one more expectation, behind those that were there."""
    added = editing.edited(FULL, form(FULL, **{"check-3": "equals", "values-3": "Yes.", "exact-3": "on"}), OWNERS)
    assert added.expectations == [*FULL.expectations, Expectation(check="equals", values=["Yes."], exact=True)]


def test_a_value_is_shown_in_its_own_letters() -> None:
    """Also where values stand as JSON, since one of them has two lines."""
    of = case(1, expectations=[Expectation(check="icontains-any", values=["die Gr\u00f6\u00dfe\nin cm"])])
    assert editing.fields(of, {})["expectations"][0][1] == '["die Gr\u00f6\u00dfe\\nin cm"]'


def test_a_refused_form_comes_back_as_typed() -> None:
    """What somebody typed is shown again beside the fault."""
    typed = form(FULL, **{"turn-0": "Typed anew.", "values-0": '["a"'})
    shown = editing.fields(FULL, typed)
    assert shown["turns"][0] == "Typed anew."
    assert shown["expectations"][0] == ("icontains-any", '["a"', "", "")
    assert shown["expectations"][1][-1] == "on"
    assert shown["category"] == FULL.category
    moved = editing.fields(FULL, typed | {"case-category": "escalation"})
    assert (moved["category"], moved["reference"]) == ("escalation", FULL.reference)
    assert editing.fields(FULL, {})["category"] == FULL.category
