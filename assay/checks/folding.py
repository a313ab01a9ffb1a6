"""Folding of text: what reads the same is the same text, before an answer is compared with what is expected.

Folded are compatibility forms (Unicode's NFKC: spaces that do not break, ligatures, full-width letters), typographic
quotes and dashes, and what no eye can see: zero-width characters, soft hyphens, marks of direction. `exact: true` on an
expectation turns it off.
"""

import re
import unicodedata
from functools import lru_cache

from assay.records.case import Expectation

INVISIBLE = (
    *(0x00AD, 0x034F, 0x061C, 0x180E, 0xFEFF),
    *(*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFE00, 0xFE10)),
)
"""Code points without a glyph and without a width."""
QUOTES = "\u2018\u2019\u201a\u201b\u2039\u203a\u02bc"
DOUBLE_QUOTES = "\u201c\u201d\u201e\u201f\u00ab\u00bb"
DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212"

_INVISIBLE = dict.fromkeys(INVISIBLE)
_PLAIN = _INVISIBLE | dict.fromkeys(map(ord, QUOTES), "'")
_PLAIN |= dict.fromkeys(map(ord, DOUBLE_QUOTES), '"') | dict.fromkeys(map(ord, DASHES), "-")
_MARKS = re.compile(r"([^\w\s\x00-\x7f]{30})")
"""Combining marks stand in such runs; NFKC sorts each run in the square of its length (UAX 15, stream-safe text)."""
_BREAK = "\\1\u034f"


@lru_cache(maxsize=8)  # an answer is compared with every value of every check of its case
def folded(text: str) -> str:
    """Return a text in the form in which texts are compared."""
    if text.isascii():
        return text
    composed = unicodedata.normalize("NFKC", _MARKS.sub(_BREAK, visible(text)))
    return composed.translate(_PLAIN)


def visible(text: str) -> str:
    """Return a text without its invisible characters."""
    return text if text.isascii() else text.translate(_INVISIBLE)


def compared(expectation: Expectation, text: str) -> str:
    """Return a text as an expectation compares it: folded, or as written where it is `exact`."""
    return text if expectation.exact else folded(text)


def both_compared(expectation: Expectation, answer: str, wanted: str) -> tuple[str, str]:
    """Return an answer and a text that is looked for in it as an expectation compares them.

    A text of invisible characters alone is looked for as written: folded, it would be in every answer.
    """
    if wanted.strip() and not folded(wanted).strip():
        return answer, wanted
    return compared(expectation, answer), compared(expectation, wanted)
