"""Watched every night: has the pass rate dropped, and was it the product or its judge?"""

import statistics
from collections.abc import Sequence
from dataclasses import replace
from math import exp, inf, log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom, binom
from statsmodels.stats.proportion import proportion_confint

from assay.errors import InsufficientDataError
from assay.stats.detector import (
    Baseline,
    Direction,
    Night,
    State,
    attribute,
    baseline,
    confidence_sequence,
    sequential_mcnemar,
    start,
    step,
    watch,
)

CALM = (256, 251, 258, 249, 262, 254, 257, 250, 255, 259, 252, 256, 248, 260)
UNSTEADY = (262, 240, 258, 249, 270, 254, 243, 250, 265, 259, 236, 256, 248, 275)
DROPPING = (256, 251, 243, 238, 241)
NIGHTS = st.lists(
    st.integers(1, 60).flatmap(lambda n: st.builds(Night, events=st.integers(0, n), n=st.just(n))), max_size=12
)
GRID: dict[Direction, tuple[float, ...]] = {
    "drop": (0.02, 0.03, 0.05, 0.08, 0.12, 0.20),
    "increase": (0.02, 0.04, 0.08, 0.15, 0.30),
}
DIRECTIONS: tuple[Direction, ...] = ("drop", "increase")


def of_300(events: Sequence[int]) -> list[Night]:
    """Return nights of 300 items each."""
    return [Night(events=count, n=300) for count in events]


def known(bound: float, direction: Direction = "drop", phi: float = 1.0) -> Baseline:
    """Return a baseline whose rate is known beforehand."""
    return replace(baseline(of_300(CALM), "drop"), direction=direction, bound=bound, phi=phi)


def drawn(rng: np.random.Generator, rate: float, n: int, nights: int) -> list[Night]:
    """Return nights of fresh items at one rate."""
    return [Night(events=int(count), n=n) for count in rng.binomial(n, rate, nights)]


def first_alarm(held_against: Baseline, nights: Sequence[Night]) -> float:
    """Return the first night that alarms, counted from 1; infinite where none does."""
    alarms = watch(held_against, nights).alarms
    return alarms[0] if alarms else inf


def first_verdict(rng: np.random.Generator, *, suite: float, flips: float, quiet: int, then: int) -> str:
    """Return the first thing said of 300 cases and 200 anchors, whose rates change after some quiet nights."""
    cases, anchors = (
        start(baseline(drawn(rng, rate, n, 14), direction), streams=2)
        for rate, n, direction in ((0.85, 300, DIRECTIONS[0]), (0.02, 200, DIRECTIONS[1]))
    )
    for case_night, anchor_night in zip(
        drawn(rng, 0.85, 300, quiet) + drawn(rng, suite, 300, then),
        drawn(rng, 0.02, 200, quiet) + drawn(rng, flips, 200, then),
        strict=True,
    ):
        cases, anchors = step(cases, case_night), step(anchors, anchor_night)
        cause = attribute(cases, anchors)
        if cause != "undecided":
            return cause
    return "undecided"


def alarmed(direction: Direction, nights: int, *alarms: int) -> State:
    """Return a detector that has seen so many nights and alarmed on these."""
    return replace(start(known(0.5, direction)), nights=nights, alarms=alarms)


def test_refuses_a_short_baseline() -> None:
    """One night as the baseline makes every detector cry wolf, and thirteen are still one too few."""
    with pytest.raises(InsufficientDataError, match="accept 1 more"):
        baseline(of_300(CALM[:13]), "drop")


def test_refuses_a_night_without_items() -> None:
    """A night on which nothing was scored is neither calm nor a drop, in the baseline or after it."""
    empty = Night(events=0, n=0)
    with pytest.raises(InsufficientDataError, match="leave it out"):
        baseline([*of_300(CALM), empty], "drop")
    with pytest.raises(InsufficientDataError, match="leave it out"):
        step(start(known(0.85)), empty)


