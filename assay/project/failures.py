"""Failures of optional parts, by the stage that met them: what `assay doctor` and the messages of a run name.

Each stage replaces its own when it runs again. The tracebacks lie beside them, private as the journal is.
"""

from collections.abc import Sequence

from assay.errors import AssayError
from assay.project import files
from assay.records.optional import Failure, Guard
from assay.storage.rows import parse_row

FOLDER = "failures"
STAGES = ("calibrate", "monitor", "publish", "night", "record")
"""Stages that have optional parts, in their order, what a night does besides, and what DVC records at the end."""


def keep(stage: str, guard: Guard) -> None:
    """File what failed in a stage, in place of what failed in it before."""
    rows, traces = files.private(f"{FOLDER}/{stage}.json"), files.private(f"{FOLDER}/{stage}.txt")
    if not guard.failures:
        rows.unlink(missing_ok=True)
        traces.unlink(missing_ok=True)
        return
    files.write_json(f"{files.PRIVATE}/{FOLDER}/{rows.name}", [row.model_dump() for row in guard.failures])
    files.write_bytes(f"{files.PRIVATE}/{FOLDER}/{traces.name}", "\n".join(guard.tracebacks).encode(errors="replace"))


def add(stage: str, part: str, error: Exception) -> None:
    """File that a part of a stage failed after the stage had ended, beside what failed in it before."""
    guard, traces = Guard(), where(stage)
    guard.failures = _of(stage)
    guard.tracebacks = [(files.root() / traces).read_text(encoding="utf8")] if traces else []
    guard.failed(part, error)
    keep(stage, guard)


def read(stages: Sequence[str] = STAGES) -> list[Failure]:
    """Return what failed in these stages when each of them last ran."""
    return [failure for stage in stages for failure in _of(stage)]


def where(stage: str) -> str:
    """Return the file with the tracebacks of a stage; empty where there is none."""
    name = f"{files.PRIVATE}/{FOLDER}/{stage}.txt"
    return name if files.exists(name) and (files.root() / name).stat().st_size else ""


def _of(stage: str) -> list[Failure]:
    name = f"{files.PRIVATE}/{FOLDER}/{stage}.json"
    if not files.exists(name):
        return []
    try:
        rows = files.read_json(name, "run it again")
        return [parse_row(Failure, row, name, number) for number, row in enumerate(rows, 1)]
    except (AssayError, TypeError):
        return [Failure(part=stage, note=f"left notes in {name} that cannot be read: run it again")]
