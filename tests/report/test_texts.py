"""Hostile text becomes readable before anybody sees it."""

import time
import unicodedata

import pytest
from markupsafe import Markup

from assay.report.texts import Difference, Piece, difference, excerpt, visible


def whole(pieces: list[Piece]) -> str:
    return "".join(piece.text for piece in pieces)


def marked(found: Difference) -> tuple[list[str], list[str]]:
    removed = [piece.text for piece in found.baseline if piece.kind == "removed"]
    return removed, [piece.text for piece in found.target if piece.kind == "added"]


@pytest.mark.parametrize(
    "code",
    [
        0x00,
        0x07,
        0x0D,
        0x1B,
        0x7F,
        0x85,
        0xAD,
        0x200B,
        0x200F,
        0x2028,
        0x202E,
        0x2066,
        0x3164,
        0xE0041,
        0xE0100,
        0xFEFF,
    ],
)
def test_a_hidden_character_is_spelled_out(code: int) -> None:
    """No control, direction, zero-width, tag or selector character reaches the page as itself."""
    assert visible(f"a{chr(code)}b") == f"a<U+{code:04X}>b"


def test_a_lone_surrogate_is_spelled_out() -> None:
    """A text that no encoding can write is shown all the same."""
    assert visible("a\ud800b") == "a<U+D800>b"


def test_what_people_write_stays() -> None:
    """Letters, accents, other scripts, emoji, lines and tabs are left alone; Windows lines become plain ones."""
    text = "na\u00efve caf\u00e9 \u05e9\u05dc\u05d5\u05dd \u4f60\u597d \u2764\ufe0f \U0001f600\n\tindented\u00a0here"
    assert visible(text) == text
    assert visible("one\r\ntwo") == "one\ntwo"


def test_nothing_hidden_is_left() -> None:
    """Of all of Unicode's first planes, no character without a shape survives but the new line and the tab."""
    seen = visible("".join(map(chr, range(0x30000))))
    assert {char for char in seen if unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}} == {"\n", "\t"}


def test_finished_markup_and_numbers_pass() -> None:
    """What is no text, or has been escaped already, is not touched."""
    markup = Markup("<b>a</b>\x00")
    assert visible(markup) is markup
    assert visible(7) == 7


def test_a_long_text_ends() -> None:
    """A megabyte is cut to 4,000 characters and the rest is counted."""
    found = excerpt("x" * 1_000_000)
    assert (len(found.text), found.left_out) == (4_000, 996_000)
    assert excerpt("x" * 4_000).left_out == 0


def test_only_the_words_that_differ_are_marked() -> None:
    """Each side is whole, and its marks are the words that the other side lacks, without the space behind them."""
    found = difference("refund 18.50 dollars for one meal", "refund 61.00 dollars for one meal")
    assert (whole(found.baseline), whole(found.target)) == (
        "refund 18.50 dollars for one meal",
        "refund 61.00 dollars for one meal",
    )
    assert marked(found) == (["18.50"], ["61.00"])


def test_equal_answers_have_no_mark() -> None:
    """The same answer twice is shown without a mark, and so is an answer beside none."""
    assert marked(difference("the same", "the same")) == ([], [])
    assert marked(difference("an answer", "")) == ([], [])
    assert difference("an answer", "").target == [Piece("same", "")]
    for text in ("the same", "word " * 1_500):
        found = difference(text, text, len(text))
        assert (found.baseline, found.target) == ([Piece("same", text)], [Piece("same", text)])


def test_answers_without_anything_in_common_are_marked_whole() -> None:
    """Where nearly nothing is shared, chance matches are not picked out."""
    found = difference("yes we do refund a spoiled meal", "please write to a person at the desk")
    assert marked(found) == (["yes we do refund a spoiled meal"], ["please write to a person at the desk"])


def test_an_answer_can_lose_its_end() -> None:
    """Words that were only dropped are marked on the side that has them, and nothing on the other."""
    assert marked(difference("we refund one meal within 14 days", "we refund one meal")) == (["within 14 days"], [])


@pytest.mark.parametrize(
    ("baseline", "target"),
    [
        ("a " * 500_000, "b " * 500_000),
        ("a b " * 2_000, "b a " * 2_000),
        (" ".join(map(str, range(900))), " ".join(f"{n} x" for n in range(450))),
        (" " * 1_000_000, "\n" * 1_000_000),
    ],
)
def test_no_text_makes_the_search_explode(baseline: str, target: str) -> None:
    """Texts built to be slow are compared in well under a second, and either side stays what it was."""
    start = time.process_time()
    found = difference(baseline, target)
    assert time.process_time() - start < 0.5
    assert (whole(found.baseline), whole(found.target)) == (baseline[:4_000], target[:4_000])
    assert found.baseline_left_out == max(0, len(baseline) - 4_000)


def test_too_many_words_are_not_searched() -> None:
    """Beyond a thousand words nothing is looked for word by word: the answers are marked as a whole."""
    baseline = " ".join(map(chr, range(0x4E00, 0x4E00 + 1_010)))
    target = f"{baseline} more"
    assert marked(difference(baseline, target)) == ([baseline], [target])