@pytest.mark.parametrize("night", [Night(events=301, n=300), Night(events=-1, n=300), Night(events=0, n=-1)])
def test_refuses_impossible_counts(night: Night) -> None:
    """More passes than cases are a mistake upstream."""
    with pytest.raises(ValueError, match="0 <= events <= n"):
        baseline([*of_300(CALM), night], "drop")
    with pytest.raises(ValueError, match="0 <= events <= n"):
        watch(known(0.85), [night])


@pytest.mark.parametrize(("direction", "events"), [("drop", 0), ("increase", 300)])
def test_refuses_a_baseline_without_room(direction: Direction, events: int) -> None:
    """Where nothing ever passes there is no drop to see, and where all flips no increase."""
    with pytest.raises(InsufficientDataError, match=f"no {direction} is left"):
        baseline(of_300([events] * 14), direction)


def test_refuses_settings_that_mean_nothing() -> None:
    """A bound at half confidence is none, and a detector shares its alarms with at least itself."""
    for confidence in (0.5, 1.0, float("nan")):
        with pytest.raises(ValueError, match="between 0.5 and 1"):
            baseline(of_300(CALM), "drop", confidence=confidence)
    with pytest.raises(ValueError, match="at least 1"):
        start(known(0.85), streams=0)


def test_refuses_detectors_that_do_not_belong_together() -> None:
    """The cause is read off a suite that drops and anchors that flip, over the same nights."""
    with pytest.raises(ValueError, match="suite has seen 9 nights, anchors 8"):
        attribute(alarmed("drop", 9), alarmed("increase", 8))
    with pytest.raises(ValueError, match="expected drop and increase"):
        attribute(alarmed("increase", 9), alarmed("drop", 9))


@pytest.mark.parametrize(("passes", "bound", "phi"), [(CALM, 0.8359940, 1), (UNSTEADY, 0.8240743, 3.2751896)])
def test_worked_baseline(passes: tuple[int, ...], bound: float, phi: float) -> None:
    """TV-6.0: Wilson at z = 2.3263 and 4,200 / φ items; φ is 1, then .0014010 / (.84881 · .15119 / 300) = 3.27519."""
    found = baseline(of_300(passes), "drop")
    assert (found.bound, found.phi) == pytest.approx((bound, phi), abs=5e-8)
    assert (found.nights, found.n, found.rate) == (14, 4200, sum(passes) / 4200)


@given(st.lists(st.tuples(st.integers(30, 400), st.floats(0.2, 0.8)), min_size=14, max_size=20))
def test_baseline_equals_statsmodels(drawn_nights: list[tuple[int, float]]) -> None:
    """The bounds are those of statsmodels' two-sided 98 % Wilson interval at 1 / φ of the items, φ never below 1."""
    nights = [Night(events=round(n * rate), n=n) for n, rate in drawn_nights]
    low, high = (baseline(nights, direction) for direction in DIRECTIONS)
    passes, total = sum(night.events for night in nights), sum(night.n for night in nights)
    spread = statistics.variance([night.events / night.n for night in nights])
    phi = max(1.0, spread * total / len(nights) / (passes / total * (1 - passes / total)))
    bounds = proportion_confint(passes / phi, total / phi, alpha=0.02, method="wilson")
    assert (low.bound, high.bound) == pytest.approx(bounds)
    assert (low.phi, high.phi) == pytest.approx((phi, phi))


@pytest.mark.parametrize(("direction", "events"), [("drop", 300), ("increase", 0)])
def test_a_faultless_baseline_still_has_a_bound(direction: Direction, events: int) -> None:
    """Fourteen nights without a fault bound the rate at z² / (N + z²) off the end, so that one fault is no alarm."""
    found = baseline(of_300([events] * 14), direction)
    room = found.bound if direction == "increase" else 1 - found.bound
    assert (found.phi, room) == pytest.approx((1.0, 5.411895 / 4205.411895))
    assert not watch(found, of_300([abs(events - 1)])).alarms


