"""Two judges side by side: which agrees better with people, on the labels that judges may be tuned on?

Asks both about the items of the split `tune` that people have labelled; held-out labels are not looked at, so that no
look wears them out. The journal keeps the answers: the same comparison again asks nobody.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from assay.errors import ConfigError, InsufficientDataError
from assay.judges import prompt, questions
from assay.judges.prompt import JudgePrompt
from assay.models.engine import Work, answer_all
from assay.project import model_session
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import begun
from assay.project.tables.labels import labelling
from assay.records.label import Item, Labelling
from assay.records.verdict import Verdict
from assay.report.wording import money
from assay.stages import judge_clients
from assay.stats import annotators, paired
from assay.stats.rates import wilson

STAGE = "compare"
"""Under which name the ledger has what a comparison used."""
LEAST = 10
"""Items below which nothing is compared."""


class Disagreement(NamedTuple):
    """An item on which the judges differ."""

    item: Item
    human: str
    first: Verdict
    second: Verdict


class Comparison(NamedTuple):
    """Both judges on the same items."""

    first: str
    second: str
    items: int
    """With a verdict of both."""
    unscored: tuple[int, int]
    """Items without a verdict of the one, and of the other."""
    agrees: tuple[int, int]
    """How often each says what people say."""
    only: tuple[int, int]
    """Items on which the one alone does, and the other alone."""
    p_value: float
    disagreements: list[Disagreement]
    calls: int
    cost_usd: float

    def record(self) -> dict[str, Any]:
        """Return it as JSON values."""
        rows = [
            {
                "item": one.item.item_id,
                "human": one.human,
                "first": one.first.model_dump(mode="json"),
                "second": one.second.model_dump(mode="json"),
            }
            for one in self.disagreements
        ]
        return self._asdict() | {"disagreements": rows}


def compare(first: str, second: str, now: datetime) -> Comparison:
    """Ask two judges about the items that people have labelled for either of them, on the split `tune`.

    Raises:
        ConfigError: One is no judge, or they are asked different kinds of question.
        InsufficientDataError: There are too few labels.
        EndpointError: A model cannot be asked.
    """
    one, other = prompt.load(first), prompt.load(second)
    if one.declared.is_pair != other.declared.is_pair:
        raise ConfigError(
            f"{first} is asked {one.declared.question} and {second} {other.declared.question}, expected two judges of "
            "answers, or two of pairs: name two that are asked the same"
        )
    items, human = _tuned(first, second)
    said, calls, cost = _asked((one, other), items, now)
    both = [item for item in items if all(verdicts[item.item_id].status == "ok" for verdicts in said)]
    unscored = (
        sum(verdict.status != "ok" for verdict in said[0].values()),
        sum(verdict.status != "ok" for verdict in said[1].values()),
    )
    rows = [Disagreement(item, human[item.item_id], *(verdicts[item.item_id] for verdicts in said)) for item in both]
    right = [(row.first.outcome == row.human, row.second.outcome == row.human) for row in rows]
    only = (right.count((True, False)), right.count((False, True)))
    return Comparison(
        first=one.version,
        second=other.version,
        items=len(both),
        unscored=unscored,
        agrees=(sum(mine for mine, _ in right), sum(theirs for _, theirs in right)),
        only=only,
        p_value=paired.mcnemar_midp(*only),
        disagreements=[row for row in rows if row.first.outcome != row.second.outcome],
        calls=calls,
        cost_usd=cost,
    )


def _tuned(first: str, second: str) -> tuple[list[Item], dict[str, str]]:
    """Return the items of the split `tune`, with what people said for the first judge's question, or the second's."""
    everything = labelling()
    for name in (first, second):
        about: Labelling = everything.of(name)
        tuned = [row for row in about.labels if row.split == "tune"]
        human = annotators.majority(tuned).outcomes if tuned else {}
        items = [item for item in about.items if item.item_id in human]
        if len(items) >= LEAST:
            return items, {item_id: str(outcome) for item_id, outcome in human.items()}
    raise InsufficientDataError(
        f"fewer than {LEAST} items of the split tune have a label for {first} or {second}, expected some: "
        f"`assay labels draw --judge {first}` draws answers for people to label"
    )


def _asked(
    judges: tuple[JudgePrompt, JudgePrompt], items: Sequence[Item], now: datetime
) -> tuple[list[dict[str, Verdict]], int, float]:
    """Return by judge what it says of each item, and what asking came to."""
    settings, run = read_params("judge", judge_clients.Settings), begun(now)
    asked = {judge.name: [questions.of_item(judge, item, STAGE) for item in items] for judge in judges}

    async def put() -> list[dict[str, Verdict]]:
        work = Work(run.id, STAGE, settings.conversations, journal.purse(run.id, None))
        async with judge_clients.seated(settings, judges, endpoint, journal, work, run.epoch) as bench:
            calls = [call for rows in asked.values() for question in rows for call in bench.calls(question)]
            with progress(STAGE, len(calls)) as step:
                await answer_all(calls, journal, work, progress=step)
            return [
                {question.item_id: bench.verdict(question, journal) for question in asked[judge.name]}
                for judge in judges
            ]

    with model_session.consulting(settings.model) as (endpoint, journal):
        said = asyncio.run(put())
        used = [row for row in journal.ledger(run.id) if row.stage == STAGE]
    return said, sum(row.requests for row in used), sum(row.cost_usd or 0 for row in used)


def lines(found: Comparison, shown: int) -> list[str]:
    """Return a comparison as a person reads it, with so many disagreements."""
    rows = [f"{found.items} items of the split tune that people have labelled and both have judged:"]
    for name, agrees, unscored in zip((found.first, found.second), found.agrees, found.unscored, strict=True):
        share = wilson(agrees, found.items) if found.items else None
        interval = f" ({100 * share.low:.1f} to {100 * share.high:.1f} %)" if share else ""
        rows.append(f"  {name}: agrees with people on {agrees}{interval}, no verdict on {unscored}")
    rows.append(
        f"right alone: {found.first} {found.only[0]}, {found.second} {found.only[1]}; "
        f"p {found.p_value:.3f} (McNemar, mid-p)"
    )
    rows.append(f"asked {found.calls} times" + (f", {money(found.cost_usd)}" if found.cost_usd else ""))
    for one in found.disagreements[:shown]:
        rows += [
            "",
            f"{one.item.item_id}: people say {one.human}",
            f"  {found.first}: {_said(one.first)}",
            f"  {found.second}: {_said(one.second)}",
            f"  {' '.join(one.item.response_a.split())[:200]}",
        ]
    left = len(found.disagreements) - shown
    return [*rows, *([f"... {left} more: --show"] if left > 0 else [])]


def _said(verdict: Verdict) -> str:
    label = f" ({verdict.label})" if verdict.label else ""
    why = f": {' '.join(verdict.rationale.split())[:200]}" if verdict.rationale else ""
    return f"{verdict.outcome}{label}{why}"
