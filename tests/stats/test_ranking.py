"""Which of several systems is best?"""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from assay.errors import DataError, InsufficientDataError
from assay.stats.ranking import Comparison, Ranking, Ties, rank

TV_51 = [(0, 1, 46, 34, 20), (0, 2, 60, 25, 15), (0, 3, 70, 18, 12), (1, 2, 52, 30, 18), (1, 3, 61, 25, 14)]
TV_51 += [(2, 3, 48, 36, 16)]
"""Two systems, wins of the first, wins of the second, ties."""
PAIRS = list(combinations(range(4), 2))
COUNTS = st.lists(st.sampled_from([0, 0, 4, 9, 20]), min_size=18, max_size=18)


def table_of(counts: list[int]) -> list[tuple[int, int, int, int, int]]:
    """Return a row for each pair of four systems from 18 counts."""
    return [(*pair, *counts[3 * k : 3 * k + 3]) for k, pair in enumerate(PAIRS)]


def comparisons(table: list[tuple[int, int, int, int, int]]) -> list[Comparison]:
    """Return one verdict a row, each on a prompt of its own."""
    outcomes = [
        (one, other, outcome)
        for one, other, *counts in table
        for outcome, count in zip(("a", "b", "tie"), counts, strict=True)
        for _ in range(count)
    ]
    return [
        Comparison(prompt=f"prompt-{index}", a=f"s{one}", b=f"s{other}", outcome=outcome)
        for index, (one, other, outcome) in enumerate(outcomes)
    ]


def ranked(rows: list[Comparison], ties: Ties = "half", draws: int = 20) -> Ranking:
    """Return the ranking against s0."""
    return rank(rows, reference="s0", ties=ties, rng=np.random.default_rng(0), draws=draws)


def by_name(found: Ranking) -> dict[str, float]:
    return {one.system: one.estimate for one in found.strengths}


def test_refuses_what_is_no_verdict() -> None:
    """An unscored pair is left out by the caller, and no system is compared with itself."""
    rows = comparisons(TV_51)
    with pytest.raises(DataError, match="leave unscored pairs out"):
        ranked([*rows, Comparison(prompt="p", a="s0", b="s1", outcome="unscored")])
    with pytest.raises(DataError, match="compares s1 with itself"):
        ranked([*rows, Comparison(prompt="p", a="s1", b="s1", outcome="tie")])


def test_refuses_a_reference_that_nobody_met() -> None:
    """The message names the systems there are."""
    with pytest.raises(ValueError, match="expected one of s0, s1, s2, s3"):
        rank(comparisons(TV_51), reference="gold", rng=np.random.default_rng(0))


@pytest.mark.parametrize("table", [[], [(0, 1, 5, 5, 5)]])
def test_refuses_fewer_than_three_systems(table: list[tuple[int, int, int, int, int]]) -> None:
    """Two systems have a win rate, which is simpler and says more."""
    with pytest.raises(InsufficientDataError, match="take the win rate"):
        ranked(comparisons(table))


def test_refuses_a_single_prompt() -> None:
    """Verdicts on one prompt cannot say how much prompts differ."""
    rows = [Comparison(prompt="one", a=row.a, b=row.b, outcome=row.outcome) for row in comparisons(TV_51)]
    with pytest.raises(InsufficientDataError, match="add prompts"):
        ranked(rows)


@pytest.mark.parametrize("ties", ["half", "drop", "davidson", "rao-kupper"])
@pytest.mark.parametrize(
    ("table", "match"),
    [
        ([(0, 1, 5, 5, 1), (0, 2, 5, 5, 1), (1, 3, 9, 0, 0)], "s3 never won against any of the other 3 systems"),
        ([(0, 1, 5, 5, 1), (0, 2, 5, 5, 1), (1, 3, 0, 9, 0)], "s3 never lost to any of the other 3 systems"),
        ([(0, 1, 5, 5, 1), (2, 3, 5, 5, 1)], "s0 and s1 never won against any of the other 2 systems"),
        ([(0, 1, 5, 5, 1), (1, 2, 9, 0, 0), (2, 3, 5, 5, 1)], "s2 and s3 never won against any of the other 2 systems"),
    ],
)
def test_refuses_systems_without_a_finite_strength(
    ties: Ties, table: list[tuple[int, int, int, int, int]], match: str
) -> None:
    """Whoever never won or never lost, alone or as a group, or met nobody of another group, is named."""
    with pytest.raises(InsufficientDataError, match=match):
        ranked(comparisons(table), ties)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
