"""Admission: what do people's words on candidates come to?

Candidates are opened to reviewers as a *batch*: a frozen list of candidates with the hash of each, and a rule (how many
reviewers an item needs, which share of the items has to be decided, until when). A batch is open until somebody closes
or abandons it; only then do its words count. Where reviewers disagree, a third person who saw both has the last word.
Outside of a batch one person's word holds by itself, such as on a case written by hand.

The evaluation set is the fold of the two logs (`decisions`, `batches`), and nothing else gets in.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Literal

from pydantic import Field

from assay.errors import DataError
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.records.decision import Decision
from assay.records.record import Name, Record, Text, digest, hashed_fields

LOG = "data/decisions/decisions.jsonl"
EVENTS = "data/decisions/batches.jsonl"
ADMITTING = ("admit", "edit")
REASONS = ("duplicate", "unrealistic", "wrong expectation", "unclear", "other")
"""Why a candidate is rejected."""
Word = Literal["open", "disputed", "decided"]


class BatchEvent(Record):
    """Something that happened to a batch; the log is append-only."""

    conversions: ClassVar = ()
    batch: Name
    event: Literal["open", "extend", "close", "abandon"]
    who: str = Field(min_length=1)
    at: datetime
    note: Text
    deadline: datetime | None
    """When the batch ends by itself; None for `close` and `abandon`."""
    reviewers: int = Field(default=1, ge=1)
    """How many people have to decide on each item."""
    quorum: float = Field(default=1.0, gt=0, le=1)
    """The share of items that have to be decided before the batch may be closed as done."""
    run: str = ""
    """The flow run that waits for the batch, or the gate of a run at which somebody acted."""
    candidates: dict[Name, str] = Field(default_factory=dict)
    """Of an opening: the hash of each candidate as it is shown."""
    chain: str = ""
    """Hash of this row and of the row before it."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """A batch as its events made it."""

    name: str
    candidates: Mapping[str, str]
    reviewers: int
    quorum: float
    deadline: datetime
    run: str
    state: Literal["open", "close", "abandon"] = "open"
    why: str = ""
    """Why it ended, in the words of whoever ended it."""

    def is_over(self, now: datetime) -> bool:
        """Tell whether nobody may decide any more."""
        return self.state != "open" or now >= self.deadline

    def is_about(self, word: Decision) -> bool:
        """Tell whether a word is about one of the candidates, as it was opened here."""
        return word.batch == self.name and self.candidates.get(word.candidate_id) == word.digest


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What people have said of one candidate."""

    words: Sequence[Decision]
    """The standing word of each reviewer, in the order of the first."""
    state: Word
    case: Case | None = None
    """The case that is admitted; None where it is not, or not yet."""


class Past(Record):
    """A case that is not in the evaluation set because people did not want it there: never to be proposed again."""

    candidate_id: Name
    why: Literal["rejected", "retired"]
    case: Case


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the logs come to."""

    cases: list[Case]
    """The evaluation set, by case id."""
    candidates: dict[str, str]
    """For each case id the candidate under which it was admitted."""
    past: list[Past]
    """By candidate id."""
    ended: int
    """How many batches have ended."""


def is_reason(reason: str, note: str) -> bool:
    """Tell whether a rejection says why: one of the reasons, and for any other one a note."""
    return reason in REASONS and bool(note or reason != REASONS[-1])


def batch_name(candidates: Iterable[Candidate]) -> str:
    """Return the name of a batch: the digest of exactly what is shown."""
    # In the names on file a case without a simulated user has `null` for one, which in no other hash it has.
    shown = [hashed_fields(one) | {"case": {"user": None} | hashed_fields(one.case)} for one in candidates]
    return f"batch-{digest(shown)}"


def batches(events: Sequence[BatchEvent]) -> dict[str, Batch]:
    """Return every batch as it stands, in the order in which they were opened.

    Raises:
        DataError: An event is about a batch that is not open.
    """
    found: dict[str, Batch] = {}
    for number, event in enumerate(events, 1):
        before = found.get(event.batch)
        if event.event == "open":
            if before and before.state == "open":
                raise _unfit(number, event, "a batch that is not open yet")
            found[event.batch] = _opened(number, event)
        elif before is None or before.state != "open":
            raise _unfit(number, event, "an open batch")
        elif event.event == "extend":
            found[event.batch] = replace(before, deadline=event.deadline or before.deadline)
        else:
            found[event.batch] = replace(before, state=event.event, why=event.note)
    return found


def standings(batch: Batch, decisions: Iterable[Decision]) -> dict[str, Standing]:
    """Return what people have said of each candidate of a batch, in the batch's order.

    A word on other content than was opened counts for nothing.
    """
    words: dict[str, list[Decision]] = {name: [] for name in batch.candidates}
    for decision in decisions:
        if batch.is_about(decision):
            words[decision.candidate_id] = heard(words[decision.candidate_id], decision)
    return {name: standing(said, batch.reviewers) for name, said in words.items()}


def heard(words: Sequence[Decision], word: Decision) -> list[Decision]:
    """Return the standing words on one candidate after one more, which replaces the same person's in that role."""
    kept = [one for one in words if (one.reviewer, one.role) != (word.reviewer, word.role)]
    return kept if word.decision == "withdraw" else [*kept, word]


