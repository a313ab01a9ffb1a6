"""Chained logs: what was acknowledged is there, and whatever was done to a log afterwards is found and named."""

import multiprocessing
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import DataError
from assay.records.decision import Decision
from assay.storage import hash_chain, jsonl
from assay.storage.rows import parse_rows
from tests.cast import case, decision

ROWS = [decision(case(number), reason="a — ü\u2028 reason") for number in range(1, 6)]
LOG = jsonl.written(hash_chain.sealed(ROWS))


def read(data: bytes, file: Path) -> list[Decision]:
    """Return the rows of a log with this content."""
    file.write_bytes(data)
    return list(parse_rows(Decision, hash_chain.follow(hash_chain.lines(file, "the log"), "the log"), "the log"))


def append(file: Path, *rows: Decision) -> None:
    """Append to a log."""
    with hash_chain.held(file) as log:
        hash_chain.append(log, rows)


def test_a_row_is_on_the_disk_before_it_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log itself is synced once its bytes are written, and only then does the append return."""
    synced: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append((os.fstat(number).st_ino, os.fstat(number).st_size)))
    file = tmp_path / "log"
    append(file, ROWS[0])
    assert synced == [(file.stat().st_ino, file.stat().st_size)]
    append(file, *ROWS[1:])
    assert synced[1:] == [(file.stat().st_ino, file.stat().st_size)]


def test_any_flipped_bit_is_found_and_named(tmp_path: Path) -> None:
    """Whichever byte of a log is changed, the reading names the row or the one after it."""
    for place in range(len(LOG)):
        flipped = bytearray(LOG)
        flipped[place] ^= 1 << place % 8
        row = LOG[:place].count(b"\n") + 1
        found = rf"the log, row ({row}|{row + 1}) \(.*restore the file from Git|the last row was cut short"
        with pytest.raises(DataError, match=found):
            read(bytes(flipped), tmp_path / "log")


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: [*rows[:1], *rows[2:]],
        lambda rows: [rows[1], rows[0], *rows[2:]],
        lambda rows: [*rows[:2], rows[0], *rows[2:]],
        lambda rows: rows[1:],
    ],
)
def test_no_row_is_left_out_moved_or_put_in(change: Callable[[list[bytes]], list[bytes]], tmp_path: Path) -> None:
    """A log whose rows are all genuine, but not all or not in their order, is refused."""
    with pytest.raises(DataError, match="unbroken chain"):
        read(b"\n".join(change(LOG.splitlines())) + b"\n", tmp_path / "log")


@settings(max_examples=60, deadline=None)
@given(cut=st.integers(0, len(LOG)))
def test_a_write_that_was_cut_short_is_no_row(cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Cut anywhere, a log has the rows whose last character was written, and the next one follows on them."""
    file = tmp_path_factory.mktemp("cut") / "log"
    whole = LOG[:cut].count(b'"}\n') + LOG[:cut].endswith(b'"}')
    torn = len(LOG[:cut].rpartition(b"\n")[2]) * (not LOG[:cut].endswith(b'"}'))
    if torn:
        with pytest.raises(DataError, match=r"the last row was cut short .*start `assay desk`"):
            read(LOG[:cut], file)
    file.write_bytes(LOG[:cut])
    with hash_chain.held(file) as log:
        assert hash_chain.mend(log) == torn
    assert read(file.read_bytes(), file) == hash_chain.sealed(ROWS)[:whole]
    append(file, decision(case(9)))
    assert [row.candidate_id for row in read(file.read_bytes(), file)][whole:] == ["refunds-009"]


def test_appending_is_sealing(tmp_path: Path) -> None:
    """Rows that were appended one by one, or some at once, are the bytes of the sealed whole."""
    file = tmp_path / "log"
    append(file, *ROWS[:2])
    for row in ROWS[2:]:
        append(file, row)
    assert file.read_bytes() == LOG


def test_a_long_row_is_followed(tmp_path: Path) -> None:
    """The hash of a last row of many kilobytes is found."""
    file = tmp_path / "log"
    append(file, decision(case(1), reason="x" * 200_000))
    append(file, decision(case(2)))
    assert len(read(file.read_bytes(), file)) == 2


def test_processes_take_turns(tmp_path: Path) -> None:
    """Two processes that append at once lose nothing and leave one chain."""
    file = tmp_path / "log"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_many, args=(file, start)) for start in (0, 100)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert len({row.candidate_id for row in read(file.read_bytes(), file)}) == 100


def _many(file: Path, start: int) -> None:
    for number in range(start, start + 50):
        append(file, decision(case(number)))
