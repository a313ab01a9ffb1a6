"""A comparison of versions as one static page in the report's style: no script, and every value is escaped."""

from collections.abc import Sequence

from assay.records.result import VersionResults
from assay.report.page import environment
from assay.report.versions import VersionPair, Word

RESOURCES = ("templates/style.css", "templates/versions/*")
TEMPLATE = "versions/index.html"
TONES: dict[Word, str] = {
    "regression": "bad",
    "improvement": "good",
    "no difference shown": "good",
    "inconclusive": "open",
    "uncalibrated": "open",
}


def render(versions: Sequence[VersionResults], pairs: Sequence[VersionPair]) -> str:
    """Return the page."""
    return environment().get_template(TEMPLATE).render(versions=versions, pairs=pairs, tones=TONES)
