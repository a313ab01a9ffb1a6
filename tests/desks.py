"""A desk whose logs are lists, for tests of what the desk does: ada, ben, cem and the adjudicator eve sit at it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.testclient import TestClient

from assay.desk.candidate_queue import CandidateQueue, Said, Sitting, sitting
from assay.desk.label_queue import LabelQueue, Pile, Task, pile
from assay.desk.log_cache import Live
from assay.desk.pages import Guide
from assay.desk.request import Desk
from assay.desk.reviewers import People, Person
from assay.errors import ConfigError
from assay.evalset.admission import Batch, BatchEvent, batch_name, batches
from assay.evalset.health import Proposal
from assay.judges import prompt
from assay.records.candidate import Candidate
from assay.records.category import Category
from assay.records.decision import Decision
from assay.records.label import BEFORE, Answer, Item
from tests.cast import AT, case, item

REVIEWERS = {"ada": "reviewer", "ben": "reviewer", "cem": "reviewer", "eve": "adjudicator"}
SITE = "http://testserver"


def person(name: str) -> Person:
    """Return somebody at the desk."""
    return Person(name=name, role=REVIEWERS[name], token="0" * 64)  # type: ignore[arg-type]


def candidate(number: int, category: str = "refunds", **changes: Any) -> Candidate:
    """Return a proposed case, made from an admitted one."""
    of = case(number, category, **changes)
    return Candidate(
        candidate_id=of.case_id, case=of, generator="fingerprint-0815", seed=1, nearest="refunds-100", similarity=0.91
    )


def opened(candidates: Sequence[Candidate], reviewers: int = 2) -> Batch:
    """Return an open batch of these candidates."""
    event = BatchEvent(
        batch=batch_name(candidates),
        event="open",
        who="assay",
        at=AT,
        note="",
        deadline=AT + timedelta(days=14),
        reviewers=reviewers,
        candidates={one.candidate_id: one.digest() for one in candidates},
    )
    return batches([event])[event.batch]


@dataclass
class Upkeep:
    """Proposes what it is given, and remembers what was retired."""

    found: list[Proposal] = field(default_factory=list)
    retired: list[tuple[str, str, str]] = field(default_factory=list)

    def proposals(self) -> list[Proposal]:
        """Return what is left to look at."""
        gone = {name for name, _, _ in self.retired}
        return [one for one in self.found if one.case_id not in gone]

    def retire(self, case_id: str, revision: str, who: str, reason: str) -> str:
        """Retire a case as it was shown."""
        if revision != case(100).digest() or not reason:
            raise ConfigError("it was changed, or the reason is empty")
        self.retired.append((case_id, who, reason))
        return f"{case_id} is retired"


@dataclass
class Logs:
    """What is open and what was said, as another program could change it."""

    candidates: list[Candidate]
    reviewers: int = 2
    items: list[Item] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    """Beside those that the items are for the judges of before."""
    decisions: list[Decision] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    batch: Batch | None = None
    upkeep: Upkeep = field(default_factory=Upkeep)
    reads: int = 0

    def __post_init__(self) -> None:
        """Open the batch."""
        self.batch = opened(self.candidates, self.reviewers)

    def queue(self) -> CandidateQueue:
        """Return the queue of candidates over these logs."""

        def read() -> tuple[Sitting, int]:
            self.reads += 1
            return sitting(self.batch, self.candidates, self.decisions), len(self.decisions)

        def sign(word: Decision, seen: int) -> tuple[Decision, int] | None:
            if len(self.decisions) != seen:
                return None
            self.decisions.append(word)
            return word, len(self.decisions)

        return CandidateQueue(Live(read, lambda: len(self.decisions), sign, Sitting.add))

    def labels(self, needed: int = 2) -> LabelQueue:
        """Return the queue of items to label over these logs."""

        def sign(answer: Answer, seen: int) -> tuple[Answer, int] | None:
            self.answers.append(answer)
            return answer, len(self.answers)

        def read() -> tuple[Pile, int]:
            return pile([*map(task, self.items), *self.tasks], needed, {}, self.answers), len(self.answers)

        return LabelQueue(Live(read, lambda: len(self.answers), sign, Pile.add))


def said(of: Candidate, word: str = "admit", **changes: Any) -> Said:
    """Return a word as it comes from the screen."""
    fields = {"candidate_id": of.candidate_id, "revision": of.digest(), "word": word, "reason": "", "seconds": 2.0}
    return Said(**(fields | changes))


def guide() -> Guide:
    """Return what reviewers are told."""
    about = {"definition": "Wrong about refunds.", "examples": ["x"], "severity": "high", "quota": 3, "layer": "unit"}
    taxonomy = {name: Category(category=name, owner="payments", **about) for name in ("refunds", "escalation")}
    there = {"refunds-100": case(100)}
    return Guide(taxonomy=taxonomy, admitted={"refunds": 1}, case=there.get)


def proposal(kind: str, reason: str) -> Proposal:
    """Return a reason to look at case 100."""
    about = {"category": "refunds", "owner": "payments", "after": "0 of 3, 3 below quota: write another one first"}
    return Proposal.model_validate({"case_id": "refunds-100", "kind": kind, "reason": reason} | about)


def desk(logs: Logs, folder: Path) -> tuple[Desk, dict[str, str]]:
    """Return a desk over these logs, and everybody's token."""
    people = People(folder / "desk")
    tokens = {name: people.invite(name, role) for name, role in REVIEWERS.items()}  # type: ignore[arg-type]
    made = Desk(
        people=people,
        candidates=logs.queue(),
        labels=logs.labels(),
        guide=guide,
        upkeep=logs.upkeep,
        close=lambda who, note: f"closed by {who} ({note})",
        hand_over=lambda: "2 labels handed over",
        unopened=lambda: 7,
        now=lambda: AT,
        hosts=("testserver", "127.0.0.1"),
        is_secure=False,
    )
    return made, tokens


def task(of: Item, judge: str = "") -> Task:
    """Return an item with the question of a judge, by default that of before judges had names in labels."""
    return Task(prompt.load(judge or BEFORE[of.question]), of)


def labelled_items() -> list[Item]:
    """Return two answers and two pairs."""
    singles = [item(number, f"Yes, answer {number}.") for number in (1, 2)]
    return [*singles, *(item(number, f"Left {number}.", "pairwise", f"Right {number}.") for number in (1, 2))]


class Browser:
    """What a browser does: keeps the cookie, says where it comes from, sends back the fields of a form."""

    def __init__(self, client: TestClient) -> None:
        """Sit at an address."""
        self.client = client
        self.seen: httpx.Response | None = None

    def sign_in(self, token: str, goal: str = "/") -> int:
        """Send the token; return the status."""
        return self.post("/sign-in", token=token, next=goal).status_code

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Look at a page."""
        self.seen = self.client.get(path, headers=headers, follow_redirects=False)
        return self.seen

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Send a form with the hidden fields of the page that was looked at last."""
        hidden = dict(re.findall(r'name="(csrf|revision)" value="([^"]*)"', self.seen.text if self.seen else ""))
        sent = {name: html.unescape(value) for name, value in hidden.items()} | fields
        return self.client.post(path, data=sent, headers={"Origin": SITE} | (headers or {}), follow_redirects=False)
