"""The last run for others: a comment on a pull request, tests of a CI system, events, a table.

Reads what the last night filed and what its verdict was; writes the one file that is asked for.
"""

import json
from datetime import datetime
from io import BytesIO
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from assay.commands import cases as commands
from assay.errors import ConfigError
from assay.project import whose
from assay.project.params import read_params
from assay.project.results import read_gate
from assay.report import basis, events, junit, pull_request
from assay.report.cases import ReportedCase
from assay.stages import publish
from assay.stages.publish_settings import Settings

Format = Literal["md", "junit", "json", "otel", "parquet"]
FORMATS: tuple[Format, ...] = get_args(Format)
BINARY: frozenset[Format] = frozenset({"parquet"})
"""Those that no terminal shows."""

COLUMNS = (
    *("case_id", "category", "layer", "severity", "outcome", "group", "turns", "reference"),
    *("target_text", "baseline_text", "why"),
)
"""Of the table."""


def formatted(wanted: Format, now: datetime) -> bytes:
    """Return the last run in a format.

    Raises:
        ConfigError: No night is on file, or the tables here are of another run than the verdict.
    """
    if two := whose.two_runs():
        raise ConfigError(f"{two.sentence()}; expected verdict and tables of one run")
    night = commands.night()
    settings, gate = read_params("publish", Settings), read_gate()
    cases = publish.reported(night, settings)
    if wanted == "md":
        found = publish.report(night, settings, now)
        shown = found.everything if found.everything and found.trust == "valid" else found.checks or found.everything
        rests = basis.by_scorers(found)[shown.scorers] if shown else ""
        return pull_request.comment(gate, cases, shown, rests, gate.run).encode()
    if wanted == "junit":
        return junit.junit(cases, night.provenance.epoch).encode()
    if wanted == "otel":
        return json.dumps(events.events(night.verdicts, now, night.provenance.target)).encode()
    if wanted == "parquet":
        return _table(cases)
    told = {"gate": gate.model_dump(mode="json"), "cases": [case.model_dump(mode="json") for case in cases]}
    return json.dumps(told).encode()


def _table(cases: list[ReportedCase]) -> bytes:
    """Return a row a case as Parquet; lists of texts stay lists."""
    rows = [case.model_dump(mode="json", include=set(COLUMNS)) for case in cases]
    sink = BytesIO()
    pq.write_table(pa.Table.from_pylist([{name: row[name] for name in COLUMNS} for row in rows]), sink)
    return sink.getvalue()
