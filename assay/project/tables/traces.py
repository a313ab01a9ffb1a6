"""The table of production traces."""

from assay.project.table import Table
from assay.records.trace import Trace

TRACES = Table(
    name="traces",
    path="data/traces/traces.parquet",
    record=Trace,
    fix_hint="export your production traffic",
    keys=("trace_id",),
    order=("at", "trace_id"),
    is_required=True,
    is_categorised=True,
    filled=("version",),
)
