"""Conversations as chat APIs write them: what the user says, the last answer, and the calls of tools in it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from assay.checks import registry
from assay.checks.call_match import read_call
from assay.errors import DataError
from assay.interchange.sets.builder import Draft, Gathering, quoted, shown
from assay.interchange.sets.fields import EMPTY, as_text
from assay.interchange.sets.source import json_text
from assay.records.case import Expectation, ToolCall

USER = ("user", "human")
ASSISTANT = ("assistant", "ai", "model")
ASKED = ("question", "query", "user_input", "input", "message", "user_message", "prompt", "request", "text", "content")
"""Fields of an object that hold what the user says, likeliest first."""
ANSWERED = (
    *("answer", "expected_output", "expected", "reference", "output", "response", "ground_truth", "ideal", "target"),
    *("completion", "text", "content", "result"),
)
"""Fields of an object that hold a good answer, likeliest first."""
SCHEMAS = "schemas"
SEVERAL, SHORT = 2, 60
"""Right answers that are a list, and characters of one that an answer is expected to hold as it stands."""


class Conversation(NamedTuple):
    """What a list of messages comes to."""

    turns: list[str]
    answer: str
    """The last words of the assistant after the last turn."""
    calls: list[ToolCall]
    """What the assistant called after the last turn."""


def is_conversation(found: object) -> bool:
    """Say whether a value is a list of messages."""
    return isinstance(found, list) and bool(found) and all(isinstance(one, dict) and message_role(one) for one in found)


def message_role(message: Mapping[str, Any]) -> str:
    """Return who says a message, in lower case; empty where it does not say."""
    found = message.get("role") or message.get("type") or message.get("from")
    return found.casefold() if isinstance(found, str) else ""


def conversation(messages: Sequence[Mapping[str, Any]], place: str, gathering: Gathering) -> Conversation:
    """Return what messages come to; those of other roles, and answers before the last turn, are left and told."""
    last = max((number for number, one in enumerate(messages) if message_role(one) in USER), default=-1)
    turns, answers, calls = [], [], list[ToolCall]()
    for number, one in enumerate(messages):
        role, where = message_role(one), f"{place}, messages[{number}]"
        if role in USER:
            turns.append(content(one.get("content"), where, gathering))
        elif role in ASSISTANT and number > last:
            text = content(one.get("content"), where, gathering)
            answers += [text] if text else []
            calls += _calls(one, where, gathering)
        else:
            before = " before the last turn" if role in ASSISTANT else ""
            gathering.leave("message", f"of the role `{shown(role)}`{before}", where)
    for _ in answers[:-1]:
        gathering.leave("message", "of the role `assistant` before the last one", place)
    return Conversation(turns, answers[-1] if answers else "", calls)


def content(found: object, place: str, gathering: Gathering) -> str:
    """Return the text of a message, whose content is a text or a list of parts; other parts are left and told."""
    if not isinstance(found, list | dict):
        return as_text(found, place, gathering)
    texts = []
    for part in found if isinstance(found, list) else [found]:
        text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
        if isinstance(text, str):
            texts.append(text)
        else:
            kind = shown(part.get("type")) if isinstance(part, dict) else "unknown"
            gathering.leave("part", f"of a message, of type `{kind}`", place)
    return "\n".join(texts)


def asked(draft: Draft, found: object, path: str, gathering: Gathering) -> None:
    """Take what the user says from a text, a list of texts or messages, or an object that holds one of them.

    Args:
        draft: The case; an answer and calls after the last turn become its reference and an expectation, what else an
            object holds becomes its inputs.
        found: The value.
        path: Where it stands in its row, such as `input`.
        gathering: Who is told what was left.
    """
    if isinstance(found, dict):
        name = _holder(found, ("messages", *ASKED))
        for other in (key for key in found if key != name and found[key] not in EMPTY):
            gathering.give(draft, str(other), found[other], f"{path}.{other}")
        found = found.get(name)
    if is_conversation(found):
        said = conversation(found, f"{draft.place}, {path}", gathering)  # type: ignore[arg-type]
        draft.turns += said.turns
        answered(draft, said, {}, gathering)
    elif isinstance(found, list) and all(isinstance(one, str) for one in found):
        draft.turns += found
    elif found not in EMPTY:
        draft.turns.append(as_text(found, draft.place, gathering))


def reply(draft: Draft, found: object, path: str, gathering: Gathering) -> None:
    """Take the reference from a text, messages, or an object that holds one of them."""
    if isinstance(found, dict):
        name = _holder(found, ("messages", *ANSWERED))
        if name:
            for other in (key for key in found if key != name and found[key] not in EMPTY):
                gathering.leave("field", f"`{shown(f'{path}.{other}')}`", draft.place)
            found = found[name]
    if is_conversation(found):
        answered(draft, conversation(found, f"{draft.place}, {path}", gathering), {}, gathering)  # type: ignore[arg-type]
    elif isinstance(found, list) and all(isinstance(one, str | int | float) for one in found):
        any_of(draft, [as_text(one, draft.place, gathering) for one in found], gathering)
    elif found not in EMPTY:
        draft.reference = draft.reference or as_text(found, draft.place, gathering)


def any_of(draft: Draft, texts: Sequence[str], gathering: Gathering) -> None:
    """Take several right answers: the reference and further ones, and short ones as a check that wants any of them."""
    right = list(dict.fromkeys(text for text in texts if text.strip()))
    if len(right) < SEVERAL or draft.reference:
        draft.reference = draft.reference or "".join(right)
        return
    draft.reference, draft.references = right[0], right[1:]
    if all(len(text) <= SHORT and "\n" not in text for text in right):
        gathering.expect(draft, Expectation(check="icontains-any", values=right), "list of right answers", draft.place)


def answered(draft: Draft, said: Conversation, schemas: Mapping[str, Any], gathering: Gathering) -> None:
    """Make an answer the reference and its calls an expectation, compared by the tools' schemas where there are any."""
    draft.reference = draft.reference or said.answer
    calls_expected(draft, said.calls, schemas, gathering)


