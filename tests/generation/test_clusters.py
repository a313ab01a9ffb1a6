"""Clusters: failures over one matter stand together, the most frequent first, whatever users wrote."""

from hypothesis import given
from hypothesis import strategies as st

from assay.generation.clusters import MOST, clustered


def test_one_matter_is_one_group() -> None:
    """Worked: three about a wet parcel, two about the weather, one about nothing else."""
    texts = [
        "my parcel came wet",
        "rain in Rome today?",
        "who is the owner",
        "the parcel came wet again",
        "a wet parcel came",
        "any rain in Rome?",
    ]
    assert clustered(texts) == [[0, 3, 4], [1, 5], [2]]


@given(st.lists(st.text(max_size=12), max_size=12))
def test_every_text_is_in_one_group(texts: list[str]) -> None:
    """Empty, in any script or of signs alone: each stands in one group, and larger groups come first."""
    found = clustered(texts)
    assert sorted(place for group in found for place in group) == list(range(len(texts)))
    assert [len(group) for group in found] == sorted(map(len, found), reverse=True)


def test_only_so_many_are_compared() -> None:
    """Of very many the first are grouped."""
    assert clustered(["wet parcel"] * (MOST + 5)) == [list(range(MOST))]
