"""Questions with choices: the choices join the question, and the right one's text is the reference."""

import re
import string
from collections.abc import Iterable, Mapping
from typing import Any

from assay.interchange.sets.builder import Draft, Gathering
from assay.interchange.sets.fields import EMPTY, Fields

NAMES = ("told: choices", "choices", "options", "answer_choices", "multiple_choice")
KEYS = ("answer_key", "answerKey", "correct_option", "correct_choice", "answer_index", "answer_idx", "correct")
"""Fields that name the right choice and nothing else."""
_COLUMN = re.compile(r"(?:(?:option|choice|answer)[_ ]?)?([a-h])", re.IGNORECASE)
LEAST = 2


def take(fields: Fields) -> dict[str, str]:
    """Return the choices of a row by their letter or label; nothing where it has none."""
    for name in NAMES:
        found = fields.whole(name)
        if isinstance(found, dict) and isinstance(found.get("text"), list):
            labels = found.get("label")
            texts = found["text"]
            labels = labels if isinstance(labels, list) and len(labels) == len(texts) else string.ascii_uppercase
            return {str(label): str(text) for label, text in zip(labels, texts, strict=False)}
        if isinstance(found, dict) and found:
            return {str(label): str(text) for label, text in found.items()}
        if isinstance(found, list) and found:
            texts = [one.get("text", one) if isinstance(one, dict) else one for one in found]
            return {label: str(text) for label, text in zip(string.ascii_uppercase, texts, strict=False)}
        if found not in EMPTY:
            fields.put_back(name, found)
    return _of_columns(fields)


def _of_columns(fields: Fields) -> dict[str, str]:
    """Return the choices that stand in columns of their own, such as `A`, `option_b` or `Choice C`."""
    columns = {match[1].upper(): name for name in fields.unread() if (match := _COLUMN.fullmatch(name))}
    letters = sorted(columns)
    if len(letters) < LEAST or letters != list(string.ascii_uppercase[: len(letters)]):
        return {}
    return {letter: str(fields.take(columns[letter])) for letter in letters}


def join(draft: Draft, choices: Mapping[str, str]) -> None:
    """Put the choices under the last thing that the user says."""
    if draft.turns:
        listed = "\n".join(f"{label}) {text}" for label, text in choices.items())
        draft.turns[-1] = f"{draft.turns[-1].rstrip()}\n\n{listed}"


def right(choices: Mapping[str, str], key: object, first: int, place: str, gathering: Gathering) -> str:
    """Return the text of the right choice, or the key itself where it names none, which is told.

    Args:
        choices: By label.
        key: As the file names the right one: its label, its text, or its number.
        first: The number of the first choice.
        place: Where it stands.
        gathering: Who is told.
    """
    text, texts = str(key).strip(), list(choices.values())
    if text in texts:
        return text
    label = text.strip("().").casefold()
    by_label = {name.casefold(): choice for name, choice in choices.items()}
    if label in by_label:
        return by_label[label]
    number = _number(key)
    if number is not None and 0 <= number - first < len(texts):
        return texts[number - first]
    gathering.leave("answer", "that is none of its choices, kept as it is", place)
    return text


def counted_from(keys: Iterable[tuple[object, int]]) -> int:
    """Return the number of the first choice: 1 where a file counts so, else 0.

    Args:
        keys: Each key, with the number of choices that it is one of.
    """
    numbers = [(number, count) for key, count in keys if (number := _number(key)) is not None]
    return int(not any(number == 0 for number, _ in numbers) and any(number == count for number, count in numbers))


def _number(key: Any) -> int | None:  # noqa: ANN401 - any JSON value
    if isinstance(key, bool):
        return None
    if isinstance(key, int):
        return key
    return int(key) if isinstance(key, str) and key.strip().isascii() and key.strip().isdigit() else None
