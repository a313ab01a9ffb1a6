"""Reading: a text as the units that carry its matter, each with its meaning, its part and whether it is denied."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from assay.generation.duplicates.lexicon import LONGEST, LONGEST_COURTESY, Lexicon
from assay.generation.duplicates.words import Token, plain, stem, tokens

SHOWN = 4_000
"""Characters of a text that are read; what is longer is only ever equal to another or not."""
SCOPE = 4
"""Words after a "not" that it denies."""
CODE = 2
"""Letters of a name like EU or US, which is a small word when it is not in capitals."""
WEAK = 0.3
"""Weight of a word that carries little; a common small word carries nothing, any other 1."""


class Unit(NamedTuple):
    """One word, phrase, number, time or id that carries matter."""

    stem: str
    kind: str
    meanings: frozenset[int]
    """Groups of the lexicon."""
    values: frozenset[str]
    """Of a number or a time."""
    weight: float
    is_negative: bool
    """Says by itself that something is not: "lost", "no longer"."""
    is_denied: bool
    """Follows a "not"."""
    role: str
    """What the small word before says of it: `source`, `goal`, or empty."""
    person: str
    """Of the last pronoun before it: `first`, `second`, `third`, or empty."""
    named: bool


class Reading(NamedTuple):
    """What was read of one text."""

    text: str
    """In lower case and one spelling, cut to what is read."""
    written: str
    """The same with its capitals."""
    units: tuple[Unit, ...]
    words: tuple[Unit, ...]
    """Every word alone, those without matter included."""
    denials: int
    """How many "not"s."""
    is_whole: bool
    """The text was short enough to be read to its end."""


def read(text: str, lexicon: Lexicon) -> Reading:
    """Return the reading of a text; time and memory are bounded by `SHOWN`."""
    shown = plain(text[: 2 * SHOWN])[:SHOWN]
    found, stems = _without_courtesies(tokens(shown), lexicon)
    units: list[Unit] = []
    place, denials, denied_until, role, person = 0, 0, -1, "", ""
    while place < len(found):
        meanings, used = _longest(found, stems, place, lexicon)
        role = lexicon.cues.get(tuple(stems[place : place + used]), role)
        person = lexicon.persons.get(found[place].text, person)
        if used == 1 and found[place].text in lexicon.negators:
            denials, denied_until = denials + 1, place + SCOPE
        else:
            alone = used == 1 and _alone(found[place], stems[place], lexicon)
            unit = alone or _unit(found[place : place + used], stems[place : place + used], meanings, lexicon)
            if unit.weight:
                units.append(unit._replace(is_denied=place <= denied_until, role=role, person=person))
            if unit.weight == 1 and tuple(stems[place : place + used]) not in lexicon.cues:
                role = ""
        place += used
    words = tuple(
        _alone(token, token.text if token.text in lexicon.pivots else one, lexicon)
        for token, one in zip(found, stems, strict=True)
    )
    return Reading(shown.lower(), shown, tuple(units), words, denials, is_whole=len(text) <= SHOWN)


def _without_courtesies(found: list[Token], lexicon: Lexicon) -> tuple[list[Token], list[str]]:
    """Drop greetings, thanks and the like; return the other tokens and their stems."""
    stems = [stem(token.text) if token.kind == "word" else token.text for token in found]
    kept, place = [], 0
    while place < len(found):
        used = 0
        if stems[place] in lexicon.greeting:
            lengths = range(min(LONGEST_COURTESY, len(stems) - place), 0, -1)
            used = next((size for size in lengths if tuple(stems[place : place + size]) in lexicon.courtesies), 0)
        kept += [] if used else [place]
        place += used or 1
    return [found[place] for place in kept], [stems[place] for place in kept]


@lru_cache(maxsize=65536)
def _alone(token: Token, stemmed: str, lexicon: Lexicon) -> Unit:
    meanings = lexicon.groups.get((stemmed,), frozenset()) if token.kind == "word" else frozenset[int]()
    return _unit((token,), (stemmed,), meanings, lexicon)


def _longest(found: Sequence[Token], stems: Sequence[str], place: int, lexicon: Lexicon) -> tuple[frozenset[int], int]:
    """Return the groups of the longest known phrase that begins here, and how many tokens it takes."""
    if stems[place] in lexicon.opening:
        for used in range(min(LONGEST, len(stems) - place), 1, -1):
            phrase = tuple(stems[place : place + used])
            if phrase in lexicon.groups or phrase in lexicon.cues:
                return lexicon.groups.get(phrase, frozenset()), used
    if found[place].kind != "word":
        return frozenset(), 1
    return lexicon.groups.get((stems[place],), frozenset()), 1


def _unit(found: Sequence[Token], stems: Sequence[str], meanings: frozenset[int], lexicon: Lexicon) -> Unit:
    kind = found[0].kind if len(found) == 1 else "word"
    weight = max(_weight(token, one, lexicon) for token, one in zip(found, stems, strict=True))
    if len(found) > 1:
        weight = max(weight, WEAK)
    is_negative = any(token.text in lexicon.negators for token in found) or stems[0] in lexicon.negative
    named = found[0].named and not meanings
    values = found[0].values if len(found) == 1 else frozenset[str]()
    return Unit(" ".join(stems), kind, meanings, values, weight, is_negative, False, "", "", named)


def _weight(token: Token, stemmed: str, lexicon: Lexicon) -> float:
    if token.kind != "word":
        return 1.0
    if token.text in lexicon.functions:
        return float(token.named and len(token.text) == CODE and token.text not in lexicon.pivots)
    return WEAK if stemmed in lexicon.weak else 1.0
