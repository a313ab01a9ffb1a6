"""Runs that were archived, with small files in place of a night's results."""

from datetime import UTC, datetime, timedelta
from typing import Any

from assay.project import archive, files
from assay.project.archive import ARCHIVED
from assay.project.run_id import run_id
from assay.records.run import Answers, RunRecord

FIRST = datetime(2026, 11, 2, 3, tzinfo=UTC)


def an_id(number: int) -> str:
    """Return the id of the run of one night, counted from the first."""
    return run_id(FIRST + timedelta(days=number), bytes(10))


def a_record(number: int, **changes: Any) -> RunRecord:
    """Return the record of the run of one night."""
    began = FIRST + timedelta(days=number)
    fields = {
        "run": an_id(number),
        "began": began,
        "ended": began + timedelta(minutes=4),
        "night": f"{began:%Y-%m-%d}",
        "word": "pass",
        "sentence": "PASS: no worse than the baseline.",
        "target": "support@2",
        "baseline": "support@1",
        "evaluation_set": "0123456789abcdef",
        "released": "evalset@v1.0.0",
        "cases": 200,
        "calls": Answers(asked=180, kept=20),
        "cost_usd": 0.25,
        "assay": "0.3.0",
    }
    return RunRecord.model_validate(fields | changes)


def file_results(text: str) -> None:
    """File what a night leaves, with this text in every file."""
    for name in ARCHIVED:
        files.write_bytes(name, f"{name}: {text}\n".encode())


def archived(*numbers: int) -> list[str]:
    """Archive the runs of these nights; return their ids."""
    for number in numbers:
        file_results(f"night {number}")
        archive.keep(a_record(number))
    return [an_id(number) for number in numbers]
