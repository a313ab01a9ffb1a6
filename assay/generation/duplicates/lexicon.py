"""Lexicon: which words and phrases may stand for one another, which exclude one another, and which carry nothing.

Read once from `lexicon.yaml`, which says what its lists mean. A contrast names a group by its first
word; a word that begins no group is meant alone.
"""

from dataclasses import dataclass
from functools import cache
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml

from assay.errors import DataError
from assay.generation.duplicates.words import NUMERALS, opened, plain, stem, tokens
from assay.yaml_text import YamlError, parse_yaml

RESOURCES = ("lexicon.yaml",)

LONGEST = 6
"""Words of the longest phrase that is looked for."""
_OWN = 1_000_000
LONGEST_COURTESY = 8
LISTS = ("synonyms", "contrasts", "sources", "goals", "courtesies")
OF_TRADE = ("synonyms", "contrasts")
"""Lists that a project adds to."""
WORDS = ("functions", "weak", "negators", "negative", "pivots", "first", "second", "third")


@dataclass(frozen=True, kw_only=True, eq=False)
class Lexicon:
    """What is known of words, by their stems."""

    groups: dict[tuple[str, ...], frozenset[int]]
    """Stems of a word or phrase -> the groups that it belongs to."""
    opening: frozenset[str]
    """First stems of phrases."""
    excluded: dict[int, frozenset[int]]
    """Group -> the groups that cannot be meant where it is."""
    functions: frozenset[str]
    weak: frozenset[str]
    negators: frozenset[str]
    negative: frozenset[str]
    pivots: frozenset[str]
    """Small words that turn a meaning where everything else stays."""
    courtesies: frozenset[tuple[str, ...]]
    """Stems of phrases that say nothing of the matter."""
    greeting: frozenset[str]
    """First stems of courtesies."""
    vocabulary: frozenset[str]
    """Stems of all words that are known."""
    cues: dict[tuple[str, ...], str]
    """Stems of a word or phrase -> the role that it gives what follows: `source` or `goal`."""
    persons: dict[str, str]
    """Pronoun -> `first`, `second` or `third` person."""


@cache
def shipped(trade: str = "") -> Lexicon:
    """Return the lexicon beside this module, with the words of a trade.

    Args:
        trade: A YAML text with more `synonyms` and `contrasts`; empty for none.

    Raises:
        DataError: That text holds anything else.
    """
    return parse((Path(__file__).parent / "lexicon.yaml").read_text(encoding="utf8"), trade)


def parse(text: str, trade: str = "") -> Lexicon:
    """Return the lexicon that a YAML text spells, with the words of a trade.

    Raises:
        DataError: A list is missing, or the words of the trade are none.
    """
    written: dict[str, Any] = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    missing = [name for name in (*LISTS, *WORDS) if name not in written]
    if missing:
        raise DataError(f"the lexicon lacks {missing[0]!r}; expected the lists {', '.join((*LISTS, *WORDS))}: add it")
    for name, lines in _trade(trade).items():
        written[name] = [*written[name], *lines]
    groups, excluded = _groups(written)
    cues = {stems(word): role[:-1] for role in ("sources", "goals") for word in written[role]}
    courtesies = frozenset(stems(phrase) for phrase in written["courtesies"])
    sets = {name: frozenset(str(written[name]).split()) for name in WORDS}
    return Lexicon(
        groups={phrase: frozenset(found) for phrase, found in groups.items()},
        opening=frozenset(phrase[0] for phrase in (*groups, *cues) if len(phrase) > 1),
        excluded={group: frozenset(others) for group, others in excluded.items()},
        functions=frozenset(map(stem, sets["functions"])) | sets["functions"],
        weak=frozenset(map(stem, sets["weak"])),
        negators=sets["negators"],
        negative=frozenset(map(stem, sets["negative"])),
        pivots=sets["pivots"],
        courtesies=courtesies,
        greeting=frozenset(phrase[0] for phrase in courtesies),
        vocabulary=frozenset(word for phrase in groups for word in phrase)
        | frozenset(map(stem, set().union(*sets.values(), NUMERALS))),
        cues=cues,
        persons={word: person for person in ("first", "second", "third") for word in sets[person]},
    )


def _trade(text: str) -> dict[str, list[str]]:
    """Return the lines that a trade's lexicon adds, by the name of their list."""
    try:
        found = parse_yaml(text) or {}
    except YamlError as error:
        raise DataError(f"the lexicon of the trade is no YAML: {error}") from error
    lists = found if isinstance(found, dict) else {"": found}
    for name, lines in lists.items():
        if (
            name not in OF_TRADE
            or not isinstance(lines, list)
            or not all(one and isinstance(one, str) for one in lines)
        ):
            raise DataError(
                f"the lexicon of the trade has {str(name)[:40]!r}, expected only {' and '.join(OF_TRADE)}, each a list "
                "of texts with commas between the words of one group: correct it"
            )
    return lists


def _groups(written: dict[str, Any]) -> tuple[dict[tuple[str, ...], set[int]], dict[int, set[int]]]:
    groups: dict[tuple[str, ...], set[int]] = {}
    heads: dict[tuple[str, ...], set[int]] = {}
    for number, line in enumerate(written["synonyms"]):
        phrases = [stems(phrase) for phrase in str(line).split(",")]
        heads.setdefault(phrases[0], set()).add(number)
        for phrase in phrases:
            groups.setdefault(phrase, set()).add(number)
    excluded: dict[int, set[int]] = {}
    for line in written["contrasts"]:
        members = [_own(groups, heads, stems(phrase)) for phrase in str(line).split(",")]
        for one, other in permutations(members, 2):
            for group in one - other:
                excluded.setdefault(group, set()).update(other - one)
    return groups, excluded


def stems(phrase: str) -> tuple[str, ...]:
    """Return a phrase as the stems that it is looked up by."""
    return tuple(stem(token.text) for token in tokens(plain(opened(phrase.lower()))))


def _own(
    groups: dict[tuple[str, ...], set[int]], heads: dict[tuple[str, ...], set[int]], phrase: tuple[str, ...]
) -> set[int]:
    """Return the groups that begin with this phrase, or one of its own where none does."""
    if phrase not in heads:
        heads[phrase] = {_OWN + len(heads)}
        groups.setdefault(phrase, set()).update(heads[phrase])
    return heads[phrase]
