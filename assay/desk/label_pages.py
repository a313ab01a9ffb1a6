"""The pages of items to label: blind, one item and one judge's question a screen, one key a label."""

import json
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assay.desk import candidate_pages, label_page
from assay.desk.candidate_queue import RefusedError
from assay.desk.label_queue import Labelled, task_key
from assay.desk.request import Visit
from assay.records.label import Span

MAX_SPANS = 50
_SPANS = TypeAdapter(list[Span])


def following(visit: Visit) -> Response:
    """Show the next item to label, of the judge that the address names or of any; else the first page."""
    given = visit.request.query_params
    return _next(visit, given.get("after", ""), judge=given.get("judge", ""))


def one(visit: Visit) -> Response:
    """Show one item to label."""
    return _show(visit, _key(visit))


def answer(visit: Visit) -> Response:
    """Take a label, or pass the item over, and show the next one."""
    key = _key(visit)
    if visit.fields.get("word", "") == "defer":
        return _next(visit, key, "Put off.")
    choice = visit.fields.get("label", "").strip()
    try:
        said = Labelled(
            task=key,
            asked=visit.fields.get("revision", ""),
            choice=choice,
            spans=_spans(visit.fields.get("spans", "")),
            note=visit.fields.get("note", "").strip(),
            seconds=visit.seconds(),
        )
        visit.desk.labels.say(visit.person.name, said, visit.desk.now())
    except RefusedError as error:
        return _show(visit, key, fault=str(error))
    return _next(visit, key, f"Labelled: {choice}.")


def undo(visit: Visit) -> Response:
    """Take back this person's last label, and show that item again."""
    try:
        key = visit.desk.labels.undo(visit.person.name, visit.desk.now())
    except RefusedError as error:
        return candidate_pages.start(visit, fault=str(error))
    return visit.lead(_place(key), lambda: _show(visit, key, "Taken back: label it again."))


def hand_over(visit: Visit) -> Response:
    """File the labels that are complete."""
    return candidate_pages.start(visit, visit.desk.hand_over())


def _key(visit: Visit) -> str:
    """Return the task that the address names."""
    return task_key(str(visit.request.path_params.get("judge", "")), visit.key)


def _place(key: str) -> str:
    return f"/labels/{quote(key)}"


def _next(visit: Visit, after: str, said: str = "", judge: str = "") -> Response:
    found = visit.desk.labels.next_for(visit.person.name, visit.desk.now(), after=after, judge=judge)
    if found is None:
        others = visit.desk.labels.with_others(visit.person.name, visit.desk.now())
        why = (
            "Nothing to label for you now: others look at what is left." if others else "Nothing more to label for you."
        )
        return visit.lead("/", lambda: candidate_pages.start(visit, f"{said} {why}".strip()))
    return visit.lead(_place(found), lambda: _show(visit, found, said))


def _show(visit: Visit, key: str, said: str = "", fault: str = "") -> Response:
    task = visit.desk.labels.pile().tasks.get(key)
    if task is None:
        raise HTTPException(404, "There is no such item to label.")
    visit.desk.labels.hold(visit.person.name, key, visit.desk.now())
    values = label_page.label(visit.person.name, visit.desk.labels, task, visit.desk.now())
    return visit.page("label", _place(key), values, said=said, fault=fault)


def _spans(text: str) -> list[Span]:
    """Read the marked parts, a list of pairs of places in the answer."""
    try:
        found = _SPANS.validate_python([{"start": one[0], "end": one[1]} for one in json.loads(text or "[]")])
    except (ValueError, ValidationError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise RefusedError("The marked parts cannot be read: mark them again.") from error
    if len(found) > MAX_SPANS:
        raise RefusedError(f"{len(found)} parts are marked, expected at most {MAX_SPANS}: mark fewer.")
    return found
