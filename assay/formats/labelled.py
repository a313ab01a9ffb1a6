"""Labels from and to the tools that people label with; the file's name and content tell which."""

import json
from collections.abc import Sequence
from pathlib import Path

from assay.errors import ConfigError, DataError
from assay.formats import argilla, atomic, flat, label_studio, label_table
from assay.formats.given import Given, Reading, require_once
from assay.records import Item

__all__ = ["Given", "Reading", "read", "write"]
MOST_BYTES = 256 * 1024 * 1024


def read(file: Path, *, annotator: str = "", maps: Sequence[str] = ()) -> Reading:
    """Return the labels of a file: a table (.csv, .jsonl), or a JSON export of Label Studio or Argilla.

    Args:
        file: As the tool wrote it.
        annotator: Who labelled, where the file does not say.
        maps: What words mean, such as `good=pass`.

    Raises:
        DataError: The file is malformed, or an annotator labelled an item twice; the text names the place.
        ConfigError: A text of `maps` is at fault.
    """
    if file.stat().st_size > MOST_BYTES:
        raise DataError(f"{file.name} has {file.stat().st_size:,} bytes, expected at most {MOST_BYTES:,}: split it")
    meanings = flat.vocabulary(maps)
    if file.suffix in {".csv", ".jsonl"}:
        found = label_table.read(file, annotator, meanings)
    else:
        found = _export(file, annotator, meanings)
    require_once(found.labels)
    return found


def write(items: Sequence[Item], file: Path, *, rubric: str) -> None:
    """Write items for people to label, blind, in the format that the file's name tells.

    Raises:
        ConfigError: The name tells none: .csv, .jsonl, .label-studio.json or .argilla.json.
    """
    if file.name.endswith(".label-studio.json"):
        tasks, interface = label_studio.write(items, rubric)
        _replace(file, tasks)
        _replace(file.with_suffix(".xml"), interface)
    elif file.name.endswith(".argilla.json"):
        _replace(file, argilla.write(items, rubric))
    elif file.suffix in {".csv", ".jsonl"}:
        _replace(file, label_table.write(items, file, rubric))
    else:
        raise ConfigError(
            f"{file.name} names no format, expected .csv, .jsonl, .label-studio.json or .argilla.json: choose one"
        )


def _export(file: Path, annotator: str, meanings: dict[str, str]) -> Reading:
    try:
        found = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file.name} is not JSON ({error}), expected an export of labels: export it again") from error
    records = found.get("records") if isinstance(found, dict) else found
    records = records if isinstance(records, list) else []
    first = records[0] if records else None
    if isinstance(first, dict) and "annotations" in first:
        return label_studio.read(file, records, annotator, meanings)
    if isinstance(first, dict) and "responses" in first:
        return argilla.read(file, records, annotator, meanings)
    raise DataError(
        f"{file.name} is {str(found)[:60]!r}, expected Label Studio's tasks with annotations or Argilla's records with "
        "responses: export it as JSON"
    )


def _replace(file: Path, text: str) -> None:
    with atomic.replacing(file) as sink:
        sink.write(text.encode("utf8", "replace"))
