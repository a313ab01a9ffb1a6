"""What the user says in a test of promptfoo: its prompts with their variables, its conversations, its simulated users.

The question is the variable with a usual name where the prompt uses no other; else the prompt with its variables filled
in, of a chat prompt the user's messages. A prompt beside that belongs to the product, and is told.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from assay.errors import DataError
from assay.interchange.sets import templates, yaml_text
from assay.interchange.sets.builder import OPENING, STOP, TURNS, Draft, Gathering, shown
from assay.interchange.sets.fields import EMPTY, as_text
from assay.interchange.sets.messages import ASKED, USER, asked, is_conversation, message_role
from assay.interchange.sets.source import json_value
from assay.records import named
from assay.records.case import SimulatedUser

OUTSIDE = ("file:", "package:", "http:", "https:", "huggingface:", "exec:")
"""How a text begins that stands for what is elsewhere."""
FILE = re.compile(r"[\w./*-]+\.(txt|jsonl?|md|ya?ml|py|[mc]?[jt]s|csv|j2)(:\w+)?")
"""A prompt that is the path of a file."""
BEFORE = "_conversation"
"""The variable of what was said before."""
WHOLE = (BEFORE, "initialMessages")
"""Variables whose lists are one value."""
SIMULATED = "promptfoo:simulated-user"
MOST_TURNS = 50


class Prompt(NamedTuple):
    """A prompt as it is written."""

    text: str
    messages: list[dict[str, Any]]
    """Of a chat prompt; empty for a plain one."""

    def names(self) -> set[str]:
        """Return the variables that the user's part of it uses."""
        return {name for text in self.said() for name in templates.roots(text)}

    def said(self) -> list[str]:
        """Return the user's part of it, message by message."""
        if not self.messages:
            return [self.text]
        return [str(one.get("content")) for one in self.messages if message_role(one) in USER]


class Prompts:
    """The prompts of a configuration, and what was said so far in the conversations that its tests make up."""

    def __init__(self, found: object) -> None:
        """Take the prompts that are written out as texts, however they are listed."""
        several = found if isinstance(found, list) else [found]
        texts = [one.get("raw", one.get("id")) if isinstance(one, dict) else one for one in several]
        whole = [one for one in texts if isinstance(one, str)]
        self.written = [_prompt(one) for one in whole if not _is_outside(one)]
        self.elsewhere = len(whole) - len(self.written)
        self._said: dict[str, list[str]] = defaultdict(list)

    def go_on(self, draft: Draft, conversation: object) -> None:
        """Let a test follow those of its conversation, where there is one: what the user said in them comes first.

        Args:
            draft: The case.
            conversation: The id that the test's metadata has; None where it has none.
        """
        if conversation is None and not any(BEFORE in one.text for one in self.written):
            return
        so_far = self._said[str(conversation)]
        own = list(draft.turns)
        draft.turns = [*so_far, *own]
        so_far += own


def ask(draft: Draft, values: Mapping[str, Any], prompts: Prompts, gathering: Gathering) -> set[str]:
    """Take what the user says; return the variables that were used for it."""
    outside = [name for name in values if isinstance(values[name], str) and values[name].startswith(OUTSIDE[:2])]
    if outside:
        where = f"{draft.place}.vars.{outside[0]}"
        gathering.leave("variable", "whose value stands in another file", where, "paste the text in its place")
        return set()
    used = _said_before(draft, values, gathering)
    usual = next((name for name in ASKED if name in values and values[name] not in EMPTY), "")
    if usual and not _is_rendered(usual, values, prompts.written):
        return used | _ask_by(usual, draft, values, prompts, gathering)
    if prompts.written and (rendered := _render(draft, values, prompts, gathering)) is not None:
        return used | rendered
    spoken = [name for name in values if not name.startswith("_")]
    name = usual or (spoken[0] if len(spoken) == 1 else "")
    if name:
        return used | _ask_by(name, draft, values, prompts, gathering)
    if spoken and not prompts.written:
        gathering.leave(
            "test",
            "whose prompt stands in another file",
            draft.place,
            "write the prompt out in `prompts`, or call the variable that the user says `question`",
        )
    return used


