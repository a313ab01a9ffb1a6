"""The store: whole or absent, equal bytes for equal rows, damage refused by name."""

import json
import multiprocessing
import os
import random
import re
import signal
from datetime import datetime
from pathlib import Path

import pytest

from assay.errors import BusyError, ConfigError, DataError
from assay.project import files
from assay.project.params import read_params
from assay.project.run_lock import exclusive
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import LABELS
from assay.project.tables.responses import RESPONSES
from assay.records.record import Record
from tests.cast import Project, case, decision, label, response


class Numbers(Record):
    """A section of params.yaml for these tests."""

    trials: int


def test_a_folder_without_parameters_is_no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a project every path is refused with what to do."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="no params.yaml"):
        CASES.read()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("execute: {trials: two}", "execute.trials is 'two', expected: a whole number;"),
        ("execute: {trials: 1, speed: 9}", "execute.speed is 9"),
        ("execute: {}", "execute.trials is missing"),
        ("judge: {trials: 1}", "no section 'execute'"),
        ("execute: [", "not YAML"),
    ],
)
def test_wrong_parameters_are_named(project: Project, text: str, found: str) -> None:
    """A wrong, unknown or missing parameter is named with what was found there."""
    (project.folder / "params.yaml").write_text(text)
    with pytest.raises(ConfigError, match=re.escape(found)):
        read_params("execute", Numbers)


def test_missing_table_says_what_makes_it(project: Project) -> None:
    """A table that is not there yet is refused with the command that makes it."""
    with pytest.raises(DataError, match="data/responses/responses.parquet is missing.*assay nightly"):
        RESPONSES.read()


@pytest.mark.parametrize("length", [0, 1, 100, 2000])
def test_truncated_parquet_is_refused(project: Project, length: int) -> None:
    """A Parquet file that was cut anywhere is refused by name."""
    RESPONSES.write([response(case(number)) for number in range(50)])
    file = RESPONSES.file()
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(DataError, match="responses.parquet cannot be read"):
        RESPONSES.read()


def test_flipped_bits_are_never_read_as_data(project: Project) -> None:
    """In 300 files with one flipped bit, the rows read are the rows written or the file is refused."""
    rows = [response(case(number)) for number in range(20)]
    RESPONSES.write(rows)
    whole, rng = RESPONSES.file().read_bytes(), random.Random(7)
    refused = 0
    for _ in range(300):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        RESPONSES.file().write_bytes(bytes(damaged))
        try:
            assert RESPONSES.read() == rows
        except DataError:
            refused += 1
    assert refused > 100


def test_a_missing_column_is_named(project: Project) -> None:
    """A table without one of its columns is refused, and the column named."""
    import pyarrow.parquet as pq

    RESPONSES.write([response(case(1))])
    table = pq.read_table(RESPONSES.file())
    pq.write_table(table.drop_columns(["text"]), RESPONSES.file())
    with pytest.raises(DataError, match=r"lacks the columns \['text'\]"):
        RESPONSES.read()


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("{", "row 2: not a JSON object"),
        ("[]", "row 2: the row is"),
        ('{"item_id": "x"}', "row 2: annotator is missing"),
        ("NaN", "row 2"),
    ],
)
def test_a_bad_line_is_named(project: Project, line: str, found: str) -> None:
    """A line of a people's table that cannot be read is named by file and row."""
    file = LABELS.file()
    lines = file.read_text().splitlines()
    file.write_text("\n".join([lines[0], line, *lines[2:]]))
    with pytest.raises(DataError, match=re.escape(found)):
        LABELS.read()


def test_nan_is_refused(project: Project) -> None:
    """NaN never passes as a number."""
    file = LABELS.file()
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[3]["inclusion_probability"] = float("nan")
    file.write_text("\n".join(json.dumps(row) for row in rows))
    with pytest.raises(DataError, match="row 4: inclusion_probability is nan"):
        LABELS.read()


def test_duplicate_ids_are_named(project: Project) -> None:
    """An id that occurs twice is refused, with the id, and nothing is written."""
    before = project.files()
    with pytest.raises(DataError, match=r"case_id: 2 rows break the rule \(refunds-001, refunds-001\)"):
        CASES.write([case(1), case(1)])
    assert project.files() == before


def test_unknown_categories_are_named(project: Project) -> None:
    """A case of a category that the taxonomy lacks is refused by id and category."""
    with pytest.raises(DataError, match="category: 1 rows break the rule.*invented.*a category of data/taxonomy"):
        CASES.write([case(1), case(2, "invented")])


def test_what_passed_once_is_not_trusted_under_another_taxonomy(project: Project) -> None:
    """The memory of a kept contract is bound to the contract: a category that is removed makes old cases fail again."""
    CASES.write([case(1, "escalation")])
    (project.folder / "data/taxonomy/escalation.yaml").unlink()
    with pytest.raises(DataError, match="a category of data/taxonomy"):
        CASES.read()


def test_equal_rows_give_equal_bytes(project: Project) -> None:
    """The order of writing leaves no trace in the file."""
    rows = [response(case(number)) for number in range(30)]
    first = RESPONSES.write(rows)
    data = RESPONSES.file().read_bytes()
    assert RESPONSES.write(rows[::-1]) == first
    assert RESPONSES.file().read_bytes() == data
    assert RESPONSES.read() == rows


def test_a_people_s_log_keeps_its_order(project: Project) -> None:
    """The decision log is append-only: rows are never sorted."""
    rows = [decision(case(2)), decision(case(1)), decision(case(2), "reject")]
    DECISIONS.write(rows)
    from assay.storage import hash_chain

    assert DECISIONS.read() == hash_chain.sealed(rows)


def _write_for_ever(folder: str) -> None:
    os.chdir(folder)
    for number in range(10_000):
        files.write_bytes("data/x.json", json.dumps([number] * 20_000).encode())


def test_a_killed_write_leaves_the_old_file_or_the_new_one(project: Project) -> None:
    """Killed at 12 moments while it writes, the file is whole every time."""
    for pause in range(12):
        writer = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(str(project.folder),))
        writer.start()
        writer.join(0.05 + pause / 100)
        assert writer.pid
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
        found = json.loads((project.folder / "data/x.json").read_text())
        assert len(found) == 20_000


def _hold(folder: str, ready: "multiprocessing.synchronize.Event", now: datetime) -> None:
    os.chdir(folder)
    with exclusive("nightly", now):
        ready.set()
        signal.pause()


def test_the_second_run_is_told_who_holds_the_lock(project: Project, now: datetime) -> None:
    """A second run is refused with what runs, its process and since when; the kernel frees the lock on death."""
    context = multiprocessing.get_context("fork")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(str(project.folder), ready, now))
    holder.start()
    assert ready.wait(10)
    told = rf"nightly \(process {holder.pid}, since 2026-11-02 03:00:00 UTC\)"
    with pytest.raises(BusyError, match=told), exclusive("x", now):
        pass
    holder.kill()
    holder.join()
    with exclusive("x", now):
        pass


def test_labels_are_one_row_an_annotator(project: Project) -> None:
    """Two labels of one annotator on one item are refused."""
    with pytest.raises(DataError, match=r"item_id \+ annotator \+ judge: 2 rows"):
        LABELS.write([label("pass-fail.001", "pass"), label("pass-fail.001", "fail")])
