"""Floors at their boundary: what reaches a demand meets it, and what lies a hair below does not."""

import numpy as np
import pytest

from assay.calibration.assessment import Assessment, assess
from assay.calibration.certificate import Figure, Floor, Slice, Trivial
from assay.calibration.policy import PAIRED, PassFailPolicy, counted, excepted, held_to, pass_fail_floors
from assay.calibration.ratings import Rated, join
from assay.records.verdict import Outcome
from assay.stats.paired import bonett_price
from tests.cast import item, label, verdict
from tests.report import sample_report as sample

RATES = {"tpr": 0.8, "tnr": 0.7, "youden": 0.5, "kappa": 0.4}


def rated(passes: int, fails: int, silent: int = 0) -> Rated:
    """Return so many items that people and judge agree on, and some that the judge says nothing of."""
    truth = ["pass"] * passes + ["fail"] * fails
    items = [item(number, "Yes.") for number in range(len(truth) + silent)]
    words = [verdict(one.item_id, said, subject="anchor") for one, said in zip(items, truth, strict=False)]
    given = [*truth, *["pass"] * silent]
    return join("pass-fail", items, [label(one.item_id, of) for one, of in zip(items, given, strict=True)], words)


def met(found: Rated, low: float = 0.9, **changes: float) -> dict[str, bool]:
    """Return which floors a judge with these lower bounds meets."""
    figures = [
        Figure(name=name, estimate=0.95, low=changes.get(name, low), high=1, n=60, method="m")
        for name in (*RATES, "accuracy", "kappa-over-human")
    ]
    policy = PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.8, tnr=0.7, youden=0.5)
    floors = pass_fail_floors(policy, counted(found), figures, [Trivial(name="always pass", accuracy=0.6, n=60)])
    return {floor.figure: floor.met for floor in floors}


@pytest.mark.parametrize(("passes", "fails", "enough", "rarer"), [(30, 20, True, True), (30, 19, False, False)])
def test_as_many_labels_as_are_demanded_are_enough(passes: int, fails: int, *, enough: bool, rarer: bool) -> None:
    """Fifty labels with twenty of the rarer outcome meet the demand of fifty and twenty; one less does not."""
    found = met(rated(passes, fails))
    assert (found["labelled items"], found["of the rarer label"]) == (enough, rarer)


@pytest.mark.parametrize("name", ["tpr", "tnr", "youden"])
def test_a_bound_at_its_floor_meets_it(name: str) -> None:
    """The lower bound may be the floor itself, and not less; no other floor moves with it."""
    found = rated(40, 20)
    assert met(found, **{name: RATES[name]})[name]
    below = met(found, **{name: RATES[name] - 1e-9})
    assert [figure for figure, is_met in below.items() if not is_met] == [name]


def test_one_of_twenty_items_may_be_without_a_verdict() -> None:
    """Five of a hundred is the limit: with six the judge could pick the easy ones."""
    assert met(rated(70, 25, silent=5))["without a verdict"]
    assert not met(rated(70, 24, silent=6))["without a verdict"]


def judged(agreed: int, wrong: int, silent: int = 0, fails: int = 40) -> Rated:
    """Return 100 items, so many of which people fail, with a judge that has so many wrong, passes first."""
    truth: list[Outcome] = ["pass"] * (agreed + wrong + silent - fails) + ["fail"] * fails
    items = [item(number, f"Answer {number}.") for number in range(len(truth))]
    labels = [label(one.item_id, of) for one, of in zip(items, truth, strict=True)]
    turned = {"pass": "fail", "fail": "pass"}
    said = [of if at >= wrong else turned[of] for at, of in enumerate(truth)]
    spoken = list(zip(items, said, strict=True))[: len(truth) - silent]
    return join("pass-fail", items, labels, [verdict(one.item_id, of, subject="anchor") for one, of in spoken])


POLICY = PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.5, tnr=0.5, youden=0.2)


def worth(found: Rated, policy: PassFailPolicy = POLICY) -> Assessment:
    return assess(found, found, policy, rng=np.random.default_rng(1))


def floor(of: Assessment, name: str) -> Floor:
    """Return the last floor of a name: of the accuracy it is the judges without a thought."""
    return [one for one in of.floors if one.figure == name][-1]


