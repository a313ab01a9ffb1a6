"""The list of runs as one static page in the report's style: no script, and every value is escaped."""

from pydantic import Field

from assay.records.record import Record
from assay.records.run import RunRecord
from assay.report.page import BADGES, environment

RESOURCES = ("templates/style.css", "templates/runs/*")
TEMPLATE = "runs/index.html"
OTHER = ("·", "plain")
"""Badge of a verdict that this version does not know."""


class Row(Record):
    """One run of the list."""

    record: RunRecord
    short: str
    link: str
    """Address of its report; empty where there is none."""
    took: str
    note: str
    """Where its files are, if not here."""


class Index(Record):
    """The page: a list of runs, or what to say in place of one."""

    title: str = "Runs"
    rows: list[Row] = Field(default=[])
    note: str = ""
    command: str = ""
    """What to run for what the note is about."""


def render(index: Index) -> str:
    """Return the page."""
    badges = {row.record.word: dict(BADGES.items()).get(row.record.word, OTHER) for row in index.rows}  # type: ignore[call-overload]
    return environment().get_template(TEMPLATE).render(index=index, badges=badges)
