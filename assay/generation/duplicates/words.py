"""Words: a text as plain tokens, with contractions opened, numbers as numbers and times of day as times.

Everything here is linear in the length of the text. Nothing is guessed: a token that is no number stays a word.
"""

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple

_TOKEN = re.compile(
    r"\d{1,2}:\d{2}|[^\W_]+(?:[.,'/-][^\W_]+)*|%|€|\$|£|°|[^\w\s]", re.UNICODE
)  # alternatives begin with different characters or end at once: no backtracking
_CONTRACTED = re.compile(r"\b[a-z]+n't\b|\b(?:do|does|did|is|are|was|have|has|had|could|would|should|ca|wo)nt\b")
_NUMBER = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:[.,]\d+)?")
_MIXED = re.compile(r"(\d+(?:[.,]\d+)?)(yo|yr|h|hr|hrs|min|mins|kg|kgs|am|pm|st|nd|rd|th|x|eur|usd|gbp|km|cm|mb|gb)")
_WORD = re.compile(r"[^\W\d_]{2,}")
_VERSION = re.compile(r"v(\d+(?:\.\d+)*)")
_SIGNS = {"€": "euro", "$": "dollar", "£": "pound", "%": "percent"}
_UNITS = dict.fromkeys(("h", "hr", "hrs"), "hour") | {
    "yo": "year old",
    "yr": "year",
    "min": "minute",
    "mins": "minute",
    "kgs": "kg",
    "eur": "euro",
    "usd": "dollar",
    "gbp": "pound",
    "x": "times",
}
_ORDINALS = frozenset({"st", "nd", "rd", "th"})
_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDER = (
    *("third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh", "twelfth", "thirteenth"),
    *("fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth", "nineteenth", "twentieth"),
)
_VALUES = (
    {word: value for value, word in enumerate(_SMALL)}
    | {word: 20 + 10 * place for place, word in enumerate(_TENS)}
    | {word: 3 + place for place, word in enumerate(_ORDER)}
    | {"thirtieth": 30, "fortnight": 14}
)
_BEFORE_MONTHS = frozenset({"until", "till", "in", "by", "of", "since", "from", "end", "th", "st", "nd", "rd"})
NUMERALS = frozenset(_VALUES)
"""Words that are numbers."""
_LARGE = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
LONGEST_WEEKS = 3
"""Digits of a number of weeks that is read as days."""
_TIMED = frozenset({"noon", "midday", "midnight", "half", "quarter", "a", "may"}) | NUMERALS
"""Words that may be read otherwise than as words."""
_NO_VALUES: frozenset[str] = frozenset()
_NOON, _MIDNIGHT = 720, 0
_DAY, _HALF_DAY, _HOUR = 1440, 720, 60


class Token(NamedTuple):
    """One word, number or sign of a text."""

    text: str
    """In lower case; a number as digits."""
    kind: str
    """`word`, `number`, `time` (of day) or `id` (letters and digits mixed)."""
    values: frozenset[str]
    """What a number or a time may be: "4" and "t960" for 4 pm; empty for words."""
    named: bool = False
    """Written with a capital letter, not at the start of a sentence."""


def plain(text: str) -> str:
    """Return the text in one spelling: compatible characters, no accents' variants, straight quotes, single spaces."""
    folded = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2018", "'")
    joined = " ".join(folded.split())
    if joined.isprintable():
        return joined
    return " ".join("".join(" " if unicodedata.category(c) in {"Cc", "Cf"} else c for c in joined).split())


def opened(text: str) -> str:
    """Open contractions in a lower-case text: "don't" is "do not", "can't" is "can not"."""
    return _CONTRACTED.sub(_verb_and_not, text).replace("cannot", "can not")


def _verb_and_not(match: re.Match[str]) -> str:
    verb = match[0].replace("'", "").removesuffix("nt")
    return f"{_OPENED.get(verb, verb)} not"


_OPENED = {"ca": "can", "wo": "will", "sha": "shall"}


