"""What a comparison says is worth what it claims: a short, seeded version of `python -m benchmarks compare`."""

import pytest

from benchmarks import compare
from benchmarks.compare import Version


@pytest.mark.parametrize(
    "of", [Version(300, 0.5), Version(1000, 0.2), Version(300, 0.5, trials=3), Version(300, 0.5, family=4)]
)
def test_a_product_is_itself(of: Version) -> None:
    """Of 60 comparisons of a product with itself at most eight say worse or better (5 % are promised)."""
    assert compare.null(of, 60)["worse_or_better"] <= 8 / 60


def test_ten_points_of_a_category_are_named() -> None:
    """A category of 80 of 480 cases in which eight newly fail is named in all of 20 worlds without other changes."""
    assert compare.dropped(0.0, 20, is_exact=True)["named"] == 1
