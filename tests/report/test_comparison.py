"""Comparison: the level of a look, what stands, what is suspected, and cases that share their luck."""

from collections import Counter

import pytest

from assay.report.comparison import Comparison, Look, compare
from assay.report.findings import CaseOutcome, Outcomes
from assay.stats.rates import wilson, wilson_bounds, z_quantile

FIRST = Look(is_new=False)


def night(lost: int, *, of: int = 40, others: int = 200, look: Look = FIRST, family: int = 1) -> Comparison:
    """Return a comparison in which so many cases of one category are lost, and no others."""
    names = [f"refunds-{at:03}" for at in range(of)] + [f"orders-{at:03}" for at in range(others)]
    before: dict[str, CaseOutcome] = dict.fromkeys(names, "pass")
    now: dict[str, CaseOutcome] = dict.fromkeys(names, "pass")
    now |= dict.fromkeys(names[:lost], "fail")
    families = {name: f"f{at // family}" for at, name in enumerate(names)} if family > 1 else {}
    return compare(
        "all",
        {name: name.partition("-")[0] for name in names},
        Outcomes(now, Counter()),
        Outcomes(before, Counter()),
        look=look,
        families=families,
    )


@pytest.mark.parametrize(("look", "worse", "suspected"), [(1, ["refunds"], "overall"), (2, [], "refunds")])
def test_the_first_look_has_most_of_the_chance(look: int, worse: list[str], suspected: str) -> None:
    """7 of 7 lost have 2 x 2^-7 = .0156: below two thirds of .025, above a sixth of it, and never nothing."""
    found = night(7, look=Look(look, is_new=False))
    assert (found.worse, found.suspected) == (worse, [suspected])


def test_another_version_is_a_comparison_of_its_own() -> None:
    """After Holm p = .0205 is between two thirds of .025 and the whole: proved of a new version alone."""
    cells = ["escalation", *(f"other-{at}" for at in range(11))]
    for first, is_proved in ((Look(), True), (FIRST, False)):
        names = [f"{name}:{at:02}" for name in cells for at in range(36)]
        now: dict[str, CaseOutcome] = dict.fromkeys(names, "pass")
        before: dict[str, CaseOutcome] = dict.fromkeys(names, "pass")
        now |= dict.fromkeys(names[:12], "fail")
        before[names[12]] = "fail"
        categories = {name: name.partition(":")[0] for name in names}
        found = compare("all", categories, Outcomes(now, Counter()), Outcomes(before, Counter()), look=first)
        assert found.slices[0].adjusted_p == pytest.approx(12 * 14 / 2**13)
        assert ("escalation" in found.worse) == is_proved


def test_what_was_proved_stands_until_a_night_speaks_against_it() -> None:
    """A drop of before stays at p <= .1: 4 of 4 lost (.0625) do, 3 of 3 (.125) do not; and nothing new is named so."""
    for lost, worse in ((4, ["refunds"]), (3, [])):
        assert night(lost, look=Look(9, frozenset({"refunds"}))).worse == worse
    assert night(4, look=Look(9, frozenset({"orders"}))).worse == []


def test_over_all_cases_what_was_proved_stands_too() -> None:
    """The same of the word `overall`, where no category is named."""
    assert night(4, look=Look(9, frozenset({"overall"}))).worse == ["overall"]
    assert night(3, look=Look(9, frozenset({"overall"}))).worse == []


@pytest.mark.parametrize(("lost", "discordance"), [(0, "0.4%"), (1, "0.4%"), (6, "2.5%")])
def test_what_can_be_found_goes_by_how_many_cases_differ(lost: int, discordance: str) -> None:
    """Of 240 cases; where none differs it is told as of one, since no sample can say that none ever will."""
    assert f" at {discordance} discordance" in night(lost).detectable


def test_a_rate_of_one_trial_a_case_is_wilson_s() -> None:
    """230 of 240 cases pass, each asked once."""
    target = night(10).target
    plain = wilson(230, 240)
    assert (target.estimate, target.low, target.high, target.n) == (plain.estimate, plain.low, plain.high, 240)
    assert target.method == plain.method


@pytest.mark.parametrize(
    ("trials", "mean", "size"),
    [
        ([(True, False)] * 4, 0.5, 4),
        ([(True, True), (False, False)] * 2, 0.5, 4),
        ([(True, False), (True, True)], 0.75, 4),
        ([(True, False, False), (True, True, True)], 2 / 3, 4),
        ([(True, True), (True, True)], 1.0, 2),
        ([(False,), (False, False, False)], 0.0, 2),
        ([*[(True, False)] * 9, (True, True)], 0.55, 20),
    ],
)
def test_a_rate_over_several_trials_counts_cases(trials: list[tuple[bool, ...]], mean: float, size: float) -> None:
    """The mean of the cases' shares, as sure as so many single trials: at least the cases, at most all trials."""
    names = [f"c{at}" for at in range(len(trials))]
    outcomes: dict[str, CaseOutcome] = dict.fromkeys(names, "pass")
    now = Outcomes(outcomes, Counter(), trials=dict(zip(names, trials, strict=True)))
    target = compare("all", dict.fromkeys(names, "x"), now, Outcomes(outcomes, Counter())).target
    low, high = wilson_bounds(mean, size, z_quantile(0.95))
    assert (target.estimate, target.low, target.high, target.n) == pytest.approx((mean, low, high, len(trials)))
    assert target.method.startswith("mean over trials")


def test_twenty_of_twenty_are_never_nothing() -> None:
    """After a hundred looks 20 of 20 lost are at least suspected."""
    for look in (1, 10, 100):
        found = night(20, of=20, others=980, look=Look(look, is_new=False))
        assert found.worse or found.suspected


def test_a_family_is_one_chance() -> None:
    """Twelve cases lost are proved; as three families of four they are three of three (2 x 1/8)."""
    assert night(12).worse == ["refunds"]
    together = night(12, family=4)
    assert (together.worse, together.suspected) == ([], [])
    assert together.slices[0].adjusted_p == pytest.approx(2 / 8)
    assert together.change.low < night(12).change.low


@pytest.mark.parametrize(
    ("lost", "named", "told"),
    [
        (20, "refunds", (True, False)),
        (4, "refunds", (True, True)),
        (4, "orders", (False, False)),
        (3, "refunds", (False, False)),
    ],
)
def test_a_row_says_whether_it_is_proved_tonight_or_stands(lost: int, named: str, told: tuple[bool, bool]) -> None:
    """What tonight proves does not `stand`; a drop that only what was known upholds does; no drop does not."""
    found = night(lost, look=Look(9, frozenset({named})))
    (row,) = [one for one in found.slices if one.category == "refunds"]
    assert (row.is_worse, row.stands) == told