def tokens(text: str) -> list[Token]:
    """Return the tokens of a `plain` text in their order; signs without a meaning of their own are left out."""
    names = _names(text)
    raw = [piece for match in _TOKEN.findall(opened(text.lower())) for piece in _pieces(match)]
    found: list[Token] = []
    place = 0
    while place < len(raw):
        token, used = _token(raw, place, names)
        place += used
        if token:
            found.append(token)
    return found


def _names(text: str) -> frozenset[str]:
    """Words with a capital where none is due: not after the end of a sentence, not all in capitals throughout."""
    if text.upper() == text:
        return frozenset()
    return frozenset(
        m[0].lower()
        for m in _WORD.finditer(text)
        if m[0][0].isupper() and (m[0].isupper() or _is_inside(text, m.start()))
    )


def _is_inside(text: str, start: int) -> bool:
    before = text[max(0, start - 6) : start].rstrip()
    return bool(before) and (before[-1] not in '.!?:"(' or before.endswith(("Dr.", "Mr.", "Mrs.", "Ms.")))


@lru_cache(maxsize=65536)
def _pieces(raw: str) -> tuple[str, ...]:
    """Split what was written as one word: units off numbers, possessives off nouns, halves of hyphens and slashes."""
    raw = raw.removesuffix("'s")
    if raw in _SIGNS:
        return (_SIGNS[raw],)
    mixed = _MIXED.fullmatch(raw)
    if mixed:
        return (mixed[1], *_UNITS.get(mixed[2], mixed[2]).split())
    version = _VERSION.fullmatch(raw)
    if version:
        return ("version", version[1])
    if _NUMBER.fullmatch(raw) or ":" in raw:
        return (raw,)
    halves = [half for half in re.split(r"[.,'/-]", raw) if half]
    if len(halves) > 1 and not _is_id(raw):
        return tuple(piece for half in halves for piece in _pieces(half))
    return (raw,)


def _is_id(word: str) -> bool:
    """Tell whether letters and digits are mixed, as in an order number."""
    joined = word.replace("-", "")
    return joined.isalnum() and any(map(str.isdigit, joined)) and any(map(str.isalpha, joined)) and joined.isascii()


def _token(raw: list[str], place: int, names: frozenset[str]) -> tuple[Token | None, int]:
    """Return the token that begins here, if it is one, and how many pieces it takes."""
    word = raw[place]
    if word.isalpha() and word not in _TIMED:
        return Token(word, "word", _NO_VALUES, word in names), 1
    clock = _clock(raw, place)
    if clock:
        minutes, used = clock
        return _time(minutes), used
    number = _number(raw, place)
    if number:
        value, used = number
        used += raw[place + used : place + used + 1] in [[suffix] for suffix in _ORDINALS]
        value = _in_days(value, raw, place + used)
        return Token(value, "number", frozenset({value})), used
    if _is_id(word):
        return Token(word.replace("-", ""), "id", frozenset({word.replace("-", "")})), 1
    if not word[0].isalnum():
        return None, 1
    if word == "may" and (word in names or _is_month(raw, place)):
        word = "maymonth"
    return Token(word, "word", frozenset(), word in names), 1


def _is_month(raw: list[str], place: int) -> bool:
    """Tell May from may, by the words around it."""
    around = [*raw[max(0, place - 1) : place], *raw[place + 1 : place + 2]]
    return any(word.isdecimal() for word in around) or raw[max(0, place - 1)] in _BEFORE_MONTHS


def _in_days(value: str, raw: list[str], after: int) -> str:
    """Turn a number of weeks into days, and the word after it; return the number."""
    if raw[after : after + 1] not in (["week"], ["weeks"]) or not value.isdecimal() or len(value) > LONGEST_WEEKS:
        return value
    raw[after] = "days"
    return str(7 * int(value))


