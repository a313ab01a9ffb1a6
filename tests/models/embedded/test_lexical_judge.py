"""The lexical judge: what it is fitted to, what it sees, and what fools it."""

import time
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lexical_facts import JUDGES, items, labels

from assay.errors import DataError
from assay.models.embedded.features import FEATURES
from assay.models.embedded.lexical import BORROWED_ANSWERS, BORROWED_PAIRS, LexicalJudge, most_likely
from assay.models.embedded.tuning import majority
from assay.records.label import Item, Label


def fit(given_labels: Sequence[Label]) -> LexicalJudge:
    """Fit a judge to the fixture's items and these labels."""
    return LexicalJudge.fit(majority(items(), given_labels, JUDGES))


JUDGE = fit(labels())
OPPOSITE = {"a": "b", "b": "a", "pass": "fail", "fail": "pass"}


def turned(label: Label) -> Label:
    """Return the label with the opposite outcome."""
    return label.model_copy(update={"outcome": OPPOSITE[label.outcome]})


def right_verdicts(question: str, kind: str) -> list[bool]:
    """Return, for the held-out items of one question and slice, whether the judge agrees with the label."""
    known = {item.item_id: item for item in items() if (item.question, item.slice) == (question, kind)}
    heldout = [label for label in labels() if label.split == "heldout" and label.item_id in known]
    return [verdict(known[label.item_id]) == label.outcome for label in heldout]


def verdict(item: Item) -> str:
    """Return the judge's likeliest verdict on an item."""
    if item.question == "pairwise":
        return most_likely(JUDGE.compare(item.reference, item.response_a, item.response_b)).lower()
    return most_likely(JUDGE.decide(item.reference, item.response_a))


@pytest.mark.parametrize(
    ("keep", "has_pairs", "has_answers"),
    [
        (lambda label: label.split == "heldout", False, False),
        (lambda label: label.outcome in {"a", "b"}, True, False),
        (lambda label: label.outcome != "fail", True, False),
        (lambda label: label.outcome in {"pass", "fail"}, False, True),
        (lambda label: label.outcome in {"pass", "fail", "tie"}, False, True),
    ],
)
def test_a_question_without_labels_is_answered_by_borrowed_weights(
    keep: Callable[[Label], bool],
    has_pairs: bool,  # noqa: FBT001 - a table
    has_answers: bool,  # noqa: FBT001 - a table
) -> None:
    """Each question is fitted where it has labels, and the judge's name says that one of them was not."""
    found = fit([label for label in labels() if keep(label)])
    assert ((found.pair_weights, found.nu) == BORROWED_PAIRS) is not has_pairs
    assert ((found.pass_weights, found.pass_intercept) == BORROWED_ANSWERS) is not has_answers
    assert found.reported_model.startswith("lexical-judge-unfitted-")


def test_borrowed_weights_see_gross_faults() -> None:
    """Without any label a judge tells the reference from something else, and knows no position."""
    found = LexicalJudge.fit([])
    reference = "Refunds are possible within 14 days of delivery."
    assert most_likely(found.decide(reference, reference)) == "pass"
    assert most_likely(found.decide(reference, "Gift cards never expire, says Ada of the 3 towers.")) == "fail"
    assert most_likely(found.compare(reference, reference, "Refunds take 30 days.")) == "A"
    assert most_likely(found.compare(reference, "Refunds take 30 days.", reference)) == "B"


def test_even_splits_are_dropped() -> None:
    """An item on which two annotators disagree says nothing; a third one decides."""
    mine = labels()[0]
    other = turned(mine.model_copy(update={"annotator": "ben"}))
    third = mine.model_copy(update={"annotator": "cem"})
    assert majority(items(), [mine, other], JUDGES) == []
    assert [one.outcome for one in majority(items(), [mine, other, third], JUDGES)] == [mine.outcome]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"item_id": "nowhere"}, "no such item"),
        ({"outcome": "pass"}, r"expected one of \['a', 'b', 'tie'\]"),
        ({}, "stands there twice"),
    ],
)
def test_unfit_labels_are_refused(change: dict[str, str], complaint: str) -> None:
    """A label of no item, of the wrong kind, or given twice stops the judge instead of bending it."""
    pair = labels()[0]
    with pytest.raises(DataError, match=complaint):
        majority(items(), [pair, pair.model_copy(update=change)], JUDGES)


