"""The table of production signals."""

from assay.project.table import Table
from assay.records.signal import Signal

SIGNALS = Table(
    name="signals",
    path="data/signals/signals.parquet",
    record=Signal,
    fix_hint="run `assay monitor`",
    keys=("signal", "segment"),
    order=("signal", "segment"),
    is_made=True,
)
