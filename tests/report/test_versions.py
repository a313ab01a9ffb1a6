"""Two versions case by case: what may be said, of which cases, and what nobody can know."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import InsufficientDataError
from assay.records.result import TrialResult, VersionResults
from assay.report.gate import EXIT as GATE
from assay.report.version_words import EXIT, ORDER, sentence, word
from assay.report.versions import Rules, VersionPair, compare_versions
from assay.stats.paired import mcnemar_drop

FLIPS = st.tuples(*[st.integers(0, 20)] * 3)


def version(name: str, results: Sequence[TrialResult], **changes: object) -> VersionResults:
    """Return a version with these results."""
    return VersionResults(name, "rows", "", "as the file has it", list(results))._replace(**changes)


def outcomes(*passed: int | None, category: str = "", first: int = 0) -> list[TrialResult]:
    """Return one result a case: 1 for a pass, 0 for a fail, None for neither."""
    return [
        TrialResult(f"c{at}", None if one is None else bool(one), category=category)
        for at, one in enumerate(passed, first)
    ]


def flipped(gained: int, lost: int, n: int, *, rules: Rules = Rules(), **changes: object) -> VersionPair:  # noqa: B008
    """Compare versions of which so many cases differ, all in one category."""
    before = [0] * gained + [1] * (n - gained)
    now = [1] * gained + [0] * lost + [1] * (n - gained - lost)
    sides = (outcomes(*one, category="refunds") for one in (before, now))
    one, other = (version(name, results, **changes) for name, results in zip(("a", "b"), sides, strict=True))
    return compare_versions(one, other, rules)


@pytest.mark.parametrize(
    ("now", "found"),
    [
        (outcomes(1, 1, first=7), "0 of 4 cases"),
        (outcomes(None, None), "2 without an outcome"),
        ([row._replace(revision="new") for row in outcomes(1, 1)], "2 with another content"),
        ([], "0 of 2 cases"),
    ],
)
def test_without_a_common_case_nothing_is_said(now: list[TrialResult], found: str) -> None:
    """Versions that share no case with an outcome in both are refused, with how many there are and why."""
    before = [row._replace(revision="old") for row in outcomes(1, 0)]
    with pytest.raises(InsufficientDataError, match=found):
        compare_versions(version("a", before), version("b", now))


def test_what_is_not_compared_is_counted() -> None:
    """Cases of one side, of another content and without an outcome are left out, and each is counted once."""
    before = [*outcomes(1, 1, 1, 1, 0), TrialResult("old", passed=True)]
    now = [*outcomes(1, None, 1, 1, 0), TrialResult("new", passed=True), TrialResult("newer", passed=True)]
    before[3], now[3] = before[3]._replace(revision="x"), now[3]._replace(revision="y")
    found = compare_versions(version("a", before), version("b", now))
    assert (found.common, found.without, found.changed, found.only_before, found.only_now) == (3, 1, 1, 1, 2)


@pytest.mark.parametrize(
    ("gained", "lost", "n", "expected"),
    [
        (12, 82, 1000, "regression"),
        (82, 12, 1000, "improvement"),
        (20, 20, 1000, "no difference shown"),
        (0, 0, 1000, "no difference shown"),
        (0, 0, 20, "inconclusive"),
        (10, 20, 200, "inconclusive"),
        (0, 6, 1000, "regression"),
        (0, 5, 1000, "no difference shown"),
    ],
)
def test_the_word(gained: int, lost: int, n: int, expected: str) -> None:
    """Worse and better are exact words; without one it is open whether a drop beyond the tolerated one is excluded."""
    found = flipped(gained, lost, n)
    assert found.word == expected
    assert found.p_worse == pytest.approx(mcnemar_drop(gained, lost))
    assert sentence(found).split(":")[0].split(" between")[0] == expected.upper()


def test_worked_example() -> None:
    """By hand: 13/1002 - 83/1002 = -.06986, half-width 2.2414·sqrt((.095808 - .004881)/1002) = .02135 at 97.5 %."""
    found = flipped(12, 82, 1000)
    assert (found.change.estimate, found.change.level) == pytest.approx((-0.07, 0.975))
    assert (found.change.low, found.change.high) == pytest.approx((-0.0912134, -0.0485071), abs=2e-6)
    assert sentence(found).startswith(
        "REGRESSION: b is worse than a: -7.0 points (-9.1 to -4.9) of 1,000 common cases; 12 fixed, 82 newly fail"
    )


@given(FLIPS)
def test_versions_that_change_places_change_signs(flips: tuple[int, int, int]) -> None:
    """B against A says of A against B the opposite change, with the same bounds and the other's p-value."""
    gained, lost, same = flips
    there, back = flipped(gained, lost, gained + lost + same + 1), flipped(lost, gained, gained + lost + same + 1)
    assert there.change.estimate == pytest.approx(-back.change.estimate)
    assert (there.change.low, there.change.high) == pytest.approx((-back.change.high, -back.change.low))
    assert (there.p_worse, there.p_better) == pytest.approx((back.p_better, back.p_worse))


