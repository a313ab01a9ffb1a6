"""What is said about a case beside its content, in the free metadata that most formats have."""

import json
from contextlib import suppress
from typing import Any, TypeVar, cast, get_args

from pydantic import ValidationError

from assay.checks import registry
from assay.errors import DataError
from assay.interchange.sets.builder import Draft, Gathering, Listing, Provenance, one_line, shown
from assay.interchange.sets.fields import Fields, as_text
from assay.records.attachment import Attachment
from assay.records.case import Case, Layer, SimulatedUser

T = TypeVar("T")
GIVEN = "case_contexts"
"""Documents that a case gives; in other tools' files `contexts` are what a product had retrieved."""
TAGS = "case_tags"
"""Tags by which judges are chosen; in other tools' files `tags` may name a category."""
STRUCTURED = ("inputs", "references", "attachments", "thresholds", GIVEN, TAGS)
"""What is no text, for metadata that holds only texts."""


def tell(case: Case) -> dict[str, Any]:
    """Return what free metadata holds of a case, so that nothing is lost on the way out and back."""
    told: dict[str, Any] = {
        "case_id": case.case_id,
        "category": case.category,
        "layer": case.layer,
        "owner": case.owner,
        "provenance": case.provenance,
        "parent": case.parent,
        "expectations": [one.model_dump(exclude_defaults=True) for one in case.expectations],
        "user": case.user.model_dump() if case.user else None,
        "rubric": case.rubric,
        "inputs": case.values(),
        "references": case.references,
        GIVEN: case.contexts,
        TAGS: case.tags,
        "thresholds": case.thresholds,
        "attachments": [one.model_dump() for one in case.attachments],
    }
    return {name: value for name, value in told.items() if value}


def hear(draft: Draft, fields: Fields, gathering: Gathering) -> None:
    """Take from fields what they say about a case; what is not of our form stays unread there."""
    draft.case_id = draft.case_id or fields.take("case_id")
    draft.category = draft.category or fields.take("category")
    draft.tags = draft.tags or fields.take("tags")
    draft.owner = draft.owner or fields.text("owner")
    draft.parent = draft.parent or fields.text("parent")
    layer, provenance = _word(fields, "layer", Layer), _word(fields, "provenance", Provenance)
    draft.layer = draft.layer or cast("Layer | None", layer)
    draft.provenance = cast("Provenance", provenance or draft.provenance)
    for number, found in enumerate(fields.items("expectations")):
        _expect(draft, found, f"{fields.place}, expectations[{number}]", gathering)
    rubrics = fields.whole("rubric") if fields.is_object("rubric") else {}
    draft.rubric = {
        **draft.rubric,
        **{str(name): as_text(text, fields.place, gathering) for name, text in rubrics.items()},
    }
    for name, value in (_structured(fields, "inputs", dict) or {}).items():
        gathering.give(draft, str(name), value, f"inputs.{name}")
    draft.references += [as_text(one, fields.place, gathering) for one in _structured(fields, "references", list) or []]
    draft.thresholds |= _structured(fields, "thresholds", dict) or {}
    draft.case_tags += [as_text(one, fields.place, gathering) for one in _structured(fields, TAGS, list) or []]
    draft.contexts += [as_text(one, fields.place, gathering) for one in _structured(fields, GIVEN, list) or []]
    for number, one in enumerate(_structured(fields, "attachments", list) or []):
        _attach(draft, one, f"{fields.place}, attachments[{number}]", gathering)
    simulated = fields.inner("user")
    if simulated.unread():
        draft.user = _user(simulated, gathering)


def finish(draft: Draft, fields: Fields, gathering: Gathering) -> None:
    """Take what metadata and the row itself say about a case, list what is left of both, and gather the case."""
    metadata = fields.inner("metadata")
    hear(draft, metadata, gathering)
    hear(draft, fields, gathering)
    metadata.leave_rest()
    fields.leave_rest()
    gathering.add(draft)


def lose(case: Case, listing: Listing, *names: str) -> None:
    """Tell which of these fields of a case, if it has them, a format cannot hold."""
    for name in names:
        if name == "expectations":
            for number, one in enumerate(case.expectations):
                listing.leave("expectation", f"of the check `{one.check}`", f"{case.case_id}, expectations[{number}]")
        elif getattr(case, name):
            listing.leave("field", f"`{name}`", case.case_id)


def _word(fields: Fields, name: str, words: object) -> str | None:
    """Return a word of a closed list; another one stays unread."""
    found = fields.take(name)
    if found is not None and found not in get_args(words):
        fields.put_back(name, found)
        return None
    return cast("str | None", found)


def _structured(fields: Fields, name: str, kind: type[T]) -> T | None:
    """Return an object or a list, also as its JSON text, as metadata of texts has it; what is neither stays unread."""
    found = fields.whole(name)
    if isinstance(found, str) and found.lstrip()[:1] in ("{", "["):
        with suppress(ValueError, RecursionError):
            found = json.loads(found)
    if isinstance(found, kind):
        return found
    fields.put_back(name, found)
    return None


def _attach(draft: Draft, found: object, place: str, gathering: Gathering) -> None:
    try:
        draft.attachments.append(Attachment.model_validate(found))
    except ValidationError:
        gathering.leave("attachment", "not written as ours", place, "attach files to cases written by hand, as YAML")


def _expect(draft: Draft, found: object, place: str, gathering: Gathering) -> None:
    try:
        expectation = registry.read(found)
    except DataError as error:
        gathering.leave("expectation", "not written as ours", place, one_line(str(error)))
        return
    gathering.expect(draft, expectation, "expectation", place)


def _user(fields: Fields, gathering: Gathering) -> SimulatedUser | None:
    found = {name: fields.take(name) for name in SimulatedUser.model_fields}
    try:
        return SimulatedUser.model_validate(found | {"persona": found["persona"] or ""})
    except ValidationError as error:
        why = str(error.errors()[0]["msg"])
        gathering.leave("simulated user", "not written as ours", fields.place, shown(why))
        return None
    finally:
        fields.leave_rest()
