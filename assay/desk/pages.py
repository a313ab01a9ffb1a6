"""The desk's pages: what each of them shows, as values; the templates print values and mark nothing as safe."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from statistics import median
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.checks import registry
from assay.desk import editing
from assay.desk.candidate_queue import CandidateQueue, Sitting, counts
from assay.desk.label_queue import LabelQueue
from assay.desk.narrowing import ALL, Narrowing
from assay.desk.reviewers import Person
from assay.errors import InsufficientDataError
from assay.evalset.admission import REASONS, Standing
from assay.evalset.health import Proposal
from assay.evalset.wording import expectations, given
from assay.records.candidate import IMPORTED, Candidate
from assay.records.case import Case
from assay.records.category import Category
from assay.records.decision import Decision
from assay.report.texts import excerpt, visible
from assay.stats.raters import krippendorff
from assay.text import Part
from assay.text import parts as word_diff

KEYS = {str(key): reason for key, reason in enumerate(REASONS, 2)}
"""The key that rejects a candidate for a reason; `1` admits it."""
RECENT = 20
"""A reviewer's last words, of which their share of admissions is shown."""
MAX_ROWS = 100
"""Cases to look at that one page shows."""
FEW = 0.5
"""Share of the longer text that two texts have in common, below which their difference is hard to read."""
MAX_TEXT = 20_000
"""Characters of one text that are shown."""


@dataclass(frozen=True, kw_only=True)
class Guide:
    """What reviewers are told, and what they measure candidates by."""

    taxonomy: Mapping[str, Category]
    admitted: Mapping[str, int]
    """Cases in the set, by category."""
    case: Callable[[str], Case | None]
    """Returns a case of the evaluation set."""
    can_fail: Callable[[Case], bool] = lambda _: True
    """Tells whether anything of the project can fail a case."""


