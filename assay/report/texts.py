"""Hostile text made readable: the hidden is spelled out, the endless ends, two answers show where they differ."""

import difflib
import re
import unicodedata
from dataclasses import dataclass
from typing import Any, Literal

MAX_CHARACTERS = 4_000
MAX_WORDS = 1_000
"""Words of a text beyond which differences are not marked: the search grows with the product of both lengths."""
LITTLE_IN_COMMON = 0.3
"""Similarity below which two answers are shown as wholly different; marks on chance matches only confuse."""
HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
IGNORABLE = frozenset(
    map(
        chr,
        [
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x180C, 0x180D, 0x180F, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE0E),
            *range(0xE0100, 0xE01F0),
        ],
    )
)
"""Fillers and variation selectors that no font draws, so that they can carry a message past the reader.

Unicode calls them default-ignorable; the two selectors of emoji, U+FE0E and U+FE0F, are left alone.
"""
WORD = re.compile(r"\S+\s*|\s+")

Kind = Literal["same", "removed", "added"]


@dataclass(frozen=True)
class Excerpt:
    """The beginning of a text, and how many characters of it were left out."""

    text: str
    left_out: int


@dataclass(frozen=True)
class Piece:
    """A stretch of one answer: in both, only in the baseline's (`removed`), or only in the target's (`added`)."""

    kind: Kind
    text: str


@dataclass(frozen=True)
class Difference:
    """Two answers side by side, each cut, with the words that differ marked."""

    baseline: list[Piece]
    baseline_left_out: int
    target: list[Piece]
    target_left_out: int


def visible(value: Any) -> Any:  # noqa: ANN401 - whatever a template prints
    """Return a text with every character that has no shape of its own spelled out, such as `<U+202E>`.

    That covers control characters, direction overrides, invisible tags and line separators; a new line and a tab stay.
    Anything but a text is returned as it is, and so is finished markup.
    """
    if not isinstance(value, str) or hasattr(value, "__html__") or (value.isascii() and value.isprintable()):
        return value
    return "".join(_spelled(character) for character in value.replace("\r\n", "\n"))


def _spelled(character: str) -> str:
    if character.isascii() and (character.isprintable() or character in "\n\t"):
        return character
    if unicodedata.category(character) in HIDDEN or character in IGNORABLE:
        return f"<U+{ord(character):04X}>"
    return character


def excerpt(text: str, limit: int = MAX_CHARACTERS) -> Excerpt:
    """Return at most the first `limit` characters of a text."""
    return Excerpt(text[:limit], max(0, len(text) - limit))


def difference(baseline: str, target: str, limit: int = MAX_CHARACTERS) -> Difference:
    """Return both answers with the words that differ marked, after either was cut to `limit` characters."""
    before, after = excerpt(baseline, limit), excerpt(target, limit)
    left, right = WORD.findall(before.text), WORD.findall(after.text)
    if left and right:
        removed, added = _pieces(left, right)
    else:
        removed, added = [Piece("same", before.text)], [Piece("same", after.text)]
    return Difference(removed, before.left_out, added, after.left_out)


def _pieces(left: list[str], right: list[str]) -> tuple[list[Piece], list[Piece]]:
    if left == right:
        return [Piece("same", "".join(left))], [Piece("same", "".join(right))]
    codes = _codes(left, right)
    removed = _mark("removed", left, [(tag == "equal", start, end) for tag, start, end, _, _ in codes])
    added = _mark("added", right, [(tag == "equal", start, end) for tag, _, _, start, end in codes])
    return removed, added


def _codes(left: list[str], right: list[str]) -> list[tuple[str, int, int, int, int]]:
    """Return the stretches that are equal and that differ, in difflib's form: a tag, and places in both lists."""
    whole = [("replace", 0, len(left), 0, len(right))]
    if max(len(left), len(right)) > MAX_WORDS:
        return whole
    # Compared without the space behind them: a word before a line break is the word it is elsewhere.
    match = difflib.SequenceMatcher(None, [word.rstrip() for word in left], [word.rstrip() for word in right])
    return whole if match.ratio() < LITTLE_IN_COMMON else [*match.get_opcodes()]


def _mark(kind: Kind, words: list[str], spans: list[tuple[bool, int, int]]) -> list[Piece]:
    """Return one answer in pieces; the space behind a marked stretch stays outside the mark."""
    pieces = []
    for is_same, start, end in spans:
        text = "".join(words[start:end])
        marked = "" if is_same else text.rstrip()
        pieces += [Piece(kind, marked), Piece("same", text[len(marked) :])]
    return [piece for piece in pieces if piece.text]
