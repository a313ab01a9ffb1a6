"""Every table of data/ under its one name: where it lies, what a row of it is, what orders its rows."""

from typing import NamedTuple

from assay.admission import BatchEvent, Past
from assay.certificate import AnchorNight, Seen
from assay.records import (
    Answer,
    Candidate,
    Case,
    CaseNight,
    Decision,
    Draw,
    Item,
    Label,
    Record,
    Response,
    Signal,
    Trace,
    Verdict,
)


class Table(NamedTuple):
    """Where a table lies, what a row of it is, and what orders its rows."""

    path: str
    record: type[Record]
    order: tuple[str, ...]
    is_streamed: bool = False
    """Made by stages, as long as anybody likes: read and written a few rows at a time, held by record and order alone;
    all other tables have a suite of Great Expectations besides."""
    is_chained: bool = False
    """A log of signed rows that is only ever added to, held by record and chain: its suite is for Data Docs alone."""


TABLES = {
    "decisions": Table("data/decisions/decisions.jsonl", Decision, (), is_chained=True),
    "batches": Table("data/decisions/batches.jsonl", BatchEvent, (), is_chained=True),
    "answers": Table("data/labels/answers.jsonl", Answer, (), is_chained=True),
    "past": Table("data/evalset/past.parquet", Past, ("candidate_id",)),
    "items": Table("data/labels/items.jsonl", Item, ("item_id",)),
    "labels": Table("data/labels/labels.jsonl", Label, ("item_id", "annotator")),
    "draws": Table("data/labels/draws.jsonl", Draw, ("item_id",)),
    "baseline": Table("data/baseline/responses.parquet", Response, ("case_id", "trial"), is_streamed=True),
    "traces": Table("data/traces/traces.parquet", Trace, ("at", "trace_id")),
    "candidates": Table("data/candidates/candidates.jsonl", Candidate, ("candidate_id",)),
    "cases": Table("data/evalset/cases.parquet", Case, ("case_id",)),
    "responses": Table("data/responses/responses.parquet", Response, ("case_id", "trial"), is_streamed=True),
    "verdicts": Table(
        "data/verdicts/verdicts.parquet", Verdict, ("item_id", "subject", "trial", "scorer"), is_streamed=True
    ),
    "signals": Table("data/signals/signals.parquet", Signal, ("signal", "segment")),
    "seen": Table("data/calibration/seen.jsonl", Seen, ("judge", "item_id")),
    "history": Table("data/reports/history.jsonl", CaseNight, ("night",)),
    "nights": Table("data/calibration/nights.jsonl", AnchorNight, ("judge", "night")),
}
