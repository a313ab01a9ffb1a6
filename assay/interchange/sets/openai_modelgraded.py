"""openai/evals: its model-graded specifications (`evals/registry/modelgraded/*.yaml`), each a judge.

A specification is a prompt with names in single braces, the choices that a model has, and a score for each. It holds no
cases. With `args` it is one judge for each of their values.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from assay.interchange.sets import autoevals, choice_judges, grader_text
from assay.interchange.sets.builder import Gathering, Listing, quoted, shown
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.model_graded import Unfit
from assay.interchange.sets.source import Source
from assay.records.case import Case

NAME = "openai-modelgraded"
SUFFIXES: tuple[str, ...] = ()
"""It holds no cases, so none are written as it."""
INPUTS = {"input": "question", "completion": "response", "ideal": "reference"}
PAIR = {"input1": "question", "input2": "question", "completion1": "response_a", "completion2": "response_b"}
NUMBERED = re.compile(r"(input|completion)[0-9]+")
FROM_STRINGS, FROM_SAMPLES = "from_strings", "from_n"
REASONING = {"cot_classify": "rationale-first", "classify_cot": "verdict-first", "classify": "none"}
SEVERAL = "it compares several samples of one answer: a judge of pairs compares two versions, `assay judges new NAME`"
NO_SCORES = "it does not say which choices are good: give it `choice_scores`, such as {A: 1, B: 0}"
OF_SAMPLES = ("completion_sample_templates", "multicomp_n")


def recognises(found: Source) -> bool:
    """Say whether a file holds specifications."""
    several = [one for _, one in autoevals.templates_of(found)]
    return bool(several) and all("prompt" in one and any(key in one for key in autoevals.OTHERS) for one in several)


def read(found: Source, gathering: Gathering) -> None:
    """Make each specification a judge, or one for each value of its arguments."""
    for place, one in autoevals.templates_of(found):
        title, fields = shown(place or found.name.partition(".")[0]), Fields(one, place or "the file", gathering)
        try:
            drafts = [choice_judges.drafted(grader) for grader in _graders(title, fields)]
        except Unfit as error:
            gathering.leave("specification", f"named `{title}`, that no judge can be", fields.place, str(error))
            continue
        for draft in drafts:
            gathering.judge(draft._replace(origin=f"the specification `{title}` of {gathering.file_name}"))
        fields.leave_rest()


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - as every format has it
    """Return nothing: no suffix is this format's."""
    return b""


def _graders(title: str, fields: Fields) -> Iterator[choice_judges.ChoiceGrader]:
    """Yield the graders that a specification is: one, or one for each value of its argument."""
    prompt, scores = fields.take("prompt"), _scores(fields)
    if not isinstance(prompt, str) or any(fields.take(key) for key in OF_SAMPLES):
        raise Unfit(SEVERAL if isinstance(prompt, str) else f"its prompt is {quoted(prompt)}: write a text")
    named = set(grader_text.SINGLE.hole.findall(prompt))
    is_pair = {"completion1", "completion2"} <= named and set(scores.values()) <= set(choice_judges.WINS)
    fields.take("input_outputs")
    reasoning = REASONING.get(fields.text("eval_type"), "rationale-first")
    for suffix, text in _filled(prompt, fields.take("args")):
        yield choice_judges.ChoiceGrader(
            title=f"{title}{suffix}",
            prompt=text,
            scores=scores,
            dialect=grader_text.SINGLE,
            input_of=lambda path: PAIR[path] if is_pair and path in PAIR else _input_of(path),
            is_pair=is_pair,
            settings={"reasoning": reasoning},
        )


def _filled(prompt: str, args: object) -> Iterator[tuple[str, str]]:
    """Yield a prompt with each value of its argument, which is no template, and what tells it from the others."""
    if not args:
        yield "", prompt
        return
    if not isinstance(args, dict) or len(args) != 1 or not isinstance(next(iter(args.values())), dict):
        raise Unfit("its args are not one name with several values: write one specification for each combination")
    ((argument, values),) = args.items()
    for key, value in values.items():
        text = str(value).replace("{", "{{").replace("}", "}}")
        yield f"-{shown(key)}", prompt.replace(f"{{{argument}}}", text)


def _scores(fields: Fields) -> dict[str, Any]:
    """Return the score of each choice."""
    strings, scores = fields.take("choice_strings"), fields.take("choice_scores")
    if isinstance(strings, str) and strings.startswith(FROM_SAMPLES):
        raise Unfit(SEVERAL)
    choices = list(strings) if isinstance(strings, str | list) else []
    if scores == FROM_STRINGS:
        if not all(grader_text.NUMBER.fullmatch(str(choice)) for choice in choices):
            raise Unfit("its choices are no numbers, so no score is in them: give it `choice_scores`")
        return {str(choice): int(str(choice)) for choice in choices}
    if not isinstance(scores, dict) or not scores:
        raise Unfit(NO_SCORES)
    if lacking := [str(choice) for choice in choices if str(choice) not in scores]:
        raise Unfit(f"the choice {quoted(lacking[0])} has no score: give it one in `choice_scores`")
    return scores


def _input_of(path: str) -> str:
    if path in INPUTS:
        return INPUTS[path]
    if path == "n" or NUMBERED.fullmatch(path):
        raise Unfit(
            SEVERAL if path == "n" else f"it names `{path}` and judges more than one answer: write one for each"
        )
    return grader_text.input_named(path)
