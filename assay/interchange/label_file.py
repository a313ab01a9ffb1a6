"""Labels that lie in a file of their own, brought beside the verdicts of another one by the items' ids."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.errors import ConfigError, DataError
from assay.interchange.flat_file import Column, columns, ids


class Beside(NamedTuple):
    """The table with the labels in it."""

    table: dict[str, Column]
    strangers: int
    """Labelled items that the first file does not have."""


def beside(table: Mapping[str, Column], file: Path, human: Sequence[str], item: str) -> Beside:
    """Return a table with the columns of labels that another file holds; rows without a label there have empty cells.

    Args:
        table: Of the verdicts, with the column of ids.
        file: CSV or JSON Lines, one row a labelled item; the ids' column is called as in the table.
        human: Columns of labels in it.
        item: The column of ids.

    Raises:
        ConfigError: No column of ids is named.
        DataError: An id is missing or stands twice in either file, or the files have no item in common.
    """
    if not item:
        raise ConfigError("--labels joins two files by the items' ids, found no --id: name the column that both have")
    given = columns(file, human, [item])
    mine, theirs = ids(table[item]), ids(given[item])
    place = {name: row for row, name in enumerate(theirs)}
    rows = np.array([place.get(name, -1) for name in mine])
    if not (rows >= 0).any():
        first = f"the first ids are {theirs[0][:40]!r} and {mine[0][:40]!r}"
        raise DataError(
            f"{file.name} and {table[item].file} have no item in common by {item!r} ({first}): name the column of the "
            "ids that both files have"
        )
    found = dict(table)
    for name in human:
        codes = np.where(rows >= 0, given[name].codes[rows], -1).astype(np.int32)
        found[name] = replace(given[name], file=table[item].file, first_row=table[item].first_row, codes=codes)
    return Beside(found, len(set(theirs) - set(mine)))
