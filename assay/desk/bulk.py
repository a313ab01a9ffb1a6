"""Imported cases, decided on many at a time: somebody wrote them before, and a list of a hundred can be read at once.

Only what comes from an import is decided on so, and only rows that somebody has chosen, as they were shown. A row that
may repeat another case has a page of its own to be looked at.
"""

from typing import Any, Literal, cast

from starlette.responses import Response

from assay.desk.candidate_queue import RefusedError, Said
from assay.desk.narrowing import Narrowing
from assay.desk.pages import KEYS, MAX_ROWS
from assay.desk.request import Visit
from assay.evalset.wording import expectations
from assay.records.candidate import IMPORTED, Candidate

PLACE = "/imports"
CHOSEN = "chosen-"
ALIKE = 0.9
"""Similarity of the words from which a candidate is looked at by itself."""
NAMED = 5
"""Refusals that are told one by one."""


def rows(visit: Visit, said: str = "", fault: str = "") -> Response:
    """Show the imported candidates that this person may decide on."""
    only = _only(visit)
    here = visit.desk.candidates.open_for(visit.person.name, visit.desk.now(), only)
    kinds = visit.desk.candidates.sitting().items.values()
    values: dict[str, Any] = {
        "rows": [_row(one) for one in here[:MAX_ROWS]],
        "total": len(here),
        "only": only,
        "categories": sorted({one.case.category for one in kinds if one.made == IMPORTED}),
        "reasons": KEYS.values(),
    }
    return visit.page("imports", PLACE + only.query(), values, said=said, fault=fault)


def decide(visit: Visit) -> Response:
    """Take one word on all chosen rows, each as it was shown, and show what is left."""
    word, chosen = visit.fields.get("word", ""), _chosen(visit)
    if word not in ("admit", "reject") or not chosen:
        return rows(visit, fault="Choose rows, then admit or reject them.")
    if (why := visit.why(word)) is None:
        return rows(visit, fault="Say why they are rejected: a reason, and a note for any other one.")
    each = visit.seconds() / len(chosen)
    refused = [f"{name}: {why_not}" for name, seen in chosen.items() if (why_not := _say(visit, name, seen, why, each))]
    said = f"{len(chosen) - len(refused)} {'admitted' if word == 'admit' else 'rejected'}."
    more = f" And {len(refused) - NAMED} more." if refused[NAMED:] else ""
    return rows(visit, said, fault=f"{said} Not taken: {' '.join(refused[:NAMED])}{more}" if refused else "")


def _say(visit: Visit, name: str, seen: str, why: str, seconds: float) -> str:
    """Take the word on one row; return why not, where it is refused."""
    queue = visit.desk.candidates
    item = queue.sitting().items.get(name)
    if item is None or not _may_be_bulk(item):
        return "It is not decided on in a list."
    if queue.may_settle(visit.person, name):
        return "Reviewers disagree on it: look at it by itself."
    word = cast("Literal['admit', 'reject']", visit.fields["word"])
    try:
        queue.say(
            visit.person,
            Said(candidate_id=name, revision=seen, word=word, reason=why, seconds=seconds),
            visit.desk.now(),
        )
    except RefusedError as error:
        return str(error)
    return ""


def _only(visit: Visit) -> Narrowing:
    return Narrowing(category=visit.only.category, made=IMPORTED, text=visit.only.text)


def _chosen(visit: Visit) -> dict[str, str]:
    """Return the digest that was on the screen of each row that was chosen, by its name."""
    return {name.removeprefix(CHOSEN): seen for name, seen in visit.fields.items() if name.startswith(CHOSEN)}


def _may_be_bulk(one: Candidate) -> bool:
    return one.made == IMPORTED and not one.may_repeat and one.similarity < ALIKE


def _row(one: Candidate) -> dict[str, Any]:
    return {
        "item": one,
        "revision": one.digest(),
        "expected": [*one.case.right_answers(), *expectations(one.case)],
        "may_be_bulk": _may_be_bulk(one),
    }
