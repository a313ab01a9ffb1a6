"""The gate's word is worth what it says: a short, seeded version of `python -m benchmarks gate`."""

import pytest

from benchmarks import gate


@pytest.mark.parametrize("name", [gate.QUIET[1].name, gate.QUIET[4].name, gate.QUIET[6].name])
def test_quiet_months_are_quiet(name: str) -> None:
    """Of 6 months of an unchanged product at most one holds a false word (5 % are promised; two are 1 in 30)."""
    (world,) = [one for one in gate.QUIET if one.name == name]
    found = gate.quiet(world, 6)
    assert found["false_months"] <= 1 / 6


def test_a_drop_is_named_in_days() -> None:
    """Ten points of 300 cases, by a judge that errs anew every night: half of 20 products are named by the third."""
    assert gate.drop(0.05, 20, is_known=False)["median"] <= 3


def test_a_category_that_fails_whole_never_passes() -> None:
    """20 of 20 among 1,000, at the first, tenth and thirtieth look."""
    assert "pass" not in gate.small(2)


@pytest.mark.parametrize(
    ("change", "laxer", "stricter", "word"),
    [(-0.08, 0.2, 0.0, "pass"), (0.0, 0.0, 0.1, "regression"), (0.0, 0.0, 0.0, "regression")],
)
def test_labelled_a_judge_that_changes_with_the_version_misleads_nobody(
    change: float, laxer: float, stricter: float, word: str
) -> None:
    """Of 400 worlds at most one in twenty has the false word."""
    assert gate.labelled(change, laxer, stricter, 400).get(word, 0) <= 0.05


def test_the_tipping_point_is_right() -> None:
    """Where the sentence names one, it holds in 19 of 20 worlds."""
    found = gate.assumed(400)
    assert found["tipping_point_right_of_pass"] >= 0.95
    assert found["tipping_point_right_of_regression"] >= 0.95


def test_certificates_go_to_good_judges_alone() -> None:
    """With 300 labels and 2 % flips (.97, .97) is certified nearly always, (.75, .6) never."""
    assert gate.certificates((0.97, 0.97), 300, 0.02, 60)["granted"] >= 0.9
    assert gate.certificates((0.75, 0.6), 300, 0.02, 30)["granted"] <= 0.05
