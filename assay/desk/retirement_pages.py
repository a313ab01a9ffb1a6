"""The page of cases that may have had their day: why each should be looked at, and its retirement by a person."""

from starlette.responses import Response

from assay.desk import pages
from assay.desk.request import Visit
from assay.errors import AssayError

PLACE = "/health"


def proposals(visit: Visit, said: str = "", fault: str = "") -> Response:
    """Show the cases to look at."""
    values = pages.health(visit.person, visit.desk.upkeep.proposals(), visit.desk.guide())
    return visit.page("health", PLACE, values, said=said, fault=fault)


def retire(visit: Visit) -> Response:
    """Take a case out of the evaluation set, as it was shown, for a reason."""
    if visit.person.role != "adjudicator":
        return proposals(visit, fault="Only an adjudicator takes cases out of the set.")
    reason, revision = visit.fields.get("note", "").strip(), visit.fields.get("revision", "")
    try:
        said = visit.desk.upkeep.retire(visit.key, revision, visit.person.name, reason)
    except AssayError as error:
        return proposals(visit, fault=f"{error}.")
    return visit.lead(PLACE, lambda: proposals(visit, said))
