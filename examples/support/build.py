"""Build what people own of the sample project from its sources: `python -m examples.support.build STEP`.

Steps, in order: `decisions` (the written cases, admitted), `traces` (a month of traffic), `baseline` (support-1's
answers, accepted), `items` (answers and pairs for annotators to label: real ones of both versions, and some with a
fault put in on purpose). The labels themselves come from annotators; data/labels/README.md says how.
"""

import asyncio
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Literal

import numpy as np

from assay.project import entrypoint
from assay.project.params import read_params
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.labels import ITEMS
from assay.project.tables.responses import BASELINE
from assay.project.tables.traces import TRACES
from assay.records.case import Case
from assay.records.decision import Decision
from assay.records.label import Item
from assay.records.response import Response
from assay.stages.execute import Settings
from assay.targets.open import opened
from examples.support.cases import load_cases
from examples.support.traffic import generate

BUILT = datetime(2026, 11, 2, 9, tzinfo=UTC)
SEED = 20261102
NATURAL = {"support-2": 150, "support-1": 60}
"""How many answers of each version are drawn for labelling."""
PAIRS = 110
CONSTRUCTED = 32
"""Per kind of fault."""
WRONG_WORDS = (
    (" not ", " "),
    (" can ", " cannot "),
    (" is ", " is not "),
    (" before ", " after "),
    (" within ", " only after "),
    (" free", " charged"),
)


def decisions() -> None:
    """Admit every written case, signed by the owner of its category."""
    rows = [
        Decision(
            candidate_id=case.case_id,
            digest=case.digest(),
            decision="admit",
            reviewer=case.owner,
            reason="written for the sample",
            decided_at=BUILT,
            case=case,
        )
        for case in load_cases()
    ]
    DECISIONS.write(rows)


def traces() -> None:
    """Write a month of traffic that ends with the sample's today."""
    TRACES.write(generate(seed=SEED, days=28, end=BUILT.replace(hour=0)))


def baseline() -> None:
    """Ask support-1 every case and accept its answers."""
    BASELINE.write(_answers("support-1"))


def items() -> None:
    """Draw the answers and pairs that annotators label."""
    cases = {case.case_id: case for case in load_cases() if case.reference}
    answers = {version: {row.case_id: row for row in _answers(version)} for version in NATURAL}
    rng = np.random.default_rng(SEED)
    found: list[Item] = []
    for version, count in NATURAL.items():
        found += [_natural(cases[name], answers[version][name].text, version) for name in _draw(rng, cases, count)]
    differing = [name for name in cases if answers["support-2"][name].text != answers["support-1"][name].text]
    for name in _draw(rng, differing, PAIRS):
        found.append(
            _pair(cases[name], answers["support-2"][name].text, answers["support-1"][name].text, "natural", rng)
        )
    for kind, wrong in (("minimal-edit", minimal_edit), ("gross", _other_answer(cases))):
        found += _constructed(cases, answers["support-2"], kind, wrong, rng)  # type: ignore[arg-type]
    ITEMS.write(found)


def _answers(version: str) -> list[Response]:
    """Return a version's answer to every written case, over HTTP as in a run."""
    settings = read_params("execute", Settings)
    asked = settings.model_copy(update={"target": settings.target.model_copy(update={"model": version})})

    async def respond() -> list[Response]:
        async with opened(asked.target, {}, limits=asked) as target:
            night = BUILT.date().isoformat()
            return await asyncio.gather(*(target.respond(case, 0, night) for case in load_cases()))

    return asyncio.run(respond())


def _draw(rng: np.random.Generator, names: Sequence[str] | dict[str, Case], count: int) -> list[str]:
    ordered = sorted(names)
    return sorted(rng.choice(ordered, size=min(count, len(ordered)), replace=False).tolist())


def _natural(case: Case, text: str, version: str) -> Item:
    return Item(
        item_id=f"{version}.{case.case_id}",
        question="pass-fail",
        case_id=case.case_id,
        category=case.category,
        slice="natural",
        turns=case.turns,
        reference=case.reference,
        response_a=text,
        response_b="",
    )


def _pair(
    case: Case, better: str, other: str, kind: Literal["gross", "minimal-edit", "natural"], rng: np.random.Generator
) -> Item:
    """Return a pair whose order is drawn, so that a place says nothing."""
    first, second = (better, other) if rng.random() < 0.5 else (other, better)  # noqa: PLR2004 - a fair coin
    return Item(
        item_id=f"pair.{kind}.{case.case_id}",
        question="pairwise",
        case_id=case.case_id,
        category=case.category,
        slice=kind,
        turns=case.turns,
        reference=case.reference,
        response_a=first,
        response_b=second,
    )


def _constructed(
    cases: dict[str, Case],
    answers: dict[str, Response],
    kind: Literal["gross", "minimal-edit"],
    wrong: Callable[[str, np.random.Generator], str | None],
    rng: np.random.Generator,
) -> list[Item]:
    """Return answers with one fault put into the reference, alone and as a pair against a real answer."""
    found: list[Item] = []
    for name in rng.permutation(sorted(cases)).tolist():
        text = wrong(cases[name].reference, rng)
        if text is None or len(found) >= 2 * CONSTRUCTED:
            continue
        single = _natural(cases[name], text, kind)
        found.append(single.model_copy(update={"slice": kind}))
        found.append(_pair(cases[name], answers[name].text, text, kind, rng))
    return found


def minimal_edit(reference: str, rng: np.random.Generator) -> str | None:
    """Return a fluent text that is wrong by one number or one small word; None when the reference has neither."""
    numbers = list(re.finditer(r"\b\d{1,3}\b", reference))
    if numbers:
        chosen = numbers[int(rng.integers(len(numbers)))]
        changed = str(int(chosen.group()) * 2 + 1)
        return reference[: chosen.start()] + changed + reference[chosen.end() :]
    for right, other in WRONG_WORDS:
        if right in reference:
            return reference.replace(right, other, 1)
    return None


def _other_answer(cases: dict[str, Case]) -> Callable[[str, np.random.Generator], str | None]:
    """Return a function that answers with the reference of a case about something else."""

    def wrong(reference: str, rng: np.random.Generator) -> str | None:
        others = sorted({case.reference for case in cases.values()} - {reference})
        return others[int(rng.integers(len(others)))]

    return wrong


STEPS = {"decisions": decisions, "traces": traces, "baseline": baseline, "items": items}

if __name__ == "__main__":
    for step in sys.argv[1:] or list(STEPS):
        entrypoint.run(STEPS[step])
