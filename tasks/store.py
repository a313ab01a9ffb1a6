"""The only module that knows a path or a file format.

Every table of data/ is named once, in `TABLES`. People's tables are JSON Lines in Git, so that a pull request shows
them; stages' tables are Parquet with page checksums. A write is whole or absent (temporary file, fsync, rename), and
equal rows give equal bytes. What is read or written passes its contract; a file that passed once is known by its hash
and not checked again.
"""

import fcntl
import hashlib
import io
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import yaml
from pydantic import ValidationError

from assay import contracts
from assay.certificate import Certificate
from assay.errors import BusyError, ConfigError, DataError
from assay.formats import atomic, chained, jsonl, parquet
from assay.gate import Gate
from assay.records import (
    Category,
    Item,
    Label,
    Record,
)
from tasks.tables import TABLES, Table

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row", bound=Record)


CALIBRATION = "data/calibration"
REFUSALS = "refusals.json"
"""Beside the certificates: judges whose labels cannot carry one, with what to add."""
GATE = "data/reports/gate.json"
METRICS = "data/reports/metrics.json"
REPORT = "data/reports/report.html"
SLICES = "data/reports/slices.csv"
RELEASES = "data/releases"
MANIFEST = "data/evalset/manifest.json"
PRIVATE = ".assay"
"""Journal, lock and memory of what was checked: never in Git, never in DVC, safe to delete between runs."""


def root() -> Path:
    """Return the project's folder: the current one, which must hold params.yaml."""
    here = Path.cwd()
    if not (here / "params.yaml").is_file():
        raise ConfigError(f"{here} has no params.yaml, expected a project of Assay: change into its folder first")
    return here


def path(name: str) -> Path:
    """Return a file's path under the project; its folder exists afterwards."""
    target = root() / (TABLES[name].path if name in TABLES else name)
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def exists(name: str) -> bool:
    """Tell whether a table or file is there."""
    return path(name).is_file()


def private(name: str) -> Path:
    """Return the path of a file that no stage declares: journal, logs, lock."""
    return path(f"{PRIVATE}/{name}")


