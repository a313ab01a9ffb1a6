"""autoevals: the templates of its LLM classifiers, as its YAML files and arguments have them.

A template is a prompt in Mustache, `choice_scores`, and perhaps `use_cot` and `model`. It holds no cases; it becomes a
judge of labels, or of pairs where it compares two answers (Battle).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from assay.interchange.sets import choice_judges, grader_text
from assay.interchange.sets.builder import Gathering, Listing, name, shown
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.model_graded import Unfit
from assay.interchange.sets.source import Source
from assay.judges.declaration import METADATA
from assay.records.case import Case

NAME = "autoevals"
SUFFIXES: tuple[str, ...] = ()
"""It holds no cases, so none are written as it."""
PROMPTS = ("prompt", "prompt_template", "promptTemplate")
SCORES = ("choice_scores", "choiceScores")
REASONING = ("use_cot", "useCoT", "useCot")
INPUTS = {"input": "question", "instructions": "question", "output": "response", "expected": "reference"}
THREADS = ("thread", "thread_with_system", "user_messages", "assistant_messages")
PAIR = {"output": "response_a", "expected": "response_b"}
BATTLE = "battle"
MARK = "{{"
OTHERS = ("choice_strings", "input_outputs", "eval_type")
"""Fields of OpenAI's specifications, which have such prompts and choices too."""


def recognises(found: Source) -> bool:
    """Say whether a file holds templates of classifiers."""
    templates = [one for _, one in templates_of(found)]
    return bool(templates) and all(_is_template(one) for one in templates)


def read(found: Source, gathering: Gathering) -> None:
    """Make each template a judge."""
    for place, one in templates_of(found):
        fields = Fields(one, place or "the file", gathering)
        title = fields.text("name") or place or found.name.partition(".")[0]
        try:
            draft = choice_judges.drafted(_grader(shown(title), fields))
        except Unfit as error:
            gathering.leave("template", f"named `{shown(title)}`, that no judge can be", fields.place, str(error))
            continue
        gathering.judge(draft._replace(origin=f"the template `{shown(title)}` of {gathering.file_name}"))
        fields.leave_rest()


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - as every format has it
    """Return nothing: no suffix is this format's."""
    return b""


def templates_of(found: Source) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the templates of a file, each with its name there: the file itself, its objects by name, or its rows."""
    if found.kind == "rows":
        yield from found.rows
    elif found.kind == "value" and any(key in found.value for key in PROMPTS):
        yield "", found.value
    elif found.kind == "value":
        yield from ((str(key), one) for key, one in found.value.items() if isinstance(one, dict))


def _is_template(one: Mapping[str, Any]) -> bool:
    prompt = next((one[key] for key in PROMPTS if key in one), None)
    has_scores = any(isinstance(one.get(key), dict) for key in SCORES)
    return isinstance(prompt, str) and has_scores and not any(key in one for key in OTHERS)


def _grader(title: str, fields: Fields) -> choice_judges.ChoiceGrader:
    """Return a template as the grader that it is."""
    prompt, scores = fields.take(*PROMPTS), fields.take(*SCORES)
    named = set(grader_text.MUSTACHE.hole.findall(prompt)) if isinstance(prompt, str) else set()
    is_pair = PAIR.keys() <= named and (name(title) == BATTLE or "instructions" in named)
    reasons, model = fields.peek(next((key for key in REASONING if key in fields), "")), fields.take("model")
    for key in REASONING:
        fields.take(key)
    asked: dict[str, Any] = {"hosted": model} if isinstance(model, str) else {}
    temperature = fields.take("temperature")
    asked |= {"temperature": temperature} if temperature is not None else {}
    return choice_judges.ChoiceGrader(
        title=title,
        prompt=prompt,
        scores=scores if isinstance(scores, dict) else {},
        dialect=grader_text.MUSTACHE,
        input_of=lambda path: PAIR[path] if is_pair and path in PAIR else _input_of(path),
        is_pair=is_pair,
        settings={"model": asked} | ({"reasoning": "none"} if reasons is False else {}),
    )


def _input_of(path: str) -> str:
    if path in INPUTS:
        return INPUTS[path]
    if path in THREADS:
        return "conversation"
    if path.startswith("__"):
        raise Unfit(f"it names `{path[:40]}`, which autoevals fills in itself: write the choices out")
    if path.startswith(METADATA):
        return f"{METADATA}{grader_text.input_named(path.removeprefix(METADATA)).partition('.')[2]}"
    root = path.partition(".")[0]
    if root in (*INPUTS, *THREADS) and root != path:
        raise Unfit(f"it names `{path[:40]}`, a part of `{root}`: name the whole, or give the case a value of its own")
    return grader_text.input_named(path)
