"""The queue of answers and pairs to label: who is shown what, in which order, and which labels are taken.

A task is one item with one judge's question; an item that waits for two judges is two tasks. A pair is shown blind, its
two sides in an order that differs from annotator to annotator; the log keeps the item's own frame. Nobody sees a
judge's verdict, another person's label, or how an item was drawn.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, cast

from assay.desk.candidate_queue import MAX_SECONDS, RefusedError, round_from
from assay.desk.holds import Holding
from assay.desk.log_cache import Live
from assay.judges.applicability import threshold
from assay.judges.declaration import Declaration
from assay.judges.prompt import JudgePrompt
from assay.records.label import BEFORE, Answer, Item, Span
from assay.records.record import digest
from assay.records.verdict import Outcome

SIDES = ("left", "right", "tie")
"""What people say of a pair, by the sides on which they see it."""


class Task(NamedTuple):
    """One item with the judge whose question people answer."""

    judge: JudgePrompt
    item: Item

    @property
    def key(self) -> str:
        """Return its name."""
        return task_key(self.judge.name, self.item.item_id)

    @property
    def choices(self) -> tuple[str, ...]:
        """Return what people may say."""
        return choices(self.judge.declared)


def task_key(judge: str, item_id: str) -> str:
    """Return the name of a task."""
    return f"{judge}/{item_id}"


def key_of(answer: Answer, kinds: Mapping[str, str]) -> str:
    """Return the task that an answer belongs to; one of before judges had names there is of its kind's.

    Args:
        answer: A row of the log.
        kinds: By item, which question was asked of it.
    """
    return task_key(answer.judge or BEFORE.get(kinds.get(answer.item_id, ""), ""), answer.item_id)


def choices(declared: Declaration) -> tuple[str, ...]:
    """Return what people may say for a judge: its own words, of a pair by sides."""
    return SIDES if declared.is_pair else declared.verdicts


@dataclass(kw_only=True)
class Pile:
    """What there is to label, and what was said so far."""

    tasks: dict[str, Task]
    needed: int
    """How many people label each item for a judge."""
    kinds: dict[str, str]
    """By item, which question was asked of it before judges had names in the log."""
    on_file: dict[str, dict[str, str]]
    """By task and annotator, the outcomes that are in data/labels already."""
    answers: dict[str, dict[str, Answer]] = field(default_factory=dict)
    """By task and annotator, the standing answers of the desk's log."""
    mine: dict[str, list[str]] = field(default_factory=dict)
    """By annotator, the tasks of their standing answers, oldest first."""

    def add(self, answer: Answer) -> None:
        """Let one more answer count."""
        key, mine = key_of(answer, self.kinds), self.mine.setdefault(answer.annotator, [])
        if key in mine:
            mine.remove(key)
        standing = self.answers.setdefault(key, {})
        standing.pop(answer.annotator, None)
        if answer.outcome != "withdraw":
            standing[answer.annotator] = answer
            mine.append(key)

    def by(self, key: str) -> dict[str, str]:
        """Return who has labelled for a task, at the desk or elsewhere, and with which outcome."""
        at_desk = {who: answer.outcome for who, answer in self.answers.get(key, {}).items()}
        return self.on_file.get(key, {}) | at_desk

    def wanted(self, key: str) -> int:
        """Return how many labels a task needs: where its annotators are split evenly, one more, as blind as theirs."""
        return wanted(list(self.by(key).values()), self.needed)

    def is_complete(self, key: str) -> bool:
        """Tell whether a task has all its labels."""
        return len(self.by(key)) >= self.wanted(key)


def wanted(outcomes: Sequence[str], needed: int) -> int:
    """Return how many labels an item with these needs: one more than `needed` while its leading outcomes draw level."""
    votes = sorted(Counter(outcomes).values(), reverse=True)
    is_split = len(outcomes) == needed and len(votes) > 1 and votes[0] == votes[1]
    return needed + is_split


def pile(tasks: Sequence[Task], needed: int, on_file: Mapping[str, dict[str, str]], answers: Iterable[Answer]) -> Pile:
    """Return what there is to label: tasks that lack labels, judge by judge, in an order that says nothing of them."""
    given = {task.key: list(on_file.get(task.key, {}).values()) for task in tasks}
    lacking = [task for task in tasks if len(given[task.key]) < wanted(given[task.key], needed)]
    lacking.sort(key=lambda task: (task.judge.name, digest(["order", task.item.item_id])))
    found = Pile(
        tasks={task.key: task for task in lacking},
        needed=needed,
        kinds={task.item.item_id: task.item.question for task in tasks},
        on_file=dict(on_file),
    )
    for answer in answers:
        found.add(answer)
    return found


def is_swapped(item: Item, annotator: str) -> bool:
    """Tell whether this annotator sees B on the left: half of the pairs, others for everybody."""
    return item.question == "pairwise" and int(digest(["side", item.item_id, annotator]), 16) % 2 == 1


def shown(item: Item, annotator: str) -> str:
    """Return the hash of what this annotator sees of an item."""
    return digest([item, is_swapped(item, annotator)])


