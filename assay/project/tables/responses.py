"""The tables of responses: what the target answered, and the accepted responses of the baseline."""

from assay.project.table import Table
from assay.records.response import Response

RESPONSES = Table(
    name="responses",
    path="data/responses/responses.parquet",
    record=Response,
    fix_hint="run `assay nightly`",
    keys=("case_id", "trial"),
    order=("case_id", "trial"),
    is_required=True,
    is_streamed=True,
)
BASELINE = Table(
    name="baseline",
    path="data/baseline/responses.parquet",
    record=Response,
    fix_hint="run `assay accept` after a run whose responses are good",
    keys=("case_id", "trial"),
    order=("case_id", "trial"),
    is_required=True,
    is_streamed=True,
)
