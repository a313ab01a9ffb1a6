"""The table of nights: the outcome of each case in each run of them."""

from assay.project.table import Table
from assay.records.history import CaseNight

HISTORY = Table(
    name="history",
    path="data/reports/history.jsonl",
    record=CaseNight,
    fix_hint="restore it from Git",
    keys=("night", "run"),
    order=("night", "run"),
    filled=("night",),
    is_made=True,
)
