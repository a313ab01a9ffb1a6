"""What more cases and more trials would buy."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as some

from assay.errors import InsufficientDataError
from assay.stats.planning import Spread, cases_for, spread


@pytest.mark.parametrize("trials", [[[True, False]], [[True], [False]], []])
def test_refuses_what_cannot_vary(trials: list[list[bool]]) -> None:
    """A single case or a single trial tells nothing of how either varies."""
    with pytest.raises(InsufficientDataError, match="add trials"):
        spread(trials)


@pytest.mark.parametrize(
    "changes",
    [{"delta": 0}, {"between": -1.0}, {"within": (-0.1, 0.1)}, {"trials": (0, 1)}, {"power": 1.0}],
)
def test_refuses_a_plan_that_contradicts_itself(changes: dict[str, object]) -> None:
    """No change, a negative variance, no trial, or certainty: none of them can be planned for."""
    plan = {"delta": 0.03, "between": 1 / 9, "within": (1 / 6, 1 / 6), "trials": (1, 1), "power": 0.8} | changes
    with pytest.raises(ValueError, match="expected a change"):
        cases_for(plan.pop("delta"), **plan)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="at least one of each"):
        Spread(between=0.1, within=0.1).se(cases=0, trials=1)


@pytest.mark.parametrize(("trials", "se"), [(1, 0.0282843), (2, 0.0216025), (4, 0.0173205), (8, 0.0147196)])
def test_worked_example_of_trials(trials: int, se: float) -> None:
    """TV-4.3: p ~ Beta(4, 1) has variance .8·.2/6 and mean p(1-p) of .16 - .8·.2/6; 200 cases of K trials."""
    between = 0.8 * 0.2 / 6
    found = Spread(between=between, within=0.16 - between).se(cases=200, trials=trials)
    assert found == pytest.approx(se, abs=5e-8)


@pytest.mark.parametrize(("trials", "cases"), [(1, 3876), (10, 1260)])
def test_worked_example_of_cases(trials: int, cases: int) -> None:
    """TV-4.5: omega² = 1/9, s² = 1/6 of either version, a change of .03: (1.96 + .8416)²(1/9 + 1/3)/.0009 = 3,876."""
    found = cases_for(0.03, between=1 / 9, within=(1 / 6, 1 / 6), trials=(trials, trials))
    assert round(found) == cases


@given(some.integers(2, 6), some.integers(2, 30), some.integers(0, 2**32 - 1))
def test_the_parts_add_up_to_the_error_of_the_mean(trials: int, cases: int, seed: int) -> None:
    """With the trials that were run, the parts give the variance of the case means again, if cases differ at all."""
    passed = np.random.default_rng(seed).random((cases, trials)) < 0.6
    found = spread(passed)
    assume(found.between)
    direct = passed.mean(axis=1).std(ddof=1) / np.sqrt(cases)
    assert found.se(cases=cases, trials=trials) == pytest.approx(direct)


def test_the_parts_are_those_of_the_simulation() -> None:
    """2,000 cases of five trials with p ~ Beta(4, 1): both parts come out within a tenth of what they are."""
    rng = np.random.default_rng(9)
    passed = rng.random((2000, 5)) < rng.beta(4, 1, 2000)[:, None]
    found = spread(passed)
    assert found.between == pytest.approx(0.8 * 0.2 / 6, rel=0.1)
    assert found.within == pytest.approx(0.16 - 0.8 * 0.2 / 6, rel=0.1)