def test_the_same_results_do_not_differ() -> None:
    """Two names of one run have no difference, however few its cases are."""
    found = flipped(0, 0, 3, identity="run-1")
    assert (found.word, found.is_same) == ("no difference shown", True)
    assert sentence(found).startswith("NO DIFFERENCE")


def categories(*changes: tuple[str, int, int, int]) -> VersionPair:
    """Compare versions by name, gained, lost and number of cases of each category."""
    before, now, at = list[TrialResult](), list[TrialResult](), 0
    for name, gained, lost, n in changes:
        before += outcomes(*[0] * gained, *[1] * (n - gained), category=name, first=at)
        now += outcomes(*[1] * gained, *[0] * lost, *[1] * (n - gained - lost), category=name, first=at)
        at += n
    return compare_versions(version("a", before), version("b", now))


def test_a_category_that_got_worse_is_named() -> None:
    """Ten points of 80 cases among 480 are named, at the FCR-adjusted level, though over all cases it is better."""
    quiet = [(f"k{at}", 30, 0, 80) for at in range(5)]
    found = categories(("refunds", 0, 8, 80), *quiet)
    assert (found.word, found.worse) == ("regression", ["refunds"])
    assert found.change.estimate > 0
    assert sentence(found).startswith("REGRESSION: b is worse than a in refunds (-10.0 points")
    assert found.categories[0].name == "refunds"
    assert {row.word for row in found.categories[1:]} == {"better"}


def test_categories_in_which_nothing_could_be_shown_cost_no_power() -> None:
    """Of 40 categories with at most five that differ none takes part; the one with seven has its own p-value."""
    found = categories(("refunds", 0, 7, 80), *((f"k{at:02}", 3, 2, 80) for at in range(40)))
    assert found.worse == ["refunds"]
    assert found.categories[0].adjusted_p == pytest.approx(0.5**7)
    assert {row.adjusted_p for row in found.categories[1:]} == {None}


def test_one_family_proves_nothing_of_a_category() -> None:
    """Eight cases of a category that are two families could not be called worse, so it costs the others nothing."""
    before, now = ([TrialResult(f"f{at}", one, "kin", f"seed-{at // 4}") for at in range(8)] for one in (True, False))
    before += outcomes(*[1] * 80, category="refunds")
    now += outcomes(*[0] * 7, *[1] * 73, category="refunds")
    rows = {row.name: row for row in compare_versions(version("a", before), version("b", now)).categories}
    assert (rows["kin"].adjusted_p, rows["kin"].word) == (None, "")
    assert rows["refunds"].adjusted_p == pytest.approx(0.5**7)


def test_a_category_is_better_only_where_the_whole_is() -> None:
    """What got better in one category, and not over all cases, is a number and no claim."""
    found = categories(("refunds", 9, 0, 80), ("rest", 40, 40, 400))
    assert found.categories[-1].name == "refunds"
    assert [row.word for row in found.categories] == ["", ""]
    assert found.p_better > 0.0125


