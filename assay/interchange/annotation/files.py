"""Rows handed to people elsewhere, and their answers back; the file's name and content tell which tool it is."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.errors import ConfigError, DataError
from assay.interchange.annotation import argilla, label_studio, table
from assay.interchange.annotation.form import SHOWN, Filled, Form, LeftOut
from assay.records.record import LONE
from assay.storage import atomic

MOST_BYTES = 256 * 1024 * 1024


def read(file: Path, form: Form, left: LeftOut) -> Iterator[Filled]:
    """Yield the answers of a file: a table (.csv, .tsv, .jsonl), or an export of Label Studio or Argilla.

    Args:
        file: As the tool wrote it.
        form: What was asked; of its texts only the names of columns count.
        left: Takes what is no answer.

    Raises:
        DataError: The file is malformed; the text names the place.
    """
    text, ending = _text(file), file.suffix.lower()
    if ending in {".csv", ".tsv"}:
        return table.read(table.csv_rows(text, file.name, form), form, left)
    rows = list(table.json_rows(text, file.name)) if ending == ".jsonl" else _rows(text, file.name, form)
    records = [row for _, row in rows]
    if any("annotations" in row for row in records):
        return label_studio.read(records, file.name, form, left)
    if any(key == "responses" or key.endswith(argilla.FLAT) for row in records for key in row):
        return argilla.read(records, file.name, form, left)
    names = {name for row in records for name in row}
    if ending != ".jsonl" and form.main not in names:
        raise _unknown(file.name, text, form)
    table.require_columns(sorted(names), file.name, form)
    return table.read(rows, form, left)


def write(rows: Sequence[Mapping[str, str]], file: Path, form: Form) -> None:
    """Write rows for people, in the format that the file's name tells.

    A second file beside it holds Label Studio's labelling interface (.xml) or Argilla's settings (.settings.json).

    Args:
        rows: The texts by column, without the guidelines.
        file: A name that ends in .csv, .jsonl, .label-studio.json or .argilla.json.
        form: What people are asked.

    Raises:
        ConfigError: The name tells no format, or the file cannot be written.
        DataError: A text cannot be written to any file; the sentence names the row.
    """
    guide, guidelines = form.guide
    whole = [{**row, guide: guidelines} for row in rows]
    for row in whole:
        _require_whole(row, form)
    columns = [*form.columns, *form.asked, form.who]
    written: dict[Path, str] = {}
    if file.name.endswith(".label-studio.json"):
        written[file], written[file.with_suffix(".xml")] = label_studio.write(whole, form)
    elif file.name.endswith(".argilla.json"):
        written[file], written[file.with_suffix(".settings.json")] = argilla.write(whole, form)
    elif file.suffix in {".csv", ".jsonl"}:
        written[file] = (table.as_csv if file.suffix == ".csv" else table.as_json_lines)(columns, whole)
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


def _rows(text: str, file_name: str, form: Form) -> list[table.Row]:
    """Return the objects of a JSON file, whether they stand in a list, by id, or in columns as of a data frame."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{file_name} is not JSON ({error}), expected an export of answers: export it again, or name it .jsonl"
        ) from error
    records = found
    if isinstance(found, dict):
        records = found.get("records", list(found.values()))
        if records and all(isinstance(column, list) for column in records) and "records" not in found:
            records = _transposed(found, file_name)
    if not isinstance(records, list) or not all(isinstance(record, dict) for record in records):
        raise _unknown(file_name, text, form)
    return [(f"{file_name}, record {number}", record) for number, record in enumerate(records, 1)]


def _transposed(columns: dict[str, list[Any]], file_name: str) -> list[dict[str, Any]]:
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError(f"{file_name} has columns of {lengths!s:.{SHOWN}}, expected one length: export it again")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _require_whole(row: Mapping[str, str], form: Form) -> None:
    for name, text in row.items():
        if not text.isascii() and LONE.search(text):
            raise DataError(
                f"{form.noun} {row[form.key]}: {name} has half a character (a lone surrogate), expected whole ones: "
                f"mend it, or leave the {form.noun} out"
            )


def _unknown(file_name: str, text: str, form: Form) -> DataError:
    return DataError(
        f"{file_name} begins {text[:SHOWN]!r}, expected Label Studio's tasks with annotations, Argilla's records with "
        f"responses or rows with {form.key} and {form.main}: export it as JSON"
    )
