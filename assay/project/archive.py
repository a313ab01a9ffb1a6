"""The archive of runs: each run's results under its id, for as long as the project wants them.

A small record of every run stays in Git (`data/runs/<run>.json`). What the run made lies beside it in a folder that Git
ignores and DVC tracks through `data/runs/<run>.dvc`, a file in DVC's own format. It is written here and committed to
DVC's cache later, by the process that records the stages: inside `dvc repro` DVC's repository is locked.
"""

import fcntl
import json
import shutil
from collections.abc import Collection, Iterable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Literal

from pydantic import ValidationError

from assay.errors import DataError
from assay.project import files
from assay.project.programs import md5
from assay.project.results import GATE, METRICS, REPORT, SLICES
from assay.project.run_id import is_ahead
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.run import Answers, RunRecord, is_run_id
from assay.report import basis
from assay.report.content import Report
from assay.report.costs import total
from assay.storage import atomic
from assay.text import first_fault, one_line

RUNS = "data/runs"
IGNORED = b"*/\n"
"""What Git leaves to DVC in `RUNS`: the folders, so that DVC adds no line for each run."""
ARCHIVED = (REPORT, RESPONSES.path, VERDICTS.path, METRICS, GATE, SLICES)
"""What is kept of a run."""
PENDING = "runs-to-record.json"
"""Private file with the archived runs whose files DVC has not committed yet."""
FICLONE = 0x40049409
"""Linux's request to share the blocks of a file with another one until either is written."""
State = Literal["here", "elsewhere", "pruned"]
"""Are a run's files in the workspace, to be had from DVC, or given up?"""


def describe(report: Report, answers: Answers) -> RunRecord:
    """Return the record of a run, from what its report says and whence its answers come."""
    gate, provenance = report.gate, report.provenance
    return RunRecord(
        run=gate.run,
        began=gate.began,
        ended=gate.ended,
        night=provenance.epoch,
        word=gate.word,
        sentence=gate.sentence,
        basis=basis.of_cases(report),
        target=provenance.target,
        baseline=provenance.baseline,
        evaluation_set=provenance.evaluation_set,
        released=provenance.released,
        cases=provenance.cases,
        calls=answers,
        cost_usd=total(report.spent).cost_usd,
        overrides=provenance.overrides,
        assay=provenance.assay,
        failures=len(report.failures),
    )


