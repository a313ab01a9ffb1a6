"""Several judges behind a case: how many cases would people pass by all of them together?

A case passes when every judge passes it, and people have said the same of it once they have answered every judge's
question about its answer. So the joint rate is corrected by the cases that are labelled for all their judges, never by
a product of corrections (DECISION 5). Where checks decide, or a check fails the answer, nobody needs to be asked.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod

import numpy as np

from assay.calibration.rounds import COMMON
from assay.errors import InsufficientDataError
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case
from assay.records.label import Labelling
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import Subject, Verdict
from assay.report import findings
from assay.report.correction import SAME_SIZE
from assay.report.findings import Rate, rate
from assay.report.judged import Change, Side, of_moved
from assay.stats.rates import wilson
from assay.stats.sampled import CLOSE, NOBODY, Part, by_chance, of_parts


class Joint(Record):
    """What people say of whole cases, by their answers to every judge's question."""

    judges: list[str]
    raw: Rate
    """Of tonight's cases, by all their scorers."""
    rate: Rate | None
    """As people would have it; None where the labels cannot carry it, `note` says why."""
    labels: int
    """Cases that are labelled for every judge behind them."""
    note: str
    change: Change | None
    """From the accepted version to this one; None without one."""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a night knows of its cases, whichever version answered."""

    cases: Sequence[Case]
    judges: Sequence[JudgePrompt]
    """Those that block."""
    verdicts: Sequence[Verdict]
    labelling: Labelling
    excepted: Mapping[str, Collection[str]]
    """As for `findings.outcomes`."""


class Version:
    """One version's first answers: their joint outcome, and what people said of it."""

    def __init__(self, facts: Facts, subject: Subject, responses: Iterable[Response]) -> None:
        """Fold what every scorer said."""
        self._facts, self._subject = facts, subject
        self._first = [row for row in responses if row.trial == 0]
        self.passed = {name: word == "pass" for name, word in self._outcomes(checks_only=False).items()}
        """By case that has an outcome: does it pass?"""
        self._by_checks = self._outcomes(checks_only=True)

    def _outcomes(self, *, checks_only: bool) -> dict[str, findings.CaseOutcome]:
        facts = self._facts
        words = [row for row in facts.verdicts if row.trial == 0]
        excepted = {"excepted": facts.excepted, "checks_only": checks_only}
        found = findings.outcomes(self._subject, facts.cases, self._first, words, facts.judges, **excepted)  # type: ignore[arg-type]
        return {name: word for name, word in found.by_case.items() if word in ("pass", "fail")}

    @cached_property
    def _sides(self) -> dict[str, Side]:
        facts, found = self._facts, {}
        for judge in facts.judges:
            said = dict.fromkeys(self._judged(judge), "")
            found[judge.name] = Side(judge, said, self._first, facts.cases, facts.labelling.of(judge.name))
        return found

    def _judged(self, judge: JudgePrompt) -> list[str]:
        kept = self._facts.excepted.get(judge.name, ())
        categories = {case.case_id: case.category for case in self._facts.cases}
        return [
            row.item_id
            for row in self._facts.verdicts
            if (row.subject, row.scorer, row.trial, row.status) == (self._subject, judge.name, 0, "ok")
            and categories.get(row.item_id) not in kept
        ]

    @cached_property
    def _behind(self) -> dict[str, list[str]]:
        """Return by case the judges behind it, but for cases that a check fails."""
        found: dict[str, list[str]] = {}
        for judge in self._facts.judges:
            for name in self._judged(judge):
                if self._by_checks.get(name) != "fail":
                    found.setdefault(name, []).append(judge.name)
        return found

    def keys(self, case_id: str) -> dict[str, str]:
        """Return by judge behind a case what tells its answer from another; empty where nobody needs to be asked."""
        return {judge: self._sides[judge].key(case_id) for judge in self._behind.get(case_id, ())}

    def human(self, case_id: str) -> float | None:
        """Return the share of people who pass a case's answer; None where it is not labelled for all its judges."""
        shares = [self._sides[judge].human.get(case_id) for judge in self._behind.get(case_id, ())]
        if not shares:
            return float(self.passed[case_id])
        return None if None in shares else prod(share for share in shares if share is not None)

    def chances(self, case_id: str) -> dict[str, float]:
        """Return by judge behind a case the chance that its answer was drawn."""
        return {judge: self._sides[judge].chance(case_id) for judge in self._behind.get(case_id, ())}