def asked(task: Task, annotator: str) -> str:
    """Return the hash of what this annotator is asked: what they see of the item, by which rubric, on which scale."""
    judge = task.judge
    return digest([shown(task.item, annotator), judge.name, judge.rubric, list(task.choices)])


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """A label as it comes from the screen."""

    task: str
    asked: str
    """What was on the screen, as from `asked`."""
    choice: str
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

    def next_for(self, person: str, now: datetime, *, after: str = "", judge: str = "") -> str | None:
        """Return the next task that this person may label, and keep it for them; None where there is none.

        Args:
            person: Who asks.
            now: The moment.
            after: Go round from here.
            judge: Only of this one; empty for any.
        """
        with self._live.lock:
            found = self.pile()
            names = [name for name in round_from(list(found.tasks), after) if _is_of(found, name, judge)]
            chosen = next(self._open_to(found, person, now, names), None)
            if chosen:
                self.hold(person, chosen, now)
            return chosen

    def left_for(self, person: str, now: datetime, judge: str = "") -> int:
        """Return how many tasks this person may still do, of one judge or of all; not those that others look at."""
        with self._live.lock:
            found = self.pile()
            names = [name for name in found.tasks if _is_of(found, name, judge)]
            return sum(1 for _ in self._open_to(found, person, now, names))

    def with_others(self, person: str, now: datetime) -> int:
        """Return how many tasks this person may do only if somebody who looks at them leaves them."""
        with self._live.lock:
            found = self.pile()
            lacking = sum(person not in found.by(name) and not found.is_complete(name) for name in found.tasks)
            return lacking - self.left_for(person, now)

    def say(self, person: str, said: Labelled, now: datetime) -> Answer:
        """Take a label, have it on the disk, and return it.

        Raises:
            RefusedError: The item moved, or it has its annotators already.
        """
        return self._live.write(lambda found: _answer(found, person, said, now))

    def undo(self, person: str, now: datetime) -> str:
        """Take back this person's last label, and keep the task for them; return it.

        Raises:
            RefusedError: There is none, or it was handed over already.
        """
        with self._live.lock:
            key = key_of(self._live.write(lambda found: _withdrawal(found, person, now)), self.pile().kinds)
            self.hold(person, key, now)
        return key

    def _open_to(self, found: Pile, person: str, now: datetime, names: Iterable[str]) -> Iterator[str]:
        """Yield which of these tasks a person may do; those that enough others look at are left to them."""
        holding = self._holds.by_others(person, now)
        for name in names:
            there = found.by(name)
            if person not in there and len(there.keys() | holding.get(name, set())) < found.wanted(name):
                yield name


def _is_of(found: Pile, name: str, judge: str) -> bool:
    return judge in ("", found.tasks[name].judge.name)


def _answer(found: Pile, person: str, said: Labelled, now: datetime) -> Answer:
    task = found.tasks.get(said.task)
    if task is None or person in found.on_file.get(said.task, ()):
        raise RefusedError("This item is not to be labelled by you: go back to the start.")
    item, declared = task.item, task.judge.declared.at(threshold(task.judge, task.item))
    if said.asked != asked(task, person):
        raise RefusedError("This item has changed since it was shown: look at it again, then label it.")
    if said.choice not in task.choices:
        raise RefusedError(f"This item takes {_legal(declared)}: choose one of them.")
    others = {who: word for who, word in found.by(said.task).items() if who != person}
    if len(others) >= wanted(list(others.values()), found.needed):
        raise RefusedError("This item has all its annotators: it takes no further label.")
    if any(not 0 <= span.start < span.end <= len(item.response_a) for span in said.spans):
        raise RefusedError("A marked part lies outside of the answer: mark it again.")
    swapped = is_swapped(item, person)
    return Answer(
        item_id=item.item_id,
        annotator=person,
        outcome=_outcome(declared, said.choice, is_swapped=swapped),
        shown=shown(item, person),
        is_swapped=swapped,
        spans=list(said.spans),
        note=said.note,
        seconds=round(min(max(said.seconds, 0.0), MAX_SECONDS), 2),
        answered_at=now,
        judge=task.judge.name,
        label=said.choice if declared.question in ("labels", "score") else "",
    )


def _legal(declared: Declaration) -> str:
    if declared.question == "score":
        return f"a whole number from {declared.verdicts[0]} to {declared.verdicts[-1]}"
    return ", ".join(choices(declared))


def _outcome(declared: Declaration, choice: str, *, is_swapped: bool) -> Outcome:
    """Return what a choice comes to: whether it passes, and of a pair the side in the item's own frame."""
    if not declared.is_pair:
        return "pass" if choice in declared.passing else "fail"
    sides = {"left": "b", "right": "a"} if is_swapped else {"left": "a", "right": "b"}
    return cast("Outcome", sides.get(choice, choice))


def _withdrawal(found: Pile, person: str, now: datetime) -> Answer:
    mine = found.mine.get(person)
    if not mine:
        raise RefusedError("There is nothing to take back.")
    answer = found.answers[mine[-1]][person]
    if person in found.on_file.get(mine[-1], ()):
        raise RefusedError("Your last label was handed over already: it stays.")
    return answer.model_copy(
        update={"outcome": "withdraw", "spans": [], "note": "", "seconds": 0.0, "answered_at": now}
    )
