"""What does a judge score that does not judge?"""

from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import DataError, InsufficientDataError
from assay.records.label import Item
from assay.stats.baselines import Baseline, rouge_l, trivial_judges


def item(name: str, *, a: str, b: str = "", reference: str = "", question: str = "pairwise") -> Item:
    """Return one labelled item's texts."""
    return Item.model_validate(
        {
            "item_id": name,
            "question": question,
            "case_id": name,
            "category": "refund-policy",
            "slice": "natural",
            "turns": ["May I return it?"],
            "reference": reference,
            "response_a": a,
            "response_b": b,
        }
    )


PAIRS = [
    item("one", a="Yes, within 14 days of delivery.", b="No.", reference="Within 14 days of delivery."),
    item("two", a="No.", b="Yes, within 14 days.", reference="Yes, within 14 days of delivery."),
    item("three", a="No, but you may keep it for ever and ever.", b="Yes, in 14 days.", reference="Yes, in 14 days."),
    item("four", a="Yes.", b="Nay.", reference="Yes."),
]
TRUTH = {"one": "a", "two": "b", "three": "b", "four": "a"}


def by_name(found: Sequence[Baseline]) -> dict[str, Baseline]:
    """Return the baselines by their names."""
    return {one.name: one for one in found}


def test_refuses_items_without_labels() -> None:
    """Nothing can be scored against nobody's word."""
    with pytest.raises(InsufficientDataError, match="none of the 4 items"):
        trivial_judges(PAIRS, {})


def test_refuses_a_mix_of_questions() -> None:
    """A pass and an A are no answers to the same question, nor is a label of the other one."""
    other = item("five", a="Yes.", question="pass-fail")
    with pytest.raises(DataError, match="mix"):
        trivial_judges([*PAIRS, other], {**TRUTH, "five": "pass"})
    with pytest.raises(DataError, match="labelled 'a'; expected one of fail, pass"):
        trivial_judges([other], {"five": "a"})


def test_worked_example_of_pairs() -> None:
    """By hand: always A is right twice of four, the longer one twice, the one nearer to the reference always."""
    found = by_name(trivial_judges(PAIRS, TRUTH))
    assert {name: one.accuracy.estimate for name, one in found.items()} == {
        "always-first": 0.5,
        "longer": 0.5,
        "rouge-l": 1.0,
        "constant": 0.5,
    }
    assert (found["always-first"].kappa, found["rouge-l"].kappa, found["longer"].n) == (0, 1, 4)


def test_rouge_needs_every_reference() -> None:
    """Without references the overlap baseline is left out, not scored on nothing."""
    bare = [one.model_copy(update={"reference": ""}) for one in PAIRS]
    assert "rouge-l" not in by_name(trivial_judges(bare, TRUTH))


def test_worked_example_of_pass_fail() -> None:
    """By hand: overlaps 1, 2/3 and 0 with labels pass, pass, fail part at a cut-off of 2/3; constant pass gets 2/3."""
    texts = {"one": "Yes, 14 days.", "two": "Yes, 14 hours.", "three": "No."}
    items = [item(name, a=text, reference="Yes, 14 days.", question="pass-fail") for name, text in texts.items()]
    found = by_name(trivial_judges(items, {"one": "pass", "two": "pass", "three": "fail"}))
    assert (found["rouge-l"].accuracy.estimate, found["constant"].accuracy.estimate) == (1, 2 / 3)


def test_the_nearest_of_several_references_counts() -> None:
    """By hand: an answer that is one of two right ones letter by letter has the overlap 1, as with one reference."""
    right = {"references": ["Two weeks."]}
    items = [
        item(name, a="Two weeks.", reference="Yes.", question="pass-fail").model_copy(update=right) for name in "ab"
    ]
    items.append(item("c", a="No.", reference="Yes.", question="pass-fail"))
    found = by_name(trivial_judges(items, {"a": "pass", "b": "pass", "c": "fail"}))
    assert found["rouge-l"].accuracy.estimate == 1


def test_one_label_throughout_has_no_kappa() -> None:
    """When people passed everything the constant judge is always right, and kappa says nothing of it."""
    found = by_name(trivial_judges([item("one", a="Yes.", question="pass-fail")], {"one": "pass"}))
    assert (found["constant"].accuracy.estimate, found["constant"].kappa) == (1, None)


def slow_overlap(left: list[str], right: list[str]) -> int:
    """Return the length of the longest common subsequence by its textbook recursion."""

    @cache
    def length(i: int, j: int) -> int:
        if not (i and j):
            return 0
        if left[i - 1] == right[j - 1]:
            return length(i - 1, j - 1) + 1
        return max(length(i - 1, j), length(i, j - 1))

    return length(len(left), len(right))


@given(*[st.lists(st.sampled_from("abcde"), min_size=1, max_size=25)] * 2)
def test_rouge_equals_the_textbook(left: list[str], right: list[str]) -> None:
    """The fast overlap equals the recursion by definition, and does not care which text is the reference."""
    found = rouge_l(" ".join(left), " ".join(right))
    assert found == pytest.approx(2 * slow_overlap(left, right) / (len(left) + len(right)))
    assert found == rouge_l(" ".join(right), " ".join(left))


def test_rouge_bears_hostile_texts() -> None:
    """A megabyte, nothing at all or half a character neither hang nor crash it."""
    assert rouge_l("word " * 200_000, "word " * 200_000) == 1
    assert rouge_l("", "") == rouge_l(" \n", "word") == 0
    assert rouge_l("\ud800 word", "\ud800") == pytest.approx(2 / 3)
