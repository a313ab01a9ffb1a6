"""Examples that a judge is shown: judged texts with the verdict that people want, and why."""

from collections.abc import Sequence
from typing import Any

import orjson
from pydantic import ValidationError

from assay.errors import ConfigError
from assay.judges.declaration import Declaration, as_texts
from assay.records.record import Record
from assay.text import first_fault

MOST = 50
"""Examples of one judge; each is sent with every question."""


class Example(Record):
    """One example."""

    texts: dict[str, str | list[str]]
    """By the name of the judged text."""
    label: str
    """The verdict, as the judge would say it."""
    why: str = ""


def read_examples(text: str, declared: Declaration, where: str) -> tuple[Example, ...]:
    """Return the examples of a file; each row has the judge's inputs by name, `label` and `why`.

    Raises:
        ConfigError: A row is none; the text names it.
    """
    rows = [(number, line) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    if len(rows) > MOST:
        raise ConfigError(f"{where} has {len(rows)} examples, expected at most {MOST}: take the most telling ones")
    return tuple(_example(line, declared, f"{where}, row {number}") for number, line in rows)


def _example(line: str, declared: Declaration, where: str) -> Example:
    names = declared.texts()
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise ConfigError(f"{where} is not JSON ({error}), expected an object a line: correct it") from error
    if not isinstance(row, dict):
        raise ConfigError(f"{where} is {type(row).__name__}, expected an object with {_listed(names)}: correct it")
    row = as_texts(declared, row)
    known = {*names, "label", "why"}
    if strange := sorted(set(row) - known):
        raise ConfigError(f"{where} has {strange[0][:40]!r}, expected only {_listed(names)}: correct it")
    label = str(row.get("label", ""))
    if label not in declared.verdicts:
        raise ConfigError(
            f"{where}: the label is {label[:40]!r}, expected one of {', '.join(declared.verdicts)}: correct it"
        )
    texts = {name: row[name] for name in names if name in row}
    fields: dict[str, Any] = {"texts": texts, "label": label, "why": row.get("why", "")}
    try:
        return Example.model_validate(fields)
    except ValidationError as error:
        raise ConfigError(f"{where}: {first_fault(error)}; correct it") from error


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names, "label", "why"])
