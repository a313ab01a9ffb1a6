"""The declaration of a judge, `judge.yaml`: what it is asked, of which answers, by which model, and what it must reach.

The hash of all that could move a verdict is the judge's version; nobody has to count one up.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from assay.records.case import Case, Layer
from assay.records.named import KEY
from assay.records.record import Name, Record

Question = Literal["pass-fail", "labels", "score", "pairwise"]
Reasoning = Literal["rationale-first", "verdict-first", "none"]
Structured = Literal["json-schema", "json-object", "none"]
Preset = Literal["strict", "default", "pilot"]
Scope = Literal["cases", "traces"]

OF_CASE = ("question", "reference", "rubric", "inputs", "attachments")
"""Inputs that a case gives."""
OF_ANSWER = ("response", "contexts", "tool_calls", "conversation", "final_state")
"""Inputs that an answer gives."""
NOTHING: tuple[object, ...] = ("", "{}", [], ())
"""What an input is that is not there; an end state of nothing is `{}`."""
VARIABLE = r"^([A-Za-z_][A-Za-z0-9_]*)?$"
"""The pattern of a variable's name; what breaks it may be a key, and is never repeated."""
METADATA, INPUTS = "metadata.", "inputs."
"""What the name of an input begins with that is one of the case's metadata, or of its named values."""
KEYED = (METADATA, INPUTS)
_KEYED = re.compile(rf"(metadata|inputs)\.{KEY}")
PAIRED = frozenset({*OF_CASE, "response"})
"""What a pair can be judged by, beside metadata: two whole conversations side by side are more than a judge reads."""
TRACED = frozenset({"question", "response", "contexts"})
"""What a production conversation has."""
LEAST, WHOLE = 2, 101
"""Steps that a scale must have, and values that it may have: 0 to 100."""
SHORT = 40
SCHEMA = "judge.schema.json"
"""File beside the judges' folders, for editors."""
LEVELS = 10
"""Scores that a decision model tells apart."""


class JudgeModel(Record):
    """Who is asked: what is left out is as in the section `judge` of params.yaml."""

    hosted: str = ""
    """The model's name at its endpoint."""
    embedded: str = ""
    """The embedded model that stands in where there is neither key nor address."""
    base_url: str = Field(default="", pattern=r"^(https?://[^\s?#]+)?$")
    """Another endpoint than OPENAI_BASE_URL: another provider, or a server of one's own."""
    api_key_env: str = Field(default="", json_schema_extra={"pattern": VARIABLE})
    """The variable that holds the key of that endpoint; the key of OPENAI_API_KEY is never sent to it."""
    api: Literal["chat", "decision", "openai-decision"] = "chat"
    """`decision`: an endpoint that answers with probabilities and no text, as System One does at `/systemone`;
    `openai-decision`: in the shape of OpenAI's Decisions API. An address that ends in `/systemone` or `/decisions` is
    asked as it is."""
    query: dict[str, str] = Field(default={})
    """Added to the address, such as Azure's `api-version`."""
    headers: dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,80}$")], str] = Field(default={})
    """Sent besides; `$NAME` as a value is the variable of that name, so that no key stands in a file."""
    parameters: dict[str, Any] = Field(default={})
    """OpenAI's or the server's own, such as `max_tokens`, `reasoning_effort` or `seed`."""
    temperature: float | None = Field(default=None, ge=0, le=2)
    structured: Structured | None = None
    log_probabilities: bool | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse parameters that the request has anyway, and another endpoint's settings without one."""
        if not re.fullmatch(VARIABLE, self.api_key_env):
            raise ValueError("api_key_env is no name of a variable, and may be a key: name the variable that holds it")
        ours = {"model", "messages", "response_format", "temperature", "logprobs", "top_logprobs", "stream", "n"}
        if taken := sorted(ours & self.parameters.keys()):
            raise ValueError(f"parameters has {taken[0]}, which the request sets itself: use the field of the model")
        if self.base_url == "" and (self.api_key_env or self.query or self.headers or self.api != "chat"):
            raise ValueError("api_key_env, api, query and headers belong to an endpoint: give base_url too")
        return self


