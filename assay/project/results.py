"""The small results of a run: the gate's decision, the report, the metrics."""

from assay.project import files
from assay.report.gate import Gate
from assay.storage.rows import parse_row

GATE = "data/reports/gate.json"
METRICS = "data/reports/metrics.json"
REPORT = "data/reports/report.html"
SLICES = "data/reports/slices.csv"


def read_gate() -> Gate:
    """Return the last run's decision.

    Raises:
        DataError: There is none yet.
    """
    return parse_row(Gate, files.read_json(GATE, "run `assay nightly`"), GATE, 1)
