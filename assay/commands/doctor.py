"""Doctor: would a run succeed here? Versions, keys, every table against its contract, and what the last run lost.

Reads everything, writes nothing but Great Expectations' Data Docs where they are asked for.
"""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from assay.checks import examples
from assay.commands import intake
from assay.errors import AssayError, ConfigError, DataError
from assay.generation import contradictions
from assay.project import archive, failures, files, params, programs
from assay.project.distribution import DISTRIBUTION
from assay.project.journal import has_journal, open_journal
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.registry import TABLES
from assay.project.taxonomy import read_taxonomy
from assay.stages import batches, example_answers, generate, judge_clients
from assay.storage import contracts
from assay.text import counted

PACKAGES = (
    DISTRIBUTION,
    "prefect",
    "fastapi",
    "sqlalchemy",
    "dvc",
    "great-expectations",
    "openai",
    "pandas",
    "pyarrow",
)
KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL")


def examine(docs: Path | None) -> Iterator[str]:
    """Yield one line a finding.

    Raises:
        DataError: A table breaks its contract, or a run's record is damaged; raised after everything was examined.
        ConfigError: The journal of answers can no longer be read, or DVC cannot write what a run made; likewise.
    """
    yield ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    for key in KEYS:
        yield f"{key}: {'set' if os.environ.get(key) else 'not set'}"
    faults: list[AssayError] = []
    try:
        yield f"Journal: {journal()}"
    except ConfigError as fault:
        faults.append(fault)
        yield f"Journal: AT FAULT: {fault}"
    for table in TABLES.values():
        if not table.exists():
            yield f"{table.path}: not there yet"
            continue
        try:
            yield f"{table.path}: {counted(len(table.read()), 'row')}, contract kept"
        except DataError as fault:
            faults.append(fault)
            yield f"{table.path}: AT FAULT: {fault}"
    if DECISIONS.exists() and not faults:
        try:
            yield f"Decisions: {batches.check_logs()}"
        except DataError as fault:
            faults.append(fault)
            yield f"Decisions: AT FAULT: {fault}"
    yield from scorers(faults)
    yield from answers()
    yield from records(faults)
    yield from recording(faults)
    yield from lost()
    if docs:
        yield f"Data Docs: {data_docs(docs)}"
    if faults:
        raise faults[0]


def scorers(faults: list[AssayError]) -> Iterator[str]:
    """Yield whether the checks say of the example answers of their cases what they are examples of."""
    try:
        cases = [case for case in CASES.read() if examples.answers(case)] if CASES.exists() else []
        wrong = example_answers.disagreements(cases, params.read_params("judge", judge_clients.Settings).check_modules)
    except AssayError as fault:
        yield f"Scorers: not looked at: {fault}"
        return
    if wrong:
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        faults.append(DataError(f"{wrong[0]}{more}: correct the check or the example"))
    yield from (f"Scorers: AT FAULT: {one}" for one in wrong)
    if cases and not wrong:
        yield f"Scorers: say of the examples of {counted(len(cases), 'case')} what they should"


def answers() -> Iterator[str]:
    """Yield which near twins have right answers that contradict each other: a finding, and no fault."""
    try:
        cases = CASES.read() if CASES.exists() else []
        words = generate.lexicon(params.read_params("generate", generate.Settings).lexicon)
    except AssayError:  # told with its table, or with the parameters
        return
    for told in intake.contradicting(contradictions.within(cases, words)):
        yield f"Cases: {told}"


def journal() -> str:
    """Return whether every kept answer is as it was written.

    Raises:
        ConfigError: The file can no longer be read.
    """
    if not has_journal():
        return "not there yet"
    with open_journal() as kept:
        damaged = kept.damaged()
    return f"{damaged} answers were changed on the disk, each is asked again when needed" if damaged else "sound"


def records(faults: list[AssayError]) -> Iterator[str]:
    """Yield a line on each record of a run that is damaged, which becomes one of the faults, and how many are sound."""
    sound = 0
    for run in archive.ids():
        try:
            archive.read(run)
            sound += 1
        except DataError as fault:
            faults.append(fault)
            yield f"{archive.RUNS}: AT FAULT: {fault}"
    yield f"{archive.RUNS}: {sound} records of runs can be read"


def recording(faults: list[AssayError]) -> Iterator[str]:
    """Yield a line where DVC could not write what a run made, which becomes one of the faults."""
    if not files.exists(".dvc/config"):
        return
    fault: ConfigError | None = None
    try:
        if folder := programs.unwritable():
            fault = ConfigError(
                f"{folder} cannot be written, expected a folder into which DVC may put what a run made: give write "
                "permission to whoever runs `assay`"
            )
    except ConfigError as error:
        fault = error
    if fault:
        faults.append(fault)
        yield f"DVC: AT FAULT: {fault}"


def lost() -> Iterator[str]:
    """Yield each part of the last run that failed, with the file that has the traceback."""
    for stage in failures.STAGES:
        traces = failures.where(stage)
        for failure in failures.read((stage,)):
            yield f"Last {stage}: {failure}" + (f" (traceback: {traces})" if traces else "")


def data_docs(folder: Path) -> Path:
    """Build Great Expectations' Data Docs of every table that is there; return the index page."""
    known = [category.category for category in read_taxonomy()]
    there = [table for table in TABLES.values() if table.exists()]
    return contracts.data_docs([(table.contract, table.frame(table.read())) for table in there], known, folder)