class AppliesTo(Record):
    """Which cases a judge is asked about: those that fit each list; an empty one fits all."""

    category: tuple[Name, ...] = ()
    layer: tuple[Layer, ...] = ()
    tag: tuple[str, ...] = ()

    def fits(self, case: Case) -> bool:
        """Tell whether a case is one of them."""
        return self.may_fit(case.category, case.layer) and (not self.tag or bool(set(self.tag) & set(case.tags)))

    def may_fit(self, category: str, layer: Layer) -> bool:
        """Tell whether cases of a category are among them, those with the right tag if any is asked for."""
        return (not self.category or category in self.category) and (not self.layer or layer in self.layer)


class Declaration(Record):
    """One judge, as `judge.yaml` says it."""

    description: str = ""
    """One line for people: what it looks at."""
    question: Question = "pass-fail"
    labels: tuple[str, ...] = ()
    """For `labels`: what it may answer."""
    passing_labels: tuple[str, ...] = ()
    """Those of them that pass."""
    range: tuple[int, int] | None = None
    """For `score`: the lowest and the highest whole number that it may answer."""
    pass_threshold: int | None = None
    """From which number on an answer passes."""
    input: tuple[str, ...] = ("question", "response")
    """What it is shown: question, response, reference, contexts, tool_calls, conversation, final_state, rubric (the
    case's own text for this judge), inputs (the case's named values), or one of them (`inputs.<key>`),
    attachments (the files of the case), or `metadata.<key>` of the case."""
    requires: tuple[str, ...] = ()
    """Inputs without which it is not asked; the cases that lack one are counted."""
    applies_to: AppliesTo = AppliesTo()
    scope: Scope = "cases"
    """`traces`: it is asked of a sample of production, by the stage monitor."""
    model: JudgeModel = JudgeModel()
    panel: tuple[JudgeModel, ...] = ()
    """More models that are asked everything too; then the majority counts."""
    examples: str = Field(default="", pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*\.jsonl)?$")
    """A file beside this one whose rows have the inputs, a `label` and why; they are shown to the judge. Left out,
    it is examples.jsonl where that is there."""
    reasoning: Reasoning = "rationale-first"
    """Whether it says why, and when; `none` for a verdict alone."""
    blocks: bool = True
    """False: it is charted, and a case passes without it."""
    policy: Preset | dict[str, Any] = "default"
    """What it must reach: a preset, or single demands over one (`preset: pilot`)."""

    moving: ClassVar = ("labels", "passing_labels", "range", "pass_threshold", "reasoning")
    """Fields that could move a verdict and stand in no text that is hashed besides."""

    @property
    def models(self) -> list[JudgeModel]:
        """Return who is asked, as far as it says; the first one first."""
        return [self.model, *self.panel]

    @property
    def is_pair(self) -> bool:
        """Tell whether it compares two answers."""
        return self.question == "pairwise"

    @property
    def verdicts(self) -> tuple[str, ...]:
        """Return what it may answer."""
        if self.question == "pass-fail":
            return ("pass", "fail")
        if self.question == "pairwise":
            return ("A", "B", "tie")
        if self.question == "labels":
            return self.labels
        low, high = self.range or (0, 0)
        return tuple(str(number) for number in range(low, high + 1))

    @property
    def passing(self) -> tuple[str, ...]:
        """Return what of it passes; nothing for a pair."""
        if self.question == "score":
            return tuple(value for value in self.verdicts if int(value) >= (self.pass_threshold or 0))
        return {"pass-fail": ("pass",), "labels": self.passing_labels}.get(self.question, ())

    def at(self, threshold: int | None) -> Self:
        """Return the declaration for a case that has a threshold of its own; None for one that has not."""
        return self if threshold is None else self.model_copy(update={"pass_threshold": threshold})

    def texts(self) -> tuple[str, ...]:
        """Return the names of the judged texts, as prompts and delimiters have them; a pair has two responses."""
        pair = ("response_a", "response_b")
        return tuple(
            text
            for name in self.input
            for text in (pair if self.is_pair and name == "response" else (text_name(name),))
        )

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, given: Any) -> Any:  # noqa: ANN401 - whatever the file holds
        """Take one text for a list of one, and numbers that are labels for what they say."""
        if not isinstance(given, dict):
            return given
        lists = ("labels", "passing_labels", "input", "requires")
        listed = {name: [given[name]] for name in lists if isinstance(given.get(name), str)}
        return given | listed

    @model_validator(mode="after")
    def _check(self) -> Self:
        """Refuse what does not go together."""
        for check in (self._check_labels, self._check_score, self._check_input, self._check_decision):
            check()
        return self

    def _check_labels(self) -> None:
        if self.question != "labels":
            if self.labels or self.passing_labels:
                raise ValueError(f"question {self.question} takes no labels: take them out, or ask question: labels")
            return
        if len(self.labels) < 2 or len(set(map(str.casefold, self.labels))) < len(self.labels):  # noqa: PLR2004
            raise ValueError("labels has fewer than two different ones, whatever their case: give each that it may say")
        if strange := [one for one in self.labels if not one.strip() or one != one.strip() or len(one) > SHORT]:
            raise ValueError(f"the label {strange[0][:SHORT]!r} is empty, padded or longer than {SHORT} characters")
        if not self.passing_labels or not set(self.passing_labels) < set(self.labels):
            raise ValueError("passing_labels is not some of labels, and not all: name those that pass")

    def _check_score(self) -> None:
        if self.question != "score":
            if self.range or self.pass_threshold is not None:
                raise ValueError(f"question {self.question} takes no range: take it out, or ask question: score")
            return
        low, high = self.range or (0, 0)
        if not LEAST <= high - low < WHOLE:
            raise ValueError(
                f"range is {list(self.range or ())}, expected [lowest, highest] of {LEAST + 1} to {WHOLE} whole numbers"
            )
        if self.pass_threshold is None or not low < self.pass_threshold <= high:
            raise ValueError(f"pass_threshold is {self.pass_threshold}, expected a number above {low}, up to {high}")

    def _check_input(self) -> None:
        known = {*OF_CASE, *OF_ANSWER}
        strange = [name for name in self.input if name not in known and not _KEYED.fullmatch(name)]
        if strange:
            raise ValueError(
                f"input has {strange[0][:SHORT]!r}, expected some of {', '.join([*OF_CASE, *OF_ANSWER])}, "
                f"{INPUTS}<key> and {METADATA}<key>"
            )
        if len(set(self.input)) < len(self.input) or not set(self.input) & set(OF_ANSWER):
            raise ValueError("input has a name twice, or nothing of the answer: give response, or what is to be judged")
        if absent := sorted(set(self.requires) - set(self.input)):
            raise ValueError(f"requires has {absent[0][:SHORT]!r}, which input does not show: add it there")
        legal = PAIRED if self.is_pair else TRACED if self.scope == "traces" else None
        beyond = [name for name in self.input if legal is not None and name not in legal]
        if self.is_pair:
            beyond = [name for name in beyond if not name.startswith(KEYED)]
        if beyond:
            what = "a pair" if self.is_pair else "a production conversation"
            raise ValueError(f"input has {beyond[0]}, which {what} has not: take it out")
        if self.is_pair and "response" not in self.input:
            raise ValueError("question pairwise compares responses: add response to input")
        if self.is_pair and self.scope == "traces":
            raise ValueError("production has no second version: scope traces takes another question")

    def _check_decision(self) -> None:
        if all(model.api == "chat" for model in self.models):
            return
        if "attachments" in self.input:
            raise ValueError("a decision model is shown no files: take attachments out of input, or ask a chat model")
        if self.examples:
            raise ValueError(
                "a decision model is shown no examples: take the line out, or say in the rubric what they say"
            )
        if self.question == "score" and len(self.verdicts) > LEVELS:
            raise ValueError(f"a decision model tells at most {LEVELS} scores apart: give a shorter range")


def text_name(name: str) -> str:
    """Return the name under which prompts and delimiters have an input: a case's own rubric is not the judge's."""
    return "case_rubric" if name == "rubric" else name.replace(".", "_")


def as_texts(declared: Declaration, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row with every input of a judge under the name that prompts have for it, however the row names it."""
    names = {name: text_name(name) for name in declared.input}
    return {names.get(name, name): value for name, value in row.items()}


def moving(declared: Declaration) -> Mapping[str, Any]:
    """Return what of a declaration enters a judge's fingerprint; of a judge of before there was any, nothing."""
    fields = {name: getattr(declared, name) for name in Declaration.moving}
    return {name: value for name, value in fields.items() if value not in ((), None, "none")}


def lacking(declared: Declaration, given: Mapping[str, Any]) -> list[str]:
    """Return the required inputs that are empty.

    Args:
        declared: The judge.
        given: Its inputs by name, as `texts` has them; a pair's response is never required.
    """
    return [name for name in declared.requires if given.get(text_name(name), True) in NOTHING]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of `judge.yaml`, for editors."""
    found = Declaration.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "A judge of Assay"}
