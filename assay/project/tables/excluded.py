"""The table of excluded cases: what people turned down or retired, never to be proposed again."""

from assay.evalset.admission import Past
from assay.project.table import Table

PAST = Table(
    name="past",
    path="data/evalset/past.parquet",
    record=Past,
    fix_hint="run `assay repro review`",
    keys=("candidate_id",),
    order=("candidate_id",),
)
