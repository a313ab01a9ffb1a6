"""Calibration: who may judge, on how many labels, and what may enter a figure at all."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from assay.calibration.assessment import assess
from assay.calibration.certificate import Figure, Floor
from assay.calibration.figures import confusion, pairwise_figures, pass_fail_figures, slices, trivial
from assay.calibration.policy import PairwisePolicy, PassFailPolicy, counted, pairwise_floors, pass_fail_floors
from assay.calibration.ratings import Rated, join, only_natural
from assay.errors import DataError, InsufficientDataError
from assay.records.label import Item, Label
from assay.records.verdict import Verdict
from assay.stats.paired import bonett_price
from tests.cast import item, label, verdict

POLICY = PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.75, tnr=0.6, youden=0.4)
PAIRWISE = PairwisePolicy(min_labels=50, accuracy=0.6, kappa=0.2, max_conflict=0.25)
Judge = Callable[[int, str], str]
TEXT = "Yes, refunds are possible within 14 days."


def perfect(_: int, truth: str) -> str:
    return truth


def always_pass(_number: int, _truth: str) -> str:
    return "pass"


def coin(number: int, _: str) -> str:
    """Say pass to every second item, whatever the truth."""
    return "pass" if number // 4 % 2 else "fail"


def good(number: int, truth: str) -> str:
    """Err on one item in ten of either kind."""
    return {"pass": "fail", "fail": "pass"}[truth] if number // 4 % 10 == 0 else truth


def truth_of(number: int) -> str:
    return "pass" if number % 4 else "fail"


def labelled(count: int, **changes: Any) -> tuple[list[Item], list[Label]]:
    """Return natural items, every fourth a fail, each labelled by two people who agree."""
    items = [item(number, TEXT, **{"reference": "", **changes}) for number in range(count)]
    rows = [label(one.item_id, truth_of(at), who) for at, one in enumerate(items) for who in ("ada", "ben")]
    return items, rows


def said(judge: Judge, items: list[Item]) -> list[Verdict]:
    return [verdict(one.item_id, judge(at, truth_of(at)), subject="anchor") for at, one in enumerate(items)]


def measure(judge: Judge, count: int = 200) -> tuple[dict[str, Figure], dict[str, Floor]]:
    """Return a judge's figures and floors by name, on items of which every fourth is a fail."""
    items, labels = labelled(count)
    found = join("pass-fail", items, labels, said(judge, items))
    return figures_and_floors(only_natural(found, items))


def figures_and_floors(found: Rated) -> tuple[dict[str, Figure], dict[str, Floor]]:
    figures = pass_fail_figures(found, np.random.default_rng(1))
    floors = pass_fail_floors(POLICY, counted(found), figures, trivial(found))
    return {one.name: one for one in figures}, {one.figure: one for one in floors}


def missed(floors: dict[str, Floor]) -> set[str]:
    return {name for name, floor in floors.items() if not floor.met}


def test_always_pass_is_refused() -> None:
    """Right on 75 % of the items without a thought: refused by TNR, by Youden and by not beating a constant."""
    figures, floors = measure(always_pass)
    assert (figures["tpr"].estimate, figures["tnr"].estimate, figures["kappa"].estimate) == (1, 0, 0)
    assert missed(floors) == {"tnr", "youden", "accuracy"}
    assert "(constant, 0.750)" in floors["accuracy"].demand


def test_a_coin_is_refused() -> None:
    """A judge without any skill misses every floor but the counts."""
    figures, floors = measure(coin)
    assert figures["youden"].estimate == pytest.approx(0, abs=0.05)
    assert missed(floors) == {"tpr", "tnr", "youden", "accuracy"}


def test_a_perfect_judge_is_certified() -> None:
    """Without an error every floor is met; kappa's lower bound is Wilson's of 200 in 200, above the chance of .625."""
    figures, floors = measure(perfect)
    assert missed(floors) == set()
    assert (figures["youden"].estimate, figures["kappa"].estimate) == (1, 1)
    assert figures["kappa"].low == pytest.approx((200 / (200 + 1.959964**2) - 0.625) / 0.375, abs=1e-6)


