"""Merge of nights: what two clones filed of their own runs stands side by side, after `git merge` has stopped at it.

Tables are joined by their keys; of certificates the one that was issued later counts, with the looks of both; small
results are those of the later run. Reads both sides from Git; writes nothing.
"""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal, NamedTuple, TypeVar

from assay.calibration.certificate import Certificate, Seen
from assay.errors import DataError
from assay.project import files
from assay.project.certificates import CALIBRATION, REFUSALS
from assay.project.programs import content
from assay.project.results import GATE, METRICS, SLICES
from assay.project.table import Table
from assay.project.tables.anchors import NIGHTS, SEEN
from assay.project.tables.history import HISTORY
from assay.records.history import folded, unfolded
from assay.records.record import Record
from assay.storage import jsonl
from assay.storage.rows import parse_row, parse_rows
from assay.text import one_line

REFUSED = f"{CALIBRATION}/{REFUSALS}"
RESULTS = (GATE, METRICS, SLICES)
"""Small results of one run; they are taken together."""
STAGES = {"base": 1, "ours": 2, "theirs": 3}
"""As Git's index numbers the sides of a conflict."""
HEADS = {"base": "", "ours": "HEAD", "theirs": "MERGE_HEAD"}
"""Where a file is read that is in no conflict."""
Side = Literal["ours", "theirs"]
Row = TypeVar("Row", bound=Record)


class JoinedNights(NamedTuple):
    """What the conflicting files of nights become."""

    content: dict[str, bytes]
    """By path, to be written."""
    rows: dict[str, tuple[int, int]]
    """By table: how many rows only our side had, and how many only theirs had."""
    taken: dict[str, Side]
    """By path: the side that counts, of files that are one side's."""


def join_nights(conflicts: Collection[str]) -> JoinedNights:
    """Return what the conflicting files of nights become; nothing for other files.

    Args:
        conflicts: Paths at which Git has stopped.

    Raises:
        DataError: A side is damaged or deleted, or the sides contradict each other; the text names the file.
    """
    joined = JoinedNights({}, {}, {})
    later = later_run()
    for path in sorted(path for path in conflicts if _is_certificate(path)):
        joined.taken[path], joined.content[path] = _certificate(path)
    if HISTORY.path in conflicts:
        history, joined.rows["history"] = union(HISTORY, {side: unfolded(rows_of(HISTORY, side)) for side in STAGES})
        joined.content[HISTORY.path] = jsonl.written(folded(history))
    if NIGHTS.path in conflicts:
        nights, joined.rows["nights"] = union(NIGHTS, {side: rows_of(NIGHTS, side) for side in STAGES})
        joined.content[NIGHTS.path] = jsonl.written(nights)
    # Where one side alone has other rows Git has merged them, whichever certificate counts.
    if SEEN.path in conflicts or (joined.taken and content(":0", SEEN.path)):
        joined.content[SEEN.path] = jsonl.written(_seen(joined.taken))
    if REFUSED in conflicts:
        joined.content[REFUSED] = files.json_bytes(_refusals(later))
        joined.taken[REFUSED] = later
    if not set(RESULTS).isdisjoint(conflicts):
        results = {path: _side(path, later) for path in RESULTS}
        joined.content.update({path: data for path, data in results.items() if data is not None})
        joined.taken.update(dict.fromkeys(joined.content.keys() & set(RESULTS), later))
    return joined


def _side(path: str, side: str) -> bytes | None:
    """Return a file as one side has it; None where it has none."""
    data = content(f":{STAGES[side]}", path)
    if data is None and side != "base" and content(":0", path) is not None:
        data = content(HEADS[side], path)
    return data


def _both(path: str) -> tuple[bytes, bytes]:
    """Return a file as both sides have it.

    Raises:
        DataError: One has deleted it.
    """
    ours, theirs = _side(path, "ours"), _side(path, "theirs")
    if ours is None or theirs is None:
        raise DataError(f"{path} was deleted on one branch, expected it on both: restore it, then merge again")
    return ours, theirs


def _json(data: bytes, path: str, side: str) -> Any:  # noqa: ANN401 - any JSON value
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DataError(
            f"{path} on {_branch(side)} is not JSON ({one_line(error)}), expected an earlier result: restore it there"
        ) from error


def _branch(side: str) -> str:
    return {"ours": "our branch", "theirs": "their branch"}.get(side, "the branch that both come from")


def rows_of(table: Table[Row], side: str) -> list[Row]:
    """Return the rows of a table as one side has it.

    Args:
        table: The table.
        side: One of `STAGES`.

    Raises:
        DataError: The side has deleted the table, or a row is damaged.
    """
    data = _side(table.path, side) if side == "base" else _both(table.path)[side == "theirs"]
    where = f"{table.path} on {_branch(side)}"
    lines = (data or b"").splitlines()
    return list(parse_rows(table.record, lines, where))


def _by_key(table: Table[Row], rows: Sequence[Row], side: str) -> dict[tuple[str, ...], Row]:
    by_key: dict[tuple[str, ...], Row] = {}
    for number, row in enumerate(rows, 1):
        key = tuple(str(getattr(row, field)) for field in table.keys)
        if by_key.setdefault(key, row) != row:
            raise DataError(
                f"{table.path} on {_branch(side)}, row {number}: there are two rows of {_named(key)} and they differ, "
                "expected each row once: correct it there, then merge again"
            )
    return by_key


