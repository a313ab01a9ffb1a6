"""The tables of the anchors: what each judge said of them at its certificate, and how far each run moved."""

from assay.calibration.certificate import AnchorNight, Seen
from assay.project.table import Table

SEEN = Table(
    name="seen",
    path="data/calibration/seen.jsonl",
    record=Seen,
    fix_hint="run `assay calibrate`",
    keys=("judge", "item_id"),
    order=("judge", "item_id"),
    is_made=True,
)
NIGHTS = Table(
    name="nights",
    path="data/calibration/nights.jsonl",
    record=AnchorNight,
    fix_hint="restore it from Git",
    keys=("judge", "night", "run"),
    order=("judge", "night", "run"),
    is_made=True,
)
