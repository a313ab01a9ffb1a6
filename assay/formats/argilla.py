"""Argilla 2: records with the settings of their dataset, and its exports.

A response is told from a draft by its status. Flat exports (`records.to_list(flatten=True)`, the Hub) have it; those of
`records.to_json` have lost it, and there only the single response to a record that is completed is known to be
submitted: nobody completes a record without one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assay.errors import DataError
from assay.formats.given import Gathering, Reading, Said, mapping, sequence
from assay.formats.label_table import QUESTION, choices, shown, texts
from assay.records import Item

FLAT = ".responses"
SUGGESTED = ".suggestion"
UNTOLD = "responses that may be drafts (export with records.to_list(flatten=True), which tells)"


class _Response(NamedTuple):
    """One person's answer to one question."""

    question: str
    user: object
    status: object
    value: object
    at: object = None


def read(records: Sequence[Any], file_name: str, gathering: Gathering) -> Reading:
    """Return the labels of an export: every submitted response to the question `outcome`.

    Args:
        records: What stands in the file: responses by question, flat columns, or each person's answers in a list.
        file_name: What a message calls the file.
        gathering: Where labels are put.

    Raises:
        DataError: A record names no item, or is malformed; the text names it.
    """
    for number, found in enumerate(records, 1):
        place = f"{file_name}, record {number}"
        record = mapping(found, place, "the record")
        metadata = mapping(record.get("metadata"), place, "metadata")
        item_id = record.get("id") or metadata.get("item_id") or record.get("item_id")
        if not item_id:
            raise DataError(f"{place}: no id, expected that of an item: export the records with their ids")
        rubric = metadata.get("rubric_version") or record.get("rubric_version")
        for count, one in enumerate(_told(list(_responses(record, place)), record.get("status")), 1):
            where = f"{place}, response {count}"
            if one.question != QUESTION:
                gathering.leave(f"responses to other questions than `{QUESTION}`", where)
            elif one.status != "submitted":
                gathering.leave(f"responses that are {one.status}" if one.status else UNTOLD, where)
            else:
                gathering.take(Said(item_id, one.user, one.value, rubric, one.at), where)
        if suggested := _suggestions(record, place):
            gathering.leave("suggestions", place, suggested)
    return gathering.reading()


def write(items: Sequence[Item], rubric: str) -> tuple[str, str]:
    """Return the records, for `dataset.records.from_json`, and the settings, for `rg.Settings.from_json`.

    Raises:
        ValueError: The items ask different questions, which one dataset cannot.
    """
    outcomes, names = choices(items), shown(items)
    fields = [
        {"name": name, "title": name, "required": name == "response_a", "settings": {"type": "text"}} for name in names
    ]
    options = [{"value": word, "text": word} for word in outcomes]
    question = {"name": QUESTION, "title": QUESTION, "required": True}
    settings = {
        "guidelines": rubric,
        "fields": fields,
        "questions": [question | {"settings": {"type": "label_selection", "options": options}}],
        "vectors": [],
        "metadata": [],
        "allow_extra_metadata": False,
    }
    records = [
        {"id": item.item_id, "fields": {name: texts(item, rubric)[name] for name in names}, "responses": {}}
        for item in items
    ]
    return json.dumps(records, ensure_ascii=False, indent=1), json.dumps(settings, ensure_ascii=False, indent=1)


def _told(responses: Sequence[_Response], status: object) -> list[_Response]:
    """Return the responses, the status of one that has none filled in where the record's own leaves no doubt."""
    asked = [one for one in responses if one.question == QUESTION]
    if status == "completed" and len(asked) == 1 and not asked[0].status:
        return [one._replace(status="submitted") if one is asked[0] else one for one in responses]
    return list(responses)


def _responses(record: Mapping[str, Any], place: str) -> Iterator[_Response]:
    """Yield the responses of a record in whichever layout it has."""
    found = record.get("responses")
    if isinstance(found, list):
        yield from _by_person(found, place)
    else:
        for question, answers in mapping(found, place, "responses").items():
            for answer in sequence(answers, place, f"responses.{question}"):
                one = mapping(answer, place, f"responses.{question}")
                yield _Response(question, one.get("user_id"), one.get("status"), one.get("value"))
    for column in [name for name in record if name.endswith(FLAT)]:
        values, users, states = (
            sequence(record.get(name), place, name) for name in (column, f"{column}.users", f"{column}.status")
        )
        if not len(values) == len(users) == len(states):
            found = f"{len(values)} values, {len(users)} users and {len(states)} statuses"
            raise DataError(f"{place}: {column} has {found}, expected as many of each: export it again")
        for value, user, status in zip(values, users, states, strict=True):
            yield _Response(column.removesuffix(FLAT), user, status, value)


def _by_person(found: Sequence[Any], place: str) -> Iterator[_Response]:
    """Yield each answer of each person, as the server's own JSON has them; one without answers is told too."""
    for person in found:
        one = mapping(person, place, "a response")
        user, status, at = one.get("user_id"), one.get("status"), one.get("inserted_at")
        answers = mapping(one.get("values"), place, "values")
        if not answers:
            yield _Response(QUESTION, user, status if status != "submitted" else "submitted without an answer", None)
        for question, answer in answers.items():
            yield _Response(question, user, status, mapping(answer, place, f"values.{question}").get("value"), at)


def _suggestions(record: Mapping[str, Any], place: str) -> int:
    """Return how many answers a model suggested."""
    found = record.get("suggestions")
    nested = len(found if isinstance(found, list) else mapping(found, place, "suggestions"))
    return nested + sum(name.endswith(SUGGESTED) and value is not None for name, value in record.items())