def calls_expected(draft: Draft, calls: list[ToolCall], schemas: Mapping[str, Any], gathering: Gathering) -> None:
    """Expect these calls; a schema that no check can use is left, and told."""
    broken = [one for one in calls if read_call(one).broken]
    for one in broken:
        which = f"of `{shown(one.name)}` with arguments that are no JSON object"
        gathering.leave("expected call", which, draft.place, quoted(one.arguments))
    for _ in calls[len(broken) :] if broken else []:
        gathering.leave("expected call", "beside one that cannot be read", draft.place)
    if broken or not calls:
        return
    plain = Expectation(check="tool-call", calls=calls)
    used = {call.name: schemas[call.name] for call in calls if call.name in schemas}
    if used:
        try:
            full = plain.model_copy(update={"values": [json_text({SCHEMAS: used})]})
            registry.validate(full)
        except (DataError, ValueError):
            gathering.leave("schema", "of a tool's parameters that no check can use", draft.place)
        else:
            draft.expectations.append(full)
            return
    gathering.expect(draft, plain, "list of expected calls", draft.place)


def call(found: object, place: str, gathering: Gathering) -> ToolCall | None:
    """Return a call of a tool in whichever spelling; arguments that are a text stay as they are written.

    None for what names no tool, which is left and told.
    """
    if isinstance(found, str):
        return ToolCall(name=found)
    one = found if isinstance(found, dict) else {}
    inner = one.get("function")
    if isinstance(inner, dict):
        one = inner
    names = [one.get(key) for key in ("name", "function", "tool_name")]
    named = next((text for text in names if isinstance(text, str) and text), "")
    if not named:
        gathering.leave("call", "without a tool's name", place)
        return None
    keys = ("arguments", "args", "input_parameters", "inputParameters", "input")
    arguments: object = next((one[key] for key in keys if one.get(key) not in (None, "")), {})
    return ToolCall(name=named, arguments=as_text(arguments, place, gathering))


def messages_of(turns: Sequence[str], **spelling: str) -> list[dict[str, Any]]:
    """Return turns as messages of the user."""
    role, user = spelling.get("role", "role"), spelling.get("user", "user")
    return [{role: user, "content": turn} for turn in turns]


def _calls(message: Mapping[str, Any], place: str, gathering: Gathering) -> list[ToolCall]:
    found = message.get("tool_calls") or []
    legacy = message.get("function_call")
    several = [*(found if isinstance(found, list) else [found]), *([legacy] if legacy else [])]
    read = [call(one, f"{place}.tool_calls[{number}]", gathering) for number, one in enumerate(several)]
    return [one for one in read if one is not None]


def _holder(found: Mapping[str, Any], likely: Sequence[str]) -> str:
    """Return the field that holds what is looked for: the likeliest there is, or the only one."""
    full = [name for name in found if found[name] not in EMPTY]
    return next((name for name in likely if name in full), full[0] if len(full) == 1 else "")
