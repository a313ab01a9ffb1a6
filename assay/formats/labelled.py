"""Labels from and to the tools that people label with; the file's name and content tell which."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assay.errors import ConfigError, DataError
from assay.formats import argilla, atomic, flat, label_studio, label_table
from assay.formats.given import SHOWN, Gathering, Given, Reading
from assay.records import LONE, Item

__all__ = ["Given", "Reading", "read", "write"]
MOST_BYTES = 256 * 1024 * 1024


def read(file: Path, *, annotator: str = "", maps: Sequence[str] = ()) -> Reading:
    """Return the labels of a file: a table (.csv, .tsv, .jsonl), or an export of Label Studio or Argilla.

    Args:
        file: As the tool wrote it.
        annotator: Who labelled, where the file does not say.
        maps: What words mean, such as `good=pass`; `unscored` is the meaning of a word that is no label.

    Raises:
        DataError: The file is malformed, or an annotator labelled an item twice; the text names the place.
        ConfigError: A text of `maps` is at fault.
    """
    gathering = Gathering(annotator, flat.vocabulary(maps))
    text, ending = _text(file), file.suffix.lower()
    if ending in {".csv", ".tsv"}:
        return label_table.read(label_table.csv_rows(text, file.name), gathering)
    rows = list(label_table.json_rows(text, file.name)) if ending == ".jsonl" else _rows(text, file.name)
    records = [row for _, row in rows]
    if any("annotations" in row for row in records):
        return label_studio.read(records, file.name, gathering)
    if any(key == "responses" or key.endswith(argilla.FLAT) for row in records for key in row):
        return argilla.read(records, file.name, gathering)
    names = {name for row in records for name in row}
    if ending != ".jsonl" and label_table.QUESTION not in names:
        raise _unknown(file.name, text)
    label_table.require_columns(sorted(names), file.name)
    return label_table.read(rows, gathering)


def write(items: Sequence[Item], file: Path, *, rubric: str) -> None:
    """Write items for people to label, blind, in the format that the file's name tells.

    A second file beside it holds Label Studio's labelling interface (.xml) or Argilla's settings (.settings.json).

    Args:
        items: Answers or pairs; a labelling tool takes one kind at a time.
        file: A name that ends in .csv, .jsonl, .label-studio.json or .argilla.json.
        rubric: What people are told to judge by.

    Raises:
        ConfigError: The name tells no format, or the file cannot be written.
        DataError: A text cannot be written to any file; the sentence names the item.
        ValueError: Answers and pairs are mixed, for a labelling tool.
    """
    for item in items:
        _require_whole(item, rubric)
    written: dict[Path, str] = {}
    if file.name.endswith(".label-studio.json"):
        written[file], written[file.with_suffix(".xml")] = label_studio.write(items, rubric)
    elif file.name.endswith(".argilla.json"):
        written[file], written[file.with_suffix(".settings.json")] = argilla.write(items, rubric)
    elif file.suffix in {".csv", ".jsonl"}:
        written[file] = label_table.write(items, file, rubric)
    else:
        raise ConfigError(
            f"{file.name} names no format, expected .csv, .jsonl, .label-studio.json or .argilla.json: choose one"
        )
    try:
        for target, text in written.items():
            with atomic.replacing(target) as sink:
                sink.write(text.encode())
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written ({error.strerror}), expected a file in a folder that exists: correct the path"
        ) from error


def _text(file: Path) -> str:
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DataError(f"{file.name} has {size:,} bytes, expected at most {MOST_BYTES:,}: split it")
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{file} cannot be read ({error.strerror}), expected a file: correct the path") from error
    except UnicodeDecodeError as error:
        found = f"the byte 0x{error.object[error.start]:02x} at {error.start:,}"
        raise DataError(f"{file.name} has {found}, expected UTF-8 throughout: save the file as UTF-8") from error


def _rows(text: str, file_name: str) -> list[label_table.Row]:
    """Return the objects of a JSON file, whether they stand in a list, by id, or in columns as of a data frame."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{file_name} is not JSON ({error}), expected an export of labels: export it again, or name it .jsonl"
        ) from error
    records = found
    if isinstance(found, dict):
        records = found.get("records", list(found.values()))
        if records and all(isinstance(column, list) for column in records) and "records" not in found:
            records = _transposed(found, file_name)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _unknown(file_name, text)
    return [(f"{file_name}, record {number}", record) for number, record in enumerate(records, 1)]


def _transposed(columns: dict[str, list[Any]], file_name: str) -> list[dict[str, Any]]:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{file_name} has columns of {lengths!s:.{SHOWN}}, expected one length: export it again")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _require_whole(item: Item, rubric: str) -> None:
    for name, text in label_table.texts(item, rubric).items():
        if not text.isascii() and LONE.search(text):
            raise DataError(
                f"item {item.item_id}: {name} has half a character (a lone surrogate), expected whole ones: mend it, "
                "or leave the item out"
            )


def _unknown(file_name: str, text: str) -> DataError:
    return DataError(
        f"{file_name} begins {text[:SHOWN]!r}, expected Label Studio's tasks with annotations, Argilla's records with "
        "responses or rows with item_id and outcome: export it as JSON"
    )
