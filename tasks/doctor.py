"""Doctor: would a run succeed here? Versions, keys, and every table against its contract.

Reads everything, writes nothing but Great Expectations' Data Docs where they are asked for.
"""

import os
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from assay import contracts
from assay.errors import DataError
from tasks import batches, store
from tasks.tables import TABLES

PACKAGES = ("assay", "prefect", "fastapi", "sqlalchemy", "dvc", "great-expectations", "openai", "pandas", "pyarrow")
KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL")


def examine(docs: Path | None) -> Iterator[str]:
    """Yield one line a finding.

    Raises:
        DataError: A table breaks its contract; it is raised after everything was examined.
    """
    yield ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    for key in KEYS:
        yield f"{key}: {'set' if os.environ.get(key) else 'not set'}"
    faults = []
    for name, table in TABLES.items():
        if not store.exists(name):
            yield f"{table.path}: not there yet"
            continue
        try:
            yield f"{table.path}: {len(store.read(name, table.record))} rows, contract kept"
        except DataError as fault:
            faults.append(fault)
            yield f"{table.path}: AT FAULT: {fault}"
    if store.exists("decisions") and not faults:
        try:
            yield f"Decisions: {batches.check_logs()}"
        except DataError as fault:
            faults.append(fault)
            yield f"Decisions: AT FAULT: {fault}"
    if docs:
        yield f"Data Docs: {data_docs(docs)}"
    if faults:
        raise faults[0]


def data_docs(folder: Path) -> Path:
    """Build Great Expectations' Data Docs of every table that is there; return the index page."""
    known = [category.category for category in store.taxonomy()]
    there = {name: table for name, table in TABLES.items() if store.exists(name)}
    frames = {name: store.frame(store.read(name, table.record), table.record) for name, table in there.items()}
    return contracts.data_docs(frames, known, folder)
