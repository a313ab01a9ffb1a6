"""Parquet by the row: what was written is read, in order, a group at a time, and nothing else is taken for data."""

import io
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest
from pydantic import Field, ValidationError

from assay.errors import DataError
from assay.records.record import Record
from assay.records.response import Response
from assay.storage import parquet
from tests.cast import case, response

ORDER = ("case_id", "trial")


def fault(error: ValidationError) -> str:
    """Say what is wrong, as short as can be."""
    return str(error.errors()[0]["msg"])


def written(rows: list[Response], order: tuple[str, ...] = ORDER) -> bytes:
    """Return the file of these rows."""
    sink = io.BytesIO()
    with parquet.Writer(sink, Response, order, "the table") as writer:
        for row in rows:
            writer.add(row)
    return sink.getvalue()


def read(file: Path, content: bytes, order: tuple[str, ...] = ORDER) -> list[Response]:
    """Return the rows of a file."""
    file.write_bytes(content)
    return list(parquet.rows(file, Response, order, "the table", fault))


def test_rows_come_back_over_every_boundary_of_a_group(tmp_path: Path) -> None:
    """One row less than a group, a whole one, one more: all are read as they were written, and counted."""
    for count in (0, 1, parquet.GROUP - 1, parquet.GROUP, parquet.GROUP + 1):
        rows = [response(case(number, case_id=f"refunds-{number:06}")) for number in range(count)]
        assert read(tmp_path / "t", written(rows)) == rows
        assert parquet.count(tmp_path / "t", Response, ORDER, "the table") == count


def test_equal_rows_give_equal_bytes() -> None:
    """Nothing of the time or the machine is in a file."""
    rows = [response(case(number)) for number in range(3)]
    assert written(rows) == written(rows)


def test_rows_are_not_collected(tmp_path: Path) -> None:
    """Only as much is read as somebody asks for: of a long table, the first row costs one group."""
    rows = [response(case(0, case_id=f"refunds-{number:06}")) for number in range(3 * parquet.GROUP)]
    (tmp_path / "t").write_bytes(written(rows))
    assert pq.read_metadata(tmp_path / "t").num_row_groups == 3
    assert next(parquet.rows(tmp_path / "t", Response, ORDER, "the table", fault)) == rows[0]


@pytest.mark.parametrize(
    ("trials", "found"), [([0, 1, 1], "refunds-001 1 repeats the row before"), ([1, 0], "refunds-001 0 stands below")]
)
def test_an_order_that_is_none(tmp_path: Path, trials: list[int], found: str) -> None:
    """A row that repeats or precedes the one before is refused where it is written, and where it is read."""
    rows = [response(case(1), trial=trial) for trial in trials]
    with pytest.raises(DataError, match=found):
        written(rows)
    with pytest.raises(DataError, match=rf"the table, row {len(rows)}: .*{found}"):
        read(tmp_path / "t", written(rows, ()))


@pytest.mark.parametrize("length", [0, 3, 100, -9, -1])
def test_a_cut_file_is_refused(tmp_path: Path, length: int) -> None:
    """Whatever is missing at its end, the file is named and its mend said."""
    content = written([response(case(1))])[:length]
    for look in (
        lambda: read(tmp_path / "t", content),
        lambda: parquet.count(tmp_path / "t", Response, ORDER, "the table"),
    ):
        with pytest.raises(DataError, match="the table cannot be read .*restore it with `dvc checkout`"):
            look()


def test_a_failed_block_leaves_no_half_row() -> None:
    """When the block fails its error comes out as itself, and the file that was begun is closed."""
    with pytest.raises(KeyError), parquet.Writer(io.BytesIO(), Response, ORDER, "the table") as writer:
        writer.add(response(case(1)))
        raise KeyError("the caller's own")


class Stop(Record):
    """A part of a record of before."""

    street: str


class Tour(Record):
    """A record of before."""

    tour: str
    first: Stop
    stops: list[Stop]


class LaterStop(Record):
    """The same part, with an old name and optional fields."""

    old_names: ClassVar = {"road": ("street",)}
    road: str
    number: int | None = None
    bells: list[str] = Field(default=[])


class LaterTour(Record):
    """The same record of a later version."""

    old_names: ClassVar = {"tour_id": ("tour",)}
    tour_id: str
    first: LaterStop
    stops: list[LaterStop]
    last: LaterStop | None = None
    at: list[LaterStop] = Field(default=[])


class OtherTour(Record):
    """A record that needs what no earlier one had."""

    tour: str
    first: Stop
    stops: list[Stop]
    driver: str


def tours(*rows: Record) -> bytes:
    """Return the file of these rows."""
    sink = io.BytesIO()
    with parquet.Writer(sink, type(rows[0]), (), "the table") as writer:
        for row in rows:
            writer.add(row)
    return sink.getvalue()


OLD_TOUR = Tour(tour="north", first=Stop(street="A"), stops=[Stop(street="B"), Stop(street="C")])


@pytest.mark.parametrize(
    ("record", "found"), [(OtherTour, "lacks the columns \\['driver'\\]"), (Stop, "'stops', 'tour'")]
)
def test_a_column_that_is_needed_is_missed(tmp_path: Path, record: type[Any], found: str) -> None:
    """A table that lacks what has no default, or has what no field is called, is refused as a whole."""
    (tmp_path / "t").write_bytes(tours(OLD_TOUR))
    with pytest.raises(DataError, match=found):
        list(parquet.rows(tmp_path / "t", record, (), "the table", fault))


def test_a_field_that_is_needed_within_a_row_is_missed(tmp_path: Path) -> None:
    """A part of a row that lacks what has no default is refused by the row's number."""
    (tmp_path / "t").write_bytes(tours(LaterTour(tour_id="north", first=LaterStop(road="A"), stops=[])))
    with pytest.raises(DataError, match="the table"):
        list(parquet.rows(tmp_path / "t", Tour, (), "the table", fault))


def test_a_table_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Renamed columns are read by their old names and new ones have their defaults, within parts and lists as well."""
    (tmp_path / "t").write_bytes(tours(OLD_TOUR))
    later = LaterTour(tour_id="north", first=LaterStop(road="A"), stops=[LaterStop(road="B"), LaterStop(road="C")])
    assert list(parquet.rows(tmp_path / "t", LaterTour, ("tour_id",), "the table", fault)) == [later]
    assert list(parquet.sifted(tmp_path / "t", LaterTour, "the table", fault)) == [(later, "")]
    assert parquet.count(tmp_path / "t", LaterTour, ("tour_id",), "the table") == 1
    assert parquet.distinct(tmp_path / "t", LaterTour, ("tour_id",), "the table") == {"tour_id": {"north"}}


def test_a_table_of_today_is_read_by_its_own_names(tmp_path: Path) -> None:
    """What is written has the names of today, and comes back whole."""
    row = LaterTour(
        tour_id="south", first=LaterStop(road="A", number=3), stops=[], at=[LaterStop(road="D", bells=["x"])]
    )
    (tmp_path / "t").write_bytes(tours(row))
    assert pq.read_schema(tmp_path / "t").names == list(LaterTour.model_fields)
    assert list(parquet.rows(tmp_path / "t", LaterTour, (), "the table", fault)) == [row]
