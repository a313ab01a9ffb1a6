"""The logs of people's decisions: on candidates, and on batches of them."""

from assay.evalset.admission import BatchEvent
from assay.project.table import Table
from assay.records.decision import Decision

BATCH_FOLDER = "data/decisions/batches"
"""Each batch as it was opened, frozen under its name."""
DECISIONS = Table(
    name="decisions",
    path="data/decisions/decisions.jsonl",
    record=Decision,
    fix_hint="write the first cases and run `assay import cases.yaml --reviewer NAME`",
    is_required=True,
    filled=("reviewer",),
    is_chained=True,
)
BATCHES = Table(
    name="batches",
    path="data/decisions/batches.jsonl",
    record=BatchEvent,
    fix_hint="restore it from Git",
    filled=("who",),
    is_chained=True,
)
