"""The small results of a run: the gate's decision, the report, the metrics; and whether the last night ended well.

A night that began and did not end has no verdict: what an earlier one left in gate.json is not its word.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

from assay.errors import AssayError, BusyError, DataError
from assay.project import continuation, files, last_run, run_id, run_lock
from assay.project.continuation import SAME_NIGHT
from assay.project.run_id import Run
from assay.records.run import RunRecord, Times, is_run_id
from assay.report.gate import Gate
from assay.storage.rows import parse_row
from assay.text import one_line

GATE = "data/reports/gate.json"
METRICS = "data/reports/metrics.json"
REPORT = "data/reports/report.html"
SLICES = "data/reports/slices.csv"
UNFINISHED = "unfinished.json"
"""Private file that is there from the beginning of a night until it has ended well."""
ENDED = "it was interrupted, or told to end"
KILLED = "it was killed, or the machine stopped"
CONTINUED = (
    f"`assay nightly`, which goes on from there until {SAME_NIGHT / timedelta(hours=1):.0f} hours after its last answer"
)
UNREADABLE = "its mark cannot be read"
CONFLICT = b"\n<<<<<<< "
"""What Git leaves in a file at which a merge has stopped; JSON has no such line."""
MERGE = "run `assay merge`, which takes the one of the later run"


def read_gate(now: datetime | None = None, stale: timedelta = timedelta.max) -> Gate:
    """Return the last night's decision: `incomplete` for one that is on, or that began and did not end.

    Args:
        now: The moment, by which a verdict that ended long ago, or is dated long after it, is `incomplete` too; None
            for whatever its age.
        stale: How long a verdict holds.

    Raises:
        DataError: There is none yet, or it is damaged.
    """
    if is_unfinished():
        return _unfinished()
    gate = published()
    if now and gate.ended and abs(now - gate.ended) > stale:
        return _stale(gate, now - gate.ended, stale)
    return gate


def published() -> Gate:
    """Return the decision that was published last, whatever began since.

    Raises:
        DataError: There is none yet, it is damaged, or a merge has stopped at it.
    """
    if files.exists(GATE) and CONFLICT in files.path(GATE).read_bytes():
        raise DataError(f"{GATE} has two sides, at which `git merge` has stopped, expected one verdict: {MERGE}")
    return parse_row(Gate, files.read_json(GATE, "run `assay nightly`"), GATE, 1)


def basis() -> str:
    """Return what the outcomes of the last night rest on; empty while a night is on, or where nobody can tell."""
    return "" if is_unfinished() else published_basis()


def published_basis() -> str:
    """Return what the outcomes that were published last rest on, whatever began since; empty where nobody can tell."""
    if not files.exists(METRICS):
        return ""
    with suppress(DataError):
        figures = files.read_json(METRICS, "run `assay nightly`")
        return str(figures.get("basis", "")) if isinstance(figures, dict) else ""
    return ""


def report_of(run: str) -> Path | None:
    """Return the report on file where it is the one of this run; None where it is not."""
    of_report = reported()
    return files.root() / REPORT if of_report and of_report.run == run else None


def reported() -> Times | None:
    """Return which run the report on file is of; None where there is none, or nobody can tell."""
    if not (files.exists(REPORT) and files.exists(GATE)):
        return None
    with suppress(DataError):
        gate = published()
        return Times(run=gate.run, began=gate.began, ended=gate.ended)
    return None


def times(filed_by: str, record: RunRecord | None = None) -> Times:
    """Return id, begin and end of a run that is published: the one that is on, or an earlier one published again.

    Args:
        filed_by: Id of the run that filed the responses; empty where they are of before runs had ids.
        record: What Git keeps of that run, where it was published before.
    """
    run, last = run_id.current(), last_run.read()
    if run and (run.id == filed_by or not filed_by):
        ended = run.clock()
        if last and last.run == run.id:
            last_run.keep(last.model_copy(update={"ended": ended}))
        return Times(run=run.id, began=run.began, ended=ended)
    if last and filed_by in (last.run, ""):
        return Times(run=last.run, began=last.began, ended=last.ended)
    if files.exists(GATE):
        with suppress(DataError):
            gate = published()
            if filed_by in (gate.run, ""):
                return Times(run=gate.run, began=gate.began, ended=gate.ended)
    if record:
        return Times(run=filed_by, began=record.began, ended=record.ended)
    return Times(run=filed_by, began=run_id.began(filed_by) if is_run_id(filed_by) else None)


def is_unfinished() -> bool:
    """Tell whether a night is on, or began and did not end."""
    return os.path.lexists(files.root() / files.PRIVATE / UNFINISHED)


def is_interrupted(run: str) -> bool:
    """Tell whether a night, whose run has this id, began and did not end, and none is on."""
    return _marked().get("run") == run and not run_lock.is_night_on()


def end_interrupted(run: str) -> None:
    """Let a night that began and did not end have ended, since this run has: the same one, or a later one.

    Nothing where the night is a later one than this run, or one is on.
    """
    marked = _marked().get("run", "")
    if is_run_id(marked) and is_run_id(run) and marked <= run and not run_lock.is_night_on():
        continuation.ended(run_id.of_id(run))
        files.private(UNFINISHED).unlink(missing_ok=True)


@contextmanager
def finishing(run: Run) -> Iterator[Callable[[], None]]:
    """Let no earlier verdict stand for the run inside the block, until that has ended well.

    Inside the block of another one it is part of that run. Another night's mark is left alone until what is yielded is
    called, which is once the project's lock is held: from then on the mark is that of the run that is on then, which
    may be an interrupted one that is continued. Where the mark cannot be written, on a full disk, the earlier verdict
    is taken away instead.
    """

    def take_mark() -> None:
        _mark(run_id.current() or run, KILLED)

    if run_id.current():
        yield take_mark
        return
    with ExitStack() as night:
        try:
            night.enter_context(run_lock.night_on())
            if not is_unfinished():
                _mark(run, KILLED)
        except OSError:
            _move()
            raise
        night.enter_context(run_id.being(run))
        try:
            yield take_mark
        except BaseException as error:
            _fail(run_id.current() or run, error)
            raise
        run = run_id.current() or run
    if _marked().get("run") == run.id:
        files.private(UNFINISHED).unlink(missing_ok=True)


def _fail(run: Run, error: BaseException) -> None:
    """Say why a run did not end, unless it never began because another one is on, whose mark says enough."""
    if isinstance(error, BusyError) and _marked().get("run") != run.id:
        return
    why = str(error) if isinstance(error, AssayError) else f"{type(error).__name__} {one_line(error)}".strip()
    why = ENDED if isinstance(error, KeyboardInterrupt) else why
    with suppress(OSError):  # on a full disk the mark stands as it was begun; the error itself is raised
        _mark(run, one_line(why))


def _move() -> None:
    """Let the earlier verdict itself be the mark of a night that cannot write one: a rename takes no room."""
    gate = files.path(GATE)
    try:
        gate.replace(files.root() / files.PRIVATE / UNFINISHED)
    except FileNotFoundError:
        return  # there is no verdict that could be taken for this night's
    except OSError:
        gate.unlink(missing_ok=True)


def _mark(run: Run, why: str) -> None:
    files.private(UNFINISHED)
    files.write_json(f"{files.PRIVATE}/{UNFINISHED}", {"run": run.id, "began": str(run.began), "why": why})


def _marked() -> dict[str, str]:
    """Return what the mark of a night says; nothing where there is none, or none that can be read."""
    try:
        mark = json.loads((files.root() / files.PRIVATE / UNFINISHED).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return {str(name): str(value) for name, value in mark.items()} if isinstance(mark, dict) else {}


def _unfinished() -> Gate:
    """Return the decision on a night that is on, or did not end."""
    mark = _marked()
    began = _moment(mark.get("began", ""))
    when = f"{began:%Y-%m-%d %H:%M} UTC" if began else one_line(mark.get("began", "an unknown time"))
    why = one_line(mark.get("why", UNREADABLE))
    if run_lock.is_night_on():
        reason, then = f"a night is on, since {when}", "wait until it has ended, then ask again"
        sentence = f"INCOMPLETE: {reason}."
    else:
        reason = f"the night that began at {when} did not end"
        then = f"run {CONTINUED}" if why in (KILLED, ENDED) else f"fix what stopped it, then run {CONTINUED}"
        sentence = f"INCOMPLETE: {reason} ({why.removesuffix('.')})."
    return Gate(word="incomplete", reason=reason, next=then, sentence=sentence, run=mark.get("run", ""), began=began)


def _stale(gate: Gate, age: timedelta, most: timedelta) -> Gate:
    """Return the decision where the last verdict is of a night too long ago, or of one that a clock ahead dated."""
    hours = timedelta(hours=1)
    reason = f"the last night ended {age / hours:.0f} hours ago, and a verdict holds for {most / hours:.0f}"
    if age < timedelta(0):
        reason = f"the last night is dated {-age / hours:.0f} hours later than now: a clock was ahead"
    then = "run `assay nightly`"
    sentence = f"INCOMPLETE: {reason}; it was {gate.word.upper()}."
    return gate.model_copy(update={"word": "incomplete", "reason": reason, "next": then, "sentence": sentence})


def _moment(text: str) -> datetime | None:
    """Return a moment with its time zone; None for what is none."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