def test_a_good_judge_has_the_figures_worked_by_hand() -> None:
    """5 of 50 fails and 15 of 150 passes go wrong: TPR and TNR .9, Youden .8 with Newcombe's interval around it."""
    figures, floors = measure(good)
    assert missed(floors) == set()
    assert [figures[name].estimate for name in ("tpr", "tnr", "accuracy")] == [0.9, 0.9, 0.9]
    youden = figures["youden"]
    assert youden.estimate == pytest.approx(0.8)
    # TPR in Wilson [.841565, .938459]; FPR 5/50 in Wilson [.043476, .213602]; squares of the distances added.
    assert youden.low == pytest.approx(0.8 - np.hypot(0.9 - 0.841565, 0.213602 - 0.1), abs=1e-5)
    assert youden.high == pytest.approx(0.8 + np.hypot(0.938459 - 0.9, 0.1 - 0.043476), abs=1e-5)
    assert confusion(rated(good), ("fail", "pass")) == [[45, 5], [15, 135]]


def rated(judge: Judge, count: int = 200) -> Rated:
    items, labels = labelled(count)
    return join("pass-fail", items, labels, said(judge, items))


def test_too_few_labels_are_a_missed_floor_that_says_so() -> None:
    """A perfect judge on 40 items is refused for their number and for the 10 of the rarer kind."""
    _, floors = measure(perfect, 40)
    assert {(floors[name].demand, floors[name].found) for name in missed(floors) - {"tnr"}} == {
        ("at least 50", "40"),
        ("at least 20", "10"),
    }


def test_nothing_to_rate_says_what_to_add() -> None:
    """Without a labelled and judged item, without a natural one, or without a fail, the refusal says what to add."""
    items, labels = labelled(60)
    with pytest.raises(InsufficientDataError, match="label some, or run `assay nightly` first"):
        join("pass-fail", items, labels, [])
    made, labels_of_made = labelled(60, slice="gross")
    found = join("pass-fail", made, labels_of_made, said(good, made))
    with pytest.raises(InsufficientDataError, match="label some that were"):
        only_natural(found, made)
    passes = [row for row in labels if row.outcome == "pass"]
    with pytest.raises(InsufficientDataError, match="label items that people fail"):
        figures_and_floors(join("pass-fail", items, passes, said(good, items)))


def test_an_item_in_both_splits_is_refused() -> None:
    """An item that the judge was tuned on cannot test it: the leak is named."""
    items, labels = labelled(60)
    leak = label(items[7].item_id, "pass", "cleo", split="tune")
    with pytest.raises(DataError, match=r"pass-fail\.007 and 0 more items are in both splits"):
        join("pass-fail", items, [*labels, leak], said(good, items))


def test_tune_labels_change_nothing() -> None:
    """Sixty more items with tune labels, all judged wrongly, leave every figure as it is."""
    items, labels = labelled(260)
    tuned = [row.model_copy(update={"split": "tune"}) for row in labels[400:]]
    wrong = [verdict(one.item_id, "fail", subject="anchor") for one in items[200:]]
    found = join("pass-fail", items, [*labels[:400], *tuned], [*said(good, items[:200]), *wrong])
    assert figures_and_floors(only_natural(found, items)) == measure(good)


@pytest.mark.parametrize("kind", ["gross", "minimal-edit"])
def test_constructed_items_are_shown_and_never_counted(kind: Literal["gross", "minimal-edit"]) -> None:
    """A judge that is blind to a constructed fault keeps its figures, and the fault stands first among the slices."""
    items, labels = labelled(200)
    made = [item(number, TEXT, slice=kind, category="negation") for number in range(200, 240)]
    labels += [label(one.item_id, "fail", inclusion_probability=None) for one in made]
    blind = [verdict(one.item_id, "pass", subject="anchor") for one in made]
    found = join("pass-fail", [*items, *made], labels, [*said(good, items), *blind])
    assert figures_and_floors(only_natural(found, [*items, *made])) == measure(good)
    rows = [(row.name, row.agree, row.n) for row in slices(found)]
    assert rows == [("negation", 0, 40), (kind, 0, 40), ("refunds", 180, 200), ("natural", 180, 200)]


