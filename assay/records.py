"""The nouns that every stage speaks: one record a row, one Arrow schema a record.

Times are UTC, durations seconds, money US dollars; the unit is in the name. Content that has no fixed shape (tool
arguments, an environment's end state) is JSON text, so that a table never depends on what a model wrote.
"""

import hashlib
import json
import re
from datetime import datetime
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from assay.arrow import struct

LONE = re.compile("[\ud800-\udfff]")
Layer = Literal["unit", "task", "production"]
Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
"""An identifier: it may become part of an anchor, a table key or a file's name, so nothing else is let in."""


def _whole(text: str) -> str:
    if not text.isascii() and LONE.search(text):
        raise ValueError("half a character (a lone surrogate) stands in it: write the whole character")
    return text


Text = Annotated[str, AfterValidator(_whole)]
"""What a person wrote; no file could hold half a character."""


class Record(BaseModel):
    """One row of one table: immutable, closed to unknown fields, without NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def arrow_schema(cls) -> pa.Schema:
        """Return the Arrow schema of the table whose rows are this record."""
        return pa.schema(list(struct(cls)))


class ToolCall(Record):
    """One call of a tool, as a product made it or as a case expects it; `arguments` is JSON text as in OpenAI's API."""

    name: str
    arguments: str = "{}"


class MadeCall(ToolCall):
    """A call that a product made, with what came of it."""

    failed: bool = False
    """The tool answered with an error, so that the call changed nothing."""


class Expectation(Record):
    """One deterministic expectation of a case; `check` names the module in assay/checks that scores it."""

    check: Name
    values: list[Text] = []
    calls: list[ToolCall] = []


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

    def revision(self) -> str:
        """Return the hash of everything that could move a verdict; owner and provenance cannot."""
        asked = {"layer", "category", "turns", "reference", "expectations", "user"}
        return digest(self.model_dump(include=asked, exclude_none=True))

    def digest(self) -> str:
        """Return the hash of the whole case, as a reviewer was shown it."""
        return digest(self.model_dump(exclude_none=True))


class Category(Record):
    """One category of expected failures, as people wrote it in data/taxonomy/."""

    category: Name
    definition: str
    examples: list[str] = Field(min_length=1)
    severity: Literal["low", "medium", "high", "critical"]
    quota: int = Field(ge=1)
    """The number of admitted cases below which the category counts as not covered."""
    owner: str
    layer: Layer


class Source(Record):
    """The place of a product document that a candidate was made from."""

    document: str
    quote: str
    """Word for word, so that a reviewer sees what the answer rests on."""


class Candidate(Record):
    """A proposed case with where it comes from; nobody has admitted it yet."""

    candidate_id: Name
    case: Case
    generator: str
    """Fingerprint of the generator."""
    seed: int
    nearest: str
    """The most similar admitted case; empty when the evaluation set is empty."""
    similarity: float = Field(ge=0, le=1)
    may_repeat: str = ""
    """A case that it may say the same as, in other words, for a person to tell; empty where that is unlikely."""
    made: str = ""
    """By which way of generating, such as `category` or `document`; `import` for a case of another tool."""
    sources: list[Source] = []
    """What it rests on, where it was made from documents."""

    def digest(self) -> str:
        """Return the hash of what a reviewer was shown."""
        return self.case.digest()


class Decision(Record):
    """One person's word on one candidate; the log is append-only and the evaluation set is its fold."""

    candidate_id: Name
    digest: str
    """Hash of the candidate as it was shown; a decision on anything else admits nothing."""
    decision: Literal["admit", "edit", "reject", "retire", "withdraw"]
    """`retire` takes an admitted case out of the set; `withdraw` takes back the same reviewer's word of before."""
    reviewer: str = Field(min_length=1)
    reason: Text
    decided_at: datetime
    case: Case | None
    """The case as admitted, after any edit; None unless it is admitted."""
    batch: str = ""
    """The batch in which the candidate was shown; empty for a word outside of any, which holds by itself."""
    role: Literal["reviewer", "adjudicator"] = "reviewer"
    """An adjudicator saw what the reviewers had said, and has the last word."""
    seconds: float | None = Field(default=None, ge=0)
    """How long the candidate was on the screen; None where nobody measured."""
    chain: str = ""
    """Hash of this row and of the row before it: no row can be changed, left out or put in unnoticed."""


class Message(Record):
    """One message of a conversation, in OpenAI's roles."""

    role: Literal["user", "assistant", "tool"]
    content: str


class Response(Record):
    """What a target gave for a case in one trial: an answer, or the reason why there is none."""

    case_id: Name
    revision: str
    target: str
    """Fingerprint of the target: name, model and tools."""
    trial: int = Field(ge=0)
    epoch: str
    """The date of the run that asked; a live target is asked afresh each night."""
    status: Literal["ok", "error"]
    error_kind: str
    """Empty, or one of the kinds of CallError."""
    error: str
    text: str
    messages: list[Message]
    tool_calls: list[MadeCall]
    contexts: list[str]
    final_state: str
    """JSON text of the environment after the last turn."""
    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    latency_s: float = Field(ge=0)
    """From the first request of the conversation to its last answer, waits for retries included."""
    cost_usd: float | None = Field(default=None, ge=0)
    """None where no price is declared."""
    finish_reason: str = ""
    """Why the last answer ended, in OpenAI's words: `stop`, `length`, `content_filter`; empty where nobody says."""


