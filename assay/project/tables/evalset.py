"""The table of the evaluation set: the admitted cases."""

from assay.project.table import Table
from assay.records.case import Case

CASES = Table(
    name="cases",
    path="data/evalset/cases.parquet",
    record=Case,
    fix_hint="run `assay repro review`",
    keys=("case_id",),
    order=("case_id",),
    is_required=True,
    is_categorised=True,
    filled=("owner",),
)
MANIFEST = "data/evalset/manifest.json"
