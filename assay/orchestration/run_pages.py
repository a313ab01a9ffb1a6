"""Pages of the runs beside Prefect's: an index, and what is shown where a report is not here."""

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


def index() -> str:
    """Return the page that lists the runs."""
    try:
        listed = runs.listed(SHOWN)
        if not listed:
            return runs_page.render(Index(note=f"{runs.no_record()}. The first is made by:", command="assay nightly"))
    except AssayError as error:
        return runs_page.render(Index(note=f"The runs cannot be listed: {error}."))
    more = len(archive.ids()) - len(listed)
    note = f"{more} older runs are left out here: `assay runs` lists them." if more else ""
    return runs_page.render(Index(rows=[_row(run) for run in listed], note=note))


def absent(run: str) -> str:
    """Return the page of a run whose report is not in the workspace; `run` is an id."""
    if run not in archive.ids():
        return unknown()
    if archive.state(run) == "pruned":
        note = f"The archive of this run is pruned; its record is {RUNS}/{run}.json. What to do to fetch it is said by:"
    else:
        note = "The report of this run is not on this machine. Fetch it, then load this page again:"
    return runs_page.render(Index(title="Report", note=note, command=f"assay report {run}"))


def unknown() -> str:
    """Return the page for an address that is no run's."""
    return runs_page.render(
        Index(title="Report", note="There is no such run here; the list of runs names those there are.")
    )


def _row(run: runs.ListedRun) -> Row:
    record = run.record
    return Row(
        record=record,
        short=run.short,
        link="" if run.state == "pruned" else report(record.run),
        took=runs.duration(run),
        note={"here": "", "elsewhere": "not on this machine", "pruned": "pruned"}[run.state],
    )