def test_worked_example() -> None:
    """TV-6.1: known rate .85; the fifth night takes the mean of R over six drops to 821.7, above 365."""
    state, seen = start(known(0.85)), []
    assert state.statistic == 0
    for night in of_300(DROPPING):
        state = step(state, night)
        seen.append(state.statistic)
    assert seen == pytest.approx([0.1537145, 0.5643621, 5.171897, 97.95058, 821.7198], rel=5e-7)
    assert (state.alarms, state.is_alarm, state.nights) == ((5,), True, 5)


def test_starts_from_nothing_after_an_alarm() -> None:
    """The sixth night counts as a first one, keeps the record of the fifth, and the baseline stays."""
    after = watch(known(0.85), of_300((*DROPPING, 256)))
    assert after.statistic == pytest.approx(0.1537145, abs=5e-8)
    assert (after.alarms, after.is_alarm, after.baseline) == ((5,), False, known(0.85))


def test_streams_share_the_false_alarms() -> None:
    """Two detectors alarm at 2 · 365 each, three at 3 · 365, where 821.7 is none."""
    two, three = (watch(known(0.85), of_300(DROPPING), streams=streams) for streams in (2, 3))
    assert (two.threshold, two.alarms) == (730, (5,))
    assert (three.threshold, three.alarms) == (1095, ())


def test_worked_example_of_an_increase() -> None:
    """10, 21 and 60 flips of 200 anchors against .05, worked in fractions for +.02, .04, .08, .15 and .30."""
    nights = [Night(events=flips, n=200) for flips in (10, 21, 60)]
    seen = [watch(known(0.05, "increase"), nights[:count]).statistic for count in (1, 2, 3)]
    assert seen == pytest.approx([0.1218269985689303, 45.783413382484206, 8.692607826154458e26], rel=1e-11)


@given(NIGHTS, st.floats(0.1, 0.9), st.sampled_from(DIRECTIONS), st.floats(1, 5))
def test_equals_the_sum_over_all_starts(nights: list[Night], bound: float, direction: Direction, phi: float) -> None:
    """R of each change of STATISTICS 6.2 and 6.4 sums, over every night it may have begun, the evidence since."""
    state = watch(known(bound, direction, phi), nights, streams=10**300)
    total = 0.0
    for delta in GRID[direction]:
        other = max(bound - delta, 0.001) if direction == "drop" else min(bound + delta, 0.999)
        logs = [
            (night.events * log(other / bound) + (night.n - night.events) * log((1 - other) / (1 - bound))) / phi
            for night in nights
        ]
        total += sum(exp(sum(logs[begin:])) for begin in range(len(logs)))
    assert state.statistic == pytest.approx(total / len(GRID[direction]), rel=1e-9)


@given(NIGHTS, NIGHTS)
def test_the_nights_alone_reproduce_the_state(before: list[Night], after: list[Night]) -> None:
    """Watching all nights at once, or going on from a kept state, gives one and the same state."""
    state = watch(known(0.85), before)
    for night in after:
        state = step(state, night)
    assert state == watch(known(0.85), before + after)


@given(st.integers(1, 300), st.floats(0.05, 0.95), st.sampled_from(DIRECTIONS))
def test_evidence_is_1_on_average(n: int, bound: float, direction: Direction) -> None:
    """Over all outcomes of a night at the baseline's own rate each change's likelihood ratio averages 1."""
    state, events = start(known(bound, direction)), np.arange(n + 1)
    ratios = np.exp([step(state, Night(events=int(count), n=n)).log_evidence for count in events])
    assert binom.pmf(events, n, bound) @ ratios == pytest.approx(np.ones(len(GRID[direction])), abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.sampled_from(DIRECTIONS))
def test_evidence_is_at_most_1_however_difficulty_is_spread(rates: list[float], direction: Direction) -> None:
    """Cases of unequal difficulty whose mean is the bound give no more evidence on average than equal ones."""
    bound = min(max(float(np.mean(rates)), 0.05), 0.95)
    shares = np.clip(np.array(rates) + bound - np.mean(rates), 0, 1)
    held = known(min(shares.mean(), 0.98) if direction == "drop" else max(shares.mean(), 0.02), direction)
    chances = np.ones(1)
    for share in shares:
        chances = np.convolve(chances, [1 - share, share])
    ratios = np.exp(
        [step(start(held), Night(events=count, n=len(shares))).log_evidence for count in range(len(shares) + 1)]
    )
    assert (chances @ ratios <= 1 + 1e-9).all()


