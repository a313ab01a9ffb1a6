"""The queue of answers and pairs to label: who is shown what, in which order, and which labels are taken.

A pair is shown blind, its two sides in an order that differs from annotator to annotator; the log keeps the item's own
frame. Nobody sees a judge's verdict, another person's label, or how an item was drawn.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from assay.desk.candidate_queue import MAX_SECONDS, RefusedError, round_from
from assay.desk.holds import Holding
from assay.desk.log_cache import Live
from assay.records.label import Answer, Item, Span
from assay.records.record import digest

Choice = Literal["pass", "fail", "left", "right", "tie"]
Outcome = Literal["pass", "fail", "a", "b", "tie"]
CHOICES: dict[str, tuple[Choice, ...]] = {"pass-fail": ("pass", "fail"), "pairwise": ("left", "right", "tie")}


@dataclass(kw_only=True)
class Pile:
    """What there is to label, and what was said so far."""

    items: dict[str, Item] = field(default_factory=dict)
    needed: int = 1
    """How many people label each item."""
    on_file: dict[str, dict[str, str]] = field(default_factory=dict)
    """By item and annotator, the labels that are in data/labels already."""
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    """By item and annotator, the standing answers of the desk's log."""
    mine: dict[str, list[str]] = field(default_factory=dict)
    """By annotator, the items of their standing answers, oldest first."""

    def add(self, answer: Answer) -> None:
        """Let one more answer count."""
        mine = self.mine.setdefault(answer.annotator, [])
        if answer.item_id in mine:
            mine.remove(answer.item_id)
        standing = self.answers.setdefault(answer.item_id, {})
        standing.pop(answer.annotator, None)
        if answer.outcome != "withdraw":
            standing[answer.annotator] = answer
            mine.append(answer.item_id)

    def by(self, item_id: str) -> dict[str, str]:
        """Return who has labelled an item, at the desk or elsewhere, and how."""
        at_desk = {who: answer.outcome for who, answer in self.answers.get(item_id, {}).items()}
        return self.on_file.get(item_id, {}) | at_desk

    def wanted(self, item_id: str) -> int:
        """Return how many labels an item needs: where its annotators are split evenly, one more, as blind as theirs."""
        return wanted(list(self.by(item_id).values()), self.needed)

    def is_complete(self, item_id: str) -> bool:
        """Tell whether an item has all its labels."""
        return len(self.by(item_id)) >= self.wanted(item_id)


def wanted(outcomes: Sequence[str], needed: int) -> int:
    """Return how many labels an item with these needs: one more than `needed` while its leading outcomes draw level."""
    votes = sorted(Counter(outcomes).values(), reverse=True)
    is_split = len(outcomes) == needed and len(votes) > 1 and votes[0] == votes[1]
    return needed + is_split


def pile(items: Sequence[Item], needed: int, on_file: Mapping[str, dict[str, str]], answers: Iterable[Answer]) -> Pile:
    """Return what there is to label: the items that lack labels, in an order that says nothing of them."""
    given = {one.item_id: list(on_file.get(one.item_id, {}).values()) for one in items}
    lacking = [one for one in items if len(given[one.item_id]) < wanted(given[one.item_id], needed)]
    lacking.sort(key=lambda one: digest(["order", one.item_id]))
    found = Pile(items={one.item_id: one for one in lacking}, needed=needed, on_file=dict(on_file))
    for answer in answers:
        found.add(answer)
    return found


def is_swapped(item: Item, annotator: str) -> bool:
    """Tell whether this annotator sees B on the left: half of the pairs, others for everybody."""
    return item.question == "pairwise" and int(digest(["side", item.item_id, annotator]), 16) % 2 == 1


