"""Merge: what two branches said is one log again, and what they ran stands side by side, after `git merge` has stopped.

Git cannot merge logs that both branches have added to, and nobody can by hand: each row holds the hash of the one
before. Reads both sides from Git's index; writes the logs of data/, the tables of labels and what nights have filed
(merge_nights.py). Asks nobody.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

from assay.commands.merge_lock import DVC_LOCK, joined_lock, side_of_verdict
from assay.commands.merge_nights import join_nights, later_run, rows_of, union
from assay.errors import ConfigError, DataError
from assay.evalset.admission import BatchEvent
from assay.project import files
from assay.project.code_lock import LOCK
from assay.project.programs import content, git
from assay.project.release_notes import read_notes
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import MANIFEST
from assay.project.tables.registry import TABLES
from assay.project.whose import two_runs
from assay.records.decision import Decision
from assay.records.record import Record
from assay.stages import batches
from assay.storage import hash_chain, jsonl
from assay.storage.rows import parse_rows

LOGS = ("decisions", "batches", "answers")
KEYED = ("items", "labels", "draws", "frames")
"""Tables of people, each row under its key."""
MADE = (MANIFEST, DVC_LOCK, LOCK, "data/candidates/candidates.jsonl", "data/candidates/dropped.json")
"""What stages make, and make again: the side that is checked out will do, but for a night's entries of dvc.lock."""
END = b"\n"
Row = TypeVar("Row", bound=Record)


class Sides(NamedTuple):
    """The lines of a file in the common ancestor and on both branches."""

    base: list[bytes]
    ours: list[bytes]
    theirs: list[bytes]


class Merged(NamedTuple):
    """What became of the files at which Git had stopped."""

    logs: dict[str, tuple[int, int]]
    """By table: how many rows our branch had added, and how many theirs had."""
    both: list[str]
    """Candidates on which both branches had decided."""
    taken: dict[str, str]
    """By path: the side that counts, `ours` or `theirs`, of a file that only one side can fill."""
    is_set_moved: bool
    """Has the evaluation set to be made anew?"""
    two_runs: str
    """Whose tables are on file, where the verdict that counts is another run's; else empty."""
    left: list[str]
    """Files that are still in conflict."""


def merge() -> Merged:
    """Join the logs, tables and results at which a merge has stopped, and tell Git that they are resolved.

    Raises:
        ConfigError: None of them is in conflict, or both branches have released.
        DataError: A side is not what was signed, or what both said does not fit together; the text names the row.
    """
    conflicts = git("diff", "--name-only", "--diff-filter=U", "--relative").splitlines()
    names = [name for name in (*LOGS, *KEYED) if TABLES[name].path in conflicts]
    nights = join_nights(conflicts)
    if not names and not nights.content:
        raise ConfigError(
            "neither a log of people nor a result of nights is in conflict, expected a merge that stopped at one, such "
            f"as {DECISIONS.path}: call `git merge` first"
        )
    sides = {name: _sides(name) for name in names}
    joined = {name: _log(name, one) if name in LOGS else _table(name) for name, one in sides.items()}
    _require_sense(joined)
    lock = joined_lock(side_of_verdict(later_run())) if nights.content or DVC_LOCK in conflicts else None
    for name, lines in joined.items():
        files.write_bytes(TABLES[name].path, b"".join(line + END for line in lines))
    for path, data in nights.content.items():
        files.write_bytes(path, data)
    made = [path for path in MADE if path in conflicts]
    if made:
        git("checkout", "--ours", "--", *made)
    if lock:
        files.write_bytes(DVC_LOCK, lock)
    resolved = [*made, *(TABLES[name].path for name in names), *nights.content, *([DVC_LOCK] if lock else [])]
    git("add", "--", *resolved)
    two = two_runs()
    counts = {name: (len(one.ours) - len(one.base), len(one.theirs) - len(one.base)) for name, one in sides.items()}
    return Merged(
        logs=counts | nights.rows,
        both=_decided_twice(sides.get("decisions")),
        left=[path for path in conflicts if path not in resolved],
        taken=dict(nights.taken),
        is_set_moved=bool(names) or MANIFEST in made,
        two_runs=two.sentence() if two else "",
    )


def stage() -> None:
    """Tell Git of what `review` has made of the joined logs."""
    git("add", "--", MANIFEST, DVC_LOCK, LOCK)