def keep(record: RunRecord) -> None:
    """Archive the results that are on file now, in place of what was archived of the same run.

    Raises:
        OSError: A file is missing, or the disk is full; what was archived before stays.
    """
    name = f"{RUNS}/{record.run}"
    write_ignored()
    folder, partial = files.path(name), files.path(f"{RUNS}/.{record.run}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        for source in ARCHIVED:
            _copy(files.root() / source, partial / Path(source).name)
        shutil.rmtree(folder, ignore_errors=True)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    copies = [folder / Path(source).name for source in ARCHIVED]
    hashes = {copy.name: md5(copy) for copy in copies}
    _write_pending({*_pending(), record.run})
    files.write_bytes(f"{name}.dvc", _tracking(record.run, copies, hashes))
    files.write_bytes(f"{name}.json", record.model_copy(update={"files": hashes}).encoded())


def note(record: RunRecord) -> None:
    """Keep the record of a run whose files nobody wants to keep, or could be kept.

    Raises:
        OSError: The disk is full.
    """
    write_ignored()
    files.write_bytes(f"{RUNS}/{record.run}.json", record.encoded())


def note_lost(record: RunRecord, why: str) -> None:
    """Keep the record of a run whose files could not be archived, with the reason; those of an earlier archive stay.

    Raises:
        OSError: The disk is full.
    """
    before = known(record.run)
    failed = {"lost": why, "failures": record.failures + 1, "files": before.files if before else {}}
    note(record.model_copy(update=failed))


def write_ignored() -> bool:
    """Write what Git ignores in the folder of runs where nothing says so; tell whether that was needed."""
    name = f"{RUNS}/.gitignore"
    if files.exists(name):
        return False
    files.write_bytes(name, IGNORED)
    return True


def pending() -> list[str]:
    """Return the .dvc files whose content DVC has not committed yet."""
    return [f"{RUNS}/{run}.dvc" for run in sorted(_pending()) if files.exists(f"{RUNS}/{run}.dvc")]


def committed(targets: Collection[str]) -> None:
    """Note that DVC has committed the content of these .dvc files."""
    refused(targets, "")
    _write_pending(_pending() - {Path(target).stem for target in targets})


def refused(targets: Collection[str], why: str) -> None:
    """Let the records of runs say why DVC has not committed these .dvc files; empty where it has."""
    for record in filter(None, (known(Path(target).stem) for target in targets)):
        if record.lost != why:
            with suppress(OSError):  # the disk is full: the run's own message says so
                note(record.model_copy(update={"lost": why}))


def ids(now: datetime | None = None) -> list[str]:
    """Return the ids of all runs that have a record, the newest first.

    Args:
        now: A moment; runs that are dated later, because a clock was ahead, come last. None for the order of the ids.
    """
    stems = sorted(filter(is_run_id, (file.stem for file in (files.root() / RUNS).glob("*.json"))), reverse=True)
    return sorted(stems, key=lambda run: is_ahead(run, now)) if now else stems


def known(run: str) -> RunRecord | None:
    """Return what Git keeps of a run; None where it keeps nothing that can be read."""
    if not (is_run_id(run) and files.exists(f"{RUNS}/{run}.json")):
        return None
    with suppress(DataError):
        return read(run)
    return None


def read(run: str) -> RunRecord:
    """Return the record of a run; `run` is one of `ids()`.

    Raises:
        DataError: It is damaged, or another run's.
    """
    name = f"{RUNS}/{run}.json"
    hint = f"restore it from Git (`git checkout -- {name}`), or delete it"
    try:
        record = RunRecord.model_validate(files.read_json(name, hint))
    except ValidationError as error:
        raise DataError(f"{name}: {first_fault(error)}: {hint}") from error
    except OSError as error:
        raise DataError(f"{name} cannot be read ({one_line(error)}), expected the record of a run: {hint}") from error
    if record.run != run:
        raise DataError(f"{name} is of run {record.run}, expected that of its name: {hint}")
    return record


def state(run: str) -> State:
    """Tell where the files of a run are."""
    if report_file(run).is_file():
        return "here"
    return "elsewhere" if files.exists(f"{RUNS}/{run}.dvc") else "pruned"


def report_file(run: str) -> Path:
    """Return where the report of a run lies in the workspace, whether it does or not; `run` is an id."""
    return files.root() / RUNS / run / Path(REPORT).name


def _copy(source: Path, target: Path) -> None:
    """Copy a file so that no later write to either reaches the other; blocks are shared where the file system can."""
    with source.open("rb") as content, atomic.replacing(target) as copy:
        try:
            fcntl.ioctl(copy.fileno(), FICLONE, content.fileno())
        except OSError:  # this file system shares no blocks
            shutil.copyfileobj(content, copy, 1 << 20)


def _tracking(run: str, copies: Iterable[Path], hashes: dict[str, str]) -> bytes:
    """Return the .dvc file of a run, as DVC itself writes it."""
    lines = ["outs:"]
    for copy in copies:
        lines += [f"- md5: {hashes[copy.name]}", f"  size: {copy.stat().st_size}", "  hash: md5"]
        lines += [f"  path: {run}/{copy.name}"]
    return ("\n".join(lines) + "\n").encode()


def _pending() -> set[str]:
    name = f"{files.PRIVATE}/{PENDING}"
    with suppress(OSError, ValueError, TypeError, RecursionError):
        return {run for run in json.loads((files.root() / name).read_bytes()) if is_run_id(run)}
    return set()


def _write_pending(runs: Collection[str]) -> None:
    files.private(PENDING)
    files.write_json(f"{files.PRIVATE}/{PENDING}", sorted(runs))
