"""The columns of plain rows: their usual names in any spelling, and those that the user tells."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from assay.errors import ConfigError
from assay.interchange.sets.builder import quoted
from assay.interchange.sets.source import Source
from assay.records.named import KEY

ROLES = ("question", "reference", "id", "category", "choices", "rubric")
"""What a column can be told to be."""
INPUT = re.compile(rf"inputs\.({KEY})")
"""A column that is one of the case's named values, by its own name or as it is told to be."""
LOOKED_AT, WORDS = 80, 2
"""Rows by which a column is guessed, and words that a text of it has on average."""
TOLD = "told: "
"""Begins the name of a column that the user told, so that no other one is taken for it."""


def told(texts: Sequence[str]) -> dict[str, str]:
    """Return by role the column that plays it.

    Args:
        texts: Such as `question=Frage,reference=Antwort`.

    Raises:
        ConfigError: A part is written otherwise, or a role is unknown or played twice.
    """
    columns: dict[str, str] = {}
    for part in (part for text in texts for part in text.split(",")):
        role, mark, column = (piece.strip() for piece in part.partition("="))
        if not mark or not (role in ROLES or INPUT.fullmatch(role)) or not column or role in columns:
            raise ConfigError(
                f"--map has {quoted(part)}, expected FIELD=COLUMN with each of {', '.join(ROLES)}, inputs.<name> at "
                "most once, such as question=Frage,reference=Antwort: correct it"
            )
        columns[role] = column
    return columns


def mapped(found: Source, columns: Mapping[str, str]) -> Source:
    """Return a file whose columns are called what the user told.

    Raises:
        ConfigError: It has no rows, or no such column; the text proposes one.
    """
    names = found.names()
    if found.kind != "rows":
        raise ConfigError(f"{found.name} holds no rows, expected some for --map: leave it out")
    for column in columns.values():
        if column not in names:
            listed = quoted(", ".join(sorted(names)))
            near = get_close_matches(column, names, n=1, cutoff=0)
            raise ConfigError(
                f"{found.name} has no column {quoted(column)} (--map), expected one of {listed}"
                + (f": did you mean {quoted(near[0])}?" if near else "")
            )
    roles = {column: f"{TOLD}{role}" for role, column in columns.items()}
    rows = [(place, {roles.get(name, name): value for name, value in row.items()}) for place, row in found.rows]
    return replace(found, rows=rows)


def likely(found: Source) -> dict[str, str]:
    """Return by role the column that likeliest plays it: a question is asked, or said in words, and so is an answer.

    Nothing is guessed of rows in which no column holds words.
    """
    names = list(dict.fromkeys(column for _, row in found.rows[:LOOKED_AT] for column in row))
    texts = {one: [str(row[one]).strip() for _, row in found.rows[:LOOKED_AT] if row.get(one)] for one in names}
    words = {
        one: sum(len(text.split()) for text in several) / len(several) for one, several in texts.items() if several
    }
    wordy = sorted((one for one in words if words[one] >= WORDS), key=lambda one: -words[one])[:2]
    if not wordy:
        return {}
    asking = [sum(text.endswith("?") for text in texts[one]) for one in wordy]
    question = wordy[asking.index(max(asking))] if max(asking) else min(wordy, key=names.index)
    others = [one for one in words if one != question and names.index(one) > names.index(question)]
    rest = [one for one in wordy if one != question] or others[:1]
    return {"question": question} | ({"reference": rest[0]} if rest else {})


def spelled(row: Mapping[str, Any], known: Iterable[str]) -> dict[str, Any]:
    """Return a row whose columns have the usual spelling: `Expected Answer` is `expected_answer`."""
    usual, named = set(known), dict[str, Any]()
    for name, value in row.items():
        snake = re.sub(r"[\s-]+", "_", name.strip()).casefold()
        named[snake if name not in usual and snake in usual and snake not in row else name] = value
    return named
