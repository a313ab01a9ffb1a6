"""Parts: found whole under the hash of their bytes, or not found at all, wherever they are kept."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import ConfigError, DataError
from assay.records.case import Case
from assay.records.response import Response
from assay.storage.parts import Parts, between
from tests.cast import broken, case, response

ORDER = ("case_id", "trial")
ROWS = [broken(case(0)), *(response(case(number)) for number in range(1, 5))]


@pytest.fixture(params=["folder", "file://", "memory://"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """One address of each kind, with nothing there."""
    if request.param == "memory://":
        files = fsspec.filesystem("memory")
        yield "memory://parts/here"
        files.rm("/parts", recursive=True)
        return
    yield {"folder": "", "file://": "file://"}[request.param] + str(tmp_path / "new/parts")


def written(address: str, name: str) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return where a file of an address lies."""
    files, folder = fsspec.url_to_fs(address)
    return files, f"{folder}/{name}"


def test_what_was_kept_is_found(address: str) -> None:
    """Rows come back as they were, failed calls included, under the hash of the file's bytes."""
    parts = Parts(address, Response, ORDER)
    assert parts.find("asked") is None
    content = parts.keep("asked", ROWS)
    assert parts.find("asked") == (content, ROWS)
    assert parts.rows(content) == ROWS
    files, path = written(address, f"{content}.parquet")
    assert hashlib.sha256(files.cat_file(path)).hexdigest() == content


def test_equal_rows_are_one_file(address: str) -> None:
    """Content addresses: the same rows under two names are one part, and other rows another."""
    parts = Parts(address, Response, ORDER)
    assert parts.keep("one", ROWS) == parts.keep("two", ROWS)
    assert parts.keep("three", ROWS[:2]) != parts.keep("one", ROWS)
    files, path = written(address, "")
    assert sorted(name.rpartition(".")[2] for name in files.ls(path, detail=False)) == [*["json"] * 3, *["parquet"] * 2]


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "gone"])
def test_a_damaged_part_is_not_there(address: str, harm: str) -> None:
    """A part that lost a bit, its end, all of it, or itself is refused by hash and not found by name."""
    parts = Parts(address, Response, ORDER)
    content = parts.keep("asked", ROWS)
    files, path = written(address, f"{content}.parquet")
    data = bytearray(files.cat_file(path))
    data[len(data) // 2] ^= 1
    if harm == "gone":
        files.rm_file(path)
    else:
        files.pipe_file(path, {"flip": bytes(data), "cut": bytes(data[:-9]), "empty": b""}[harm])
    assert parts.find("asked") is None
    with pytest.raises(DataError, match="run again, it is made anew"):
        parts.rows(content)
    assert parts.keep("asked", ROWS) == content
    assert parts.find("asked") == (content, ROWS)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"content": "\\u0000"}', '{"content": "../../secret"}', '{"content": "A"}', '{"content": 7}'],
)
def test_a_pointer_is_a_hash_or_nothing(address: str, text: str) -> None:
    """Whatever else stands in a pointer's file is no path and no part."""
    parts = Parts(address, Response, ORDER)
    parts.keep("asked", ROWS)
    files, path = written(address, "asked.json")
    files.pipe_file(path, text.encode())
    assert parts.find("asked") is None


def older() -> bytes:
    """Return a table of responses from before a column was added."""
    sink, schema = pa.BufferOutputStream(), Response.arrow_schema()
    table = pa.Table.from_pylist([one.model_dump() for one in ROWS], schema=schema)
    pq.write_table(table.drop_columns(["finish_reason"]), sink)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize("stranger", [b"no table", older()])
def test_a_stranger_under_its_own_hash_is_no_part(address: str, stranger: bytes) -> None:
    """A file whose hash is right but that holds something else, or rows of an older version, is refused."""
    parts = Parts(address, Response, ORDER)
    parts.keep("asked", ROWS)
    content = hashlib.sha256(stranger).hexdigest()
    files, path = written(address, f"{content}.parquet")
    files.pipe_file(path, stranger)
    files, path = written(address, "asked.json")
    files.pipe_file(path, json.dumps({"content": content}).encode())
    assert parts.find("asked") is None
    with pytest.raises(DataError, match="of another version|no table of Response"):
        parts.rows(content)


def test_an_address_nobody_knows_is_refused() -> None:
    """The sentence names the address and what to do."""
    with pytest.raises(ConfigError, match="'nowhere://parts'.*correct it, or install"):
        Parts("nowhere://parts", Response, ORDER)


def test_an_address_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Where a file stands instead of the folder, the sentence says that nothing answered is lost."""
    (tmp_path / "parts").write_text("a file")
    with pytest.raises(ConfigError, match="cannot be written.*what was answered is kept"):
        Parts(str(tmp_path / "parts"), Response, ORDER).keep("asked", ROWS)


@pytest.mark.parametrize("group", [1, 3, 7, 100])
def test_rows_between_are_those_of_the_whole(tmp_path: Path, group: int) -> None:
    """Whatever the row groups, the slices of a table in order are the table."""
    file, cases = tmp_path / "cases.parquet", [case(number) for number in range(10)]
    table = pa.Table.from_pylist([one.model_dump() for one in cases], schema=Case.arrow_schema())
    pq.write_table(table, file, row_group_size=group)
    for size in (1, 3, 4, 10, 99):
        found = [one for first in range(0, 10, size) for one in between(file, Case, first, first + size)]
        assert found == cases
