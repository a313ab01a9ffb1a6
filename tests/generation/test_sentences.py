"""Sentences: the same things said in another order are the same, other things in the same words are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.generation.duplicates.finding import Text, find
from assay.generation.duplicates.sentences import aligned, split

SAID = ("How do I get a refund?", "My box arrived late.", "I paid by card.", "Thank you!")


@given(st.permutations(SAID), st.permutations(SAID))
def test_every_order_is_found(one: list[str], other: list[str]) -> None:
    """A text whose sentences were moved comes back in the order of the other one, whichever both were."""
    assert aligned(" ".join(one), " ".join(other)) == " ".join(other)


@pytest.mark.parametrize(
    "text", ["", "One sentence only", "A. B.", " ".join(f"Sentence {number} of many." for number in range(13))]
)
def test_what_needs_no_moving_comes_back_as_it_is(text: str) -> None:
    """One sentence, more than a dozen, and a text that is in order stay letter by letter."""
    assert aligned(text, text) == text
    assert aligned(text, "Something else altogether. And more of it.") == text


def test_what_is_like_nothing_stays_behind_its_neighbour() -> None:
    """A sentence that the other text lacks is kept, behind the one that it followed."""
    mine = "I paid by card. It was a gift. My box arrived late."
    assert aligned(mine, "My box arrived late. I paid by card.") == (
        "My box arrived late. I paid by card. It was a gift."
    )


def test_lines_are_sentences_too() -> None:
    """Turns of a conversation, one a line, are moved as sentences are."""
    assert split("My box is late\nWhat now? \n\nHelp. Please") == ["My box is late", "What now?", "Help.", "Please"]


@pytest.mark.parametrize(
    ("one", "other", "is_repeated"),
    [
        ("How do I get a refund? My box arrived late.", "My box arrived late. How do I get a refund?", True),
        ("May I pause for two weeks? I am on holiday.", "I'm on holiday. Could I pause for 2 weeks?", True),
        ("Cancel box one. Keep box two.", "Keep box one. Cancel box two.", False),
        ("Is the soup vegan? And is the bread?", "Is the bread vegan? And is the soup?", False),
        ("My box arrived late. How do I get a refund?", "How do I get a refund? My box arrived early.", False),
    ],
)
def test_the_order_of_sentences_alone_makes_no_other_case(one: str, other: str, is_repeated: bool) -> None:  # noqa: FBT001 - a table
    """Moved sentences repeat a text; sentences that exchanged what they are about do not, from either side."""
    for first, second in ((one, other), (other, one)):
        assert find([Text("new", first)], [Text("old", second)])["new"].is_duplicate is is_repeated