def test_a_collapse_is_an_alarm_and_no_overflow() -> None:
    """A suite of 50,000 that fails throughout has more evidence than a number holds."""
    found = watch(known(0.85), [Night(events=0, n=50_000)])
    assert (found.statistic, found.alarms) == (inf, (1,))


def test_is_silent_on_calm_nights() -> None:
    """STATISTICS 6.1: 90 calm nights alarm in .002 of runs against a 14-night bound, in .065 against a known rate."""
    rng = np.random.default_rng(61)
    bounded = [
        first_alarm(baseline(drawn(rng, 0.85, 300, 14), "drop"), drawn(rng, 0.85, 300, 90)) < inf for _ in range(150)
    ]
    exact = [first_alarm(known(0.85), drawn(rng, 0.85, 300, 90)) < inf for _ in range(150)]
    assert np.mean(bounded) <= 0.002 + 4 * np.sqrt(0.002 * 0.998 / 150)
    assert np.mean(exact) == pytest.approx(0.065, abs=4 * np.sqrt(0.065 * 0.935 / 150))
    assert np.mean(exact) <= 90 / 365


@pytest.mark.parametrize(("drop", "least", "most"), [(0.1, 1, 2), (0.05, 4, 6)])
def test_finds_a_drop(drop: float, least: int, most: int) -> None:
    """STATISTICS 6.2, 14-night bound, change after 30 calm nights: 10 points take a median of 1 to 2, 5 take 5."""
    rng = np.random.default_rng(62)
    nights = [
        first_alarm(
            baseline(drawn(rng, 0.85, 300, 14), "drop"), drawn(rng, 0.85, 300, 30) + drawn(rng, 0.85 - drop, 300, 40)
        )
        - 30
        for _ in range(150)
    ]
    assert least <= np.median(nights) <= most


@pytest.mark.parametrize(
    ("suite", "anchors", "cause"),
    [
        (alarmed("drop", 9), alarmed("increase", 9), "undecided"),
        (alarmed("drop", 9, 7), alarmed("increase", 9), "undecided"),
        (alarmed("drop", 10, 7, 9), alarmed("increase", 10), "product"),
        (alarmed("drop", 10, 7), alarmed("increase", 10, 10), "judge"),
        (alarmed("drop", 9), alarmed("increase", 9, 4), "judge"),
        (alarmed("drop", 30, 7), alarmed("increase", 30, 30), "judge"),
    ],
)
def test_names_the_cause_after_the_guard(suite: State, anchors: State, cause: str) -> None:
    """Anchors alarm: the judge, even late; the suite alone: the product, but only three nights later."""
    assert attribute(suite, anchors) == cause


def test_the_guard_can_be_longer() -> None:
    """Few anchors need a week: the product is blamed seven nights after the suite's alarm, not six."""
    causes = [attribute(alarmed("drop", night, 7), alarmed("increase", night), guard=7) for night in (13, 14)]
    assert causes == ["undecided", "product"]


@pytest.mark.parametrize(
    ("suite", "flips", "cause"), [(0.80, 0.07, "judge"), (0.80, 0.02, "product"), (0.85, 0.02, "undecided")]
)
def test_attributes_what_changed(suite: float, flips: float, cause: str) -> None:
    """STATISTICS 6.4, 200 anchors, 5 points: the cause is right in 1.000 of runs, .002 name one in 60 calm nights."""
    rng = np.random.default_rng(64)
    found = [first_verdict(rng, suite=suite, flips=flips, quiet=10, then=50) for _ in range(80)]
    assert np.mean([one == cause for one in found]) >= 0.998 - 4 * np.sqrt(0.002 * 0.998 / 80)


