"""The pages of candidates: one item a screen, one key a word, and the next item at once."""

from typing import Literal, cast
from urllib.parse import quote

from starlette.exceptions import HTTPException
from starlette.responses import Response

from assay.desk import editing, pages
from assay.desk.candidate_queue import RefusedError, Said
from assay.desk.narrowing import Narrowing
from assay.desk.request import Visit
from assay.records.case import Case

DONE = {"admit": "Admitted", "edit": "Admitted as edited", "reject": "Rejected"}


def start(visit: Visit, said: str = "", fault: str = "") -> Response:
    """Show what there is to do."""
    desk = visit.desk
    values = pages.start(visit.person, desk.candidates, desk.labels, desk.now())
    values["unopened"] = 0 if values["batch"] else desk.unopened()
    return visit.page("start", "/", values, said=said, fault=fault)


def following(visit: Visit) -> Response:
    """Show the next candidate for this person, or the first page where there is none."""
    return _next(visit, visit.request.query_params.get("after", ""))


def dispute(visit: Visit) -> Response:
    """Show the next candidate on which reviewers disagree, or the first page where there is none."""
    return _next(visit, visit.request.query_params.get("after", ""), settles=True)


def one(visit: Visit) -> Response:
    """Show one candidate."""
    return _show(visit, visit.key)


def edit(visit: Visit, fault: str = "") -> Response:
    """Show one candidate as a form."""
    item = visit.desk.candidates.sitting().items.get(visit.key)
    if item is None:
        raise HTTPException(404, "There is no such candidate in the open batch.")
    values = pages.form(item, visit.desk.guide(), visit.fields) | {"only": visit.only}
    place = f"/candidates/{quote(visit.key)}/edit"
    return visit.page("edit", place, values, fault=fault)


def decide(visit: Visit) -> Response:
    """Take a word on a candidate, or put it off, and show the next one."""
    queue, word = visit.desk.candidates, visit.fields.get("word", "")
    item = queue.sitting().items.get(visit.key)
    if item is None or word not in ("admit", "edit", "reject", "defer"):
        return start(visit, fault="This item is not in the open batch any more.")
    if word == "defer":
        queue.put_off(visit.person.name, visit.key)
        return _next(visit, visit.key, "Put off.")
    if (why := visit.why(word)) is None:
        return _show(visit, visit.key, fault="Say why it is rejected: a reason, and a note for any other one.")
    settles = queue.may_settle(visit.person, visit.key)
    try:
        said = Said(
            candidate_id=visit.key,
            revision=visit.fields.get("revision", ""),
            word=cast("Literal['admit', 'edit', 'reject']", word),
            reason=why,
            seconds=visit.seconds(),
            case=_edited(visit, item.case) if word == "edit" else None,
        )
        queue.say(visit.person, said, visit.desk.now())
    except RefusedError as error:
        return edit(visit, str(error)) if word == "edit" else _show(visit, visit.key, fault=str(error))
    return _next(visit, visit.key, f"{DONE[word]}: {visit.key}.", settles=settles)


def undo(visit: Visit) -> Response:
    """Take back this person's last word, and show that item again."""
    try:
        key = visit.desk.candidates.undo(visit.person, visit.desk.now())
    except RefusedError as error:
        return start(visit, fault=str(error))
    return visit.lead(_place(key, visit.only), lambda: _show(visit, key, "Taken back: decide again."))


def close(visit: Visit) -> Response:
    """Close the open batch."""
    queue = visit.desk.candidates
    if not queue.is_done():
        return start(visit, fault="Not all that the batch's rule asks for is decided yet: it stays open.")
    return start(visit, visit.desk.close(visit.person.name, visit.fields.get("note", "").strip()))


def _next(visit: Visit, after: str, said: str = "", *, settles: bool = False) -> Response:
    queue, now = visit.desk.candidates, visit.desk.now()
    if settles:
        found = queue.next_dispute(visit.person, after=after)
    else:
        found = queue.next_for(visit.person.name, now, only=visit.only, after=after)
    if found is None:
        return visit.lead("/", lambda: start(visit, f"{said} Nothing more for you here.".strip()))
    return visit.lead(_place(found, visit.only), lambda: _show(visit, found, said))


def _show(visit: Visit, key: str, said: str = "", fault: str = "") -> Response:
    queue = visit.desk.candidates
    item = queue.sitting().items.get(key)
    if item is None:
        raise HTTPException(404, "There is no such candidate in the open batch.")
    queue.hold(visit.person.name, key, visit.desk.now())
    values = pages.candidate(visit.person, queue, item, visit.desk.guide(), visit.only)
    return visit.page("item", _place(key, visit.only), values, said=said, fault=fault)


def _place(key: str, only: Narrowing) -> str:
    return f"/candidates/{quote(key)}{only.query()}"


def _edited(visit: Visit, case: Case) -> Case:
    owners = {name: category.owner for name, category in visit.desk.guide().taxonomy.items()}
    return editing.edited(case, visit.fields, owners, visit.desk.guide().can_fail)
