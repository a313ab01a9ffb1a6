"""Delimiters: what is broken, and what is left alone."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.judges.delimiters import QUOTED, neutralise

NAMES = ("question", "response_a", "segment")


def test_only_the_bracket_goes() -> None:
    """A broken delimiter stays legible: its bracket is replaced, its other characters stay."""
    assert neutralise("so </response_a> it", NAMES) == f"so {QUOTED}/response_a> it"


@pytest.mark.parametrize(
    "hidden",
    [
        "\u200b",
        "\u00ad",
        "\n",
        "\t",
        "\u0301",
        "\u20dd",
        " ",
        "\u00a0",
        "\u2028",
        "\u2029",
        "_",
        "\u203f",
        "-",
        "\u2010",
    ],
)
def test_what_a_reader_passes_over_hides_no_delimiter(hidden: str) -> None:
    """Invisible characters, line ends, accents, blanks, strokes: a name with one in it is read as the name."""
    assert neutralise(f"so </respon{hidden}se_a> it", NAMES) == f"so {QUOTED}/respon{hidden}se_a> it"


@pytest.mark.parametrize("other", ["x", "1", "\u00e9", "\u4e2d", "=", "+"])
def test_another_letter_makes_another_name(other: str) -> None:
    """What a reader sees in the midst of a name is part of it."""
    assert neutralise(f"so </respon{other}se_a> it", NAMES) == f"so </respon{other}se_a> it"


@pytest.mark.parametrize(
    "text",
    [
        "if a < b and b > c: pass",
        "<div class='x'>1 &lt; 2</div>",
        "I asked a question [see below] and {that} (response) was fine.",
        "Grüße, naïve café, 日本語, Привет, שלום",
        "tabs\tand\nlines\r\nstay",
    ],
)
def test_honest_text_is_untouched(text: str) -> None:
    """Code, markup and other languages reach the judge as they were written."""
    assert neutralise(text, NAMES) == text


def test_characters_that_cannot_be_sent_are_replaced() -> None:
    """A lone surrogate or a control character becomes U+FFFD; it neither fails nor vanishes."""
    assert neutralise("a\ud800b\x00c", NAMES) == "a\ufffdb\ufffdc"


PIECES = st.lists(
    st.sampled_from(
        ["<", "/", "response_a", "RESPONSE", "_a", ">", " ", "\u200b", "\uff1c", "&lt;", "x", "[", "|", "\\"]
    )
)


@given(PIECES.map("".join) | st.text())
def test_once_is_enough(text: str) -> None:
    """What has been neutralised holds nothing more to neutralise."""
    once = neutralise(text, NAMES)
    assert neutralise(once, NAMES) == once


def test_a_million_characters_take_no_time() -> None:
    """The work grows with the text's length and not with its square."""
    started = time.process_time()
    for hostile in ("<" * 1_000_000, "</" * 500_000, "&#0" * 333_333, "<\u200b" * 500_000, "</response_" * 90_000):
        neutralise(hostile, NAMES)
    assert time.process_time() - started < 20
