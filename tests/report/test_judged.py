"""Both versions as the judges see them, with length and the judge's own errors taken out."""

from typing import Any

import numpy as np
import pytest

from assay.judges import prompt
from assay.records.label import Item, Label, Labelling
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report.judged import at_equal_lengths, change
from tests.cast import case, item, label, response, verdict

CORRECTNESS = prompt.load("correctness")
COUNT = 400
CASES = [case(number) for number in range(COUNT)]


def pair(number: int, as_is: str, swapped: str, **changes: str) -> Verdict:
    """Return the pairwise judge's word on a case."""
    outcome = as_is if as_is == swapped else "tie"
    fields = {"subject": "pair", "scorer": "preference", "as_is": as_is, "swapped": swapped} | changes
    return verdict(CASES[number].case_id, outcome, **fields)


def answers(lengths: list[int]) -> list[Response]:
    """Return one answer a case of so many characters."""
    return [response(of, "y" * length) for of, length in zip(CASES, lengths, strict=False)]


def test_no_pair_no_control() -> None:
    """Without a judged pair, or with identical answers only, there is nothing to control."""
    same = [pair(number, "tie", "tie", fingerprint="identical") for number in range(9)]
    assert at_equal_lengths("preference", [], answers([5] * 9), answers([5] * 9)) is None
    assert at_equal_lengths("preference", same, answers([5] * 9), answers([5] * 9)) is None


def test_lengths_that_never_differ_have_no_control() -> None:
    """The refusal of the estimator is said in its words, with the number of pairs."""
    rows = [pair(number, "a", "b") for number in range(60)]
    found = at_equal_lengths("preference", rows, answers([50] * 60), answers([40] * 60))
    assert found
    assert (found.rate, found.pairs) == (None, 60)
    assert "one and the same length" in found.note


def test_a_preference_for_length_is_taken_out() -> None:
    """A judge that goes by length with chance .85 makes 80 % of longer answers win; at equal lengths neither does."""
    rng = np.random.default_rng(1)
    mine = np.where(rng.random(COUNT) < 0.8, 120, 40) + rng.integers(0, 40, COUNT)
    longer = mine > 100
    says = np.where(rng.random(COUNT) < 0.85, longer, ~longer)
    rows = [pair(number, *["a" if says[number] else "b"] * 2) for number in range(COUNT)]
    found = at_equal_lengths("preference", rows, answers(mine.tolist()), answers([100] * COUNT))
    assert found
    assert found.rate
    assert found.rate.low < 0.5 < found.rate.high
    assert says.mean() > 0.65


def versions(
    *, human: tuple[float, float], lax: float, share: float = 0.5
) -> tuple[list[Verdict], list[Item], list[Label]]:
    """Return a judge that is laxer on the target by `lax`, with labels on both answers to part of the cases."""
    rng = np.random.default_rng(5)
    verdicts, items, labels = [], [], []
    for number, of in enumerate(CASES):
        for subject, rate, text in (("target", human[0], "mine"), ("baseline", human[1], "theirs")):
            good = rng.random() < rate
            passes = good or (subject == "target" and rng.random() < lax)
            verdicts.append(verdict(of.case_id, "pass" if passes else "fail", subject=subject))
            if number < share * COUNT:
                one = item(number, text, item_id=f"{subject}.{number}", case_id=of.case_id)
                items.append(one)
                labels.append(label(one.item_id, "pass" if good else "fail", sampling_frame=subject))
    return verdicts, items, labels


def test_a_judge_that_is_lax_on_one_version_is_corrected() -> None:
    """Both versions are equally good; the judge forgives the target half of its faults and says +10 points or more."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, labels, []), CASES)
    assert found
    assert found.raw > 0.1
    assert found.rate
    assert found.rate.low < 0 < found.rate.high
    assert (found.labels, found.judged) == (200, COUNT)


def test_too_few_labels_are_counted() -> None:
    """With 8 cases labelled in both versions there is no corrected change, and the note says how many are missing."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5, share=0.02)
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, labels, []), CASES)
    assert found
    assert (found.rate, found.labels) == (None, 8)
    assert "2 more" in found.note


