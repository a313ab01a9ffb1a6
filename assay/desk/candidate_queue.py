"""The queue of candidates: who is shown what, and which words are taken.

The queue holds what the logs say of the open batch, and is the only way in which the desk adds to them. It enforces the
rule of the batch: an item gets as many reviewers as it needs and no more, a word is about exactly what was on the
screen, and only somebody who has not reviewed an item may settle a dispute over it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assay.desk.holds import Holding
from assay.desk.log_cache import Live
from assay.desk.narrowing import ALL, Narrowing
from assay.desk.reviewers import Person
from assay.errors import AssayError
from assay.evalset.admission import Batch, Standing, Word, heard, is_done, standing
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.records.decision import Decision

MAX_SECONDS = 3600.0
"""Beyond it nobody was reading any more."""
Spoken = Literal["admit", "edit", "reject"]


class RefusedError(AssayError):
    """The desk takes no such word; the text tells the person why."""


@dataclass(kw_only=True)
class Sitting:
    """What there is to decide on: the open batch, its candidates as they were frozen, and what was said so far."""

    batch: Batch | None
    """None while no batch is open."""
    items: dict[str, Candidate]
    """In the order of the batch."""
    standings: dict[str, Standing]
    mine: dict[str, dict[str, Decision]] = field(default_factory=dict)
    """For each person their standing words by item, oldest first."""

    def add(self, word: Decision) -> None:
        """Let one more word count, as `assay.evalset.admission.standings` does."""
        if self.batch is None or not self.batch.is_about(word):
            return
        name, mine = word.candidate_id, self.mine.setdefault(word.reviewer, {})
        mine.pop(name, None)
        if word.decision != "withdraw":
            mine[name] = word
        self.standings[name] = standing(heard(self.standings[name].words, word), self.batch.reviewers)

    def own(self, person: str, candidate_id: str) -> Decision | None:
        """Return a person's standing word on an item."""
        return self.mine.get(person, {}).get(candidate_id)

    def all_of(self, person: str) -> list[Decision]:
        """Return a person's standing words, oldest first."""
        return list(self.mine.get(person, {}).values())


def sitting(batch: Batch | None, candidates: Sequence[Candidate], words: Iterable[Decision]) -> Sitting:
    """Return what there is to decide on."""
    items = {one.candidate_id: one for one in candidates}
    found = Sitting(batch=batch, items=items, standings={name: Standing(words=[], state="open") for name in items})
    for word in words:
        found.add(word)
    return found


@dataclass(frozen=True, kw_only=True)
class Said:
    """A word as it comes from the screen."""

    candidate_id: str
    revision: str
    """The digest that was on the screen."""
    word: Spoken
    reason: str
    seconds: float
    case: Case | None = None
    """The case as edited."""


