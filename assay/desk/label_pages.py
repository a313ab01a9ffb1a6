"""The pages of items to label: blind, one item a screen, one key a label."""

import json
from typing import cast
from urllib.parse import quote

from pydantic import TypeAdapter, ValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from assay.desk import candidate_pages, pages
from assay.desk.candidate_queue import RefusedError
from assay.desk.label_queue import Choice, Labelled
from assay.desk.request import Visit
from assay.records.label import Span

MAX_SPANS = 50
_SPANS = TypeAdapter(list[Span])


def following(visit: Visit) -> Response:
    """Show the next item to label, or the first page where there is none."""
    return _next(visit, visit.request.query_params.get("after", ""))


def one(visit: Visit) -> Response:
    """Show one item to label."""
    return _show(visit, visit.key)


def answer(visit: Visit) -> Response:
    """Take a label, or pass the item over, and show the next one."""
    choice = visit.fields.get("word", "")
    if choice == "defer":
        return _next(visit, visit.key, "Put off.")
    try:
        said = Labelled(
            item_id=visit.key,
            shown=visit.fields.get("revision", ""),
            choice=cast("Choice", choice),
            spans=_spans(visit.fields.get("spans", "")),
            note=visit.fields.get("note", "").strip(),
            seconds=visit.seconds(),
        )
        visit.desk.labels.say(visit.person.name, said, visit.desk.now())
    except RefusedError as error:
        return _show(visit, visit.key, fault=str(error))
    return _next(visit, visit.key, f"Labelled: {choice}.")


def undo(visit: Visit) -> Response:
    """Take back this person's last label, and show that item again."""
    try:
        key = visit.desk.labels.undo(visit.person.name, visit.desk.now())
    except RefusedError as error:
        return candidate_pages.start(visit, fault=str(error))
    return visit.lead(f"/labels/{quote(key)}", lambda: _show(visit, key, "Taken back: label it again."))


def hand_over(visit: Visit) -> Response:
    """File the labels that are complete."""
    return candidate_pages.start(visit, visit.desk.hand_over())


def _next(visit: Visit, after: str, said: str = "") -> Response:
    found = visit.desk.labels.next_for(visit.person.name, visit.desk.now(), after=after)
    if found is None:
        others = visit.desk.labels.with_others(visit.person.name, visit.desk.now())
        why = (
            "Nothing to label for you now: others look at what is left." if others else "Nothing more to label for you."
        )
        return visit.lead("/", lambda: candidate_pages.start(visit, f"{said} {why}".strip()))
    return visit.lead(f"/labels/{quote(found)}", lambda: _show(visit, found, said))


def _show(visit: Visit, key: str, said: str = "", fault: str = "") -> Response:
    item = visit.desk.labels.pile().items.get(key)
    if item is None:
        raise HTTPException(404, "There is no such item to label.")
    visit.desk.labels.hold(visit.person.name, key, visit.desk.now())
    values = pages.label(visit.person.name, visit.desk.labels, item, visit.desk.guide(), visit.desk.now())
    return visit.page("label", f"/labels/{quote(key)}", values, said=said, fault=fault)


def _spans(text: str) -> list[Span]:
    """Read the marked parts, a list of pairs of places in the answer."""
    try:
        found = _SPANS.validate_python([{"start": one[0], "end": one[1]} for one in json.loads(text or "[]")])
    except (ValueError, ValidationError, TypeError, IndexError, KeyError, RecursionError) as error:
        raise RefusedError("The marked parts cannot be read: mark them again.") from error
    if len(found) > MAX_SPANS:
        raise RefusedError(f"{len(found)} parts are marked, expected at most {MAX_SPANS}: mark fewer.")
    return found