def test_what_somebody_picked_enters_no_figure() -> None:
    """Forty answers that nobody drew, all judged wrongly, leave every figure as it is: they stand for no others."""
    items, labels = labelled(240)
    picked = [row.model_copy(update={"inclusion_probability": None}) for row in labels[400:]]
    wrong = [verdict(one.item_id, "fail", subject="anchor") for one in items[200:]]
    found = join("pass-fail", items, [*labels[:400], *picked], [*said(good, items[:200]), *wrong])
    assert figures_and_floors(only_natural(found, items)) == measure(good)


def test_what_is_open_is_counted_and_never_guessed() -> None:
    """Items without a verdict and those on which people are split are counted; no estimate has them, no bound rises."""
    items, labels = labelled(203)
    split = [row.model_copy(update={"outcome": "fail"}) if row.annotator == "ben" else row for row in labels[402:404]]
    labels = [*labels[:402], *split, *labels[404:]]
    verdicts = [
        *said(good, items)[:200],
        verdict(items[200].item_id, "unscored", subject="anchor"),
        verdict(items[201].item_id, "pass", subject="anchor"),
        verdict(items[202].item_id, "unscored", status="unparsed", subject="anchor"),
    ]
    found = join("pass-fail", items, labels, verdicts)
    assert ([one.item_id for one in found.unscored], found.undecided) == (["pass-fail.200", "pass-fail.202"], 1)
    figures, floors = figures_and_floors(only_natural(found, items))
    whole = measure(good)[0]["tpr"]
    assert figures["tpr"].model_dump(exclude={"low"}) == whole.model_dump(exclude={"low"})
    assert (figures["tpr"].low or 0) < (whole.low or 0)
    assert floors["without a verdict"].found == "1.0 %"


@pytest.mark.parametrize(("silent", "met"), [(10, True), (11, False)])
def test_a_judge_cannot_pick_the_easy_items(silent: int, *, met: bool) -> None:
    """A perfect judge that answers 190 of 200 items is certified; one that answers 189 is not."""
    items, labels = labelled(200)
    found = join("pass-fail", items, labels, said(perfect, items)[silent:])
    figures, floors = figures_and_floors(only_natural(found, items))
    assert floors["without a verdict"].met is met
    wrong = figures["accuracy-unscored-wrong"]
    assert (wrong.estimate, wrong.n) == ((200 - silent) / 200, 200)


def pairs(
    count: int, *, conflicts: int = 0, other: Callable[[int], str] = lambda _: "No.", halves: int = 0
) -> tuple[dict[str, Figure], dict[str, Floor]]:
    """Return figures and floors of a pairwise judge that is right, but for pairs that the order decides.

    Args:
        count: How many pairs; in every second one people prefer A.
        conflicts: Of how many the order decides.
        other: The text of B.
        halves: How many, the last ones, the judge saw in one order alone.
    """
    items = [item(number, TEXT, "pairwise", other(number)) for number in range(count)]
    truth = ["a" if number % 2 else "b" for number in range(count)]
    labels = [label(one.item_id, outcome) for one, outcome in zip(items, truth, strict=True)]
    orders: list[tuple[str, str | None, str]] = [
        ("a", "b", "tie") if number < conflicts else (right, right if number < count - halves else None, right)
        for number, right in enumerate(truth)
    ]
    verdicts = [
        verdict(one.item_id, outcome, subject="anchor", scorer="preference", as_is=as_is, swapped=swapped)
        for one, (as_is, swapped, outcome) in zip(items, orders, strict=True)
    ]
    found = only_natural(join("pairwise", items, labels, verdicts), items)
    figures = pairwise_figures(found, np.random.default_rng(1))
    floors = pairwise_floors(PAIRWISE, counted(found), figures, trivial(found))
    return {one.name: one for one in figures}, {one.figure: one for one in floors}


def test_a_pairwise_judge_that_the_order_leads_is_refused() -> None:
    """40 of 200 verdicts by the order of showing: 20 % [15.0, 26.1], so the upper bound breaks 25 %; of 30 it holds."""
    figures, floors = pairs(200, conflicts=40)
    assert (figures["conflict"].estimate, figures["direction"].estimate, figures["accuracy"].estimate) == (
        0.2,
        0.2,
        0.8,
    )
    assert missed({"conflict": floors["conflict"]}) == {"conflict"}
    assert not missed({"conflict": pairs(200, conflicts=30)[1]["conflict"]})