def standing(words: Sequence[Decision], reviewers: int) -> Standing:
    """Return what the standing words on one candidate come to.

    Args:
        words: At most one of each person and role.
        reviewers: How many reviewers the item needs.
    """
    last = [word for word in words if word.role == "adjudicator"][-1:]
    if not last and len(words) < reviewers:
        return Standing(words=words, state="open")
    deciding = last or words
    meant = {word.case.digest() if word.case else "" for word in deciding}
    if len(meant) > 1:
        return Standing(words=words, state="disputed")
    return Standing(words=words, state="decided", case=deciding[0].case)


def is_done(batch: Batch, found: Mapping[str, Standing]) -> bool:
    """Tell whether a batch's rule is met: enough of its items are decided."""
    decided = sum(one.state == "decided" for one in found.values())
    return decided >= batch.quorum * len(batch.candidates)


def outcome(
    decisions: Sequence[Decision], events: Sequence[BatchEvent], shown: Mapping[str, Sequence[Candidate]]
) -> Outcome:
    """Return the evaluation set, and what is not to be proposed again.

    Args:
        decisions: The log of words.
        events: The log of batches.
        shown: The frozen candidates of each closed batch.

    Raises:
        DataError: An admitted case is not what was shown, a word and its case do not fit, a batch is unknown, or two
            candidates claim one case id.
    """
    known = batches(events)
    closed = {name: standings(batch, decisions) for name, batch in known.items() if batch.state == "close"}
    texts = {(name, one.candidate_id): one.case for name, batch in shown.items() for one in batch}
    last: dict[str, Case] = {}
    past: dict[str, Past] = {}
    for number, decision in enumerate(decisions, 1):
        name = decision.candidate_id
        _hold(number, decision, known, last.get(name))
        if decision.batch and (decision.batch not in closed or closed[decision.batch][name].state != "decided"):
            continue
        case = closed[decision.batch][name].case if decision.batch else decision.case
        gone = texts.get((decision.batch, name)) if decision.batch else last.get(name)
        last.pop(name, None)
        past.pop(name, None)
        if case:
            last[name] = case
        elif gone and decision.decision != "withdraw":
            why: Literal["rejected", "retired"] = "retired" if decision.decision == "retire" else "rejected"
            past[name] = Past(candidate_id=name, why=why, case=gone)
    ended = sum(batch.state != "open" for batch in known.values())
    candidates = {case.case_id: name for name, case in last.items()}
    past_rows = [past[name] for name in sorted(past)]
    return Outcome(cases=_once(last.values()), candidates=candidates, past=past_rows, ended=ended)


def _hold(number: int, decision: Decision, known: Mapping[str, Batch], before: Case | None) -> None:
    """Hold a word against what it is about."""
    where = f"{LOG}, row {number} ({decision.candidate_id})"
    if (decision.case is not None) != (decision.decision in ADMITTING):
        raise DataError(
            f"{where}: {decision.decision} and case do not fit, expected a case where one is admitted: mend it"
        )
    batch = known.get(decision.batch)
    if decision.batch and (batch is None or not batch.is_about(decision)):
        raise DataError(
            f"{where}: {decision.digest[:80]} was not opened in {decision.batch[:80]}, expected a candidate as it was "
            "shown: decide again"
        )
    if decision.decision == "admit" and decision.case and decision.case.digest() != decision.digest:
        raise DataError(f"{where}: the case is not the one that was shown as {decision.digest}: decide again")
    if decision.decision == "retire" and (before is None or before.digest() != decision.digest):
        raise DataError(
            f"{where}: {decision.digest[:80]} is to be retired, expected an admitted case as it stands: decide again"
        )


def _once(cases: Iterable[Case]) -> list[Case]:
    found = sorted(cases, key=lambda case: case.case_id)
    twice = [case_id for case_id, count in Counter(case.case_id for case in found).items() if count > 1]
    if twice:
        raise DataError(f"{LOG}: {', '.join(twice[:5])} admitted more than once: rename or reject one")
    return found


def _opened(number: int, event: BatchEvent) -> Batch:
    if event.deadline is None or not event.candidates:
        raise _unfit(number, event, "a deadline and candidates")
    return Batch(
        name=event.batch,
        candidates=event.candidates,
        reviewers=event.reviewers,
        quorum=event.quorum,
        deadline=event.deadline,
        run=event.run,
    )


def _unfit(number: int, event: BatchEvent, expected: str) -> DataError:
    return DataError(
        f"{EVENTS}, row {number} ({event.batch}): found `{event.event}`, expected {expected}: restore the log from Git"
    )
