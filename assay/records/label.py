"""Labelled items, the labels of people on them, and how they were sampled."""

import json
from collections.abc import Sequence
from datetime import datetime
from importlib import resources
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from assay.records import named
from assay.records.attachment import Attachment
from assay.records.case import Case, right_answers
from assay.records.record import Name, PersonName, Record, Text
from assay.records.response import MadeCall, Message

RESOURCES = ("judges_before.json",)
BEFORE: dict[str, str] = json.loads((resources.files("assay.records") / RESOURCES[0]).read_bytes())
"""By kind of item: the judge whose question a row answers that says none, as of before judges had names there."""


Numbers = Literal["own", "common"]
"""Whose random numbers a judge's rounds go by."""


class Item(Record):
    """A frozen response or pair that people have labelled. Re-judged every night, so it is an anchor too."""

    omitted_where_empty: ClassVar = (
        *(
            "contexts",
            "tool_calls",
            "messages",
            "final_state",
            "rubric",
            "metadata",
            "inputs",
            "references",
            "attachments",
            "thresholds",
        ),
    )
    conversions: ClassVar = ()
    item_id: Name
    question: Literal["pass-fail", "pairwise"]
    """`pass-fail`: one answer, whatever it is asked about it; `pairwise`: two."""
    case_id: Name
    category: Name
    slice: Literal["gross", "minimal-edit", "natural"]
    """`natural`: drawn from what a product said; `gross` and `minimal-edit`: a fault was put in on purpose."""
    turns: list[str] = Field(min_length=1)
    reference: str
    response_a: str
    response_b: str
    """Empty for one answer."""
    contexts: list[str] = Field(default=[])
    tool_calls: list[MadeCall] = Field(default=[])
    messages: list[Message] = Field(default=[])
    final_state: str = ""
    rubric: dict[str, str] = Field(default={})
    """By judge: what the case asks it to look at."""
    metadata: dict[str, str] = Field(default={})
    inputs: named.Named = named.NONE
    """Named JSON values that the case gave beside its turns."""

    references: list[str] = Field(default=[])
    """Further good answers beside `reference`: any one of them is right."""
    attachments: list[Attachment] = Field(default=[])
    """Files that the case gave with its turns."""
    thresholds: dict[str, int] = Field(default={})
    """By judge of scores: from which number on an answer to the case passes."""

    def values(self) -> dict[str, Any]:
        """Return the inputs by name."""
        return named.values(self.inputs)

    def right_answers(self) -> list[str]:
        """Return every good answer, any one of which is right."""
        return right_answers(self.reference, self.references)

    def knows(self, case: Case) -> bool:
        """Tell whether an item has its case's good answers of today, or none, so that others do not matter."""
        return self.right_answers() in ([], case.right_answers())

    def asks(self, case: Case) -> bool:
        """Tell whether people who labelled the item were asked about this case as it is today.

        An item without a reference was labelled without one, so no other reference makes its label another one.
        """
        asked, today = (
            (one.case_id, one.turns, one.inputs, [file.sha256 for file in one.attachments]) for one in (self, case)
        )
        return asked == today and self.knows(case)


class Span(Record):
    """A part of an answer that a person marked as the fault, in characters of `Item.response_a`."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Answer(Record):
    """One person's word on one item at the desk; the log is append-only, and labels are its fold."""

    omitted_where_empty: ClassVar = ("judge", "label")
    conversions: ClassVar = ()
    item_id: Name
    annotator: PersonName
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
    judge: str = ""
    """Whose question it answers; empty in rows of before judges had names there."""
    label: str = ""
    """In that judge's own scale, where it has one: a label, a score."""
    chain: str = ""
    """Hash of this row and of the row before it: the last field, since the row's bytes up to it are what is hashed."""


class Label(Record):
    """One annotator's judgement of one item for one judge's question; never merged beforehand."""

    always_hashed: ClassVar = ("spans",)
    omitted_where_empty: ClassVar = ("judge", "label", "run")
    conversions: ClassVar = ()
    item_id: Name
    annotator: PersonName
    outcome: Literal["pass", "fail", "a", "b", "tie"]
    split: Literal["tune", "heldout"]
    sampling_frame: str
    """What the item was drawn from; it picks the estimator (STATISTICS 3.1)."""
    stratum: str
    inclusion_probability: float | None = Field(gt=0, le=1)
    """Over all rounds in which it could be drawn; None when the item was constructed, so that no rate of any traffic
    can be estimated from it."""
    rubric_version: str
    labelled_at: datetime
    spans: list[Span] = Field(default=[])
    """What the annotator marked as the fault."""
    judge: str = ""
    """Whose question it answers; empty in rows of before judges had names there."""
    label: str = ""
    """In that judge's own scale, where it has one; `outcome` is whether that passes."""
    run: str = ""
    """Id of the run whose answers it was drawn from; empty where nobody drew it, and in rows of before."""


class Draw(Record):
    """How an item came to be labelled: drawn at random within what a judge had said of it."""

    omitted_where_empty: ClassVar = ("judge", "run", "round")
    conversions: ClassVar = ()
    item_id: Name
    frame: str
    """What it was drawn from first."""
    stratum: str
    """The judge's verdict at the first draw; whoever labels never sees it."""
    inclusion_probability: float = Field(gt=0, le=1)
    """Over all rounds in which it could be drawn."""
    judge: str = ""
    """Whose question is to be answered; empty in rows of before judges had names there."""
    run: str = ""
    """Id of the run whose answers were drawn from; empty in rows of before runs had ids there."""
    round: int = Field(default=0, ge=0)
    """In which round of the judge; 0 in rows of before rounds were kept, which stand for themselves alone."""


class Frame(Record):
    """One round of drawing: all answers that could be drawn, and the chance that each of them had."""

    conversions: ClassVar = ()
    judge: Name
    frame: str
    """The name of these very answers."""
    round: int = Field(ge=1)
    """Counted over the rounds of the judge."""
    run: str
    """Id of the run that gave the answers; empty where it had none."""
    answers: dict[str, str]
    """By stratum, the keys of its answers one after the other, eight digits each."""
    chances: dict[str, float]
    """By stratum: each of its answers was drawn with it, or had been before."""
    numbers: Numbers = "own"
    """Whether cases have a random number for this judge alone, as in rounds of before, or one for all judges."""


class Labelling(NamedTuple):
    """Items with the labels on them and how they were drawn, of all judges or of one."""

    items: Sequence[Item]
    labels: Sequence[Label]
    draws: Sequence[Draw]
    frames: Sequence[Frame] = ()

    def of(self, judge: str) -> "Labelling":
        """Return what belongs to a judge's question: items that were drawn or labelled for it.

        An item with neither is of before; it belongs to the judge of its kind.
        """
        kinds = {item.item_id: item.question for item in self.items}

        def is_its(row: Label | Draw) -> bool:
            return (row.judge or BEFORE.get(kinds.get(row.item_id, ""), "")) == judge

        labels, draws = list(filter(is_its, self.labels)), list(filter(is_its, self.draws))
        known = {row.item_id for rows in (self.labels, self.draws) for row in rows}
        mine = {row.item_id for rows in (labels, draws) for row in rows}
        items = [
            item
            for item in self.items
            if item.item_id in mine or (item.item_id not in known and BEFORE.get(item.question) == judge)
        ]
        return Labelling(items, labels, draws, [row for row in self.frames if row.judge == judge])