def test_heldout_labels_change_nothing() -> None:
    """Turning every held-out label round, or leaving them all out, gives the very same judge."""
    flipped = [turned(label) if label.split == "heldout" else label for label in labels()]
    assert fit(flipped) == JUDGE
    assert fit([label for label in labels() if label.split == "tune"]) == JUDGE


def test_tune_labels_change_the_reported_model() -> None:
    """A refit to other labels answers under another name, so that its certificate no longer holds."""
    flipped = [turned(label) if index < 40 and label.split == "tune" else label for index, label in enumerate(labels())]
    assert fit(flipped).reported_model != JUDGE.reported_model
    assert JUDGE.reported_model.startswith("lexical-judge-")


def test_fitting_is_deterministic() -> None:
    """Labels in any order give an equal judge; what a fit costs is measured by `python -m benchmarks statistics`."""
    assert fit(labels()[::-1]) == JUDGE


@given(st.text(), st.text(), st.text())
def test_pairs_are_symmetric(reference: str, first: str, second: str) -> None:
    """P(A over B) is 1 - P(B over A) exactly, ties counted half: the judge has no preferred place."""
    there, back = JUDGE.compare(reference, first, second), JUDGE.compare(reference, second, first)
    assert (there["A"], there["B"], there["tie"]) == (back["B"], back["A"], back["tie"])
    assert sum(there.values()) == pytest.approx(1)


def test_equal_responses_are_a_tie() -> None:
    """Where nothing tells the responses apart, neither wins."""
    assert most_likely(JUDGE.compare("R", "the same", "the same")) == "tie"


def test_ties_among_the_labels_make_ties_likelier() -> None:
    """Davidson's nu follows the share of ties that people gave."""
    tied = [label.model_copy(update={"outcome": "tie"}) if label.outcome == "b" else label for label in labels()]
    assert fit(tied).nu > JUDGE.nu


def test_no_label_teaches_that_likeness_is_bad() -> None:
    """However the tune labels lie, no feature weighs against its own meaning."""
    liar = fit([turned(label) for label in labels()])
    for weights in (liar.pair_weights, liar.pass_weights, JUDGE.pair_weights, JUDGE.pass_weights):
        assert all(weight * sign >= 0 for weight, sign in zip(weights, FEATURES.values(), strict=True))


def test_it_sees_gross_faults() -> None:
    """Held out: 24 of 24 pairs and 48 of 48 answers with gross faults are judged as people judged them."""
    assert (sum(right_verdicts("pairwise", "gross")), len(right_verdicts("pairwise", "gross"))) == (24, 24)
    assert (sum(right_verdicts("pass-fail", "gross")), len(right_verdicts("pass-fail", "gross"))) == (48, 48)


def test_it_is_fooled_by_minimal_edits() -> None:
    """Held out: far below chance on fluent minimal edits, 3 of 24 pairs and 0 of 48 answers; a report must show it."""
    pairs, answers = right_verdicts("pairwise", "minimal-edit"), right_verdicts("pass-fail", "minimal-edit")
    assert (len(pairs), len(answers)) == (24, 48)
    assert sum(pairs) <= 6
    assert sum(answers) <= 12


def test_a_million_characters_take_no_time() -> None:
    """A hostile length costs no more than a long answer does."""
    started = time.process_time()
    for text in ("a b c d. " * 110_000, "7" * 1_000_000, "can't " * 160_000, "A" * 1_000_000):
        JUDGE.compare("A reference with 7 words in it.", text, text)
    assert time.process_time() - started < 3


def test_labels_of_another_question_move_nothing() -> None:
    """What people say of an answer's tone on the very same items leaves the judge as it is, name and all."""
    of_tone = [turned(one).model_copy(update={"judge": "tone"}) for one in labels()]
    named = [one.model_copy(update={"judge": "correctness"}) for one in labels() if one.outcome in ("pass", "fail")]
    pairs = [one for one in labels() if one.outcome not in ("pass", "fail")]
    assert fit([*labels(), *of_tone]) == JUDGE
    assert fit([*named, *pairs, *of_tone]) == JUDGE
    assert not fit(of_tone).is_fitted