def _named(key: Sequence[str]) -> str:
    return ", ".join(filter(None, key))[:120]


def union(table: Table[Row], sides: Mapping[str, Sequence[Row]]) -> tuple[list[Row], tuple[int, int]]:
    """Return the rows of both sides in order, and how many only ours and only theirs had added.

    A row that one side has filed again takes the place of the old one.

    Args:
        table: Whose rows they are.
        sides: The rows by side, as in `STAGES`.

    Raises:
        DataError: Both sides have a row of one key, and the rows differ; or one side has two.
    """
    before, ours, theirs = (_by_key(table, sides[side], side) for side in STAGES)
    rows = dict(ours)
    for key, row in theirs.items():
        mine = rows.setdefault(key, row)
        if mine == before.get(key):
            rows[key] = row
        elif row not in (mine, before.get(key)):
            raise DataError(
                f"{table.path}: both branches have a row of {_named(key)} and the rows differ, expected each row once: "
                "correct it on one of them, then merge again"
            )
    added = len(ours.keys() - before.keys()), len(theirs.keys() - before.keys())
    return sorted(rows.values(), key=lambda row: tuple(str(getattr(row, field)) for field in table.order)), added


def _is_certificate(path: str) -> bool:
    return PurePath(path).parent == PurePath(CALIBRATION) and path.endswith(".json") and path != REFUSED


def _certificate(path: str) -> tuple[Side, bytes]:
    """Return which side's certificate counts, the later one, and the certificate with the looks of both sides.

    Raises:
        DataError: Both were issued in one moment and differ.
    """
    ours, theirs = (
        parse_row(Certificate, _json(data, path, side), f"{path} on {_branch(side)}", 1)
        for data, side in zip(_both(path), ("ours", "theirs"), strict=True)
    )
    if ours.issued == theirs.issued and ours != theirs:
        raise DataError(
            f"{path}: both branches have a certificate of {ours.issued:%Y-%m-%d %H:%M:%S} and they differ, expected "
            "one: take it out on one of them, then merge again"
        )
    side: Side = "theirs" if theirs.issued > ours.issued else "ours"
    held = theirs if side == "theirs" else ours
    before = _side(path, "base")
    known = parse_row(Certificate, _json(before, path, "base"), path, 1).looks if before else 0
    if ours.labels == theirs.labels and ours != theirs:
        held = held.model_copy(update={"looks": known + max(0, ours.looks - known) + max(0, theirs.looks - known)})
    return side, files.json_bytes(held.model_dump(mode="json"))


def _seen(taken: Mapping[str, Side]) -> list[Seen]:
    """Return what the certificates that count rest on: by judge the rows of the side that issued the certificate.

    Raises:
        DataError: Both sides have other rows than before of a judge, and only one certificate.
    """
    sides = {side: _of_judges(rows_of(SEEN, side)) for side in STAGES}
    is_merged = content(":0", SEEN.path) is not None
    rows: list[Seen] = []
    for judge in sorted(sides["ours"].keys() | sides["theirs"].keys()):
        before, ours, theirs = (sides[side].get(judge, []) for side in STAGES)
        side = taken.get(f"{CALIBRATION}/{judge}.json")
        if side is None and is_merged:
            rows += _of_judges(SEEN.read()).get(judge, [])
            continue
        if side is None and ours != theirs and before not in (ours, theirs):
            raise DataError(
                f"{SEEN.path}: both branches have other rows of {judge}, and one certificate, expected the rows that "
                "it rests on: restore them on one of them, then merge again"
            )
        is_theirs = side == "theirs" if side else ours == before
        rows += theirs if is_theirs else ours
    return rows


def _of_judges(rows: Sequence[Seen]) -> dict[str, list[Seen]]:
    by_judge: dict[str, list[Seen]] = {}
    for row in sorted(rows, key=lambda row: (row.judge, row.item_id)):
        by_judge.setdefault(row.judge, []).append(row)
    return by_judge


def _refusals(later: Side) -> dict[str, str]:
    """Return why judges have no certificate: as both sides have it, the later one's word first."""
    ours, theirs = (_json(data, REFUSED, side) for data, side in zip(_both(REFUSED), ("ours", "theirs"), strict=True))
    refused = ours | theirs if later == "theirs" else theirs | ours
    return {judge: why for judge, why in sorted(refused.items()) if not any(_certified(judge))}


def _certified(judge: str) -> Iterator[bool]:
    """Yield whether each side has a certificate of a judge."""
    path = f"{CALIBRATION}/{judge}.json"
    return (_side(path, side) is not None for side in ("ours", "theirs"))


def later_run() -> Side:
    """Return the side whose last run began later; ours where neither tells."""
    ours, theirs = (_last(side) for side in ("ours", "theirs"))
    return "theirs" if theirs > ours else "ours"


def _last(side: str) -> tuple[str, str]:
    """Return the id of the run that a side's results are of, and when it ended."""
    data = _side(GATE, side)
    gate = _json(data, GATE, side) if data else {}
    return str(gate.get("run") or ""), str(gate.get("ended") or "")
