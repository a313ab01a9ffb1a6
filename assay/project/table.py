"""A table of a project's data/: where it lies, what a row of it is, and how it is read and written.

People's tables are JSON Lines in Git, so that a pull request shows them; stages' tables are Parquet with page
checksums. A write is whole or absent, and equal rows give equal bytes. What is read or written passes its contract; a
file that passed once is known by its hash and not checked again.
"""

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from assay.errors import DataError
from assay.project import files
from assay.project.taxonomy import read_taxonomy
from assay.records.record import Record
from assay.storage import atomic, contracts, hash_chain, jsonl, parquet
from assay.storage.contracts import Contract
from assay.storage.rows import frame, parse_rows
from assay.text import first_fault

if TYPE_CHECKING:
    import pandas as pd

Row = TypeVar("Row", bound=Record)


@dataclass(frozen=True, kw_only=True)
class Table(Generic[Row]):
    """One table under its name, declared once."""

    name: str
    path: str
    record: type[Row]
    fix_hint: str
    """What makes it, for whoever misses it."""
    keys: tuple[str, ...] = ()
    """Columns that name a row; together they may stand once."""
    order: tuple[str, ...] = ()
    """Fields that order the rows; empty for the order in which they were added."""
    is_required: bool = False
    """A file of it holds at least one row."""
    is_categorised: bool = False
    filled: tuple[str, ...] = ()
    probabilities: tuple[str, ...] = ()
    is_streamed: bool = False
    """Made by stages, as long as anybody likes: read and written a few rows at a time, held by record and order alone;
    all other tables have a suite of Great Expectations besides."""
    is_made: bool = False
    """Made anew by every run: held against its contract row by row; its suite is for Data Docs alone."""
    is_chained: bool = False
    """A log of signed rows that is only ever added to, held by record and chain: its suite is for Data Docs alone."""

    @property
    def contract(self) -> Contract:
        """Return what the table promises beyond the types of its rows."""
        return Contract(
            table=self.name,
            keys=self.keys,
            is_required=self.is_required,
            is_categorised=self.is_categorised,
            filled=self.filled,
            probabilities=self.probabilities,
        )

    def file(self) -> Path:
        """Return the path of its file; the folder exists afterwards."""
        return files.path(self.path)

    def exists(self) -> bool:
        """Tell whether its file is there."""
        return files.exists(self.path)

    def read(self, *, may_be_absent: bool = False) -> list[Row]:
        """Return the rows in the file's order, after the contract has passed.

        Args:
            may_be_absent: Does a project without this table have none of its rows? Else it is an error.

        Raises:
            DataError: The file is missing, damaged or breaks its contract; the text names the rows.
        """
        return list(self.stream(may_be_absent=may_be_absent))

    def stream(self, *, may_be_absent: bool = False) -> Iterator[Row]:
        """Yield the rows as `read` returns them, a few at a time however many there are."""
        if may_be_absent and not self.exists():
            return
        rows = self._rows(self._there())
        if not (self.is_streamed or self.is_chained or self._passed()):
            rows = iter(self._checked(list(rows)))
        is_empty = self.is_required
        for row in rows:
            is_empty = False
            yield row
        if is_empty:
            raise self._empty()

    def sift(self) -> tuple[list[Row], list[str]]:
        """Return the rows of a Parquet table that keep its contract, and of each other one its place and its fault.

        Raises:
            DataError: The file is missing, or damaged as a whole.
        """
        rows, faults, seen, known = list[Row](), list[str](), set[object](), self._known_categories()
        found = parquet.sifted(self._there(), self.record, self.path, first_fault)
        for number, (row, wrong) in enumerate(found, 1):
            fault = wrong or contracts.row_fault(self.contract, dict(row or {}), known, seen)
            if row is None or fault:
                faults.append(f"{self.path}, row {number}: {fault}")
            else:
                rows.append(row)
        return rows, faults

    def count(self) -> int:
        """Return how many rows a Parquet table has; whoever asks about each of them knows first that it is sound.

        Raises:
            DataError: It is missing, empty, damaged, or breaks its contract as far as its keys tell.
        """
        file = self._there()
        if not (self.is_streamed or self._passed()):
            self.read()
        number = parquet.count(file, self.record, self.order if self.is_streamed else (), self.path)
        if not number and self.is_required:
            raise self._empty()
        return number

    def check_columns(self) -> None:
        """Look at a Parquet table's columns and categories, however long it is; a table that is absent is sound.

        Raises:
            DataError: It is no such table, or a row has a category that the taxonomy lacks.
        """
        if not self.exists():
            return
        columns = parquet.distinct(self.file(), self.record, ("category",) if self.is_categorised else (), self.path)
        known = set(self._known_categories())
        strange = sorted(columns.get("category", set()) - known)
        if strange:
            raise DataError(
                f"{self.path}: category {strange[0][:80]!r} stands there, expected one of data/taxonomy "
                f"({', '.join(sorted(known))}): write its file, or correct these rows"
            )

    def write(self, rows: Sequence[Row]) -> None:
        """Write the whole table in its fixed order, after its contract has passed."""
        ordered = sorted(rows, key=self._place) if self.order else rows
        if self.is_streamed:
            with self.writing() as add:
                for row in ordered:
                    add(row)
            return
        if self.is_chained:
            ordered = hash_chain.sealed(ordered)
        data = jsonl.written(ordered) if self.path.endswith(".jsonl") else self._parquet(ordered)
        self._keep_contract(ordered, hashlib.sha256(data))
        files.write_bytes(self.path, data)

    def append(self, rows: Sequence[Row]) -> list[Row]:
        """Add rows to a log and have them on the disk; return them as they were signed."""
        with hash_chain.held(self.file()) as log:
            return hash_chain.append(log, rows)

    @contextmanager
    def writing(self) -> Iterator[Callable[[Row], None]]:
        """Yield a function that adds rows, in order; the table is replaced when the block has ended well."""
        with (
            atomic.replacing(self.file()) as file,
            parquet.Writer(file, self.record, self.order, self.path) as writer,
        ):
            yield writer.add

    def _place(self, row: Row) -> tuple[object, ...]:
        return tuple(getattr(row, field) for field in self.order)

    def _there(self) -> Path:
        """Return the path of a table that has to be there."""
        if not self.exists():
            raise DataError(f"{self.path} is missing, expected the {self.name} table: {self.fix_hint}")
        return self.file()

    def _empty(self) -> DataError:
        return DataError(f"{self.path}: no row, expected at least one: {self.fix_hint}")

    def _rows(self, file: Path) -> Iterator[Row]:
        if file.suffix == ".parquet":
            yield from parquet.rows(file, self.record, self.order if self.is_streamed else (), self.path, first_fault)
            return
        lines = (
            hash_chain.follow(hash_chain.lines(file, self.path), self.path)
            if self.is_chained
            else file.read_bytes().splitlines()
        )
        yield from parse_rows(self.record, lines, self.path)

    def _parquet(self, rows: Sequence[Row]) -> bytes:
        sink = io.BytesIO()
        with parquet.Writer(sink, self.record, (), "") as writer:
            for row in rows:
                writer.add(row)
        return sink.getvalue()

    def _checked(self, rows: list[Row]) -> list[Row]:
        self._keep_contract(rows, self._hash())
        return rows

    def _keep_contract(self, rows: Sequence[Row], content: "hashlib._Hash") -> None:
        """Hold the table against its contract, unless this very content passed this very contract before."""
        mark = self._mark(content)
        if mark.exists():
            return
        known = self._known_categories()
        if self.is_made:
            contracts.check_rows(self.contract, self.path, map(dict, rows), known)
        else:
            contracts.check(self.contract, self.path, self.frame(rows), known)
        mark.touch()

    def frame(self, rows: Sequence[Row]) -> "pd.DataFrame":
        """Return rows of the table as columns."""
        return frame(rows, self.record)

    def _passed(self) -> bool:
        """Tell whether the table as it is passed its contract before."""
        return self._mark(self._hash()).exists()

    def _mark(self, content: "hashlib._Hash") -> Path:
        """Return the file whose existence says that this content passed the contract of today."""
        content.update(contracts.version(self.contract, self._known_categories()).encode())
        return files.private(f"kept/{self.name}-{content.hexdigest()}")

    def _known_categories(self) -> list[str]:
        return [category.category for category in read_taxonomy()] if self.is_categorised else []

    def _hash(self) -> "hashlib._Hash":
        with self.file().open("rb") as content:
            return hashlib.file_digest(content, "sha256")
