"""A candidate in a form: what comes back is a sound case or a sentence, and what was not touched stays."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assay.desk import editing
from assay.desk.candidate_queue import RefusedError
from assay.records.case import Case, Expectation, SimulatedUser
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
