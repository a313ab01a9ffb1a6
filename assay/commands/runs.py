"""Runs: which were there, what came of each, and where its report is.

Reads the records in data/runs. A report that does not lie in the workspace is fetched, from DVC's cache or its remote,
and is the one that the record names, byte for byte.
"""

import re
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, NamedTuple

from assay.errors import ConfigError, DataError
from assay.project import archive, files, programs
from assay.project.answers import SHORT
from assay.project.archive import RUNS, State
from assay.project.results import REPORT, report_of, reported
from assay.project.run_id import began, is_ahead
from assay.project.tables.history import HISTORY
from assay.records.run import RunRecord
from assay.report.wording import money
from assay.storage import atomic
from assay.text import printable

LAST = "last"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
LEAST = 8
"""Characters of an id that may name a run."""
AHEAD = "dated later than now: a clock was ahead"
SHOWN = "assay runs"
NAMED = 5
"""Candidates that a message names."""
ListedState = State | Literal["lost", "unarchived"]
"""Files of a run that could not be archived are lost; those of a run of `publish.keep: 0` never were."""


class ListedRun(NamedTuple):
    """A run as it is listed."""

    record: RunRecord
    short: str
    """The beginning of its id that no other run has."""
    state: ListedState
    is_ahead: bool
    """It is dated later than now: a clock was ahead."""


class Listing(NamedTuple):
    """The runs that have a record."""

    runs: list[ListedRun]
    """The newest first; those that are dated later than now come last."""
    damaged: list[str]
    """Of each record that cannot be read what is wrong, and what to do."""


def listed(now: datetime, last: int | None = None) -> Listing:
    """Return the runs that have a record, and what is wrong with each record that is damaged.

    Args:
        now: The moment.
        last: How many of those that can be read; None for all. Damaged records are told of all runs.
    """
    ids, listing = archive.ids(now), Listing([], [])
    short = shortened(ids)
    for run in ids:
        try:
            record = archive.read(run)
        except DataError as fault:
            listing.damaged.append(str(fault))
        else:
            listing.runs.append(ListedRun(record, short[run], _state(record), is_ahead(run, now)))
    return listing._replace(runs=listing.runs[:last])


def _state(record: RunRecord) -> ListedState:
    state = archive.state(record.run)
    if state != "pruned":
        return state
    if record.lost:
        return "lost"
    return "pruned" if record.files else "unarchived"


def shortened(ids: Sequence[str]) -> dict[str, str]:
    """Return of each id its beginning that no other one has, of 13 characters or more."""
    ordered = sorted(ids)
    lengths = dict.fromkeys(ordered, SHORT)
    for first, second in pairwise(ordered):
        same = next(place for place, (one, other) in enumerate(zip(first, second, strict=True)) if one != other)
        lengths[first], lengths[second] = (max(lengths[run], same + 1) for run in (first, second))
    return {run: run[:length] for run, length in lengths.items()}


def chosen(wanted: str, now: datetime) -> RunRecord:
    """Return the record of a run that somebody names.

    Args:
        wanted: The beginning of its id, `last`, or the date on which one run alone began.
        now: The moment: a run that is dated later is the last one only where there is no other.

    Raises:
        ConfigError: There is no such run, or more than one.
        DataError: The record is damaged.
    """
    ids = archive.ids(now)
    if not ids:
        raise ConfigError(f"{no_record()}, expected one: `assay nightly` makes the first")
    if wanted == LAST:
        return archive.read(_last(ids))
    if DATE.fullmatch(wanted):
        matching = [run for run in ids if f"{began(run):%Y-%m-%d}" == wanted]
    else:
        matching = [run for run in ids if run.startswith(wanted.lower())] if len(wanted) >= LEAST else []
    if len(matching) == 1:
        return archive.read(matching[0])
    short, shown = shortened(ids), matching or ids
    candidates = ", ".join(short[run] for run in shown[:NAMED]) + (", ..." if len(shown) > NAMED else "")
    what = f"is of {len(matching)} runs" if matching else "is no run here"
    raise ConfigError(
        f"{printable(wanted[:80])!r} {what}, expected the beginning of one id ({LEAST} characters or more), such as "
        f"{candidates}: name one "
        "(`assay runs` lists them)"
    )


def _last(ids: Sequence[str]) -> str:
    """Return the run that was published last here, whose verdict `assay gate` tells; else the newest."""
    of_last = reported()
    return of_last.run if of_last and of_last.run in ids else ids[0]


