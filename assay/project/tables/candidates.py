"""The table of candidates that wait for people."""

from assay.project.table import Table
from assay.records.candidate import Candidate

CANDIDATES = Table(
    name="candidates",
    path="data/candidates/candidates.jsonl",
    record=Candidate,
    fix_hint="run `assay repro generate`",
    keys=("candidate_id",),
    order=("candidate_id",),
    probabilities=("similarity",),
)