@pytest.mark.parametrize("conflicts", [0, 10])
def test_a_good_pairwise_judge_is_certified(conflicts: int) -> None:
    """Ten conflicts in 200 pairs and no other error meet every floor, and so does no error at all."""
    assert missed(pairs(200, conflicts=conflicts)[1]) == set()


def test_of_a_judge_that_saw_some_pairs_in_one_order_no_position_is_told() -> None:
    """One pair in two hundred that was judged in one order is enough: the figures refuse, and their floor is missed."""
    figures, floors = pairs(200, halves=1)
    assert (figures["conflict"].estimate, figures["direction"].estimate) == (None, None)
    assert "judge each of them in both" in figures["conflict"].note
    assert not floors["conflict"].met


@pytest.mark.parametrize(
    ("other", "n"), [(lambda number: TEXT if number % 4 < 2 else "No.", 100), (lambda _: TEXT, 0), (lambda _: "", 200)]
)
def test_length_is_told_of_pairs_of_unequal_length(other: Callable[[int], str], n: int) -> None:
    """A pair of equally long answers tells nothing of length; one against an empty answer does."""
    assert pairs(200, other=other)[0]["longer-over-human"].n == n


def test_one_pair_without_a_text_leaves_the_figure_of_length() -> None:
    """Of a pair that says nothing on either side, length is not told; of all the others it is."""
    items = [item(number, TEXT if number else "", "pairwise", "No." if number else "") for number in range(60)]
    labels = [label(one.item_id, "ab"[number % 2]) for number, one in enumerate(items)]
    verdicts = [
        verdict(one.item_id, "a", subject="anchor", scorer="preference", as_is="a", swapped="a") for one in items
    ]
    found = only_natural(join("pairwise", items, labels, verdicts), items)
    figures = {one.name: one for one in pairwise_figures(found, np.random.default_rng(1))}
    assert (figures["longer-over-human"].n, figures["longer-over-human"].estimate) == (59, pytest.approx(0.5, abs=0.02))


def test_a_figure_without_a_bound_has_none_by_silence() -> None:
    """48 answered items carry no interval of kappa; six silent ones make none, but lower the bounds that there are."""
    items, labels = labelled(54)
    found = only_natural(join("pass-fail", items, labels, said(good, items[:48])), items)
    answered = only_natural(join("pass-fail", items[:48], labels[:96], said(good, items[:48])), items)
    silent, spoken = (
        {one.name: one for one in pass_fail_figures(of, np.random.default_rng(1))} for of in (found, answered)
    )
    assert (silent["kappa"].low, spoken["kappa"].low) == (None, None)
    for name in ("tpr", "accuracy", "youden"):
        assert silent[name].estimate == spoken[name].estimate
        assert (silent[name].low or 0) < (spoken[name].low or 0)


def test_pairs_without_a_text_have_no_figure_of_length() -> None:
    """Where neither answer of any pair has a text there is nothing to measure."""
    items = [item(number, "", "pairwise", "") for number in range(60)]
    labels = [label(one.item_id, "ab"[number % 2]) for number, one in enumerate(items)]
    verdicts = [
        verdict(one.item_id, said, subject="anchor", scorer="preference", as_is=said, swapped=said)
        for one, said in ((one, "ab"[number % 2]) for number, one in enumerate(items))
    ]
    found = only_natural(join("pairwise", items, labels, verdicts), items)
    figures = {one.name for one in pairwise_figures(found, np.random.default_rng(1))}
    assert figures >= {"conflict", "accuracy"}
    assert "longer-over-human" not in figures


def test_a_perfect_judge_on_few_pairs_has_no_bound() -> None:
    """Forty pairs carry no interval of kappa, though all agree: the floor is missed and the note says what to add."""
    figures, floors = pairs(40, conflicts=0)
    assert missed(floors) == {"labelled items", "kappa-linear"}
    assert "label 10 more" in figures["kappa-linear"].note


