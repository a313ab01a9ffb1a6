"""OpenAI's graders that ask a model, of an eval or of a fine-tuning job: each becomes a judge of the project."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from assay.interchange.sets import grader_text
from assay.interchange.sets.builder import Gathering, name, shown
from assay.interchange.sets.model_graded import Unfit
from assay.judges.draft import JudgeDraft, declare

KINDS = ("label_model", "score_model")
ANSWER = re.compile(r"output_text|output_json([.\[].*)?|choices\[0\]\.message(\.content)?")
CALLS = re.compile(r"output_tools([.\[].*)?|choices\[0\]\.message\.tool_calls([.\[].*)?")
NO_ANSWER = (
    "it names no `{{sample.output_text}}`, so it would judge no answer: name it where the answer stands, and leave "
    "answers of before out of the rows"
)
SAMPLING = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "reasoning_effort": "reasoning_effort",
    "max_completions_tokens": "max_completion_tokens",
    "max_completion_tokens": "max_completion_tokens",
    "max_tokens": "max_completion_tokens",
}
"""By sampling parameter of a grader its name in a request."""
Place = tuple[str, Mapping[str, Any]]


class ItemParts:
    """Which part of a row a judge is shown as what: the question, the reference, or a named value."""

    def __init__(self, known: Mapping[str, str]) -> None:
        """Begin with the inputs that stand for whole fields of an item, by the field."""
        self._known = known
        self.named: dict[str, str] = {}
        """By name of a case's value where it stands in a row."""

    def input_of(self, path: str) -> str:
        """Return the input that stands for what a template names.

        Raises:
            Unfit: None does.
        """
        root, _, rest = path.partition(".")
        if root == "sample":
            return _of_sample(rest, path)
        if root != "item" or not rest:
            raise Unfit(f"it names `{path[:60]}`, expected a part of `item` or `sample`: correct it")
        if rest in self._known:
            return self._known[rest]
        found = grader_text.input_named(rest)
        key = found.partition(".")[2]
        if self.named.setdefault(key, path) != path:
            raise Unfit(f"`{path[:60]}` and `{self.named[key][:60]}` would be one input: rename a column")
        return found


def gather(graders: Sequence[Place], parts: ItemParts, tag: str, gathering: Gathering) -> None:
    """Make each grader a judge; one that cannot be is left, and told with what to do.

    Args:
        graders: Of any type, each with its place.
        parts: Which part of a row is what.
        tag: Of the cases beside them, which the judges are for; empty where the file has none.
        gathering: Takes the judges.
    """
    for place, one in graders:
        if one.get("type") not in KINDS:
            continue
        title = shown(one.get("name") or one["type"])
        try:
            draft = _drafted(one, title, parts.input_of, {"applies_to": {"tag": [tag]}} if tag else {})
        except (Unfit, ValueError) as error:
            which = f"of type `{one['type']}`, named `{title}`, that no judge can be"
            gathering.leave("grader", which, place, str(error))
            continue
        gathering.judge(draft._replace(origin=f"{one['type']} `{title}`, {gathering.file_name}, {place}"))


def _drafted(
    one: Mapping[str, Any], title: str, input_of: Callable[[str], str], limits: Mapping[str, Any]
) -> JudgeDraft:
    rubric = grader_text.rubric(title, _messages(one.get("input")), grader_text.DOUBLE, input_of)
    if not {"response", "tool_calls"} & set(rubric.inputs):
        raise Unfit(NO_ANSWER)
    given = [one for one in rubric.inputs if one not in ("question", "response", "tool_calls")]
    question, addition, remarks = _question(one)
    declared = declare({**question, "input": rubric.inputs, "requires": given, **limits, "model": _model(one, remarks)})
    return JudgeDraft(name(title) or name(one["type"]), declared, rubric.text + addition, "", tuple(remarks))


def _question(one: Mapping[str, Any]) -> tuple[dict[str, Any], str, list[str]]:
    """Return what kind of verdict a grader gives, what its rubric has to say of that, and what was decided here."""
    if one["type"] == "label_model":
        labels, passing = one.get("labels"), one.get("passing_labels")
        if not isinstance(labels, list) or not isinstance(passing, list):
            raise Unfit("its labels or passing_labels are no list: write both")
        return {"question": "labels", "labels": labels, "passing_labels": passing}, "", []
    span = one.get("range", [0, 1])
    if not isinstance(span, list) or len(span) != 2:  # noqa: PLR2004 - lowest and highest
        raise Unfit("its range is no lowest and highest number: write both")
    threshold = one.get("pass_threshold")
    found = grader_text.scale(span[0], span[1], threshold)
    remarks = ["the file names no pass_threshold, so half of the scale passes"] if threshold is None else []
    about = {"question": "score", "range": list(found.range), "pass_threshold": found.threshold}
    addition = grader_text.scaled(found)
    return about, f"\n{addition}" if addition else "", remarks


def _model(one: Mapping[str, Any], remarks: list[str]) -> dict[str, Any]:
    """Return whom a judge asks, and how; what of that no request has is remarked."""
    model, sampling = one.get("model"), one.get("sampling_params")
    found: dict[str, Any] = {"hosted": model} if isinstance(model, str) else {}
    parameters = {}
    for key, value in (sampling if isinstance(sampling, dict) else {}).items():
        if value is None:
            continue
        if key not in SAMPLING or isinstance(value, list | dict):
            remarks.append(f"its sampling parameter `{shown(key)}` has no equal")
        elif key == "temperature":
            found["temperature"] = value
        else:
            parameters[SAMPLING[key]] = value
    return found | ({"parameters": parameters} if parameters else {})


def _messages(found: object) -> list[str]:
    """Return the texts of all messages, in their order."""
    several = found if isinstance(found, list) else [found]
    return [text for one in several for text in _texts(one.get("content") if isinstance(one, dict) else one)]


def _texts(content: object) -> list[str]:
    """Return the texts of a message, whose content is a text, a part or a list of parts."""
    if isinstance(content, str):
        return [content]
    texts = []
    for part in content if isinstance(content, list) else [content]:
        text = part if isinstance(part, str) else part.get("text") if isinstance(part, dict) else None
        if not isinstance(text, str):
            kind = shown(part.get("type")) if isinstance(part, dict) else "unknown"
            raise Unfit(f"a message of it has a part of type `{kind}`: say it in words, or show it `attachments`")
        texts.append(text)
    return texts


def _of_sample(rest: str, path: str) -> str:
    if ANSWER.fullmatch(rest):
        return "response"
    if CALLS.fullmatch(rest):
        return "tool_calls"
    raise Unfit(f"it names `{path[:60]}`, which no input of a judge is: name `sample.output_text`")
