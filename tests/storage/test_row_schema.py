"""The schema of rows: whatever form a row of people was written in, it is read; what a newer Assay wrote is refused."""

import ast
import json
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.errors import DataError
from assay.models.embedded import tuning
from assay.project.table import Table
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.decisions import BATCHES, DECISIONS
from assay.project.tables.labels import ANSWERS, DRAWS, ITEMS, LABELS
from assay.records.case import Case
from assay.records.label import Answer, Label
from assay.records.record import Record, digest
from assay.storage import hash_chain, jsonl
from assay.storage.rows import parse_row, parse_rows
from tests import identities
from tests.cast import Project, case
from tests.identities import EACH, log
from tests.identity_hashes import LOGS
from tests.layout import ROOT

PEOPLE: tuple[Table[Any], ...] = (DECISIONS, BATCHES, ANSWERS, ITEMS, LABELS, DRAWS, CANDIDATES)


class Parcel(Record):
    """A record whose rows have had three forms."""

    conversions: ClassVar = (
        lambda row: {"weight_kg": float(row["weight"].removesuffix(" kg"))},
        lambda row: {"weight_g": round(1000 * row["weight_kg"])},
    )
    weight_g: int
    chain: str = ""


ROWS = (
    {"weight": "3 kg"},
    {"schema": 1, "weight": "3 kg"},
    {"schema": 2, "weight_kg": 3},
    {"schema": 3, "weight_g": 3000},
)


@pytest.mark.parametrize(
    ("schema", "found"),
    [(4, "4, expected 3 at most"), (10**40, "expected 3 at most")]
    + [(strange, "expected a number from 1") for strange in (0, -1, "1", True, 1.0, None, [], {})],
)
def test_a_schema_that_nobody_knows_is_refused(schema: object, found: str) -> None:
    """A row of a newer schema, or of none that there could be, is named and never read half."""
    with pytest.raises(DataError, match=rf"the table, row 7: its schema is .*{found}"):
        parse_row(Parcel, {"schema": schema, "weight_g": 3000}, "the table", 7)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_read_in_whatever_form(row: dict[str, Any]) -> None:
    """Each conversion from the row's schema on is made, once and in order, and what was read stays as it was."""
    before = dict(row)
    assert parse_row(Parcel, row, "the table", 1) == Parcel(weight_g=3000)
    assert row == before


@pytest.mark.parametrize("row", [[], "schema", None, 3])
def test_a_row_that_is_no_object_is_refused(row: object) -> None:
    """Whatever is no object is no row, with or without a schema."""
    with pytest.raises(DataError, match="the table, row 1: "):
        parse_row(Parcel, row, "the table", 1)


def test_a_row_of_a_stage_has_no_schema() -> None:
    """A table that is made anew carries none, and takes none."""
    assert b"schema" not in jsonl.written([case(1)])
    with pytest.raises(DataError, match="the table, row 1: schema is 1"):
        parse_row(Case, {"schema": 1} | case(1).model_dump(), "the table", 1)


def test_a_row_is_written_in_the_form_of_today() -> None:
    """The schema is the first field of a written row, and `chain` stays the last one."""
    (row,) = hash_chain.sealed([Parcel(weight_g=3000)])
    line = jsonl.written([row])
    assert list(json.loads(line)) == ["schema", "weight_g", "chain"]
    assert line.startswith(b'{"schema":3,"weight_g":3000,')
    assert list(parse_rows(Parcel, line.splitlines(), "the table")) == [row]
    assert digest(row.model_copy(update={"chain": ""})) == digest({"weight_g": 3000})


@pytest.mark.parametrize("table", PEOPLE, ids=lambda table: table.name)
def test_a_table_of_people_refuses_a_newer_row(table: Table[Any], project: Project) -> None:
    """Each table that people own says of a row of tomorrow that the package is too old for it."""
    line = b'{"schema":2,"chain":"' + b"0" * 64 + b'"}'
    file = project.folder / table.path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"\n".join(hash_chain.joined([], [line])) + b"\n")
    with pytest.raises(DataError, match=rf"{table.path}, row 1: its schema is 2, expected 1 at most: .*upgrade"):
        table.read()


def test_an_embedded_judge_refuses_a_newer_label(tmp_path: Path) -> None:
    """What a judge is fitted to is read as its table reads it."""
    (tmp_path / "labels.jsonl").write_text('{"schema":2}\n', encoding="utf8")
    with pytest.raises(DataError, match="row 1: its schema is 2, expected 1 at most"):
        tuning.read(tmp_path / "labels.jsonl", Label)


@given(st.sampled_from(sorted(LOGS)), st.sets(st.integers(0, EACH - 1)), st.floats(0, 1), st.integers(0, 7))
def test_a_log_of_old_and_new_rows(
    tmp_path_factory: pytest.TempPathFactory, name: str, marked: set[int], place: float, bit: int
) -> None:
    """A log some of whose rows have a schema verifies and says the same as one without, and a flipped bit is found."""
    record, make = LOGS[name]
    data = "".join(f"{line}\n" for line in log(make, marked.__contains__)).encode()
    file = tmp_path_factory.mktemp("mixed") / "log"
    file.write_bytes(data)
    rows = list(parse_rows(record, hash_chain.follow(hash_chain.lines(file, "log"), "log"), "log"))
    bare = [row.model_copy(update={"chain": ""}) for row in rows]
    assert bare == [record.model_validate(make(number)) for number in range(EACH)]
    flipped = bytearray(data)
    flipped[int(place * (len(data) - 1))] ^= 1 << bit
    file.write_bytes(flipped)
    with pytest.raises(DataError, match="expected an unbroken chain|cut short"):
        list(hash_chain.follow(hash_chain.lines(file, "log"), "log"))


def test_new_rows_follow_old_ones(tmp_path: Path) -> None:
    """A log that was begun before rows had a schema is gone on with: what stands in it stays, byte by byte."""
    record, make = LOGS["decisions"]
    before = "".join(f"{line}\n" for line in log(make)).encode()
    (tmp_path / "log").write_bytes(before)
    with hash_chain.held(tmp_path / "log") as held:
        hash_chain.append(held, [record.model_validate(make(1))])
    data = (tmp_path / "log").read_bytes()
    assert data.startswith(before + b'{"schema":1,')
    assert len(list(hash_chain.follow(data.splitlines(), "log"))) == EACH + 1


@pytest.mark.parametrize("is_first_old", [True, False])
def test_logs_of_two_branches_are_joined(*, is_first_old: bool) -> None:
    """A log that one branch went on with by an older version and the other by this one is one log that verifies."""
    old, new = (log(identities.answer, lambda _, known=known: known) for known in (False, True))
    first, added = ([line.encode() for line in rows] for rows in ((old, new) if is_first_old else (new, old)))
    joined = hash_chain.joined(first, added)
    assert joined[:EACH] == first
    assert len(list(parse_rows(Answer, hash_chain.follow(joined, "log"), "log"))) == 2 * EACH


def test_rows_are_read_in_one_place() -> None:
    """Whoever reads a file of rows does so through `parse_rows`, so that no reader forgets the schema."""
    readers = set[str]()
    for file in sorted((ROOT / "assay").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "jsonl.values":
                readers.add(str(file.relative_to(ROOT)))
    assert readers == {"assay/storage/rows.py"}