def test_what_nobody_drew_is_not_counted_as_unscored() -> None:
    """A constructed item, and one of a file, without a verdict tell nothing of how often the judge is silent."""
    items = [item(number, "Yes.") for number in range(63)]
    items[61] = items[61].model_copy(update={"slice": "gross"})
    labels = [label(one.item_id, "pass" if number % 2 else "fail") for number, one in enumerate(items)]
    labels[62] = labels[62].model_copy(update={"inclusion_probability": None})
    verdicts = [
        verdict(one.item_id, "pass" if number % 2 else "fail", subject="anchor")
        for number, one in enumerate(items[:60])
    ]
    found = only_natural(join("pass-fail", items, labels, verdicts), items)
    assert [one.item_id for one in found.unscored] == [items[60].item_id]
    assert (len(found.unscored_human), len(found.items)) == (1, 60)


def test_a_slice_of_pairs_has_linear_kappa() -> None:
    """A tie is half a step from either side, as in the whole: scikit-learn's kappa with linear weights."""
    rng = np.random.default_rng(4)
    scale = np.array(["a", "tie", "b"])
    human, judge = rng.integers(0, 3, 60), rng.integers(0, 3, 60)
    items = [item(number, TEXT, "pairwise", "Other.", reference="") for number in range(60)]
    labels = [label(one.item_id, scale[word]) for one, word in zip(items, human, strict=True)]
    verdicts = [verdict(one.item_id, scale[word], subject="anchor") for one, word in zip(items, judge, strict=True)]
    (part,) = [one for one in slices(join("pairwise", items, labels, verdicts)) if one.kind == "slice"]
    assert part.kappa == pytest.approx(cohen_kappa_score(human, judge, weights="linear"))


@pytest.mark.parametrize(
    ("kind", "confusion_of", "beaten"),
    [("pass-fail", [[15, 0], [0, 45]], "tnr"), ("pairwise", [[30, 0, 0], [0, 0, 0], [0, 0, 30]], "conflict")],
)
def test_what_a_judge_is_worth_is_by_its_question(kind: Any, confusion_of: list[list[int]], beaten: str) -> None:
    """Figures, floors and the table are of the question's own outcomes; slices of all items, the audits go along."""
    truth = [truth_of(number) if kind == "pass-fail" else "ab"[number % 2] for number in range(60)]
    items = [item(number, TEXT, kind, "No." if kind == "pairwise" else "") for number in range(60)]
    labels = [label(one.item_id, outcome) for one, outcome in zip(items, truth, strict=True)]
    verdicts = [
        verdict(one.item_id, outcome, subject="anchor", as_is=outcome, swapped=outcome)
        if kind == "pairwise"
        else verdict(one.item_id, outcome, subject="anchor")
        for one, outcome in zip(items, truth, strict=True)
    ]
    found = join(kind, items, labels, verdicts)
    audit = Figure(name="flips", estimate=0.01, low=0, high=0.05, n=60, method="wilson")
    policy = POLICY if kind == "pass-fail" else PAIRWISE
    worth = assess(found, found, policy, rng=np.random.default_rng(1), audits=[audit])
    assert worth.confusion == confusion_of
    assert beaten in {floor.figure for floor in worth.floors}
    assert worth.figures[-1] == audit
    assert (worth.slices, worth.trivial) == (slices(found), trivial(found))


def test_a_lean_to_the_longer_by_hand() -> None:
    """Of 40 pairs the judge takes the longer of 9 against people, 5 as A and 4 as B, and the shorter of 2."""
    longer = ["a", "b"] * 20
    people, judge = longer.copy(), longer.copy()
    other = {"a": "b", "b": "a"}
    for at in [*range(0, 10, 2), *range(1, 9, 2)]:
        people[at] = other[longer[at]]
    for at in (20, 21):
        judge[at] = other[longer[at]]
    judge[39] = "tie"
    items = [
        item(at, *("xx", "pairwise", "x") if side == "a" else ("x", "pairwise", "xx")) for at, side in enumerate(longer)
    ]
    labels = [label(one.item_id, said) for one, said in zip(items, people, strict=True)]
    rows = [
        verdict(one.item_id, said, subject="anchor", scorer="preference", as_is=said, swapped=said)
        for one, said in zip(items, judge, strict=True)
    ]
    figures = pairwise_figures(only_natural(join("pairwise", items, labels, rows), items), np.random.default_rng(1))
    (found,) = [one for one in figures if one.name == "longer-over-human"]
    expected = bonett_price(9, 2, 39)
    assert (found.estimate, found.low, found.n) == (pytest.approx(7 / 39), expected.low, 39)
