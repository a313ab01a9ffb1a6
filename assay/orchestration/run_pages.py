"""Pages of the runs beside Prefect's: an index, and what is shown where a report is not here."""

from datetime import datetime

from assay.commands import runs
from assay.errors import AssayError
from assay.project import archive
from assay.project.archive import RUNS
from assay.report import runs_page
from assay.report.runs_page import Index, Row

REPORT_PAGE = "/assay/report"
"""Where the server shows the last report, and below it each run's own."""
RUNS_PAGE = "/assay/runs"
SHOWN = 400
"""Runs of the index: more than a year of nights."""


def report(run: str) -> str:
    """Return where the server shows the report of a run; the last one's where the run has no id."""
    return f"{REPORT_PAGE}/{run}" if run else REPORT_PAGE


def index(now: datetime) -> str:
    """Return the page that lists the runs; each record that is damaged is named."""
    listed = runs.listed(now, SHOWN)
    if not (listed.runs or listed.damaged):
        return runs_page.render(Index(note=_nothing(), command="assay nightly"))
    more = len(archive.ids()) - SHOWN
    notes = [f"Not listed: {fault}." for fault in listed.damaged]
    notes += [f"{more} older runs are left out here: `assay runs` lists them."] if more > 0 else []
    return runs_page.render(Index(rows=[_row(run) for run in listed.runs], note=" ".join(notes)))


def _nothing() -> str:
    """Return why no run is listed."""
    try:
        return f"{runs.no_record()}. The first is made by:"
    except AssayError as error:
        return f"The history cannot be read: {error}. A run is made by:"


def named(beginning: str) -> str | None:
    """Return the id of the one run that begins so, with 8 characters at least; None where there is none, or more."""
    found = [run for run in archive.ids() if len(beginning) >= runs.LEAST and run.startswith(beginning)]
    return found[0] if len(found) == 1 else None


def absent(run: str) -> str:
    """Return the page of a run whose report is not in the workspace; `run` is an id."""
    if archive.state(run) == "pruned":
        note = f"The archive of this run is pruned; its record is {RUNS}/{run}.json. What to do to fetch it is said by:"
    else:
        note = "The report of this run is not on this machine. Fetch it, then load this page again:"
    return runs_page.render(Index(title="Report", note=note, command=f"assay report {run}"))


def unknown() -> str:
    """Return the page for an address that is no run's."""
    return runs_page.render(
        Index(
            title="Report",
            note="This is the address of no run, or of several; the list of runs names those there are.",
        )
    )


def _row(run: runs.ListedRun) -> Row:
    record = run.record
    return Row(
        record=record,
        short=run.short,
        link="" if run.state in ("pruned", "lost") else report(record.run),
        took=runs.duration(run),
        note=runs.noted(run),
    )
