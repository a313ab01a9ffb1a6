"""Nearest: a repetition is seen."""

from assay.generation.nearest import Nearest, nearest
from assay.records.case import Case


def case(case_id: str, *turns: str) -> Case:
    """Return a case that asks this."""
    return Case(
        case_id=case_id,
        layer="unit",
        category="refunds",
        turns=list(turns),
        reference="14 days.",
        expectations=[],
        provenance="written",
        parent="",
        owner="payments",
    )


def test_nothing_to_compare_with() -> None:
    """An empty evaluation set has no nearest case, and no similarity stands in for it but 0."""
    assert nearest(case("new", "hello"), []) == Nearest(case_id="", similarity=0.0)


def test_the_same_words_in_another_order_and_case_are_one() -> None:
    """A reordered question is found at similarity 1."""
    existing = [case("other", "Where is my box?"), case("same", "How long can I return it?")]
    assert nearest(case("new", "can I return it? HOW LONG"), existing) == Nearest(case_id="same", similarity=1.0)


def test_the_more_similar_one_wins() -> None:
    """Of several cases the closest is named, with a similarity between 0 and 1."""
    existing = [case("far", "zzz qqq"), case("near", "How long may I return a damaged item?")]
    found = nearest(case("new", "How long may I return damaged items?"), existing)
    assert found.case_id == "near"
    assert 0.8 < found.similarity < 1