@pytest.mark.parametrize(
    "table", [[(0, 1, 5, 5, 0), (0, 2, 5, 5, 0)], [(0, 1, 5, 0, 5), (0, 2, 5, 0, 5), (1, 2, 5, 0, 5)]]
)
def test_refuses_a_model_of_ties_that_nothing_holds(ties: Ties, table: list[tuple[int, int, int, int, int]]) -> None:
    """Without a tie, or where each win could be explained by ever larger strengths, such a model has no finite fit."""
    with pytest.raises(InsufficientDataError, match="take ties as half a win"):
        ranked(comparisons(table), ties)
    assert all(np.isfinite(one.se) for one in ranked(comparisons(table)).strengths)


def test_refuses_bounds_when_resamples_often_lack_a_fit() -> None:
    """One win of s2 in nine is missing from a third of all resamples, which then have no fit."""
    with pytest.raises(InsufficientDataError, match="resamples left no finite fit"):
        ranked(comparisons([(0, 1, 9, 9, 0), (0, 2, 8, 1, 0)]), draws=200)


@pytest.mark.parametrize(
    ("ties", "strengths", "tie", "log_likelihood"),
    [
        ("half", (-0.285604, -0.761754, -1.058197), None, None),
        ("drop", (-0.343227, -0.915133, -1.256938), None, None),
        ("davidson", (-0.345706, -0.920869, -1.279705), 0.406454, -575.2646),
        ("rao-kupper", (-0.293108, -0.784750, -1.097607), 1.428632, -574.9621),
    ],
)
def test_worked_example(
    ties: Ties, strengths: tuple[float, ...], tie: float | None, log_likelihood: float | None
) -> None:
    """TV-5.1: s0 beats s1 46:34 with 20 ties, and so on; all four models agree on the order, not on the distances."""
    found = ranked(comparisons(TV_51), ties)
    assert [one.system for one in found.strengths] == ["s1", "s2", "s3"]
    assert [one.estimate for one in found.strengths] == pytest.approx(strengths, abs=6e-7)
    assert (found.tie, found.n) == (tie and pytest.approx(tie, abs=5e-7), 505 if ties == "drop" else 600)
    assert log_likelihood is None or found.log_likelihood == pytest.approx(log_likelihood, abs=5e-5)
    assert (found.reference, found.prompts, found.caution) == ("s0", found.n, "")


def test_worked_example_of_standard_errors() -> None:
    """TV-5.1: with ties as half a win the curvature gives .147511, .149882 and .154028."""
    found = ranked(comparisons(TV_51))
    assert [one.se for one in found.strengths] == pytest.approx([0.147511, 0.149882, 0.154028], abs=6e-7)
    assert found.strengths[0].method == "Bradley-Terry, a tie as half a win each, bootstrap over prompts"


def wins_of(table: list[tuple[int, int, int, int, int]]) -> np.ndarray:
    """Return wins by winner and loser, a tie as half a win each."""
    wins = np.zeros((4, 4))
    for one, other, first, second, ties in table:
        wins[one, other] += first + ties / 2
        wins[other, one] += second + ties / 2
    return wins


def minorised(wins: np.ndarray) -> np.ndarray:
    """Return log-strengths by the MM algorithm of Hunter (2004), relative to the first."""
    strength = np.ones(len(wins))
    for _ in range(20_000):
        games = (wins + wins.T) / (strength[:, None] + strength[None, :])
        better = wins.sum(axis=1) / games.sum(axis=1)
        better /= better[0]
        if np.abs(np.log(better / strength)).max() < 1e-13:
            break
        strength = better
    return np.asarray(np.log(better))


def connected(wins: np.ndarray) -> bool:
    """Return whether each system leads to each other by wins."""
    return bool((np.linalg.matrix_power(np.eye(len(wins)) + (wins > 0), len(wins)) > 0).all())


@settings(max_examples=60, deadline=None)
@given(COUNTS)
@example([9, 0, 0] * 6)
@example([9, 0, 0] * 2 + [9, 1, 0] + [9, 0, 0] * 3)
def test_equals_the_mm_algorithm(counts: list[int]) -> None:
    """Bradley and Terry's strengths are those of an MM algorithm; order of rows and side change not a bit."""
    wins, rows = wins_of(table_of(counts)), comparisons(table_of(counts))
    assume((wins + wins.T).any(axis=1).all())
    if not connected(wins):
        with pytest.raises(InsufficientDataError, match="never"):
            ranked(rows)
        return
    try:
        found = ranked(rows)
    except InsufficientDataError as refusal:
        assert "resamples" in str(refusal)  # noqa: PT017
        return
    assert [by_name(found)[f"s{index}"] for index in (1, 2, 3)] == pytest.approx(minorised(wins)[1:], abs=1e-6)
    mirror = {"a": "b", "b": "a", "tie": "tie"}
    turned = [Comparison(prompt=row.prompt, a=row.b, b=row.a, outcome=mirror[row.outcome]) for row in rows]
    assert ranked(turned[::-1]) == found


