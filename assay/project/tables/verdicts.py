"""The table of verdicts: what checks and judges said of every response."""

from assay.project.table import Table
from assay.records.verdict import Verdict

VERDICTS = Table(
    name="verdicts",
    path="data/verdicts/verdicts.parquet",
    record=Verdict,
    fix_hint="run `assay nightly`",
    keys=("item_id", "subject", "trial", "scorer"),
    order=("item_id", "subject", "trial", "scorer"),
    probabilities=("score",),
    is_streamed=True,
)