def test_several_categories_are_held_against_each_other() -> None:
    """Where two could be called worse, the smaller p-value counts twice (Holm)."""
    found = categories(("a", 0, 7, 80), ("b", 1, 7, 80))
    rows = {row.name: row for row in found.categories}
    assert rows["a"].adjusted_p == pytest.approx(2 * 0.5**7)
    assert rows["b"].adjusted_p == pytest.approx(9 * 0.5**8)


def test_several_comparisons_share_the_level() -> None:
    """Of three versions against the first each has a third of the level, and a wider interval."""
    alone, shared = flipped(0, 6, 300), flipped(0, 6, 300, rules=Rules(pairs=3))
    assert (alone.word, shared.word) == ("regression", "no difference shown")
    assert shared.change.level == pytest.approx(1 - 0.025 / 3)
    assert shared.change.low < alone.change.low


def trials(*cases: tuple[str, str], family: str = "") -> tuple[VersionResults, VersionResults]:
    """Return two versions by the trials of each case, such as ("110", "000")."""
    rows: tuple[list[TrialResult], list[TrialResult]] = ([], [])
    for at, sides in enumerate(cases):
        for results, side in zip(rows, sides, strict=True):
            results += [TrialResult(f"c{at}", one == "1", family=family and f"{family}{at // 4}") for one in side]
    return version("a", rows[0]), version("b", rows[1])


def test_trials_count_as_one_case() -> None:
    """A case counts by the share of its trials, and ten trials of one case prove no more than that case."""
    found = compare_versions(*trials(*[("111", "100")] * 3, *[("111", "111")] * 60))
    assert (found.common, found.lost, found.gained) == (63, 3, 0)
    assert found.change.estimate == pytest.approx(-2 / 63)
    assert found.p_worse == pytest.approx(0.5**3)
    assert "3 trials" in found.trials


def test_flips_are_attributed() -> None:
    """Where every trial fails now it is all the change; where trials come and go, it is the product's own variance."""
    changed = compare_versions(*trials(*[("111", "000")] * 9, *[("111", "111")] * 20)).flips
    unsteady = compare_versions(*trials(*[("110", "101")] * 40, *[("111", "111")] * 20)).flips
    assert changed
    assert unsteady
    assert (changed.own, changed.steady) == (0, 9)
    assert changed.differ == pytest.approx(9 / 29)
    assert unsteady.own > unsteady.differ > 0
    assert unsteady.steady == 0
    assert compare_versions(*trials(("1", "0"), ("1", "1"))).flips is None


def test_families_count_once() -> None:
    """Eight cases of two families that all newly fail prove what two cases prove."""
    found = compare_versions(*trials(*[("1", "0")] * 8, *[("1", "1")] * 80, family="f"))
    assert found.lost == 8
    assert found.p_worse == pytest.approx(0.25)


def test_lists_by_scorer_and_layer_are_for_reading() -> None:
    """What each scorer says, and each layer, is listed where both versions tell it, and called nothing."""
    rows = [TrialResult(f"c{at}", True, layer="unit", scorers={"tone": True, "facts": None}) for at in range(9)]
    now = [row._replace(passed=False, scorers={"tone": False, "facts": True}) for row in rows]
    found = compare_versions(version("a", rows), version("b", now))
    assert [(row.name, row.n, row.lost, row.word) for row in found.by_scorer] == [("tone", 9, 9, "")]
    assert [(row.name, row.n) for row in found.layers] == [("unit", 9)]


def test_cost_and_latency_are_paired() -> None:
    """Costs and times are compared on cases of which both versions tell them; what is alike has no interval."""
    before = [TrialResult(f"c{at}", True, cost_usd=0.01 * at, latency_s=1.0) for at in range(9)]
    now = [row._replace(cost_usd=(row.cost_usd or 0) * 2, latency_s=1.5) for row in before]
    now[8] = now[8]._replace(cost_usd=None)
    found = compare_versions(version("a", before), version("b", now))
    assert found.cost_usd
    assert found.latency_s
    assert (found.cost_usd.n, found.cost_usd.now) == (8, pytest.approx(0.07))
    assert found.cost_usd.low
    assert found.cost_usd.low < 0.035
    assert (found.latency_s.now, found.latency_s.low) == (1.5, None)


