"""Every stage's door against every table it reads: damage is one sentence, exit code 2, and nothing written."""

import json
from collections.abc import Callable
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from assay.project import entrypoint
from assay.project.tables.evalset import CASES
from assay.project.tables.registry import TABLES
from assay.project.tables.responses import RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.records.schema import SCHEMA
from assay.stages import calibrate, execute, generate, judge, monitor, publish, review
from tests.cast import CATEGORIES, Project, case, response, verdict

NOW = datetime(2026, 11, 2, 3, tzinfo=UTC)
STAGES: dict[str, Callable[[], object]] = {
    "generate": lambda: generate.run(NOW),
    "review": review.run,
    "execute": lambda: execute.run(NOW),
    "judge": lambda: judge.run(NOW),
    "calibrate": lambda: calibrate.run(NOW),
    "monitor": lambda: monitor.run(NOW),
    "publish": lambda: publish.run(NOW),
}
READS = {
    "generate": ["cases"],
    "review": ["decisions"],
    "execute": ["cases"],
    "judge": ["cases", "responses", "baseline", "items", "labels"],
    "calibrate": ["items", "labels", "verdicts"],
    "monitor": ["traces"],
    "publish": ["cases", "responses", "baseline", "verdicts", "items", "labels"],
}


def truncate(name: str) -> None:
    """Cut a file in the middle of a row."""
    file = TABLES[name].file()
    file.write_bytes(file.read_bytes()[: len(file.read_bytes()) * 2 // 3])


def drop_column(name: str) -> None:
    """Take away the first column, or the first field of the first row."""
    file = TABLES[name].file()
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        pq.write_table(table.drop_columns(table.column_names[:1]), file)
        return
    first, *others = file.read_text(encoding="utf8").splitlines()
    fields = json.loads(first)
    del fields[next(name for name in fields if name != SCHEMA)]
    file.write_text("\n".join([json.dumps(fields), *others]), encoding="utf8")


def repeat_row(name: str) -> None:
    """Let the first row stand twice, with another value where the log of decisions allows that."""
    file = TABLES[name].file()
    if file.suffix == ".parquet":
        table = pq.read_table(file)
        pq.write_table(table.take([0, *range(len(table))]), file)
        return
    lines = file.read_text(encoding="utf8").splitlines()
    again = lines[0].replace('"candidate_id":"', '"candidate_id":"other-')
    file.write_text("\n".join([*lines, again]), encoding="utf8")


@pytest.fixture
def full(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The small project after a night, with a model that nobody reaches: no door may get so far as to ask it."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    cases = [case(number, category) for category in CATEGORIES for number in (1, 2, 3)]
    CASES.write(cases)
    RESPONSES.write([response(one) for one in cases])
    VERDICTS.write([verdict(one.case_id, "pass") for one in cases])
    SIGNALS.write([])
    calibrate.run(NOW)
    return project


@pytest.mark.parametrize("damage", [truncate, drop_column, repeat_row])
@pytest.mark.parametrize(("stage", "table"), [(stage, table) for stage, tables in READS.items() for table in tables])
def test_damage_stops_at_the_door(
    full: Project, capsys: pytest.CaptureFixture[str], stage: str, table: str, damage: Callable[[str], None]
) -> None:
    """A truncated table, a missing column or a repeated row is named in one sentence, and nothing is written."""
    if (table, damage) == ("traces", repeat_row):
        pytest.skip("a conversation that is there twice is left out, counted and named")
    damage(table)
    before = full.files()
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(STAGES[stage])
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert said.count("\n") == 1
    assert TABLES[table].path in said
    assert full.files() == before