def _time(minutes: tuple[int, ...]) -> Token:
    hours = {str((minute // _HOUR - 1) % 12 + 1) for minute in minutes if minute % _HOUR == 0}
    whole = {str(minute // _HOUR) for minute in minutes if minute % _HOUR == 0}
    exact = {f"t{minute}" for minute in minutes}
    return Token(min(exact), "time", frozenset(exact | hours | whole))


def _clock(raw: list[str], place: int) -> tuple[tuple[int, ...], int] | None:
    """Read a time of day: "16:00", "4 pm", "11.30 pm", "half past eleven", "noon", "4 o'clock"."""
    word, following = raw[place], raw[place + 1] if place + 1 < len(raw) else ""
    if word in {"noon", "midday"}:
        return (_NOON,), 1
    if word == "midnight":
        return (_MIDNIGHT,), 1
    if word in {"half", "quarter"} and following in {"past", "to"} and place + 2 < len(raw):
        struck = _VALUES.get(raw[place + 2], int(raw[place + 2]) if raw[place + 2].isdecimal() else -1)
        step = (30 if word == "half" else 15) * (1 if following == "past" else -1)
        return (_both(struck * _HOUR + step), 3) if 0 < struck <= 12 else None  # noqa: PLR2004
    if re.fullmatch(r"\d{1,2}:\d{2}", word):
        minutes = int(word[:-3]) * _HOUR + int(word[-2:])
        return _half(minutes, following) if minutes < _DAY else None
    if following in {"am", "pm"} and re.fullmatch(r"\d{1,2}(?:\.\d{2})?", word):
        hour, _, rest = word.partition(".")
        return _half(int(hour) * _HOUR + int(rest or 0), following)
    return None


def _half(minutes: int, following: str) -> tuple[tuple[int, ...], int]:
    if following not in {"am", "pm"}:
        return (minutes,), 1
    return (minutes % _HALF_DAY + (_HALF_DAY if following == "pm" else 0),), 2


def _both(minutes: int) -> tuple[int, ...]:
    return minutes % _HALF_DAY, minutes % _HALF_DAY + _HALF_DAY


def _number(raw: list[str], place: int) -> tuple[str, int] | None:
    """Read a number in digits or words from here; "a thousand" and "twenty five" are one each."""
    word = raw[place]
    if word in {"a", "one"} and place + 1 < len(raw) and raw[place + 1] in _LARGE:
        return str(_LARGE[raw[place + 1]]), 2
    if _NUMBER.fullmatch(word):
        return _digits(word), 1
    if word not in _VALUES or word == "one":
        return None
    value, used = _VALUES[word], 1
    following = raw[place + 1] if place + 1 < len(raw) else ""
    if word in _TENS and 0 < _VALUES.get(following, 0) < 10:  # noqa: PLR2004
        value, used = value + _VALUES[following], 2
    if place + used < len(raw) and raw[place + used] in _LARGE:
        value, used = value * _LARGE[raw[place + used]], used + 1
    return str(value), used


def _digits(written: str) -> str:
    """Return one spelling: "1,150" is "1150", "64,90" is "64.9", "007" stays as it is."""
    if re.fullmatch(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?", written):
        written = written.replace(",", "")
    written = written.replace(",", ".")
    return written.rstrip("0").rstrip(".") if "." in written else written


@lru_cache(maxsize=131072)
def stem(word: str) -> str:
    """Return the word without its commonest English endings; short words stay."""
    if len(word) < 4 or not word.isascii():  # noqa: PLR2004
        return word
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004
            word = word[: -len(ending)] + instead
            break
    if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "aeious":  # noqa: PLR2004
        word = word[:-1]
    return word[:-1] if len(word) > 3 and word.endswith("e") else word  # noqa: PLR2004


_ENDINGS = (
    *(("ations", "at"), ("ation", "at"), ("ingly", ""), ("edly", ""), ("iest", "y"), ("ies", "y"), ("ied", "y")),
    *(("ings", ""), ("ing", ""), ("eed", "eed"), ("sses", "ss"), ("ches", "ch"), ("shes", "sh"), ("xes", "x")),
    *(("ed", ""), ("ss", "ss"), ("us", "us"), ("is", "is"), ("s", ""), ("ly", "")),
)