def chances(ties: Ties, odds: float, tie: float) -> np.ndarray:
    """Return the chances of win, loss and tie, written as in the papers."""
    first, second = np.exp(odds), 1.0
    if ties == "davidson":
        drawn = np.exp(tie) * np.sqrt(first * second)
        return np.array([first, second, drawn]) / (first + second + drawn)
    theta = 1 + np.exp(tie)
    wins = first / (first + theta * second), second / (second + theta * first)
    return np.array([*wins, (theta**2 - 1) * wins[0] * wins[1]])


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
@settings(max_examples=15, deadline=None)
@given(counts=st.lists(st.integers(1, 30), min_size=18, max_size=18))
def test_models_of_ties_maximise_their_likelihood(ties: Ties, counts: list[int]) -> None:
    """With the chances written as in the papers, a general optimiser finds the same maximum in the same place."""
    table = table_of(counts)

    def cost(point: np.ndarray) -> float:
        strength = [0.0, *point[:3]]
        return -sum(
            float(np.dot(seen, np.log(chances(ties, strength[one] - strength[other], point[3]))))
            for one, other, *seen in table
        )

    oracle = minimize(cost, np.zeros(4), method="BFGS", options={"gtol": 1e-4})
    found = ranked(comparisons(table), ties)
    assert found.tie is not None
    assert found.log_likelihood == pytest.approx(-oracle.fun, abs=1e-5)
    assert [by_name(found)[f"s{index}"] for index in (1, 2, 3)] == pytest.approx(oracle.x[:3], abs=2e-3)
    expected = np.exp(oracle.x[3]) + (ties == "rao-kupper")
    assert found.tie == pytest.approx(expected, rel=2e-3)


def test_another_reference_moves_all_alike() -> None:
    """Measured against s2 each strength shifts by that of s2, and s0 and s2 change signs."""
    old = by_name(ranked(comparisons(TV_51)))
    new = by_name(rank(comparisons(TV_51), reference="s2", rng=np.random.default_rng(0), draws=20))
    assert new == pytest.approx({name: {**old, "s0": 0.0}[name] - old["s2"] for name in ("s0", "s1", "s3")})


def test_same_seed_same_bounds() -> None:
    """Randomness comes from the argument alone, and the estimate lies within its bounds."""
    once, again = (ranked(comparisons(TV_51), "davidson", draws=300) for _ in range(2))
    assert once == again
    assert all(one.low < one.estimate < one.high for one in once.strengths)


def test_few_prompts_are_said_to_be_few() -> None:
    """Ten prompts with all verdicts of the vector spread over them give an interval, and a caution."""
    rows = [
        Comparison(prompt=f"prompt-{index % 10}", a=row.a, b=row.b, outcome=row.outcome)
        for index, row in enumerate(comparisons(TV_51))
    ]
    found = ranked(rows)
    assert found.prompts == 10
    assert found.caution.startswith("10 prompts, fewer than 30")


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_verdicts_that_share_a_prompt_cover_as_often(ties: Ties) -> None:
    """60 prompts, three verdicts a pair that hang together: .94 (1,500 runs) within four errors, not .86."""
    rng, truth = np.random.default_rng(81), np.array([0, -0.3, -0.7, -1.0])
    shares = np.cumsum([chances(ties, truth[one] - truth[other], -1.0) for one, other in PAIRS], axis=1)
    held = np.zeros(2)
    for _ in range(160):
        luck = np.where(rng.random((60, 6, 3)) < 0.6, rng.random((60, 6, 1)), rng.random((60, 6, 3)))
        outcome = (luck[..., None] > shares[:, None, :2]).sum(axis=-1)
        rows = [
            Comparison(prompt=str(prompt), a=f"s{one}", b=f"s{other}", outcome=("a", "b", "tie")[word])
            for prompt, verdicts in enumerate(outcome.tolist())
            for (one, other), words in zip(PAIRS, verdicts, strict=True)
            for word in words
        ]
        last = {one.system: one for one in rank(rows, reference="s0", ties=ties, rng=rng, draws=300).strengths}["s3"]
        held += [last.low <= -1 <= last.high, abs(last.estimate + 1) <= 1.96 * last.se]
    assert abs(held[0] / 160 - 0.94) < 4 * np.sqrt(0.94 * 0.06 / 160)
    assert abs(held[1] / 160 - 0.86) < 4 * np.sqrt(0.86 * 0.14 / 160)