def joint(
    facts: Facts, responses: Iterable[Response], baseline: Iterable[Response], *, rng: np.random.Generator, draws: int
) -> Joint | None:
    """Return what people say of whole cases; None where no case has an outcome.

    Args:
        facts: Of the night.
        responses: Tonight's.
        baseline: The accepted ones.
        rng: Source of draws.
        draws: How many.
    """
    now, before = Version(facts, "target", responses), Version(facts, "baseline", baseline)
    if not now.passed:
        return None
    asked = [name for name in now.passed if now.keys(name)]
    human = {name: share for name in asked if (share := now.human(name)) is not None}
    common = {
        "judges": sorted({judge for name in asked for judge in now.keys(name)}),
        "raw": rate(wilson(sum(now.passed.values()), len(now.passed))),
        "labels": len(human),
        "change": _change(facts, now, before),
    }
    chances = {name: round(_together(facts, now.chances(name)), CLOSE) for name in asked}
    if why := _not_covered(chances):
        return Joint(**common, rate=None, note=why)
    try:
        found = of_parts(_parts(now, chances, human), rng=rng, draws=draws).pass_rate
    except InsufficientDataError as refusal:
        return Joint(**common, rate=None, note=str(refusal))
    sure = sum(passed for name, passed in now.passed.items() if name not in chances)
    bounds = {
        name: (sure + len(asked) * getattr(found, name)) / len(now.passed) for name in ("estimate", "low", "high")
    }
    return Joint(**common, rate=rate(found).model_copy(update=bounds), note="")


def _together(facts: Facts, chances: Mapping[str, float]) -> float:
    """Return the chance that one answer was drawn for all these judges.

    Rounds by the cases' common numbers draw the same cases, so that the least chance is that of all; the numbers of
    before, a judge's own, are independent.
    """
    common = [chance for judge, chance in chances.items() if _is_common(facts, judge)]
    own = [chance for judge, chance in chances.items() if not _is_common(facts, judge)]
    return prod([*([min(common)] if common else []), *own])


def _is_common(facts: Facts, judge: str) -> bool:
    return all(frame.numbers == COMMON for frame in facts.labelling.frames if frame.judge == judge)


def _not_covered(chances: Mapping[str, float]) -> str:
    """Return why labels cannot speak for these cases; empty where they can."""
    without = sum(not chance for chance in chances.values())
    if without <= SAME_SIZE * len(chances):
        return ""
    return (
        f"{without} of {len(chances)} cases could not be drawn for all their judges: `assay labels draw --judge NAME`, "
        "for each of them, draws tonight's"
    )


def _parts(now: Version, chances: Mapping[str, float], human: Mapping[str, float]) -> list[Part]:
    """Return the cases that judges decide in parts of one chance."""
    said = by_chance((chances[name], now.passed[name], share) for name, share in human.items() if chances[name])
    parts = []
    for chance in sorted({chance for chance in chances.values() if chance}):
        words = [now.passed[name] for name, its in chances.items() if its == chance]
        passed, failed = said.get(chance, (NOBODY, NOBODY))
        counts = (sum(words), len(words) - sum(words))
        parts.append(Part(human_of_passed=passed, human_of_failed=failed, judged=counts))
    return parts


def _change(facts: Facts, now: Version, before: Version) -> Change | None:
    """Return by how much people's joint rate changed; None where no case has an outcome in both versions.

    What changed is a case one of whose judges sees another answer, or that another scorer decides.
    """
    both = [name for name in now.passed if name in before.passed]
    if not both:
        return None
    moved = [name for name in both if not _is_same(now, before, name)]
    pairs = {name: (now.human(name), before.human(name)) for name in moved}
    human = {name: after - earlier for name, (after, earlier) in pairs.items() if None not in (after, earlier)}  # type: ignore[operator]
    word = {name: float(now.passed[name] - before.passed[name]) for name in both}
    chances = {name: _of_both(facts, now.chances(name), before.chances(name)) for name in moved}
    return of_moved(word, moved, human, chances, note=_not_covered(chances))


def _is_same(now: Version, before: Version, case_id: str) -> bool:
    """Tell whether nothing that decides a case changed."""
    keys = now.keys(case_id)
    return keys == before.keys(case_id) and (bool(keys) or now.passed[case_id] == before.passed[case_id])


def _of_both(facts: Facts, now: Mapping[str, float], before: Mapping[str, float]) -> float:
    """Return the chance that both versions' answers to a case were drawn for all their judges."""
    least = {judge: min(side[judge] for side in (now, before) if judge in side) for judge in {*now, *before}}
    return _together(facts, least)
