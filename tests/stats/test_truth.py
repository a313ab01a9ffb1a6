"""What is published is true on the paths that users walk: a short, seeded version of `python -m benchmarks truth`."""

import pytest

from benchmarks.truth import CELLS, coverage

NAMES = (
    "one round, judge (0.9, 0.8), 85% pass, 100 labels",
    "flips 2%, judge (0.97, 0.97)",
    "second round, 0% changed, flips 2%",
    "second round, 30% changed, flips 0%",
    "second round after 400 of 600",
    "two annotators, 20% borderline, 85% pass",
    "80% finished, 90% pass",
    "the change, 50% changed, 20% of these lower",
)


@pytest.mark.parametrize("name", NAMES)
def test_a_published_rate_covers(name: str) -> None:
    """Of 250 worlds a cell, .95 less three standard errors hold the truth, and the bias is small beside the width."""
    (cell,) = [one for one in CELLS if one.name == name][:1]
    found = coverage(cell, 250, seed=7)
    assert found["coverage"] >= 0.95 - 3 * 0.0138
    assert abs(found["bias_in_half_widths"]) < 0.25
    assert found["refused"] <= 0.05