def test_on_production_s_mix() -> None:
    """A category that is most of production weighs so; one with a weight and no case is refused by its name."""
    rules = Rules(weights={"a": 0.9, "b": 0.1})
    before = [*outcomes(*[1] * 20, category="a"), *outcomes(*[1] * 20, category="b", first=20)]
    now = [*outcomes(*[0] * 10, *[1] * 10, category="a"), *outcomes(*[1] * 20, category="b", first=20)]
    found = compare_versions(version("x", before), version("y", now), rules)
    assert found.weighted
    assert found.weighted.change.estimate == pytest.approx(-0.45)
    assert found.change.estimate == pytest.approx(-0.25)
    with pytest.raises(InsufficientDataError, match="'z'"):
        compare_versions(version("x", before), version("y", now), Rules(weights={"z": 1}))


def test_judges_that_nobody_certified_decide_nothing() -> None:
    """By checks alone it is decided where there are any, with what all say beside it; else it is uncalibrated."""
    rows, now = outcomes(*[1] * 40), outcomes(*[0] * 40)
    checks = {"is_certified": False, "by_checks": rows[:30]}
    found = compare_versions(version("a", rows, **checks), version("b", now, **checks))
    assert (found.scorers, found.common, found.word) == ("checks", 30, "inconclusive")
    assert found.by_all
    assert (found.by_all.n, found.by_all.lost) == (40, 40)
    for nothing in (None, []):
        alone = {"is_certified": False, "by_checks": nothing}
        judged = compare_versions(version("a", rows, **alone), version("b", now, **alone))
        assert judged.word == "uncalibrated"
        assert "40 newly fail" in sentence(judged)


def test_what_could_have_been_seen() -> None:
    """The smallest change that so many cases find is Connor's; of trials, what the interval's width comes to."""
    assert flipped(50, 50, 1000).detectable == pytest.approx(0.0309, abs=2e-4)
    assert flipped(0, 0, 3).detectable is None
    several = compare_versions(*trials(*[("10", "01")] * 50, *[("10", "11")] * 50))
    assert several.detectable == pytest.approx(
        (several.change.high - several.change.low) / 2 * (1 + 0.8416 / 2.2414), abs=1e-4
    )


def test_what_would_decide() -> None:
    """Inconclusive says how many cases would exclude the drop; none where it is itself larger than is tolerated."""
    found = flipped(2, 4, 100)
    assert found.word == "inconclusive"
    assert found.needed
    assert found.needed > 100
    assert flipped(2, 9, 100).needed is None


def test_a_few_thousand_draws_cover() -> None:
    """In 400 seeded worlds the interval of the whole holds the true change at 97.5 %, at least 95 % of the times."""
    rng, holds = np.random.default_rng(11), 0
    for _ in range(400):
        before = rng.random(200) < 0.8
        now = np.where(rng.random(200) < 0.1, ~before, before)
        truth = 0.1 * 0.2 - 0.1 * 0.8
        found = compare_versions(version("a", outcomes(*before.tolist())), version("b", outcomes(*now.tolist())))
        holds += found.change.low <= truth <= found.change.high
    assert holds >= 380


def test_exit_codes_are_the_gate_s() -> None:
    """A comparison exits as the gate does with the same word; a regression counts before all others."""
    assert {name: code for name, code in EXIT.items() if name in GATE} == {
        name: GATE[name] for name in ("regression", "uncalibrated", "inconclusive")
    }
    assert set(ORDER) == set(EXIT)
    assert word([flipped(82, 12, 1000), flipped(12, 82, 1000)]) == "regression"
