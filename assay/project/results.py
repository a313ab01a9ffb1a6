"""The small results of a run: the gate's decision, the report, the metrics; and whether the last night ended well.

A night that began and did not end has no verdict: what an earlier one left in gate.json is not its word.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from assay.errors import AssayError, BusyError
from assay.project import files
from assay.report.gate import Gate
from assay.storage.rows import parse_row
from assay.text import one_line

GATE = "data/reports/gate.json"
METRICS = "data/reports/metrics.json"
REPORT = "data/reports/report.html"
SLICES = "data/reports/slices.csv"
UNFINISHED = "unfinished.json"
"""Private file that is there from the beginning of a night until it has ended well."""
KILLED = "it was killed, or the machine stopped"


def read_gate() -> Gate:
    """Return the last night's decision: `incomplete` for one that began and did not end.

    Raises:
        DataError: There is none yet.
    """
    mark = files.root() / files.PRIVATE / UNFINISHED
    if mark.is_file():
        return _unfinished(mark.read_bytes())
    return parse_row(Gate, files.read_json(GATE, "run `assay nightly`"), GATE, 1)


@contextmanager
def finishing(now: datetime) -> Iterator[None]:
    """Let no earlier verdict stand for the night inside the block, until that has ended well.

    Where the mark cannot be written, on a full disk, the earlier verdict is taken away instead.
    """
    began, mark = f"{now:%Y-%m-%d %H:%M} UTC", files.private(UNFINISHED)
    before = mark.read_bytes() if mark.is_file() else None
    try:
        files.write_json(f"{files.PRIVATE}/{UNFINISHED}", {"began": began, "why": KILLED})
    except OSError:
        files.path(GATE).unlink(missing_ok=True)
        raise
    try:
        yield
    except BusyError:  # the night that holds the lock has a mark of its own
        mark.unlink(missing_ok=True) if before is None else mark.write_bytes(before)
        raise
    except BaseException as error:
        why = str(error) if isinstance(error, AssayError) else f"{type(error).__name__} {one_line(error)}".strip()
        with suppress(OSError):  # on a full disk the mark stands as it was begun; the error itself is raised
            files.write_json(f"{files.PRIVATE}/{UNFINISHED}", {"began": began, "why": one_line(why)})
        raise
    mark.unlink(missing_ok=True)


def _unfinished(content: bytes) -> Gate:
    """Return the decision on a night that did not end."""
    try:
        mark = json.loads(content)
        began, why = str(mark["began"]), str(mark["why"])
    except (ValueError, KeyError, TypeError):
        began, why = "an unknown time", KILLED
    reason = f"the night that began at {began} did not end"
    return Gate(
        word="incomplete",
        reason=reason,
        next="fix what stopped it, then run `assay nightly`",
        sentence=f"INCOMPLETE: {reason} ({why.removesuffix('.')}).",
    )