def shown(item: Item, annotator: str) -> str:
    """Return the hash of what this annotator sees of an item."""
    return digest([item, is_swapped(item, annotator)])


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A label as it comes from the screen."""

    item_id: str
    shown: str
    choice: Choice
    spans: Sequence[Span]
    note: str
    seconds: float


class LabelQueue(Holding):
    """What is to be labelled at the desk."""

    def __init__(self, live: Live[Pile, Answer]) -> None:
        """Begin with what the log says."""
        super().__init__(live.lock)
        self._live = live

    def pile(self) -> Pile:
        """Return what there is to label, as it is now."""
        return self._live.state()

    def next_for(self, person: str, now: datetime, *, after: str = "") -> str | None:
        """Return the next item that this person may label, and keep it for them; None where there is none.

        Args:
            person: Who asks.
            now: The moment.
            after: Go round from here.
        """
        with self._live.lock:
            found = self.pile()
            names = round_from(list(found.items), after)
            chosen = next(self._open_to(found, person, now, names), None)
            if chosen:
                self.hold(person, chosen, now)
            return chosen

    def left_for(self, person: str, now: datetime) -> int:
        """Return how many items this person may still label, those that others look at left out."""
        with self._live.lock:
            found = self.pile()
            return sum(1 for _ in self._open_to(found, person, now, found.items))

    def with_others(self, person: str, now: datetime) -> int:
        """Return how many items this person may label only if somebody who looks at them leaves them."""
        with self._live.lock:
            found = self.pile()
            lacking = sum(person not in found.by(name) and not found.is_complete(name) for name in found.items)
            return lacking - self.left_for(person, now)

    def say(self, person: str, said: Labelled, now: datetime) -> Answer:
        """Take a label, have it on the disk, and return it.

        Raises:
            RefusedError: The item moved, or it has its annotators already.
        """
        return self._live.write(lambda found: _answer(found, person, said, now))

    def undo(self, person: str, now: datetime) -> str:
        """Take back this person's last label, and keep the item for them; return it.

        Raises:
            RefusedError: There is none, or it was handed over already.
        """
        with self._live.lock:
            item_id = self._live.write(lambda found: _withdrawal(found, person, now)).item_id
            self.hold(person, item_id, now)
        return item_id

    def _open_to(self, found: Pile, person: str, now: datetime, names: Iterable[str]) -> Iterator[str]:
        """Yield which of these items a person may label; those that enough others look at are left to them."""
        holding = self._holds.by_others(person, now)
        for name in names:
            there = found.by(name)
            if person not in there and len(there.keys() | holding.get(name, set())) < found.wanted(name):
                yield name


def _answer(found: Pile, person: str, said: Labelled, now: datetime) -> Answer:
    item = found.items.get(said.item_id)
    if item is None or person in found.on_file.get(said.item_id, ()):
        raise RefusedError("This item is not to be labelled by you: go back to the start.")
    if said.shown != shown(item, person):
        raise RefusedError("This item has changed since it was shown: look at it again, then label it.")
    if said.choice not in CHOICES[item.question]:
        raise RefusedError(f"This item takes {', '.join(CHOICES[item.question])}: choose one of them.")
    others = {who: word for who, word in found.by(said.item_id).items() if who != person}
    if len(others) >= wanted(list(others.values()), found.needed):
        raise RefusedError("This item has all its annotators: it takes no further label.")
    if any(not 0 <= span.start < span.end <= len(item.response_a) for span in said.spans):
        raise RefusedError("A marked part lies outside of the answer: mark it again.")
    swapped = is_swapped(item, person)
    return Answer(
        item_id=item.item_id,
        annotator=person,
        outcome=_unswapped(said.choice, is_swapped=swapped),
        shown=said.shown,
        is_swapped=swapped,
        spans=list(said.spans),
        note=said.note,
        seconds=round(min(max(said.seconds, 0.0), MAX_SECONDS), 2),
        answered_at=now,
    )


def _unswapped(choice: Choice, *, is_swapped: bool) -> Outcome:
    """Return a choice in the item's own frame."""
    sides: dict[Choice, Outcome] = {"left": "b", "right": "a"} if is_swapped else {"left": "a", "right": "b"}
    same: dict[Choice, Outcome] = {"pass": "pass", "fail": "fail", "tie": "tie"}
    return (sides | same)[choice]


def _withdrawal(found: Pile, person: str, now: datetime) -> Answer:
    mine = found.mine.get(person)
    if not mine:
        raise RefusedError("There is nothing to take back.")
    answer = found.answers[mine[-1]][person]
    if person in found.on_file.get(answer.item_id, ()):
        raise RefusedError("Your last label was handed over already: it stays.")
    return answer.model_copy(
        update={"outcome": "withdraw", "spans": [], "note": "", "seconds": 0.0, "answered_at": now, "chain": ""}
    )
