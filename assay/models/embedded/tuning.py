"""Tuning: what people said of the items that a judge may be fitted to, and of no others.

The embedded judge compares with a reference. So it is fitted to labels for judges that are shown one, and to no others:
what people say of an answer's tone tells nothing of what it states.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from assay.errors import DataError
from assay.records.label import BEFORE, Item, Label
from assay.records.record import Record
from assay.storage.rows import parse_rows

R = TypeVar("R", bound=Record)
_LEGAL = {"pass-fail": {"pass", "fail"}, "pairwise": {"a", "b", "tie"}}


@dataclass(frozen=True, kw_only=True)
class Tuned:
    """One item with the outcome that most of its annotators gave."""

    item: Item
    outcome: str


def read(path: Path, record: type[R]) -> list[R]:
    """Read a table that people own, one record a line.

    Raises:
        DataError: The file cannot be read, or a row is no such record.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}, expected a file of JSON Lines; pass the right file") from error
    return list(parse_rows(record, lines, str(path)))


def majority(items: Iterable[Item], labels: Iterable[Label], judges: Collection[str]) -> list[Tuned]:
    """Return the items with tune labels, in order of their ids, each with its most frequent outcome.

    Items on which the annotators split evenly are left out; labels of other splits are not looked at.

    Args:
        items: All that are labelled.
        labels: Of any judge.
        judges: Whose labels count; a row of before judges had names there is of its kind's.

    Raises:
        DataError: A label is of no item, is no legal answer to the item's question, or stands there twice.
    """
    known = {item.item_id: item for item in items}
    votes: dict[tuple[str, str], dict[str, str]] = defaultdict(dict)
    for label in labels:
        item = known.get(label.item_id)
        judge = label.judge or (BEFORE.get(item.question, "") if item else "")
        if label.split == "tune" and (item is None or judge in judges):
            given = votes[label.item_id, judge]
            _refuse_unfit(label, item, given)
            given[label.annotator] = label.outcome
    decided = {key: _most_frequent(given.values()) for key, given in votes.items()}
    return [Tuned(item=known[name], outcome=outcome) for (name, _), outcome in sorted(decided.items()) if outcome]


def _refuse_unfit(label: Label, item: Item | None, given: dict[str, str]) -> None:
    where = f"label of {label.item_id} by {label.annotator}"
    if item is None:
        raise DataError(f"{where}: there is no such item, expected the id of one; pass the items that were labelled")
    if label.outcome not in _LEGAL[item.question]:
        raise DataError(
            f"{where}: found {label.outcome!r}, expected one of {sorted(_LEGAL[item.question])}; correct it"
        )
    if label.annotator in given:
        raise DataError(f"{where}: it stands there twice, expected one label an annotator and item; remove one")


def _most_frequent(outcomes: Iterable[str]) -> str:
    """Return the outcome with the most votes, or nothing when two share the first place."""
    first, *others = Counter(outcomes).most_common(2)
    return "" if others and others[0][1] == first[1] else first[0]
