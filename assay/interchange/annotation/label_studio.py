"""Label Studio: tasks with their labelling interface, and its JSON export (annotations, drafts, predictions).

Its flat exports, JSON_MIN and CSV, have one row an annotation and are read as any table is.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from assay.errors import DataError
from assay.interchange.annotation.form import Filled, Form, LeftOut, Question, mapping, named, sequence, single

KINDS = {"choices": "choices", "textarea": "text"}
"""Where an answer of each kind of control has its words."""


def read(tasks: Sequence[Any], file_name: str, form: Form, left: LeftOut) -> Iterator[Filled]:
    """Yield the answers of every annotation that was submitted.

    Args:
        tasks: What stands in the file.
        file_name: What a message calls the file.
        form: What was asked.
        left: Takes what is no answer.

    Raises:
        DataError: A task names no row, an annotation is malformed or answers a question twice; the text names it.
    """
    for number, found in enumerate(tasks, 1):
        place = f"{file_name}, task {number}"
        task = mapping(found, place, "the task")
        data = mapping(task.get("data"), place, "data")
        if not data.get(form.key):
            raise DataError(f"{place}: no data.{form.key}, expected a task of ours: export the project with its data")
        for kind in ("predictions", "drafts"):
            if held := sequence(task.get(kind), place, kind):
                left.leave(kind, place, len(held))
        for count, one in enumerate(sequence(task.get("annotations"), place, "annotations"), 1):
            where = f"{place}, annotation {count}"
            annotation = mapping(one, where, "the annotation")
            if annotation.get("was_cancelled"):
                left.leave("skipped annotations", where)
            elif answers := _answers(annotation, form, where, left):
                who, at = _who(annotation.get("completed_by")), annotation.get("created_at")
                yield Filled(data[form.key], data, who, at, answers, where)


def write(rows: Sequence[Mapping[str, str]], form: Form) -> tuple[str, str]:
    """Return the tasks as JSON, and the labelling interface as XML."""
    guide, _ = form.guide
    above = "".join(map(_part, (guide, *form.shown)))
    beside = "".join(f'<View style="flex: 1">{_part(name)}</View>' for name in form.beside)
    controls = "".join(_control(question, form.beside[0]) for question in form.questions)
    interface = f'<View>{above}<View style="display: flex; gap: 2em">{beside}</View>{controls}</View>\n'
    return json.dumps([{"data": row} for row in rows], ensure_ascii=False, indent=1), interface


def _answers(annotation: Mapping[str, Any], form: Form, place: str, left: LeftOut) -> dict[str, object]:
    """Return the answers by question; none where the first one is not answered."""
    words: dict[str, list[object]] = {}
    for one in sequence(annotation.get("result"), place, "result"):
        result = mapping(one, place, "an entry of result")
        name, kind = str(result.get("from_name")), str(result.get("type"))
        if name not in form.asked or kind != _kind(form.asked[name]):
            left.leave(f"answers to other questions than {named(list(form.asked))}", place)
            continue
        value = mapping(result.get("value"), place, "value")
        words[name] = words.get(name, []) + sequence(value.get(KINDS[kind]), place, KINDS[kind])
    if not words.get(form.main):
        left.leave(f"annotations without an answer to `{form.main}`", place)
        return {}
    return {name: single(said, place) if form.asked[name].options else _joined(said) for name, said in words.items()}


def _joined(said: Sequence[object]) -> str:
    return "\n".join(map(str, said))


def _kind(question: Question) -> str:
    return "choices" if question.options else "textarea"


def _control(question: Question, about: str) -> str:
    required = ' required="true"' if question.is_required else ""
    head = f'name="{question.name}" toName="{about}"'
    if not question.options:
        return f'<Header value="{question.name}"/><TextArea {head}{required} rows="2" maxSubmissions="1"/>'
    keys = _keys(question.options) if question.is_required else {}  # one key a question: the first has them
    hot = {word: f' hotkey="{key}"' for word, key in keys.items()}
    buttons = "".join(f"<Choice value={quoteattr(word)}{hot.get(word, '')}/>" for word in question.options)
    return f'<Choices {head} choice="single-radio"{required}>{buttons}</Choices>'


def _keys(options: Sequence[str]) -> dict[str, str]:
    """Return the key of each option: a digit its own, else the first nine by their places."""
    if all(len(word) == 1 and word.isdigit() for word in options):
        return {word: word for word in options}
    return {word: str(place) for place, word in enumerate(options[:9], 1)}


def _part(name: str) -> str:
    """Return a heading and a text; what a person or a model wrote is never taken for an address or for markup."""
    return f'<Header value="{name.replace("_", " ")}"/><Text name="{name}" value="${name}" valueType="text"/>'


def _who(completed_by: object) -> object:
    """Return the annotator's address, or else number: an export has either the one or the whole person."""
    if isinstance(completed_by, dict):
        return completed_by.get("email") or completed_by.get("username") or completed_by.get("id")
    return completed_by