@cache
def environment() -> Environment:
    """Return the templates; whatever they print is escaped."""
    found = Environment(
        loader=PackageLoader("assay.desk"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["visible"] = shown_text
    return found


def shown_text(text: object) -> str:
    """Return text in which nothing hides or reorders letters, cut where it is very long."""
    part = excerpt(str(text), MAX_TEXT)
    return str(visible(part.text)) + (f" ... ({part.left_out} more characters)" if part.left_out else "")


def start(person: Person, candidates: CandidateQueue, labels: LabelQueue, now: datetime) -> dict[str, Any]:
    """Return what the first page shows: what there is to do for this person, and how far everybody is."""
    found = candidates.sitting()
    mine, open_for_me = found.all_of(person.name), candidates.open_for(person.name, now)
    return {
        "batch": found.batch,
        "is_over": bool(found.batch and found.batch.is_over(now)),
        "is_done": candidates.is_done(),
        "counts": counts(list(found.standings.values())),
        "total": len(found.items),
        "mine": len(mine),
        "open_for_me": len(open_for_me),
        "imports": sum(one.made == IMPORTED for one in open_for_me),
        "to_settle": candidates.to_settle(person),
        "put_off": candidates.put_off_by(person.name),
        "categories": _by_category(found),
        "ways": sorted({one.made for one in found.items.values() if one.made}),
        "agreement": agreement(found),
        "seconds": _seconds(mine),
        "labels_left": labels.left_for(person.name, now),
        "labels_with_others": labels.with_others(person.name, now),
        "labels_total": len(labels.pile().tasks),
        "labels_ready": sum(labels.pile().is_complete(name) for name in labels.pile().tasks),
        "labels_by_judge": _by_judge(person, labels, now),
    }


def candidate(
    person: Person, queue: CandidateQueue, one: Candidate, guide: Guide, only: Narrowing = ALL
) -> dict[str, Any]:
    """Return what the page of one candidate shows; of others' words only to whoever settles a dispute."""
    found, case = queue.sitting(), one.case
    settles = queue.may_settle(person, one.candidate_id)
    order = [name for name, item in found.items.items() if only.fits(item)]
    return {
        "item": one,
        "case": case,
        "revision": one.digest(),
        "settles": settles,
        "words": _anonymous(found.standings[one.candidate_id], case) if settles else [],
        "own": found.own(person.name, one.candidate_id),
        "number": order.index(one.candidate_id) + 1 if one.candidate_id in order else 0,
        "total": len(order),
        "done": len({*order} & {*found.mine.get(person.name, ())}),
        "before": order[order.index(one.candidate_id) - 1] if one.candidate_id in order else "",
        "after": order[(order.index(one.candidate_id) + 1) % len(order)] if one.candidate_id in order else "",
        "only": only,
        "definition": guide.taxonomy[case.category].definition if case.category in guide.taxonomy else "",
        "covered": guide.admitted.get(case.category, 0),
        "quota": guide.taxonomy[case.category].quota if case.category in guide.taxonomy else 0,
        "given": given(case),
        "contexts": case.contexts,
        "expectations": expectations(case),
        "nearest": _neighbours(one, guide),
        "reasons": KEYS,
        "share": _share(found, person.name),
        "reviewers": found.batch.reviewers if found.batch else 1,
    }


def form(one: Candidate, guide: Guide, typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what the page shows on which a candidate is edited: the case, or what was typed when it was refused."""
    return {
        "item": one,
        "revision": one.digest(),
        "fields": editing.fields(one.case, typed),
        "checks": sorted([*registry.KINDS, *(f"not-{kind}" for kind in registry.KINDS)]),
        "categories": sorted(guide.taxonomy),
    }


def health(person: Person, found: Sequence[Proposal], guide: Guide) -> dict[str, Any]:
    """Return what the page of cases to look at shows, each case once with everything that is said of it."""
    of: dict[str, list[Proposal]] = {}
    for one in found:
        of.setdefault(one.case_id, []).append(one)
    rows = [(case, of[name]) for name in of if (case := guide.case(name))]
    return {
        "rows": rows[:MAX_ROWS],
        "total": len(rows),
        "may_retire": person.role == "adjudicator",
        "given": {case.case_id: given(case) for case, _ in rows[:MAX_ROWS]},
        "expectations": {case.case_id: expectations(case) for case, _ in rows[:MAX_ROWS]},
    }


def agreement(found: Sitting) -> str:
    """Return how far two reviewers agree before anybody settled a dispute, in a sentence; empty without two words."""
    ballots = []
    for one in found.standings.values():
        said = [bool(word.case) for word in one.words if word.role == "reviewer"]
        if len(said) > 1:
            ballots.append([len(said) - sum(said), sum(said)])
    if not ballots:
        return ""
    alike = sum(0 in ballot for ballot in ballots)
    text = f"{alike} of {len(ballots)} items with several words alike"
    try:
        return f"{text}, Krippendorff's alpha {krippendorff(ballots).estimate:.2f}"
    except InsufficientDataError:
        return f"{text}; alpha needs both admissions and rejections"


def _by_judge(person: Person, labels: LabelQueue, now: datetime) -> list[dict[str, Any]]:
    """Return how far the labels of each judge are."""
    pile = labels.pile()
    of: dict[str, list[str]] = {}
    for key, task in pile.tasks.items():
        of.setdefault(task.judge.name, []).append(key)
    return [
        {
            "judge": judge,
            "total": len(keys),
            "ready": sum(map(pile.is_complete, keys)),
            "left": labels.left_for(person.name, now, judge),
        }
        for judge, keys in of.items()
    ]


def _by_category(found: Sitting) -> list[dict[str, Any]]:
    of: dict[str, list[Standing]] = {}
    for name, item in found.items.items():
        of.setdefault(item.case.category, []).append(found.standings[name])
    return [{"category": name, "total": len(of[name])} | counts(of[name]) for name in sorted(of)]


def _anonymous(found: Standing, case: Case) -> list[dict[str, Any]]:
    """Return the reviewers' words without their names, each edit as its difference."""
    return [
        {
            "word": word.decision,
            "reason": word.reason,
            "difference": word_diff(_text(case), _text(word.case)) if word.case and word.case != case else [],
        }
        for word in sorted(found.words, key=lambda word: word.decided_at)
    ]


def _text(case: Case) -> str:
    return "\n".join([*case.turns, *given(case), "", *case.right_answers(), *expectations(case), case.category])


def _neighbours(one: Candidate, guide: Guide) -> list[dict[str, Any]]:
    """Return the existing cases that a candidate resembles, with what differs."""
    found = []
    for name in dict.fromkeys(filter(None, (one.may_repeat, one.nearest, one.case.parent))):
        case = guide.case(name)
        if case:
            parts = word_diff("\n".join(case.turns), "\n".join(one.case.turns))
            similarity = one.similarity if name == one.nearest else None
            kind = "May repeat" if name == one.may_repeat else "Nearest case"
            kind = "Made from" if name == one.case.parent else kind
            alike = [] if _is_another_text(parts) else parts
            found.append({"case": case, "parts": alike, "similarity": similarity, "kind": kind})
    return found


def _is_another_text(parts: Sequence[Part]) -> bool:
    """Tell whether so little is the same that the two texts are read more easily one by one."""
    letters = Counter[str]()
    for part in parts:
        letters[part.kind] += len(part.text)
    return letters["same"] < FEW * (letters["same"] + max(letters["removed"], letters["added"]))


def _share(found: Sitting, person: str) -> str:
    """Return how many of a reviewer's last words were admissions, so that they notice a drift of their own."""
    words = found.all_of(person)[-RECENT:]
    kept = sum(word.decision != "reject" for word in words)
    return f"{kept} of your last {len(words)} admitted" if words else ""


def _seconds(words: Sequence[Decision]) -> float | None:
    """Return the median time of a person's words."""
    times = [word.seconds for word in words if word.seconds is not None]
    return round(median(times), 1) if times else None