def params(section: str, settings: type[Row]) -> Row:
    """Return one section of params.yaml, validated; a section no stage knows is refused by the layout test."""
    try:
        whole = yaml.safe_load((root() / "params.yaml").read_text(encoding="utf8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"params.yaml is not YAML: {_first_line(error)}; correct it") from error
    if not isinstance(whole, dict) or section not in whole:
        raise ConfigError(f"params.yaml has no section {section!r}, expected one for the stage of that name: add it")
    try:
        return settings.model_validate(whole[section])
    except ValidationError as error:
        raise ConfigError(f"params.yaml: {_first_fault(error, section)}; correct it") from error


def read(name: str, record: type[Row], *, may_be_absent: bool = False) -> list[Row]:
    """Return a table's rows in the file's order, after its contract has passed.

    Args:
        name: The table.
        record: What its rows are.
        may_be_absent: Does a project without this table have none of its rows? Else it is an error.

    Raises:
        DataError: The file is missing, damaged or breaks its contract; the text names the rows.
    """
    return list(stream(name, record, may_be_absent=may_be_absent))


def stream(name: str, record: type[Row], *, may_be_absent: bool = False) -> Iterator[Row]:
    """Yield a table's rows as `read` returns them, a few at a time however many there are."""
    table, file = TABLES[name], path(name)
    if table.record is not record:
        raise TypeError(f"table {name} holds {table.record.__name__}, not {record.__name__}")
    if may_be_absent and not file.is_file():
        return
    rows = _rows(_there(name), table, record)
    if not (table.is_streamed or table.is_chained or _passed(name)):
        rows = iter(_checked(name, list(rows), file))
    is_empty = name in contracts.NOT_EMPTY
    for row in rows:
        is_empty = False
        yield row
    if is_empty:
        raise _empty(name)


def count(name: str) -> int:
    """Return how many rows a Parquet table has; whoever asks somebody about each of them knows first that it is sound.

    Raises:
        DataError: It is missing, empty, damaged, or breaks its contract as far as its keys tell.
    """
    table, file = TABLES[name], _there(name)
    if not (table.is_streamed or _passed(name)):
        read(name, table.record)
    found = parquet.count(file, table.record, table.order if table.is_streamed else (), table.path)
    if not found and name in contracts.NOT_EMPTY:
        raise _empty(name)
    return found


def _empty(name: str) -> DataError:
    return DataError(f"{TABLES[name].path}: no row, expected at least one: {contracts.MENDS[name]}")


def labelled() -> tuple[list[Item], list[Label]]:
    """Return the labelled items and their labels; a project may have neither.

    Raises:
        DataError: A label is about an item that is not there: a table was cut, or they belong to different sets.
    """
    items, labels = read("items", Item, may_be_absent=True), read("labels", Label, may_be_absent=True)
    lost = sorted({label.item_id for label in labels} - {item.item_id for item in items})
    if lost:
        raise DataError(
            f"{TABLES['items'].path} lacks {len(lost)} items that {TABLES['labels'].path} has labels of "
            f"({', '.join(lost[:3])}{', ...' if len(lost) > 3 else ''}): restore the items"  # noqa: PLR2004 - a few
        )
    return items, labels


def frame(rows: Sequence[Record], record: type[Record]) -> "pd.DataFrame":
    """Return rows as columns; nested fields stay lists and dicts."""
    import pandas as pd

    return pd.DataFrame([row.model_dump() for row in rows], columns=list(record.model_fields))


def write(name: str, rows: Sequence[Record]) -> None:
    """Write a whole table in its fixed order, after its contract has passed."""
    table = TABLES[name]
    ordered = sorted(rows, key=lambda row: tuple(getattr(row, field) for field in table.order)) if table.order else rows
    if table.is_streamed:
        with writing(name) as add:
            for row in ordered:
                add(row)
        return
    if table.is_chained:
        ordered = chained.sealed(ordered)
    data = jsonl.written(ordered) if table.path.endswith(".jsonl") else _parquet_bytes(ordered, table.record)
    _keep_contract(name, ordered, hashlib.sha256(data))
    write_bytes(table.path, data)


def append(name: str, rows: Sequence[Row]) -> list[Row]:
    """Add rows to a log and have them on the disk; return them as they were signed."""
    with chained.held(path(name)) as log:
        return chained.append(log, rows)


@contextmanager
def writing(name: str) -> Iterator[Callable[[Record], None]]:
    """Yield a function that adds rows to a table, in its order; the table is replaced when the block has ended well."""
    table = TABLES[name]
    with (
        atomic.replacing(path(name)) as file,
        parquet.Writer(file, table.record, table.order, table.path) as writer,
    ):
        yield writer.add


def taxonomy() -> list[Category]:
    """Return the categories of expected failures, by name, from one YAML file each."""
    found = [
        row(Category, _yaml(file), f"data/taxonomy/{file.name}", 1)
        for file in sorted((root() / "data/taxonomy").glob("*.yaml"))
    ]
    if not found:
        raise DataError("data/taxonomy has no *.yaml, expected one file a category: write the first one")
    return found


def write_json(name: str, value: object) -> None:
    """Write a small result as JSON that a diff can be read from."""
    write_bytes(name, (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode())


def read_json(name: str, mend: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return a small result; `mend` says what to run when it is missing."""
    file = path(name)
    if not file.is_file():
        raise DataError(f"{name} is missing, expected the result of an earlier stage: {mend}")
    try:
        return json.loads(file.read_bytes())
    except ValueError as error:
        raise DataError(f"{name} is not JSON ({_first_line(error)}), expected an earlier result: {mend}") from error


def write_bytes(name: str, data: bytes) -> None:
    """Replace a file so that a reader, or a crash at any moment, sees the old or the new one, never a part."""
    with atomic.replacing(path(name)) as file:
        file.write(data)


def certificates() -> dict[str, Certificate]:
    """Return the certificate of each judge that has one."""
    files = sorted((root() / CALIBRATION).glob("*.json"))
    return {
        file.stem: row(Certificate, read_json(f"{CALIBRATION}/{file.name}", "run `assay calibrate`"), file.name, 1)
        for file in files
        if file.name != REFUSALS
    }


def refusals() -> dict[str, str]:
    """Return why judges without a certificate have none."""
    name = f"{CALIBRATION}/{REFUSALS}"
    found: dict[str, str] = read_json(name, "run `assay calibrate`") if exists(name) else {}
    return found


def releases() -> list[dict[str, Any]]:
    """Return the notes of every release of the evaluation set."""
    files = sorted((root() / RELEASES).glob("*.json"))
    return [read_json(f"{RELEASES}/{file.name}", "restore it from Git") for file in files]


def released(evaluation_set: str) -> str:
    """Return the releases whose content has this hash, such as `evalset@v1.0.0`; empty when there is none."""
    return ", ".join(note["release"] for note in releases() if note["content"] == evaluation_set)


def write_certificates(issued: Mapping[str, Certificate], refused: Mapping[str, str]) -> None:
    """Keep each judge's certificate, and why others have none."""
    for judge, certificate in sorted(issued.items()):
        write_json(f"{CALIBRATION}/{judge}.json", certificate.model_dump(mode="json"))
    write_json(f"{CALIBRATION}/{REFUSALS}", dict(sorted(refused.items())))


def gate() -> Gate:
    """Return the last run's decision."""
    return row(Gate, read_json(GATE, "run `assay nightly`"), GATE, 1)


@contextmanager
def exclusive(what: str, now: datetime, patience_s: float = 0) -> Iterator[None]:
    """Hold the project's one run lock; the kernel frees it on death.

    Args:
        what: Who holds it, for others.
        now: Since when.
        patience_s: How long to wait for another one to end.

    Raises:
        BusyError: Another process holds it; the text says which, and since when.
    """
    deadline = time.monotonic() + patience_s
    with private("lock").open("a+", encoding="utf8") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    file.seek(0)
                    holder = file.read().strip() or "another run"
                    raise BusyError(f"{holder} holds the lock: wait until it ends") from error
            time.sleep(1)
        file.truncate(0)
        file.write(f"{what} (process {os.getpid()}, since {now:%Y-%m-%d %H:%M:%S} UTC)\n")
        file.flush()
        yield


def row(record: type[Row], fields: object, where: str, number: int) -> Row:
    """Return one row of a file as its record; a DataError names the first fault."""
    try:
        return record.model_validate(fields)
    except ValidationError as error:
        raise DataError(f"{where}, row {number}: {_first_fault(error)}; correct the row") from error


def _first_fault(error: ValidationError, prefix: str = "") -> str:
    """Return the first fault as 'field is found, expected ...', with how many more there are."""
    fault = error.errors()[0]
    place = ".".join(str(part) for part in ((prefix, *fault["loc"]) if prefix else fault["loc"]))
    found = "missing" if fault["type"] == "missing" else repr(fault["input"])[:80]
    more = f" (and {error.error_count() - 1} more faults)" if error.error_count() > 1 else ""
    return f"{place or 'the row'} is {found}, expected: {fault['msg']}{more}"


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _yaml(file: Path) -> object:
    try:
        return yaml.safe_load(file.read_text(encoding="utf8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{file.name} is not YAML: {_first_line(error)}; correct it") from error


def _there(name: str) -> Path:
    """Return the path of a table that has to be there."""
    if not exists(name):
        raise DataError(f"{TABLES[name].path} is missing, expected the {name} table: {contracts.MENDS[name]}")
    return path(name)


def _rows(file: Path, table: Table, record: type[Row]) -> Iterator[Row]:
    if file.suffix == ".parquet":
        yield from parquet.rows(file, record, table.order if table.is_streamed else (), table.path, _first_fault)
        return
    lines = (
        chained.follow(chained.lines(file, table.path), table.path)
        if table.is_chained
        else file.read_bytes().splitlines()
    )
    for number, fields in enumerate(jsonl.values(lines, table.path), 1):
        yield row(record, fields, table.path, number)


def _parquet_bytes(rows: Sequence[Record], record: type[Record]) -> bytes:
    sink = io.BytesIO()
    with parquet.Writer(sink, record, (), "") as writer:
        for one in rows:
            writer.add(one)
    return sink.getvalue()


def _checked(name: str, rows: list[Row], file: Path) -> list[Row]:
    _keep_contract(name, rows, _hash(file))
    return rows


def _keep_contract(name: str, rows: Sequence[Record], content: "hashlib._Hash") -> None:
    """Hold a table against its contract, unless this very content passed this very contract before."""
    mark = _mark(name, content)
    if not mark.exists():
        contracts.check(name, TABLES[name].path, frame(rows, TABLES[name].record), _known_categories(name))
        mark.touch()


def _passed(name: str) -> bool:
    """Tell whether a table as it is passed its contract before."""
    return _mark(name, _hash(path(name))).exists()


def _mark(name: str, content: "hashlib._Hash") -> Path:
    """Return the file whose existence says that this content passed the contract of today."""
    content.update(contracts.version(name, _known_categories(name)).encode())
    return private(f"kept/{name}-{content.hexdigest()}")


def _known_categories(name: str) -> list[str]:
    return [category.category for category in taxonomy()] if name in contracts.CATEGORISED else []


def _hash(file: Path) -> "hashlib._Hash":
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256")
