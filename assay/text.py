"""Text for people: one line of an error, what a terminal may print, the first fault of a record, the word diff."""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from pydantic import ValidationError

MAX_LINE = 200
MAX_VALUE = 80
_UNQUOTED = (int, float, date)
"""What YAML makes of a text without quotes that looks like one: a bool is an int, and a moment a date."""

_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_BIDI = [0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2028, 0x2029]
_SURROGATES = range(0xD800, 0xE000)
_SPELLED = {code: f"\\x{code:02x}" for code in _CONTROLS} | {code: f"\\u{code:04x}" for code in (*_BIDI, *_SURROGATES)}
"""How what a terminal obeys, what turns text around, and what it cannot print is spelled out."""

_ESCAPED = {code: f"\\u{code:04x}" for code in _SPELLED if code > 0x7E}  # noqa: PLR2004 - below, JSON has escaped them
"""The same as JSON escapes it."""

_WANTED = {
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list"),
    **dict.fromkeys(("dict_type", "model_type", "mapping_type"), "names with values"),
    "string_type": "a text",
    "missing": "a value",
    "extra_forbidden": "no such name here",
}
"""By type of a fault what was expected."""
_NUMBERS = ("a whole number", "a number")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

MAX_WORDS = 1500
"""Of either text; beyond it a comparison would take longer than a reader waits."""
_WORD = re.compile(r"\s+|\w+|[^\w\s]")


class Part(NamedTuple):
    """A piece of text that stands in both, only in the first (`removed`), or only in the second (`added`)."""

    kind: Literal["same", "removed", "added"]
    text: str


def parts(first: str, second: str) -> list[Part]:
    """Return the pieces that make the second text of the first; each as a whole where they are very long."""
    old, new = _WORD.findall(first), _WORD.findall(second)
    if max(len(old), len(new)) > MAX_WORDS:
        return [Part("removed", first), Part("added", second)] if first != second else [Part("same", first)]
    found: list[Part] = []
    for tag, start, end, begin, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append(Part("same", "".join(old[start:end])))
            continue
        found += [Part("removed", "".join(old[start:end]))] if end > start else []
        found += [Part("added", "".join(new[begin:stop]))] if stop > begin else []
    return found


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return how many there are of something, such as '1 case' or '2 cases'.

    Args:
        number: How many.
        noun: Its name in the singular.
        plural: For more than one; empty where an `s` makes it.
    """
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"


def one_line(error: object) -> str:
    """Return a text as one line of at most 200 characters, fit for a terminal."""
    return printable(" ".join(str(error).split())[:MAX_LINE])


def printable(text: object) -> str:
    """Return a text as one line that a terminal prints and never obeys: control and bidi characters are spelled out.

    Somebody's text in a message could otherwise hide the rest of it, or write another one.
    """
    return str(text).translate(_SPELLED)


def plain_json(text: str) -> str:
    """Return the same JSON with what a terminal would obey, or what turns text around, as escapes of JSON.

    Args:
        text: JSON, as `json.dumps` writes it.
    """
    return text.translate(_ESCAPED)


def first_fault(error: ValidationError, prefix: str = "", written: object = None) -> str:
    """Return the first fault as 'field is found, expected ...', with how many more there are.

    Args:
        error: What was found wrong.
        prefix: Stands before the field.
        written: The YAML value that was validated: a place is called as it is there, without the name of the shape that
            one of several allowed ones has, and a number or date in the place of a text needs quotes.
    """
    faults = [(_place(fault["loc"], fault["type"], written), fault) for fault in error.errors()]
    first = faults[0][0]
    # Of a mapping that fits none of several shapes the fault inside of it says more than that it is no text.
    place, fault = next(
        (row for row in faults if len(row[0]) > len(first) and row[0][: len(first)] == first), faults[0]
    )
    name = ".".join(map(str, (prefix, *place) if prefix else place))
    value = "missing" if fault["type"] == "missing" else _quoted(fault["input"])
    there = {str(one["type"]) for found, one in faults if found == place}
    wanted = _wanted(fault["type"], there, fault["input"], is_yaml=written is not None)
    wanted = wanted or fault["msg"].removeprefix("Input should be ")
    others = len({found for found, _ in faults} - {place, first}) if written is not None else len(faults) - 1
    more = f" (and {counted(others, 'more fault')})" if others else ""
    # What is missing most often stands there misspelled.
    strange = [str(found[-1]) for found, one in faults if found and one["type"] == "extra_forbidden"]
    if fault["type"] == "missing" and strange:
        more = f" (found {', '.join(strange[:3])[:100]}, no such name here)"
    return f"{name or 'the row'} is {value}, expected: {wanted}{more}"


def _wanted(kind: str, kinds: set[str], found: object, *, is_yaml: bool) -> str:
    """Return what was expected in a place, in plain words; empty where the fault itself says it best.

    Args:
        kind: Of the first fault there.
        kinds: Of all faults there: what may be a whole number or any other one has a fault of each.
        found: What stands there.
        is_yaml: It was read from YAML, where quotes make a text.
    """
    if is_yaml and kind == "string_type" and isinstance(found, _UNQUOTED):
        return "a text: put it in quotes"
    is_any_number = not kinds.isdisjoint(("float_type", "float_parsing"))
    wanted = "a number" if is_any_number else _WANTED.get(kind, "")
    is_quoted_number = isinstance(found, str) and _NUMBER.fullmatch(found.strip()) is not None
    return f"{wanted} without quotes" if is_yaml and is_quoted_number and wanted in _NUMBERS else wanted


def _place(loc: tuple[str | int, ...], kind: str, written: object) -> tuple[str | int, ...]:
    """Return a place without the parts that nobody wrote: names of shapes, of which one was to fit."""
    if written is None:
        return loc
    place: list[str | int] = []
    for number, part in enumerate(loc):
        if isinstance(written, Mapping) and part in written:
            written = written[part]
        elif isinstance(written, Sequence) and not isinstance(written, str) and part in range(len(written)):
            written = written[int(part)]
        elif not (kind == "missing" and number == len(loc) - 1):
            continue
        place.append(part)
    return tuple(place)


def _quoted(value: object) -> str:
    """Return the beginning of what was found, in quotes; a date as it was written."""
    try:
        return value.isoformat() if isinstance(value, date) else repr(value)[:MAX_VALUE]
    except RecursionError:
        return "nested too deeply"
