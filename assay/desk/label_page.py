"""What the page of one item to label shows, as values: the very texts that the judge is shown, and its scale."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from assay.desk.label_queue import LabelQueue, Task, asked, choices, is_swapped
from assay.judges import questions
from assay.judges.declaration import Declaration

TITLES = {
    "question": "User says",
    "reference": "A good answer",
    "inputs": "Given with it",
    "case_rubric": "What to look at in this case",
    "response": "Answer",
    "contexts": "What the product had retrieved",
    "tool_calls": "Tool calls",
    "conversation": "Conversation",
    "final_state": "State afterwards",
}
KEYED = ("metadata_", "inputs_")
PAIR = ("response_a", "response_b")
DIGITS = (*"123456789", "0")
"""Keys of the first ten labels, in the order in which they lie."""


class Part(NamedTuple):
    """One text under its heading."""

    name: str
    title: str
    texts: Sequence[str]


class Button(NamedTuple):
    """One thing to say, and the key that says it; empty where there are more of them than keys."""

    word: str
    key: str


def label(person: str, queue: LabelQueue, task: Task, now: datetime) -> dict[str, Any]:
    """Return what the page shows."""
    found, swapped = queue.pile(), is_swapped(task.item, person)
    own = found.answers.get(task.key, {}).get(person)
    sides = {"a": "right", "b": "left"} if swapped else {"a": "left", "b": "right"}
    texts = questions.of_item(task.judge, task.item, "").shown[1 if swapped else 0]
    return {
        "judge": task.judge.name,
        "description": task.judge.declared.description,
        "question": task.judge.declared.question,
        "item": task.item,
        "asked": asked(task, person),
        "files": task.item.attachments if questions.ATTACHMENTS in task.judge.texts else [],
        "parts": parts({name: text for name, text in texts.items() if name != questions.ATTACHMENTS}),
        "sides": [texts[name] for name in PAIR] if task.judge.declared.is_pair else [],
        "buttons": buttons(task.judge.declared),
        "range": (task.choices[0], task.choices[-1]),
        "own": own and (own.label or sides.get(own.outcome, own.outcome)),
        "rubric": task.judge.rubric,
        "done": len(found.mine.get(person, ())),
        "left_for_me": queue.left_for(person, now),
    }


def parts(texts: Mapping[str, Any]) -> list[Part]:
    """Return the texts that a judge is shown, in its order, the two of a pair aside; only an answer may be empty."""
    return [
        Part(name, title(name), [text] if isinstance(text, str) else list(text))
        for name, text in texts.items()
        if name not in PAIR and (text or name == "response")
    ]


def title(name: str) -> str:
    """Return the heading of a text."""
    named = next((name.removeprefix(kind) for kind in KEYED if name.startswith(kind)), name)
    return TITLES.get(name) or named.replace("_", " ")


def buttons(declared: Declaration) -> list[Button]:
    """Return what can be said by one key; nothing for a range of more numbers than there are digits."""
    if declared.question != "score":
        words = choices(declared)
        return [Button(word, DIGITS[at] if at < len(DIGITS) else "") for at, word in enumerate(words)]
    by_digit = {"10": "0"} if "0" not in declared.verdicts else {}
    keyed = [Button(word, by_digit.get(word, word)) for word in declared.verdicts]
    return keyed if all(button.key in DIGITS for button in keyed) else []
