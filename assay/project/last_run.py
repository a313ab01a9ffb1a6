"""The last run: which one filed the responses that are here, and whence they come; known to this machine alone."""

from assay.errors import DataError
from assay.project import files
from assay.project.run_id import Run
from assay.records.run import Answers, LastRun
from assay.storage.rows import parse_row

LAST = "last-run.json"


def file_answers(run: Run, answers: Answers) -> None:
    """Keep which run filed the responses that are there now, and whence they come."""
    keep(LastRun(run=run.id, began=run.began, answers=answers))


def keep(last: LastRun) -> None:
    """Keep what is known of the last run."""
    files.private(LAST)
    files.write_json(f"{files.PRIVATE}/{LAST}", last.model_dump(mode="json"))


def read() -> LastRun | None:
    """Return the run whose responses are on file; None where this machine does not know it, as in a clone."""
    name = f"{files.PRIVATE}/{LAST}"
    if not files.exists(name):
        return None
    try:
        return parse_row(LastRun, files.read_json(name, ""), name, 1)
    except DataError:
        return None
