"""Delimiters: judged text is data, and data can never close its own section.

Every judged text stands between `<name>` and `</name>`. A text that contains something a model could read as such a
delimiter loses the opening bracket of it, however it is spelled: other case, blanks or invisible characters in between,
full-width or look-alike letters and brackets, HTML entities and escapes. Chat-template marks (`<|im_start|>`, `[INST]`
and their kin) go the same way.
"""
# ruff: noqa: RUF001 - look-alike characters are the subject of this file

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

QUOTED = "(quoted bracket) "
"""What stands in the judged text where the opening bracket of a look-alike stood."""

_UNSENDABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_BEGINS = re.compile(r"[<&%/\\\[{(]")
"""What a look-alike in plain ASCII begins with: a text without any holds none."""
_LOOKALIKES = (
    dict.fromkeys("‹«〈《⟨⟪❮❰❬˂ᐸ≺𝈶⧼⦑", "<")
    | dict.fromkeys("⁄∕⧸╱⟋\\", "/")
    | dict.fromkeys("\u3164\u115f\u1160\u2800\uffa0", "")
)
_LETTERS = dict(
    zip(
        "асеһіјкӏорԛѕтѵхуԁգոναβειοκρτυχƒɑɡıɩʟɴʀѡԍß",
        "acehijklopqstvxydqnvabeiokptuxfagiilnrwgb",
        strict=True,
    )
)
_OPEN = r"(<|&lt;?|&#0{0,8}60;?|&#x0{0,8}3c;?|/u003c|/x3c|%3c)"
_TEMPLATE_MARKS = r"(<)(?=[^a-z0-9<]{0,2}\||[^a-z0-9<]{0,2}(?:sys|s|startofturn|endofturn)>)|([\[])(?=/?inst\])"


class _Skeleton(dict[int, str]):
    """A translation table from characters to what they look like; blanks and invisible ones fold to nothing."""

    def __missing__(self, code: int) -> str:
        self[code] = "".join(_fold(part) for part in unicodedata.normalize("NFKD", chr(code)))
        return self[code]


def _fold(character: str) -> str:
    lower = character.lower()
    known = _LOOKALIKES.get(character, _LETTERS.get(lower))
    if known is not None:
        return known
    invisible = unicodedata.category(character) in {"Cf", "Cc", "Mn", "Me", "Zs", "Zl", "Zp", "Pc", "Pd"}
    return "" if invisible else lower


_SKELETON = _Skeleton()


def sendable(text: str) -> str:
    """Return the text with U+FFFD in place of what no file and no request can hold: control characters, half ones."""
    return _UNSENDABLE.sub("\ufffd", text)


def neutralise(text: str, names: Iterable[str]) -> str:
    """Return the text with every look-alike of a delimiter broken, and nothing else changed.

    Characters that cannot be sent (control characters, lone surrogates) become U+FFFD.

    Args:
        text: What a model or a user wrote.
        names: The names of the delimiters that the text stands among.
    """
    text = sendable(text)
    if text.isascii() and not _BEGINS.search(text):
        return text
    pattern = _lookalike(tuple(names))
    if not pattern.search(text.translate(_SKELETON)):
        return text
    folded = [_SKELETON[ord(character)] for character in text]
    origin = [index for index, part in enumerate(folded) for _ in part]
    kept, end = [], 0
    for match in pattern.finditer("".join(folded)):
        start, stop = match.span(match.lastindex or 0)
        kept += [text[end : origin[start]], QUOTED]
        end = origin[stop - 1] + 1
    return "".join([*kept, text[end:]])


@lru_cache
def _lookalike(names: tuple[str, ...]) -> re.Pattern[str]:
    """Match, in a skeleton, the bracket that opens something read as one of the delimiters."""
    known = "|".join(re.escape(name.translate(_SKELETON)) for name in names)
    return re.compile(rf"{_OPEN}(?=[^a-z0-9<]{{0,3}}(?:{known}))|([\[{{(])(?=/(?:{known}))|{_TEMPLATE_MARKS}")