class CandidateQueue(Holding):
    """The open batch at the desk."""

    def __init__(self, live: Live[Sitting, Decision]) -> None:
        """Begin with what the logs say."""
        super().__init__(live.lock)
        self._live = live
        self._deferred: dict[str, list[str]] = {}

    def sitting(self) -> Sitting:
        """Return what there is to decide on, as it is now."""
        return self._live.state()

    def is_done(self) -> bool:
        """Tell whether the batch's rule is met."""
        found = self.sitting()
        return found.batch is not None and is_done(found.batch, found.standings)

    def next_for(self, person: str, now: datetime, *, only: Narrowing = ALL, after: str = "") -> str | None:
        """Return the next item that this person may review, and keep it for them; None where there is none.

        Args:
            person: Who asks.
            now: The moment.
            only: Those that are looked at.
            after: Go round from here.
        """
        with self._live.lock:
            found, put_off = self.sitting(), self._deferred.get(person, [])
            open_ones = self._open_to(found, person, now, round_from(list(found.items), after))
            later: list[str] = []
            for name in open_ones:
                if not only.fits(found.items[name]):
                    continue
                if name not in put_off:
                    self.hold(person, name, now)
                    return name
                later.append(name)
            chosen = min(later, key=put_off.index, default=None)
            if chosen:
                self.hold(person, chosen, now)
            return chosen

    def open_for(self, person: str, now: datetime, only: Narrowing = ALL) -> list[Candidate]:
        """Return the items that this person may still review, those that others look at left out."""
        with self._live.lock:
            found = self.sitting()
            open_ones = (found.items[name] for name in self._open_to(found, person, now, found.items))
            return [one for one in open_ones if only.fits(one)]

    def next_dispute(self, person: Person, *, after: str = "") -> str | None:
        """Return the next item on which reviewers disagree and that this person may settle."""
        found = self.sitting()
        return next((name for name in round_from(list(found.items), after) if _may_settle(found, person, name)), None)

    def to_settle(self, person: Person) -> int:
        """Return on how many items this person may have the last word."""
        found = self.sitting()
        return sum(_may_settle(found, person, name) for name in found.items)

    def may_settle(self, person: Person, candidate_id: str) -> bool:
        """Tell whether this person may have the last word: an adjudicator who has not reviewed the item."""
        return _may_settle(self.sitting(), person, candidate_id)

    def put_off(self, person: str, candidate_id: str) -> None:
        """Show an item to this person after all others."""
        with self._live.lock:
            later = self._deferred.setdefault(person, [])
            if candidate_id in later:
                later.remove(candidate_id)
            later.append(candidate_id)

    def put_off_by(self, person: str) -> int:
        """Return how many items of the batch this person has put off and not decided since."""
        with self._live.lock:
            found = self.sitting()
            still = {*self._deferred.get(person, ())} & found.items.keys()
            return len(still - {*found.mine.get(person, ())})

    def say(self, person: Person, said: Said, now: datetime) -> Decision:
        """Take a word, have it on the disk, and return it.

        Raises:
            RefusedError: The batch has ended, the item moved, or it has its reviewers already.
        """
        return self._live.write(lambda found: self._word(found, person, said, now))

    def undo(self, person: Person, now: datetime) -> str:
        """Take back this person's last standing word; return the item.

        Raises:
            RefusedError: There is none, the batch has ended, or an adjudicator has spoken since.
        """
        return self._live.write(lambda found: _withdrawal(found, person, now)).candidate_id

    def _word(self, found: Sitting, person: Person, said: Said, now: datetime) -> Decision:
        batch, item = _at(found, said.candidate_id, now)
        if said.revision != item.digest():
            raise RefusedError("This item has changed since it was shown: look at it again, then decide.")
        words = found.standings[item.candidate_id].words
        role: Literal["reviewer", "adjudicator"] = "reviewer"
        if self.may_settle(person, item.candidate_id):
            role = "adjudicator"
        elif any(word.role == "adjudicator" for word in words):
            raise RefusedError("An adjudicator has settled this item: it takes no further word.")
        others = sum(word.role == "reviewer" and word.reviewer != person.name for word in words)
        if role == "reviewer" and others >= batch.reviewers:
            raise RefusedError("This item has all its reviewers: it takes no further word.")
        return Decision(
            candidate_id=item.candidate_id,
            digest=said.revision,
            decision=said.word,
            reviewer=person.name,
            reason=said.reason,
            decided_at=now,
            case={"admit": item.case, "edit": said.case, "reject": None}[said.word],
            batch=batch.name,
            role=role,
            seconds=round(min(max(said.seconds, 0.0), MAX_SECONDS), 2),
        )

    def _open_to(self, found: Sitting, person: str, now: datetime, names: Iterable[str]) -> Iterator[str]:
        """Yield which of these items a person may review; those that enough others look at are left to them."""
        if found.batch is None or found.batch.is_over(now):
            return
        holding = self._holds.by_others(person, now)
        for name in names:
            said = {word.reviewer for word in found.standings[name].words}
            if person not in said and len(said | holding.get(name, set())) < found.batch.reviewers:
                yield name


def _may_settle(found: Sitting, person: Person, candidate_id: str) -> bool:
    one = found.standings[candidate_id]
    reviewed = any(word.reviewer == person.name and word.role == "reviewer" for word in one.words)
    return one.state == "disputed" and person.role == "adjudicator" and not reviewed


def _withdrawal(found: Sitting, person: Person, now: datetime) -> Decision:
    mine = found.all_of(person.name)
    if not mine:
        raise RefusedError("There is nothing to take back.")
    word = mine[-1]
    _at(found, word.candidate_id, now)
    words = found.standings[word.candidate_id].words
    if word.role == "reviewer" and any(one.role == "adjudicator" for one in words):
        raise RefusedError("An adjudicator has settled this item since: your word stays.")
    gone = {"decision": "withdraw", "case": None, "reason": "", "decided_at": now, "seconds": None}
    return word.model_copy(update=gone)


def _at(found: Sitting, candidate_id: str, now: datetime) -> tuple[Batch, Candidate]:
    """Return the open batch and one of its items."""
    if found.batch is None or found.batch.is_over(now):
        raise RefusedError("This batch has ended: nothing more is taken.")
    if candidate_id not in found.items:
        raise RefusedError("This item is not in the open batch: go back to the start.")
    return found.batch, found.items[candidate_id]


def round_from(names: list[str], after: str) -> list[str]:
    """Return all names, beginning behind one of them."""
    at = names.index(after) + 1 if after in names else 0
    return [*names[at:], *names[:at]]


def counts(standings: Sequence[Standing]) -> dict[Word, int]:
    """Return how many items are open, disputed and decided."""
    states = [one.state for one in standings]
    return {"open": states.count("open"), "disputed": states.count("disputed"), "decided": states.count("decided")}