def test_a_judge_must_beat_no_thought_beyond_chance() -> None:
    """60 of 100 are passes: a judge with 62 right is better by luck, one with 90 right surely is."""
    by_luck, surely = (floor(worth(judged(100 - wrong, wrong)), "accuracy") for wrong in (38, 10))
    assert (by_luck.met, surely.met) == (False, True)
    # By hand for 90: of the 40 fails it has all right and the constant none, of the 60 passes 10 wrong and it none.
    (constant,) = [one for one in worth(judged(90, 10)).trivial if one.name == "constant"]
    assert constant.beaten_by == pytest.approx(bonett_price(40, 10, 100).low)


@pytest.mark.parametrize(
    ("rivals", "name", "met"),
    [
        ({"longer": (0.7, 0.2), "constant": (0.6, 0.05)}, "constant", True),
        ({"longer": (0.7, -0.01), "constant": (0.6, 0.05)}, "longer", False),
        ({"longer": (0.7, 0.0), "constant": (0.8, 0.05)}, "longer", False),
        ({"longer": (0.7, None), "constant": (0.6, None)}, "longer", True),
        ({"longer": (0.7, None), "constant": (0.9, None)}, "constant", False),
        ({"longer": (0.85, None)}, "longer", False),
    ],
)
def test_the_rival_that_is_hardest_to_beat_decides(
    rivals: dict[str, tuple[float, float | None]], name: str, *, met: bool
) -> None:
    """The one that the judge surely beats by least; in certificates of before, the one with the most right."""
    named = [
        Figure(name=one, estimate=0.85, low=0.8, high=0.9, n=100, method="wilson")
        for one in ("tpr", "tnr", "youden", "accuracy", "kappa-over-human")
    ]
    held = [Trivial(name=one, accuracy=share, n=100, beaten_by=by) for one, (share, by) in rivals.items()]
    found = pass_fail_floors(POLICY, counted(judged(90, 10)), named, held)[-1]
    assert found.figure == "accuracy"
    assert f"({name}, " in found.demand
    assert (found.met, found.found[:5]) == (met, "0.850")


@pytest.mark.parametrize(
    ("demanded", "low", "met"), [(0.4, 0.4, [True]), (0.4, 0.39, [False]), (0.4, None, []), (None, 0.1, [])]
)
def test_the_kappa_of_an_own_scale_is_demanded_where_there_is_one(
    demanded: float | None, low: float | None, met: list[bool]
) -> None:
    """Of a judge of labels or scores; one of pass and fail has no such figure, and is not held to it."""
    names = ("tpr", "tnr", "youden", "accuracy", *(["kappa-scale"] if low is not None else []))
    named = [
        Figure(name=name, estimate=0.9, low=low if name == "kappa-scale" else 0.8, high=1, n=100, method="m")
        for name in names
    ]
    policy = POLICY.model_copy(update={"kappa": demanded})
    rivals = [Trivial(name="constant", accuracy=0.6, n=100, beaten_by=0.1)]
    found = pass_fail_floors(policy, counted(judged(90, 10)), named, rivals)
    assert [one.met for one in found if one.figure == "kappa-scale"] == met


def test_an_item_without_a_verdict_raises_no_bound() -> None:
    """Five fails without a verdict: in no estimate, and every lower bound is at most that of five wrong ones."""
    silent, wrong = (
        {one.name: one for one in worth(found).figures}
        for found in (judged(95, 0, silent=5), rated_with_wrong_fails(100, 5))
    )
    assert silent["tnr"].estimate == 1.0
    for name in ("tpr", "tnr", "youden", "accuracy", "kappa"):
        assert silent[name].low == pytest.approx(wrong[name].low), name


def rated_with_wrong_fails(n: int, wrong: int) -> Rated:
    """Return items of which the last so many, all fails, are judged passes."""
    found = judged(n, 0)
    turned = [
        one if at < n - wrong else one.model_copy(update={"outcome": "pass"}) for at, one in enumerate(found.judge)
    ]
    return found._replace(judge=turned)


