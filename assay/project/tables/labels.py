"""The tables of labels: labelled items, one label a person and item, how items were sampled, the desk's log."""

from assay.errors import DataError
from assay.project.table import Table
from assay.records.label import Answer, Draw, Frame, Item, Label, Labelling

ITEMS = Table(
    name="items",
    path="data/labels/items.jsonl",
    record=Item,
    fix_hint="import the labelled items",
    keys=("item_id",),
    order=("item_id",),
    is_required=True,
    is_categorised=True,
)
LABELS = Table(
    name="labels",
    path="data/labels/labels.jsonl",
    record=Label,
    fix_hint="import the labels",
    keys=("item_id", "annotator", "judge"),
    order=("item_id", "annotator", "judge"),
    is_required=True,
    filled=("sampling_frame", "rubric_version"),
    probabilities=("inclusion_probability",),
)
DRAWS = Table(
    name="draws",
    path="data/labels/draws.jsonl",
    record=Draw,
    fix_hint="restore it from Git",
    keys=("item_id", "judge"),
    order=("item_id", "judge"),
)
FRAMES = Table(
    name="frames",
    path="data/labels/frames.jsonl",
    record=Frame,
    fix_hint="restore it from Git",
    keys=("judge", "round", "frame"),
    order=("judge", "round", "frame"),
)
ANSWERS = Table(
    name="answers",
    path="data/labels/answers.jsonl",
    record=Answer,
    fix_hint="restore it from Git",
    is_chained=True,
)
SHOWN = 3


def labelled() -> tuple[list[Item], list[Label]]:
    """Return the labelled items and their labels; a project may have neither.

    Raises:
        DataError: A label is about an item that is not there: a table was cut, or they belong to different sets.
    """
    items, labels = ITEMS.read(may_be_absent=True), LABELS.read(may_be_absent=True)
    lost = sorted({label.item_id for label in labels} - {item.item_id for item in items})
    if lost:
        raise DataError(
            f"{ITEMS.path} lacks {len(lost)} items that {LABELS.path} has labels of "
            f"({', '.join(lost[:SHOWN])}{', ...' if len(lost) > SHOWN else ''}): restore the items"
        )
    return items, labels


def labelling() -> Labelling:
    """Return the labelled items, their labels, and how they were drawn; a project may have none of it.

    Raises:
        DataError: As for `labelled`.
    """
    draws, frames = DRAWS.read(may_be_absent=True), FRAMES.read(may_be_absent=True)
    lost = sorted({(row.judge, row.round) for row in draws if row.round} - {(row.judge, row.round) for row in frames})
    if lost:
        raise DataError(
            f"{FRAMES.path} lacks round {lost[0][1]} of {lost[0][0]} and {len(lost) - 1} more, expected every round "
            f"that {DRAWS.path} has drawn in: restore the file from Git"
        )
    return Labelling(*labelled(), draws, frames)