def lines(merged: Merged, size: int | None) -> list[str]:
    """Return what became of a merge, as a person reads it.

    Args:
        merged: What was joined.
        size: Cases of the evaluation set that was made of it; None where that was not needed, or has to wait.
    """
    rows = [
        f"{TABLES[name].path}: {ours} rows of ours, {theirs} of theirs" for name, (ours, theirs) in merged.logs.items()
    ]
    if merged.both:
        rows.append(
            f"both decided on {', '.join(merged.both)}: what stands last counts; look at them before you commit."
        )
    rows += [f"{path}: {side}, the later one" for path, side in merged.taken.items()]
    rows += [f"{merged.two_runs}."] if merged.two_runs else []
    if not merged.left and size is None:
        return [*rows, "the nights of both are on file; look at them, then `git commit`."]
    if size is None and not merged.is_set_moved:
        return [*rows, f"still in conflict: {', '.join(merged.left)}; resolve them, then `git commit`."]
    if size is None:
        return [*rows, f"still in conflict: {', '.join(merged.left)}; resolve them, then `assay repro review`."]
    return [*rows, f"the set has {size} cases; look at it, then `git commit`."]


def _sides(name: str) -> Sides:
    path = TABLES[name].path
    found = [content(f":{stage}", path) for stage in (1, 2, 3)]
    if found[1] is None or found[2] is None:
        raise DataError(f"{path} was deleted on one branch, expected rows on both: restore it, then merge again")
    whole = [(data or b"").splitlines() for data in found]
    return Sides(*whole)


def _log(name: str, sides: Sides) -> list[bytes]:
    """Return the log of both branches; the one that something was released from comes first, as it is."""
    path = TABLES[name].path
    for lines, branch in ((sides.ours, "our branch"), (sides.theirs, "their branch")):
        list(hash_chain.follow(lines, f"{path} on {branch}"))
        if lines[: len(sides.base)] != sides.base:
            raise DataError(
                f"{path} on {branch} does not begin with the rows that both had, expected rows that were only added: "
                "restore it there"
            )
    shared = len(sides.base)
    anchors = {str(note.get("log", "")) for note in read_notes()}
    ours, theirs = (
        any(hash_chain.signature(one) in anchors for one in side[shared:]) for side in (sides.ours, sides.theirs)
    )
    if ours and theirs:
        raise ConfigError(
            f"{path}: both branches have released since they parted, expected one of them: decide again on one of them "
            "what only it had decided"
        )
    first, second = (sides.theirs, sides.ours) if theirs else (sides.ours, sides.theirs)
    added = second[shared:]
    return hash_chain.joined(first, _news(first[shared:], added) if name == "batches" else added)


def _news(first: Sequence[bytes], added: Sequence[bytes]) -> list[bytes]:
    """Return the events that change anything: both branches may have opened the same batch, or ended it."""
    here, there = (_rows("batches", lines, BatchEvent) for lines in (first, added))
    done = {(event.batch, event.event) for event in here if event.event != "extend"}
    return [line for line, event in zip(added, there, strict=True) if (event.batch, event.event) not in done]


def _table(name: str) -> list[bytes]:
    """Return the rows of both branches, each key once.

    Also a row that only one of them has rewritten is for people to settle, hence no base: a chance of being drawn rests
    on all that was drawn, and the other branch may have drawn and labelled by the old one.
    """
    table = TABLES[name]
    rows, _ = union(table, {"base": [], "ours": rows_of(table, "ours"), "theirs": rows_of(table, "theirs")})
    return jsonl.written(rows).splitlines()


def _require_sense(joined: dict[str, list[bytes]]) -> None:
    """Refuse decisions that do not fit together, such as on a case that the other branch has changed."""
    if not {"decisions", "batches"} & joined.keys():
        return
    decisions = _either("decisions", joined, Decision)
    events = _either("batches", joined, BatchEvent)
    try:
        batches.fold(decisions, events)
    except DataError as error:
        raise DataError(
            f"what the branches said does not fit together ({error}), expected what one log could hold: keep one side, "
            "and decide again what only the other one had"
        ) from error


def _either(name: str, joined: dict[str, list[bytes]], record: type[Row]) -> list[Row]:
    """Return the rows of a log, whether it had to be joined or not."""
    return _rows(name, joined[name], record) if name in joined else TABLES[name].read(may_be_absent=True)


def _rows(name: str, lines: Sequence[bytes], record: type[Row]) -> list[Row]:
    return list(parse_rows(record, lines, TABLES[name].path))


def _decided_twice(sides: Sides | None) -> list[str]:
    if sides is None:
        return []
    shared = len(sides.base)
    ours, theirs = (
        {word.candidate_id for word in _rows("decisions", side[shared:], Decision)}
        for side in (sides.ours, sides.theirs)
    )
    return sorted(ours & theirs)