IDENTICAL = "identical"
"""The fingerprint of a tie between two equal responses: no judge was asked."""
Outcome = Literal["pass", "fail", "a", "b", "tie", "unscored"]
Subject = Literal["target", "baseline", "pair", "anchor"]


class Verdict(Record):
    """What one scorer said of one response or pair.

    `item_id` is a case for the subjects target, baseline and pair (A is the target's response, B the baseline's), and a
    labelled item for the subject anchor. `unscored` is a scorer that gave no answer: it is never counted as a fail.
    """

    item_id: Name
    subject: Subject
    trial: int = Field(ge=0)
    scorer: str
    fingerprint: str
    outcome: Outcome
    status: Literal["ok", "unparsed", "refused", "error"]
    fault: Literal["", "answer", "format"] = ""
    """For a failing check: is the answer wrong, or could it not be read as what it had to be?"""
    score: float | None = Field(ge=0, le=1)
    """P(pass), or P(A over B) averaged over both orders; None where the scorer gives no probability."""
    as_is: Outcome | None
    """For a pair: the outcome with A shown first; None for anything else, and where that order gave none."""
    swapped: Outcome | None
    """The outcome with B shown first, in the same frame: `a` still means A."""
    detail: str
    """Why, in one line: a check's finding, a judge's error."""
    votes: list[Outcome] = []
    """What each member of a panel of judges said, in the panel's order; empty for a single judge and for a check."""


class Item(Record):
    """A frozen response or pair that people have labelled. Re-judged every night, so it is an anchor too."""

    item_id: Name
    question: Literal["pass-fail", "pairwise"]
    case_id: Name
    category: Name
    slice: Literal["gross", "minimal-edit", "natural"]
    """`natural`: drawn from what a product said; `gross` and `minimal-edit`: a fault was put in on purpose."""
    turns: list[str] = Field(min_length=1)
    reference: str
    response_a: str
    response_b: str
    """Empty for pass-fail."""


class Span(Record):
    """A part of an answer that a person marked as the fault, in characters of `Item.response_a`."""

    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Answer(Record):
    """One person's word on one item at the desk; the log is append-only, and labels are its fold."""

    item_id: Name
    annotator: Name
    outcome: Literal["pass", "fail", "a", "b", "tie", "withdraw"]
    """In the item's own frame, whatever the order in which a pair was shown."""
    shown: str
    """Hash of the item as it was shown."""
    is_swapped: bool
    """B was shown on the left."""
    spans: list[Span]
    note: Text
    seconds: float = Field(ge=0)
    answered_at: datetime
    chain: str = ""
    """Hash of this row and of the row before it."""


class Label(Record):
    """One annotator's judgement of one item: one row per (item, annotator), never merged beforehand."""

    item_id: Name
    annotator: Name
    outcome: Literal["pass", "fail", "a", "b", "tie"]
    split: Literal["tune", "heldout"]
    sampling_frame: str
    """What the item was drawn from; it picks the estimator (STATISTICS 3.1)."""
    stratum: str
    inclusion_probability: float | None = Field(gt=0, le=1)
    """None when the item was constructed, so that no rate of any traffic can be estimated from it."""
    rubric_version: str
    labelled_at: datetime
    spans: list[Span] = []
    """What the annotator marked as the fault."""


class Draw(Record):
    """How an item came to be labelled: drawn at random within what a judge had said of it."""

    item_id: Name
    frame: str
    """What it was drawn from."""
    stratum: str
    """The judge's verdict at the draw; whoever labels never sees it."""
    inclusion_probability: float = Field(gt=0, le=1)


class Trace(Record):
    """One production conversation, as the product logged it."""

    trace_id: Name
    at: datetime
    version: str
    category: Name
    question: str
    answer: str
    contexts: list[str]
    escalated: bool
    refused: bool
    contacted_again: bool
    """The same customer wrote again about the same matter within a day."""
    thumb: Literal["up", "down", "none"]
    latency_s: float = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class Signal(Record):
    """One quality measure of one window of production traffic, beside its baseline."""

    signal: Name
    segment: str
    """`all`, or a category."""
    window_start: datetime
    window_end: datetime
    events: int = Field(ge=0)
    n: int = Field(ge=0)
    value: float
    baseline_value: float
    baseline_n: int = Field(ge=0)
    low: float
    """Bounds of the 95 % interval of value - baseline_value."""
    high: float
    impact_usd: float | None
    """Per week; None for a signal without a declared value: it may be charted, never alerted on."""
    impact_low_usd: float | None
    impact_high_usd: float | None
    state: Literal["alert", "watch", "quiet", "charted"]
    statement: str
    """What it means for the business, in one sentence."""
    owner: str


class CaseNight(Record):
    """What came of each case in one night: enough to see, many nights later, which cases still tell anything."""

    night: str
    """The date of the run."""
    target: str
    """Fingerprint of the target."""
    judge: str
    """Fingerprint of the judge of single answers; empty where checks alone could be believed."""
    evaluation_set: str
    """Hash of the set's revisions."""
    cases: int = Field(ge=0)
    failed: list[Name]
    unscored: list[Name]
    """Cases without an outcome."""
    differing: list[Name]
    """Cases in which target and baseline have different outcomes."""
    revisions: dict[Name, str]
    """The set, case by case; empty where it is that of the row before."""


_CANONICAL = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"), default=str)


def digest(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the SHA-256 of a JSON value in its one canonical spelling, as 16 hexadecimal digits."""
    return hashlib.sha256(_CANONICAL.encode(value).encode()).hexdigest()[:16]
