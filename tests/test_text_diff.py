"""Differences: the pieces make both texts, whatever they are."""

from hypothesis import given
from hypothesis import strategies as st

from assay.text import MAX_WORDS, Part, parts


@given(st.text(max_size=200), st.text(max_size=200))
def test_the_pieces_make_both_texts(first: str, second: str) -> None:
    """Without what was added the pieces are the first text, without what was removed the second."""
    found = parts(first, second)
    assert "".join(part.text for part in found if part.kind != "added") == first
    assert "".join(part.text for part in found if part.kind != "removed") == second


def test_a_changed_word_is_marked() -> None:
    """One word for another is one removal and one addition, and the rest stays."""
    assert parts("a refund in 14 days", "a refund in 30 days") == [
        Part("same", "a refund in "),
        Part("removed", "14"),
        Part("added", "30"),
        Part("same", " days"),
    ]


def test_very_long_texts_are_compared_as_wholes() -> None:
    """A megabyte is not compared word by word."""
    long = "word " * MAX_WORDS
    assert parts(long, long + "more") == [Part("removed", long), Part("added", long + "more")]
    assert parts(long, long) == [Part("same", long)]
