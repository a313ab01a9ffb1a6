"""The case: one item of the evaluation set, with what a good product does."""

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from assay.records import named
from assay.records.attachment import Attachment
from assay.records.record import Name, Record, Text, digest, hashed_fields

Layer = Literal["unit", "task", "production"]
ASKED = frozenset({"turns", "user", "inputs", "attachments", "contexts"})
"""What a product is asked."""
MOVING = ASKED | {
    "layer",
    "category",
    "reference",
    "references",
    "expectations",
    "rubric",
    "metadata",
    "empty",
    "thresholds",
}
"""What could move an answer or a verdict."""


class ToolCall(Record):
    """One call of a tool, as a product made it or as a case expects it; `arguments` is JSON text as in OpenAI's API."""

    always_hashed: ClassVar = ("arguments",)
    name: str
    arguments: str = "{}"


class Example(Record):
    """An answer that somebody wrote to show what has to pass, or to fail; a text alone is one."""

    text: Text = ""
    calls: list[ToolCall] = Field(default=[])
    contexts: list[Text] = Field(default=[])
    final_state: str = ""
    """JSON text; empty where the example says nothing of it."""


class Expectation(Record):
    """One deterministic expectation of a case; `check` names the module in assay/checks that scores it."""

    always_hashed: ClassVar = ("values", "calls")
    check: Name
    values: list[Text] = Field(default=[])
    calls: list[ToolCall] = Field(default=[])
    exact: bool = False
    """Texts are compared character by character, also where a reader could not tell them apart."""
    good: list[Example] = Field(default=[])
    """Answers that it has to pass, or it is no use."""
    bad: list[Example] = Field(default=[])
    """Answers that it has to fail."""

    def scored(self) -> "Expectation":
        """Return what can move a verdict: all but the examples."""
        return self.model_copy(update={"good": [], "bad": []}) if self.good or self.bad else self


class SimulatedUser(Record):
    """Who goes on talking after a case's scripted turns, and when it stops."""

    goal: str = Field(min_length=1)
    """What the user wants, with all facts that they know; the product sees none of it but what is said."""
    persona: str
    """How they write; empty for plainly."""
    stop: str = Field(min_length=1)
    """What has to be true for the user to end the conversation."""
    max_turns: int = Field(ge=1, le=50)
    """Simulated turns at most, after the scripted ones."""


def right_answers(reference: str, references: Sequence[str]) -> list[str]:
    """Return every good final answer, each once, `reference` first; what is empty is none."""
    return list(dict.fromkeys(text for text in (reference, *references) if text.strip()))


class Case(Record):
    """One item of the evaluation set: what the user says, and what a good product does."""

    case_id: Name
    layer: Layer
    category: Name
    turns: list[Text] = Field(min_length=1)
    """What the user says, turn by turn; the product answers each before the next is sent."""
    reference: Text
    """A good final answer; empty when checks alone decide."""
    expectations: list[Expectation]
    provenance: Literal["written", "generated", "production"]
    parent: str
    """The case or trace this one was made from; empty when there is none."""
    owner: str
    user: SimulatedUser | None = None
    """Who takes over after `turns`; None when the turns are the whole conversation."""
    rubric: dict[str, Text] = Field(default={})
    """By judge: what it has to look at in this case, for a judge that takes the input `rubric`."""
    metadata: dict[str, Text] = Field(default={})
    """What is known of the case besides; a judge may take `metadata.<key>`."""
    tags: list[str] = Field(default=[])
    """By which judges are chosen for a case."""
    empty: Literal["fails", "allowed"] = "fails"
    """What becomes of an answer that says nothing and calls no tool."""
    good: list[Example] = Field(default=[])
    """Answers that every check has to pass."""
    bad: list[Example] = Field(default=[])
    """Answers that some check has to fail."""

    inputs: named.Named = named.NONE
    """Named JSON values beside the turns: `{{inputs.<name>}}` in a target's templates and in rubrics."""

    references: list[Text] = Field(default=[])
    """Further good final answers beside `reference`: any one of them is right."""

    attachments: list[Attachment] = Field(default=[])
    """Files that go with the first turn."""
    contexts: list[Text] = Field(default=[])
    """Documents that a product is given, or should have used; a judge is shown them where an answer tells of none."""

    thresholds: dict[str, int] = Field(default={})
    """By judge of scores: from which number on an answer to this case passes, in place of the judge's own."""

    def values(self) -> dict[str, Any]:
        """Return the inputs by name."""
        return named.values(self.inputs)

    def right_answers(self) -> list[str]:
        """Return every good final answer, any one of which is right."""
        return right_answers(self.reference, self.references)

    def revision(self) -> str:
        """Return the hash of everything that could move a verdict; owner and provenance cannot."""
        return digest(hashed_fields(self, only=MOVING) | {"expectations": [one.scored() for one in self.expectations]})

    def request(self) -> str:
        """Return the hash of what a product is asked; what is expected of its answer is no part of it."""
        return digest(hashed_fields(self, only=ASKED))

    def digest(self) -> str:
        """Return the hash of the whole case, as a reviewer was shown it."""
        return digest(self)