def simulate(draft: Draft, provider: object, values: Mapping[str, Any], gathering: Gathering) -> set[str] | None:
    """Let a simulated user speak, where a test asks for one; return the variables that were used, else None."""
    settings = provider if isinstance(provider, dict) else {"id": provider}
    if settings.get("id") != SIMULATED:
        return None
    config = settings.get("config")
    config = config if isinstance(config, dict) else {}
    told = config.get("instructions") or "{{instructions}}"
    made = templates.filled(as_text(told, draft.place, gathering), values)
    if made.missing or not made.text.strip():
        gathering.leave(
            "simulated user",
            "without instructions",
            draft.place,
            f"say in the variable `instructions` what they want ({made.missing or 'it is empty'})",
        )
        return set()
    first = values.get("initialMessages") or config.get("initialMessages")
    if is_conversation(first):
        asked(draft, first, "initialMessages", gathering)
    if not draft.turns:
        draft.turns = [OPENING]
        gathering.leave("simulated user", f"without a first message, begun with `{OPENING}`", draft.place)
    most = config.get("maxTurns")
    if type(most) is not int or not 1 <= most <= MOST_TURNS:
        gathering.leave("simulated user", f"without `maxTurns` of 1 to {MOST_TURNS}, given {TURNS}", draft.place)
        most = TURNS
    draft.user = SimulatedUser(goal=made.text, persona="", stop=STOP, max_turns=most)
    return {*made.names, "initialMessages"}


def give(draft: Draft, values: Mapping[str, Any], used: Collection[str], gathering: Gathering) -> None:
    """Take variables as the case's inputs, but for what is the question itself or stands in another file.

    Args:
        draft: The case, its question taken.
        values: The variables of its test.
        used: Those that the question, a rubric or a check has taken in: nothing of them is lost.
        gathering: Who is told what was left.
    """
    if not draft.turns:
        return
    said = {*draft.turns, *([draft.user.goal] if draft.user else [])}
    for name, value in values.items():
        is_said = isinstance(value, str) and templates.filled(value, values).text in said
        if name in WHOLE or value in EMPTY or is_said:
            continue
        if isinstance(value, str) and value.startswith(OUTSIDE[:2]):
            gathering.leave("variable", "whose value stands in another file", f"{draft.place}.vars.{name}")
        elif named.is_name(name):
            gathering.give(draft, name, value, f"vars.{name}")
        elif name not in used:
            gathering.leave("field", f"`{shown(f'vars.{name}')}`", draft.place)


def _is_rendered(usual: str, values: Mapping[str, Any], written: Sequence[Prompt]) -> bool:
    """Tell whether the prompt says more of the test than the variable with a usual name does."""
    return any(one.messages or (one.names() & values.keys()) - {usual, BEFORE} for one in written[:1])


def _ask_by(name: str, draft: Draft, values: Mapping[str, Any], prompts: Prompts, gathering: Gathering) -> set[str]:
    """Take what the user says from one variable."""
    if prompts.elsewhere or any(templates.hole(prompt.text) != name for prompt in prompts.written):
        gathering.leave("prompt", "of the product, beside what the user says", draft.place)
    made = templates.filled(as_text(values[name], draft.place, gathering), values)
    if made.missing:
        gathering.leave("variable", "that cannot be filled in", f"{draft.place}.vars.{name}", made.missing)
    else:
        asked(draft, _prompt(made.text).messages or made.text, f"vars.{name}", gathering)
    return {name}


def _render(draft: Draft, values: Mapping[str, Any], prompts: Prompts, gathering: Gathering) -> set[str] | None:
    """Take what the user says from the first prompt; return the variables that it uses, None if it cannot be filled."""
    first = prompts.written[0]
    filled = [templates.filled(text, values) for text in first.said()]
    if missing := next((one.missing for one in filled if one.missing), "" if filled else "the user says nothing in it"):
        gathering.leave("prompt", "that cannot be filled in", draft.place, missing)
        return None
    texts = iter([one.text for one in filled])
    messages = [{**one, "content": next(texts)} if message_role(one) in USER else one for one in first.messages]
    asked(draft, messages or _prompt(filled[0].text).messages or filled[0].text, "prompt", gathering)
    for _ in prompts.written[1:]:
        gathering.leave("prompt", "beside the first one, whose words are the question", draft.place)
    return {name for one in filled for name in one.names}


def _said_before(draft: Draft, values: Mapping[str, Any], gathering: Gathering) -> set[str]:
    """Take what the user said before, where a test writes its conversation out; the answers are the product's."""
    found = values.get(BEFORE)
    for one in found if isinstance(found, list) else []:
        if not isinstance(one, dict):
            continue
        asked(draft, one.get("input"), BEFORE, gathering)
        if one.get("output") not in EMPTY:
            gathering.leave("answer", f"of `{BEFORE}`, for the product to give itself", draft.place)
    return {BEFORE}


def _is_outside(text: str) -> bool:
    return text.startswith(OUTSIDE) or bool(FILE.fullmatch(text.strip()))


def _prompt(text: str) -> Prompt:
    """Return a prompt; its messages, where it spells them as JSON or YAML."""
    found: object = None
    try:
        if text.lstrip().startswith("["):
            found = json_value(text, "the prompt")
        elif text.lstrip().startswith("- role:"):
            found = yaml_text.value(text, "the prompt")
    except DataError:
        found = None
    return Prompt(text, found if isinstance(found, list) and is_conversation(found) else [])
