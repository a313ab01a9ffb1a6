"""The judges' word on both versions, once its length and the judge's own errors are taken out of it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from assay.errors import InsufficientDataError
from assay.records.case import Case
from assay.records.label import Item, Label, Labelling
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import IDENTICAL, Verdict
from assay.report.findings import Rate, rate
from assay.stats import annotators
from assay.stats.length import length_controlled
from assay.stats.ppi import ppi_difference

GOOD = "pass"
POINTS = {"a": 1.0, "tie": 0.5, "b": 0.0}


class Controlled(Record):
    """The win rate that the target would have at equal lengths."""

    rate: Rate | None
    """None where the pairs cannot carry it; `note` says why."""
    pairs: int
    note: str


class Change(Record):
    """The change of the judged pass rate, target minus baseline, as people would have it."""

    raw: float
    """The judge's own difference, as a share."""
    judged: int
    """Cases on which the judge gave a verdict on both versions."""
    rate: Rate | None
    """None where the labels cannot carry it; `note` says why."""
    labels: int
    """Cases of which people labelled both versions' answers."""
    note: str


def at_equal_lengths(
    name: str, verdicts: Iterable[Verdict], responses: Iterable[Response], baseline: Iterable[Response]
) -> Controlled | None:
    """Return the target's win rate with the difference in length taken out; None where no pair was judged."""
    mine, theirs = _texts(responses), _texts(baseline)
    judged = [
        verdict
        for verdict in verdicts
        if (verdict.subject, verdict.scorer, verdict.trial, verdict.status) == ("pair", name, 0, "ok")
        and verdict.fingerprint != IDENTICAL
        and verdict.item_id in mine
        and verdict.item_id in theirs
    ]
    if not judged:
        return None
    wins = [(POINTS[str(one.as_is)] + POINTS[str(one.swapped)]) / 2 for one in judged]
    longer = [float(len(mine[one.item_id]) - len(theirs[one.item_id])) for one in judged]
    try:
        found = length_controlled(wins, longer, [one.item_id for one in judged])
    except InsufficientDataError as refusal:
        return Controlled(rate=None, pairs=len(judged), note=str(refusal))
    return Controlled(rate=rate(found), pairs=len(judged), note=found.caution)


def scale(name: str, verdicts: Iterable[Verdict]) -> dict[str, int]:
    """Return how often a judge gave each label or score tonight; nothing for one without a scale of its own."""
    rows = (row for row in verdicts if (row.subject, row.scorer, row.status) == ("target", name, "ok"))
    return dict(Counter(row.label for row in rows if row.label))


def change(
    name: str,
    verdicts: Sequence[Verdict],
    responses: Iterable[Response],
    baseline: Iterable[Response],
    about: Labelling,
    cases: Iterable[Case],
) -> Change | None:
    """Return by how much people's pass rate changed, from labels on both versions' answers to the same cases.

    None where the judge has no case with a verdict on both versions. A label counts while its case asks and has the
    reference that its annotator was shown.

    Args:
        name: The judge.
        verdicts: Of any.
        responses: Tonight's.
        baseline: The accepted ones.
        about: What was labelled for the judge's question.
        cases: As they are today.
    """
    said = {subject: _outcomes(name, verdicts, subject) for subject in ("target", "baseline")}
    both = [case_id for case_id in said["target"] if case_id in said["baseline"]]
    if not both:
        return None
    judge = {case_id: float(said["target"][case_id] - said["baseline"][case_id]) for case_id in both}
    today = {case.case_id: case for case in cases}
    natural = [
        item
        for item in about.items
        if item.question == "pass-fail" and item.slice == "natural"
        if item.case_id in today and item.asks(today[item.case_id])
    ]
    drawn = [label for label in about.labels if label.inclusion_probability is not None and label.split == "heldout"]
    mine, theirs = (_human(natural, drawn, _texts(answers)) for answers in (responses, baseline))
    human = {case_id: mine[case_id] - theirs[case_id] for case_id in both if case_id in mine and case_id in theirs}
    common = {"raw": sum(judge.values()) / len(both), "judged": len(both), "labels": len(human)}
    if _is_uneven(drawn):
        why = "the labels were drawn with unequal chances, and a paired difference needs them drawn at random"
        return Change(**common, rate=None, note=why)
    try:
        others = [judge[case_id] for case_id in both if case_id not in human]
        found = ppi_difference(list(human.values()), [judge[case_id] for case_id in human], others)
    except InsufficientDataError as refusal:
        return Change(**common, rate=None, note=str(refusal))
    return Change(**common, rate=rate(found), note="")


def _texts(responses: Iterable[Response]) -> dict[str, str]:
    return {row.case_id: row.text for row in responses if row.status == "ok" and row.trial == 0}


def _outcomes(name: str, verdicts: Iterable[Verdict], subject: str) -> dict[str, bool]:
    return {
        verdict.item_id: verdict.outcome == GOOD
        for verdict in verdicts
        if (verdict.subject, verdict.scorer, verdict.status, verdict.trial) == (subject, name, "ok", 0)
    }


def _human(items: Iterable[Item], labels: Iterable[Label], texts: Mapping[str, str]) -> dict[str, float]:
    """Return what people said of the very answers that stand there, by case."""
    about = {item.item_id: item.case_id for item in items if texts.get(item.case_id) == item.response_a}
    outcomes = annotators.majority(label for label in labels if label.item_id in about).outcomes
    return {about[item_id]: float(outcome == GOOD) for item_id, outcome in outcomes.items()}


def _is_uneven(labels: Iterable[Label]) -> bool:
    """Tell whether items of one frame had different chances of being drawn."""
    chances: dict[str, set[float]] = {}
    for label in labels:
        chances.setdefault(label.sampling_frame, set()).add(round(label.inclusion_probability or 0, 6))
    return any(len(found) > 1 for found in chances.values())
