"""Argilla 2: records with the settings of their dataset, and its exports.

A response is told from a draft by its status. Flat exports (`records.to_list(flatten=True)`, the Hub) have it; those of
`records.to_json` have lost it, and there only the single response to a record that is completed is known to be
submitted: nobody completes a record without one.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from assay.errors import DataError
from assay.interchange.annotation.form import Filled, Form, LeftOut, Question, mapping, named, sequence

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


def read(records: Sequence[Any], file_name: str, form: Form, left: LeftOut) -> Iterator[Filled]:
    """Yield the answers of everybody who submitted a response to the first question.

    Args:
        records: What stands in the file: responses by question, flat columns, or each person's answers in a list.
        file_name: What a message calls the file.
        form: What was asked.
        left: Takes what is no answer.

    Raises:
        DataError: A record names no row, or is malformed; the text names it.
    """
    for number, found in enumerate(records, 1):
        place = f"{file_name}, record {number}"
        record = mapping(found, place, "the record")
        metadata = mapping(record.get("metadata"), place, "metadata")
        key = record.get("id") or metadata.get(form.key) or record.get(form.key)
        if not key:
            raise DataError(f"{place}: no id, expected {form.key}: export the records with their ids")
        responses = _told(list(_responses(record, form.main, place)), form.main, record.get("status"))
        for count, one in enumerate(responses, 1):
            where = f"{place}, response {count}"
            if one.question not in form.asked:
                left.leave(f"responses to other questions than {named(list(form.asked))}", where)
            elif one.question == form.main and one.status != "submitted":
                left.leave(f"responses that are {one.status}" if one.status else UNTOLD, where)
            elif one.question == form.main:
                answers = {other.question: other.value for other in responses if other.user == one.user}
                answers = {name: answers[name] for name in form.asked if name in answers} | {form.main: one.value}
                yield Filled(key, record | metadata, one.user, one.at, answers, where)
        if suggested := _suggestions(record, place):
            left.leave("suggestions", place, suggested)


def write(rows: Sequence[Mapping[str, str]], form: Form) -> tuple[str, str]:
    """Return the records, for `dataset.records.from_json`, and the settings, for `rg.Settings.from_json`."""
    _, guidelines = form.guide
    names = (*form.shown, *form.beside)
    fields = [
        {"name": name, "title": name, "required": name == form.beside[0], "settings": {"type": "text"}}
        for name in names
    ]
    tags = [
        {"name": name, "title": name, "settings": {"type": "terms"}, "visible_for_annotators": False}
        for name in form.tags
    ]
    settings = {
        "guidelines": guidelines,
        "fields": fields,
        "questions": list(map(_question, form.questions)),
        "vectors": [],
        "metadata": tags,
        "allow_extra_metadata": False,
    }
    records = [
        {"id": row[form.key], "fields": {name: row[name] for name in names}, "responses": {}}
        | ({"metadata": {name: row[name] for name in form.tags}} if form.tags else {})
        for row in rows
    ]
    return json.dumps(records, ensure_ascii=False, indent=1), json.dumps(settings, ensure_ascii=False, indent=1)


def _question(question: Question) -> dict[str, Any]:
    options = [{"value": word, "text": word} for word in question.options]
    chosen = {"type": "label_selection", "options": options}
    written = {"type": "text", "use_markdown": False}
    head = {"name": question.name, "title": question.name, "required": question.is_required}
    return head | {"settings": chosen if question.options else written}


def _told(responses: Sequence[_Response], main: str, status: object) -> list[_Response]:
    """Return the responses, the status of one that has none filled in where the record's own leaves no doubt."""
    asked = [one for one in responses if one.question == main]
    if status == "completed" and len(asked) == 1 and not asked[0].status:
        return [one._replace(status="submitted") if one is asked[0] else one for one in responses]
    return list(responses)


def _responses(record: Mapping[str, Any], main: str, place: str) -> Iterator[_Response]:
    """Yield the responses of a record in whichever layout it has."""
    found = record.get("responses")
    if isinstance(found, list):
        yield from _by_person(found, main, place)
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


def _by_person(found: Sequence[Any], main: str, place: str) -> Iterator[_Response]:
    """Yield each answer of each person, as the server's own JSON has them; one without answers is told too."""
    for person in found:
        one = mapping(person, place, "a response")
        user, status, at = one.get("user_id"), one.get("status"), one.get("inserted_at")
        answers = mapping(one.get("values"), place, "values")
        if not answers:
            yield _Response(main, user, status if status != "submitted" else "submitted without an answer", None)
        for question, answer in answers.items():
            yield _Response(question, user, status, mapping(answer, place, f"values.{question}").get("value"), at)


def _suggestions(record: Mapping[str, Any], place: str) -> int:
    """Return how many answers a model suggested."""
    found = record.get("suggestions")
    nested = len(found if isinstance(found, list) else mapping(found, place, "suggestions"))
    return nested + sum(name.endswith(SUGGESTED) and value is not None for name, value in record.items())