def test_worked_confidence_sequence() -> None:
    """TV-6.2: 260 of 300 lie in [.7892990, .9247235] at every look, where Wilson's [.8235, .9005] holds for one."""
    found = confidence_sequence(260, 300)
    assert (found.low, found.high) == pytest.approx((0.7892990, 0.9247235), abs=5e-8)
    assert (found.n, found.estimate, found.method) == (300, 260 / 300, "beta-binomial confidence sequence")


def test_refuses_a_sequence_of_nothing() -> None:
    """No item, more successes than items, or a count below 0, carry no evidence."""
    with pytest.raises(InsufficientDataError, match="0 items"):
        confidence_sequence(0, 0)
    with pytest.raises(ValueError, match="0 <= successes <= n"):
        confidence_sequence(4, 3)
    with pytest.raises(ValueError, match="neither may be negative"):
        sequential_mcnemar(-1, 3)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), st.floats(0.5, 0.999))
def test_sequence_ends_where_the_mixture_contradicts(counts: tuple[int, int], level: float) -> None:
    """At either bound the data are 1 - level times as likely as under the uniform mixture, which is 1 / (n + 1)."""
    successes, n = counts
    found, turned = confidence_sequence(successes, n, level=level), confidence_sequence(n - successes, n, level=level)
    for bound in {found.low, found.high} - {0.0, 1.0}:
        assert binom.logpmf(successes, n, bound) == pytest.approx(log((1 - level) / (n + 1)), abs=1e-4)
    assert (found.low, found.high) == pytest.approx((1 - turned.high, 1 - turned.low), abs=1e-9)
    assert found.low <= found.estimate <= found.high


def test_sequence_covers_at_every_look() -> None:
    """At .85, 40 looks of 25 items each miss the truth anywhere in at most 5 % of 150 seeded runs."""
    rng = np.random.default_rng(63)
    looks = rng.binomial(25, 0.85, (150, 40)).cumsum(axis=1)
    missed = 0
    for run in looks:
        found = [confidence_sequence(int(count), 25 * (look + 1)) for look, count in enumerate(run)]
        missed += any(not one.low <= 0.85 <= one.high for one in found)
    assert missed / 150 <= 0.05


@pytest.mark.parametrize(("gained", "lost", "evidence"), [(18, 7, 2.684741), (30, 8, 144.1237), (0, 0, 1.0)])
def test_worked_sequential_mcnemar(gained: int, lost: int, evidence: float) -> None:
    """TV-6.3: 2^25 · B(19, 8) = 2.684741 decides nothing at 20, 2^38 · B(31, 9) = 144.1237 does, and no pair says 1."""
    assert sequential_mcnemar(gained, lost) == pytest.approx(evidence, rel=5e-7)


@given(st.integers(0, 400), st.integers(0, 400))
def test_sequential_mcnemar_is_a_likelihood_ratio(gained: int, lost: int) -> None:
    """It is the uniform mixture's likelihood over that of an even split, and so averages 1 if nothing differs."""
    pairs = gained + lost
    ratio = betabinom.logpmf(gained, pairs, 1, 1) - binom.logpmf(gained, pairs, 0.5)
    assert log(sequential_mcnemar(gained, lost)) == pytest.approx(ratio, abs=1e-7)
    assert sequential_mcnemar(gained, lost) == sequential_mcnemar(lost, gained)


def test_sequential_mcnemar_may_be_looked_at_every_time() -> None:
    """STATISTICS 6.3: 30 looks of 50 equal pairs, 20 % discordant, stop in .0145 of runs, within four errors of 600."""
    rng = np.random.default_rng(65)
    drawn_pairs = rng.multinomial(50, [0.1, 0.1, 0.8], (600, 30)).cumsum(axis=1)
    stopped = [any(sequential_mcnemar(int(b), int(c)) >= 20 for b, c, _ in run) for run in drawn_pairs]
    assert np.mean(stopped) == pytest.approx(0.0145, abs=4 * np.sqrt(0.0145 * 0.9855 / 600))
