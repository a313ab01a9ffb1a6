"""Labelled items, the labels of people on them, and how they were sampled."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from assay.records.case import Case
from assay.records.record import Name, Record, Text


class Item(Record):
    """A frozen response or pair that people have labelled. Re-judged every night, so it is an anchor too."""

    conversions: ClassVar = ()
    item_id: Name
    question: Literal["pass-fail", "pairwise"]
    case_id: Name
    category: Name
    slice: Literal["gross", "minimal-edit", "natural"]
    """`natural`: drawn from what a product said; `gross` and `minimal-edit`: a fault was put in on purpose."""
    turns: list[str] = Field(min_length=1)
    reference: str
    response_a: str
    response_b: str
    """Empty for pass-fail."""

    def asks(self, case: Case) -> bool:
        """Tell whether people who labelled the item were asked about this case as it is today.

        An item without a reference was labelled without one, so no other reference makes its label another one.
        """
        is_same = self.case_id == case.case_id and self.turns == case.turns
        return is_same and self.reference in {"", case.reference}


class Span(Record):
    """A part of an answer that a person marked as the fault, in characters of `Item.response_a`."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Answer(Record):
    """One person's word on one item at the desk; the log is append-only, and labels are its fold."""

    conversions: ClassVar = ()
    item_id: Name
    annotator: Name
    outcome: Literal["pass", "fail", "a", "b", "tie", "withdraw"]
    """In the item's own frame, whatever the order in which a pair was shown."""
    shown: str
    """Hash of the item as it was shown."""
    is_swapped: bool
    """B was shown on the left."""
    spans: list[Span]
    note: Text
    seconds: float = Field(ge=0)
    answered_at: datetime
    chain: str = ""
    """Hash of this row and of the row before it."""


class Label(Record):
    """One annotator's judgement of one item: one row per (item, annotator), never merged beforehand."""

    always_hashed: ClassVar = ("spans",)
    conversions: ClassVar = ()
    item_id: Name
    annotator: Name
    outcome: Literal["pass", "fail", "a", "b", "tie"]
    split: Literal["tune", "heldout"]
    sampling_frame: str
    """What the item was drawn from; it picks the estimator (STATISTICS 3.1)."""
    stratum: str
    inclusion_probability: float | None = Field(gt=0, le=1)
    """None when the item was constructed, so that no rate of any traffic can be estimated from it."""
    rubric_version: str
    labelled_at: datetime
    spans: list[Span] = Field(default=[])
    """What the annotator marked as the fault."""


class Draw(Record):
    """How an item came to be labelled: drawn at random within what a judge had said of it."""

    conversions: ClassVar = ()
    item_id: Name
    frame: str
    """What it was drawn from."""
    stratum: str
    """The judge's verdict at the draw; whoever labels never sees it."""
    inclusion_probability: float = Field(gt=0, le=1)