def report(record: RunRecord) -> Path:
    """Return the report of a run, byte for byte as it was; fetched where it does not lie in the workspace.

    Raises:
        ConfigError: It is pruned, or DVC cannot fetch it.
        DataError: What DVC fetched is another file.
    """
    file, md5 = archive.report_file(record.run), record.files.get(Path(REPORT).name, "")
    if md5 and (_is(file, md5) or _from_cache(file, md5)):
        return file
    last = report_of(record.run)
    if last and (not md5 or _is(last, md5)):
        return last
    if not md5:
        raise ConfigError(
            f"the report of run {record.run} was not archived ({record.lost or 'publish.keep was 0'}), and {REPORT} is "
            "another run's, expected either: its record is all there is, `{SHOWN}` shows it"
        )
    tracking = f"{RUNS}/{record.run}.dvc"
    if not files.exists(tracking):
        raise ConfigError(f"the archive of run {record.run} is pruned, expected {tracking}: {_restored(tracking)}")
    if not programs.remote():
        raise ConfigError(
            f"the report of run {record.run} is neither here nor in DVC's cache, and there is no remote to fetch it "
            "from, expected one: `dvc remote add --default`, or copy it from the machine of the run"
        )
    programs.dvc("pull", "--force", tracking)
    if not _is(file, md5):
        raise DataError(
            f"{tracking} led to another report than the one of {RUNS}/{record.run}.json, expected MD5 {md5}: restore "
            "both from one commit"
        )
    return file


def _restored(tracking: str) -> str:
    """Return how the .dvc file of a pruned run comes back from Git, or that it does not.

    Raises:
        ConfigError: Git refuses.
    """
    if programs.content("HEAD", tracking) is not None:
        return f"its deletion is not committed, `git checkout HEAD -- {tracking}` brings it back, then run this again"
    if programs.git("log", "--all", "-1", "--format=%H", "--", tracking):
        return (
            f"find the last commit that has it (`git log --all --diff-filter=D --format=%H^ -- {tracking}`), "
            f"`git checkout COMMIT -- {tracking}`, then run this again"
        )
    return f"no commit has it, so that nobody can bring it back; its record is all there is, `{SHOWN}` shows it"


def no_record() -> str:
    """Return that no run is on record, with what nights there were all the same.

    Raises:
        DataError: The history is damaged.
    """
    nights = sorted({night.night for night in HISTORY.read(may_be_absent=True)})
    if not nights:
        return f"{RUNS} has no run yet"
    return (
        f"{RUNS} has no run on record, although the history tells of {len(nights)} nights, the last of {nights[-1]} "
        "(before version 0.3.0 no run was recorded; later records are in Git)"
    )


def row(run: ListedRun) -> dict[str, Any]:
    """Return a run as JSON has it."""
    listed_as = {"short": run.short, "duration_s": _seconds(run), "archive": run.state, "is_ahead": run.is_ahead}
    return {**run.record.model_dump(mode="json"), **listed_as}


def lines(runs: Sequence[ListedRun]) -> list[str]:
    """Return runs as a table for a terminal, one line each."""
    if not runs:
        return [f"{no_record()}: `assay nightly` makes the first."]
    rows: list[tuple[str, ...]] = [
        ("run", "began (UTC)", "took", "verdict", "target", "answers", "cost", "released set", "archive")
    ]
    rows += [_columns(run) for run in runs]
    widths = [max(len(fields[column]) for fields in rows) for column in range(len(rows[0]))]
    return ["  ".join(map(str.ljust, fields, widths)).rstrip() for fields in rows]


def duration(run: ListedRun) -> str:
    """Return how long a run took, as people say it."""
    seconds = _seconds(run)
    if seconds is None:
        return ""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"  # noqa: PLR2004 - two minutes


def noted(run: ListedRun) -> str:
    """Return what there is to know of a run's files, and of its date; empty where both are as they should be."""
    kept = {
        "here": "",
        "elsewhere": "not here",
        "pruned": "pruned",
        "lost": "not archived",
        "unarchived": "not archived",
    }[run.state]
    lost = f"{kept or 'not in DVC'}: {run.record.lost}" if run.record.lost else kept
    return "; ".join(filter(None, (lost, AHEAD if run.is_ahead else "")))


def _columns(run: ListedRun) -> tuple[str, ...]:
    record = run.record
    return tuple(
        printable(text)
        for text in (
            run.short,
            f"{record.began:%Y-%m-%d %H:%M}" if record.began else record.night,
            duration(run),
            record.word.upper(),
            record.target[:40],
            f"{record.calls.asked} asked, {record.calls.kept} kept",
            "" if record.cost_usd is None else money(record.cost_usd),
            record.released or "-",
            noted(run),
        )
    )


def _seconds(run: ListedRun) -> float | None:
    record = run.record
    return (record.ended - record.began).total_seconds() if record.ended and record.began else None


def _is(file: Path, md5: str) -> bool:
    return file.is_file() and programs.md5(file) == md5


def _from_cache(file: Path, md5: str) -> bool:
    """Put a report in its place from the DVC cache of this machine; tell whether that has it whole."""
    kept = programs.cached(md5)
    if kept is None or not _is(kept, md5):
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    with atomic.replacing(file) as target:
        target.write(kept.read_bytes())
    return True