def test_a_certificate_is_held_to_the_demands_of_today() -> None:
    """A floor that is raised after it was issued is not met any more; the figures stay, and lowered it is met again."""
    held = sample.certificate(**vars(worth(judged(90, 10))))
    stricter = POLICY.model_copy(update={"tnr": 0.99})
    raised = held_to(stricter, held, "strict")
    assert held.is_met
    assert (raised.is_met, raised.figures, raised.policy) == (False, held.figures, "strict")
    assert [one.figure for one in raised.floors if not one.met] == ["tnr"]
    assert held_to(POLICY, raised, "default").is_met


@pytest.mark.parametrize("name", ["flips", "injected"])
@pytest.mark.parametrize(
    ("high", "is_met", "shown"), [(None, False, "none"), (0.05, True, "0.050"), (0.0501, False, "0.050")]
)
def test_an_audit_that_is_demanded_has_to_be_made(name: str, high: float | None, *, is_met: bool, shown: str) -> None:
    """An audit that was not made meets no demand; one that was meets it up to the bound itself."""
    policy = PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.8, tnr=0.7, youden=0.5, **{f"max_{name}": 0.05})
    figures = [
        Figure(name=one, estimate=0.95, low=0.9, high=1, n=60, method="m")
        for one in (*RATES, "accuracy", "kappa-over-human")
    ]
    if high is not None:
        figures.append(Figure(name=name, estimate=0.01, low=0, high=high, n=60, method="m"))
    floors = pass_fail_floors(
        policy, counted(rated(40, 20)), figures, [Trivial(name="always pass", accuracy=0.6, n=60)]
    )
    assert [(floor.found, floor.met) for floor in floors if floor.figure == name] == [(shown, is_met)]


@pytest.mark.parametrize(("high", "is_met"), [(None, False), (-0.001, False), (0.0, True), (0.2, True)])
def test_a_judge_may_not_be_wholly_below_people(high: float | None, *, is_met: bool) -> None:
    """Where a policy demands a judge like people its interval reaches 0; one without an interval does not."""
    policy = PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.8, tnr=0.7, youden=0.5, like_people=True)
    figures = [Figure(name=name, estimate=0.95, low=0.9, high=1, n=60, method="m") for name in (*RATES, "accuracy")]
    figures.append(Figure(name="kappa-over-human", estimate=None, low=None, high=high, n=60, method="m"))
    floors = pass_fail_floors(
        policy, counted(rated(40, 20)), figures, [Trivial(name="always pass", accuracy=0.6, n=60)]
    )
    assert [floor.met for floor in floors if floor.figure == "kappa-over-human"] == [is_met]


def part(name: str, agree: int, n: int) -> Slice:
    return Slice(kind="category", name=name, n=n, agree=agree, low=0, high=1)


def test_a_category_surely_below_the_floors_is_left_out() -> None:
    """254 of 400 is surely below .8, even as one of five; 20 of 30 may be luck; a kind of fault is no category."""
    others = [part(f"other-{at}", 95, 100) for at in range(3)]
    found = [part("mistral", 254, 400), part("small", 20, 30), *others]
    policy = POLICY.model_copy(update={"tpr": 0.9, "tnr": 0.8})
    assert excepted(policy, found) == ["mistral"]
    assert excepted(policy, [part("mistral", 254, 400).model_copy(update={"kind": "slice"})]) == []
    # By hand: Wilson of 24 of 40 ends at .737 by itself and at .782 as one of four.
    near = POLICY.model_copy(update={"tpr": 0.75, "tnr": 0.75})
    assert excepted(near, [part("near", 24, 40)]) == ["near"]
    assert excepted(near, [part("near", 24, 40), *others]) == []


def test_categories_that_are_left_out_are_told_by_name() -> None:
    """Whichever is the lowest, they stand by the alphabet, so that equal labels give equal certificates."""
    found = [part(name, agree, 400) for name, agree in (("z", 100), ("m", 120), ("a", 140))]
    assert excepted(POLICY.model_copy(update={"tpr": 0.9, "tnr": 0.8}), found) == ["a", "m", "z"]


def test_a_certificate_of_another_question_is_left_as_it_is() -> None:
    """Demands on pairs say nothing of a certificate on answers, nor the other way round."""
    single, paired = sample.certificate(), sample.certificate("pairwise")
    assert held_to(PAIRED["strict"], single, "strict") == single
    assert held_to(POLICY, paired, "strict") == paired
