"""All formats of evaluation sets: a closed list, and the two doors, `read` and `write`.

Adding one is a module with NAME, SUFFIXES, `recognises`, `read` and `write`, and a line here. Rows come last: they are
what is left when nobody else recognises a file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple, Protocol

from assay.errors import ConfigError, DataError
from assay.interchange.sets import (
    autoevals,
    chat,
    columns,
    deepeval,
    inspect_log,
    langfuse,
    langsmith,
    metadata,
    openai_evals,
    openai_modelgraded,
    promptfoo,
    ragas,
    rows,
)
from assay.interchange.sets.builder import Filling, Gathering, Listing, Reading, quoted, shown
from assay.interchange.sets.source import Source, load
from assay.records.case import Case
from assay.storage import atomic

__all__ = ["FORMATS", "Filling", "Format", "Reading", "Written", "read", "write"]


class Format(Protocol):
    """What a module of this package offers."""

    SUFFIXES: tuple[str, ...]
    """How the files end that it writes, the usual one first; none of a format that holds no cases."""

    def recognises(self, found: Source) -> bool:
        """Say whether a file looks as if this tool had written it."""

    def read(self, found: Source, gathering: Gathering) -> None:
        """Put the cases of a file, and all that has no place in one, where they are gathered."""

    def write(self, cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:
        """Return the file of these cases, and list what it cannot hold."""


_OF_CASES = (chat, openai_evals, promptfoo, inspect_log, deepeval, ragas, langsmith, langfuse)
_OF_JUDGES = (openai_modelgraded, autoevals)
FORMATS: MappingProxyType[str, Format] = MappingProxyType({one.NAME: one for one in (*_OF_CASES, *_OF_JUDGES, rows)})


def read(file: Path, name: str | None, filling: Filling, maps: Mapping[str, str] = MappingProxyType({})) -> Reading:
    """Return the cases of another tool's file, and what has no place in them.

    Args:
        file: JSON, JSON Lines, CSV, YAML or an `.eval` archive.
        name: A key of `FORMATS`; None: told from the content.
        filling: What the cases get that the file says nothing of.
        maps: By role the column of plain rows that plays it, such as the question.

    Raises:
        ConfigError: The file cannot be read, or the format is unknown or cannot be told.
        DataError: The file is malformed, holds no case, has an id twice, or a row of it has no category.
    """
    if name is not None:
        _require(name)
    found = load(file)
    if maps:
        found, name = columns.mapped(found, maps), rows.NAME
    gathering = Gathering(found.name, filling)
    FORMATS[name or _recognised(found)].read(found, gathering)
    return gathering.reading()


def is_of_another_tool(file: Path) -> bool:
    """Tell whether a file has the marks of another tool's format; rows, and what cannot be read, have not."""
    try:
        found = load(file)
    except (ConfigError, DataError):
        return False
    return any(one.recognises(found) for name, one in FORMATS.items() if name != rows.NAME)


class Written(NamedTuple):
    """What became of cases in another tool's file."""

    cases: int
    """How many are in it."""
    lost: list[str]
    """One sentence for each kind of thing that it cannot hold."""


def write(cases: Sequence[Case], file: Path, name: str) -> Written:
    """Write cases as another tool's file, whole or not at all; return how many, and what it could not hold.

    Args:
        cases: In the order in which they are written; equal ones give equal bytes.
        file: It ends as one of the format's files.
        name: A key of `FORMATS`.

    Raises:
        ConfigError: The format is unknown, has no such files, or the file cannot be written.
    """
    _require(name)
    chosen, suffix = FORMATS[name], file.suffix.lower()
    if not chosen.SUFFIXES:
        able = ", ".join(known for known, one in FORMATS.items() if one.SUFFIXES)
        raise ConfigError(f"the format is {name}, which holds no cases, expected one of {able}: name one of them")
    if suffix not in chosen.SUFFIXES:
        wanted = " or ".join(chosen.SUFFIXES)
        raise ConfigError(f"{file.name} ends in {quoted(suffix)}, expected {wanted} for {name}: rename the file")
    listing = Listing()
    for case in cases:
        metadata.lose(case, listing, "good", "bad")
    data = chosen.write(cases, suffix, listing)
    try:
        with atomic.replacing(file) as target:
            target.write(data)
    except OSError as error:
        raise ConfigError(f"{file} cannot be written ({error.strerror}), expected a place for a file") from error
    return Written(len(cases) - listing.count("case"), listing.lines())


def _require(name: str) -> None:
    if name not in FORMATS:
        raise ConfigError(f"the format is {quoted(name)}, expected one of {', '.join(FORMATS)}: name one of them")


def _recognised(found: Source) -> str:
    """Return the one format that a file looks like."""
    fitting = [name for name, one in FORMATS.items() if name != rows.NAME and one.recognises(found)]
    if not fitting and rows.recognises(found):
        return rows.NAME
    if len(fitting) != 1:
        seen = f"looks like {' and '.join(fitting)}" if fitting else "looks like no format that is known"
        names = ", ".join(sorted(found.names()))
        raise ConfigError(
            f"{found.name} {seen} (fields {quoted(names)}), expected one of {', '.join(FORMATS)}: name its format"
            + _proposal(found)
        )
    return fitting[0]


def _proposal(found: Source) -> str:
    """Return how rows with columns of other names can be told, with the likeliest two as an example."""
    roles = columns.likely(found)
    example = ",".join(f"{role}={shown(column)}" for role, column in roles.items())
    if not example:
        return ", or say which column is what, as --map question=COLUMN,reference=COLUMN" if found.rows else ""
    return f", or say which column is what, such as --map {example}"