def test_labels_drawn_by_verdict_carry_no_paired_difference() -> None:
    """Where items of one frame had unequal chances the estimator does not hold, and the note says why."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    odd = [labels[0].model_copy(update={"inclusion_probability": 0.9}), *labels[1:]]
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, odd, []), CASES)
    assert found
    assert found.rate is None
    assert "unequal chances" in found.note


@pytest.mark.parametrize(
    "odd", [{"inclusion_probability": None}, {"inclusion_probability": 0.9, "split": "tune"}], ids=["of a file", "tune"]
)
def test_only_the_chances_of_what_counts_have_to_be_even(odd: dict[str, Any]) -> None:
    """A label that nobody drew, or one to tune on, makes the others' chances no less alike; it is left out."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    rows = [labels[0].model_copy(update=odd), *labels[1:]]
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, rows, []), CASES)
    assert found
    assert found.rate
    assert (found.labels, found.note) == (199, "")


def test_cases_with_the_same_answer_make_the_change_smaller() -> None:
    """Where half of the answers are the accepted ones the change is half of what it is over the others alone."""
    verdicts, items, labels = versions(human=(0.6, 0.8), lax=0.2)
    half = COUNT // 2
    mine, theirs = (
        [response(of, text if at < half else "the same") for at, of in enumerate(CASES)] for text in ("mine", "theirs")
    )
    known = {of.case_id for of in CASES[:half]}
    about = Labelling(items, labels, [])
    whole = change(CORRECTNESS, verdicts, mine, theirs, about, CASES)
    alone = change(CORRECTNESS, [row for row in verdicts if row.item_id in known], mine, theirs, about, CASES)
    assert whole
    assert alone
    assert (whole.changed, whole.judged, alone.changed, alone.judged) == (half, COUNT, half, half)
    assert whole.rate
    assert alone.rate
    for name in ("estimate", "low", "high"):
        assert getattr(whole.rate, name) == pytest.approx(getattr(alone.rate, name) / 2)


def test_labels_of_pairs_say_nothing_of_an_answer() -> None:
    """That people prefer an answer to another one does not make it good: such labels are not counted."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    pairs = [
        item(number, text, "pairwise", "other", item_id=f"pair.{text}.{number}", case_id=CASES[number].case_id)
        for number in range(300, 320)
        for text in ("mine", "theirs")
    ]
    said = [label(one.item_id, "a", sampling_frame="pairs") for one in pairs]
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling([*items, *pairs], [*labels, *said], []), CASES)
    assert found
    assert found.labels == 200


def test_labels_that_the_judge_was_tuned_on_do_not_count() -> None:
    """An answer of the split tune tells nothing of the judge's errors elsewhere: no such case is counted."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    tuned = [row.model_copy(update={"split": "tune"}) for row in labels]
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, tuned, []), CASES)
    assert found
    assert (found.rate, found.labels) == (None, 0)


def test_labels_by_an_earlier_reference_do_not_count() -> None:
    """Of cases whose reference was corrected after people had labelled, no label says anything of today's verdict."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    mine, theirs = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
    corrected = [of.model_copy(update={"reference": "Else."}) for of in CASES[:50]]
    found = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, labels, []), [*corrected, *CASES[50:]])
    assert found
    assert (found.labels, found.judged) == (150, COUNT)
    gone = change(CORRECTNESS, verdicts, mine, theirs, Labelling(items, labels, []), CASES[50:])
    assert gone
    assert gone.labels == 150


@pytest.mark.parametrize("subject", ["target", "baseline"])
def test_one_version_alone_has_no_change(subject: str) -> None:
    """Where the judge spoke of one version only there is nothing to compare."""
    verdicts, items, labels = versions(human=(0.7, 0.7), lax=0.5)
    half = [one for one in verdicts if one.subject == subject]
    assert change(CORRECTNESS, half, [], [], Labelling(items, labels, []), CASES) is None
