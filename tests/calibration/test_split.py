"""The split of labels: content decides, and what looks alike is never on both sides."""

import hashlib

from hypothesis import given
from hypothesis import strategies as some

from assay.calibration.split import Split, Splits
from assay.records.label import Item
from tests.cast import item


def conversation(number: int, *turns: str, case: str = "") -> Item:
    """Return an item about this conversation."""
    return item(number, "Yes.", turns=list(turns), case_id=case or f"case-{number}")


def test_answers_to_one_case_stay_together() -> None:
    """A new answer to a case goes where the case's other answers are, whatever its own words hash to."""
    for split in ("tune", "heldout"):
        known = conversation(1, "Where is my parcel?", case="orders-1")
        splits = Splits([known], {known.item_id: split})
        assert splits.of(conversation(2, "Something else.", case="orders-1")) == split


def test_conversations_that_look_alike_stay_together() -> None:
    """A typo, another case or other punctuation does not carry an item over to the other side."""
    for split in ("tune", "heldout"):
        known = conversation(1, "Can Cleo return the blue shoes after 20 days?")
        splits = Splits([known], {known.item_id: split})
        for text in ("can cleo return the blue shoes, after 20 days", "Can Cleo retrun the blue shoes after 20 days?"):
            assert splits.of(conversation(2, text, case="other")) == split


def test_nine_letters_of_ten_are_alike() -> None:
    """From a similarity of 90 of 100 on: one letter of ten may differ, one of nine may not."""
    alone = conversation(2, "abcdefghx", case="other")
    expected = Splits([], {}).of(alone)
    other: Split = "tune" if expected == "heldout" else "heldout"
    known = conversation(1, "abcdefghi")
    assert Splits([known], {known.item_id: other}).of(alone) == expected
    for split in ("tune", "heldout"):
        ten = conversation(1, "abcdefghij")
        assert Splits([ten], {ten.item_id: split}).of(conversation(2, "abcdefghix", case="other")) == split


def test_items_without_a_split_decide_nothing() -> None:
    """An item that was never labelled says nothing of where its conversation belongs."""
    known = conversation(1, "Where is my parcel?", case="orders-1")
    assert Splits([known], {}).of(known) == Splits([], {}).of(known)


def test_what_was_just_decided_is_remembered() -> None:
    """Two new items that look alike get one split, in whatever order they come."""
    splits = Splits([], {})
    texts = [f"Question {number} about gift cards and their dates, please" for number in range(50)]
    first = [splits.of(conversation(number, text)) for number, text in enumerate(texts)]
    assert len(set(first)) == 1


@given(some.lists(some.text(alphabet="abcdefghijklmnopqrstuvwxyz ", min_size=30, max_size=60), min_size=1, max_size=20))
def test_the_split_is_the_content_s(texts: list[str]) -> None:
    """The same conversation gets the same split in two projects that know nothing."""
    once = [Splits([], {}).of(conversation(0, text)) for text in texts]
    again = [Splits([], {}).of(conversation(9, text.upper())) for text in texts]
    assert once == again


def test_about_a_quarter_may_be_tuned_on() -> None:
    """Of 400 conversations without a word in common, 20 to 30 % are for tuning."""
    splits = [
        Splits([], {}).of(conversation(number, hashlib.sha256(str(number).encode()).hexdigest()))
        for number in range(400)
    ]
    assert 0.2 <= splits.count("tune") / 400 <= 0.3


def test_a_part_of_a_conversation_is_another_one() -> None:
    """Similarity is that of whole texts: whose words all stand in a longer one, or in another order, goes by itself."""
    alone = conversation(2, "the blue shoes of cleo", case="other")
    expected = Splits([], {}).of(alone)
    other: Split = "tune" if expected == "heldout" else "heldout"
    for text in ("Can Cleo return the blue shoes of Cleo after twenty days or more?", "cleo of shoes blue the"):
        known = conversation(1, text)
        assert Splits([known], {known.item_id: other}).of(alone) == expected
