"""Labels: which answers should people label next, and what have they said?

Reads tonight's responses and verdicts and what people own; appends to data/labels. Asks nobody. Answers are drawn at
random within what the judge said of them, more of its rarer verdict, and shown to people without a word of it.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.calibration.split import Split, Splits
from assay.desk.label_queue import pile
from assay.errors import DataError, InsufficientDataError
from assay.interchange import labels as label_files
from assay.judges import prompt
from assay.project.certificates import read_certificates
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ANSWERS, DRAWS, ITEMS, LABELS, labelled
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case
from assay.records.label import Answer, Draw, Item, Label
from assay.records.record import digest
from assay.records.response import Response
from assay.records.verdict import Outcome
from assay.stages import batches, night
from assay.stats.allocation import LabelsNeeded, labels_for, sqrt_allocation

JUDGE = "correctness"
JUDGES = {"pass-fail": JUDGE, "pairwise": "preference"}
"""The judge whose rubric people go by, for each kind of question."""
STRATA = ("pass", "fail")
SEED = 20261126
"""Of the draw; what is drawn already is never drawn again, so one seed serves all."""


class Answered(NamedTuple):
    """One of tonight's answers that the judge has judged."""

    case: Case
    response: Response
    verdict: str


class Plan(NamedTuple):
    """How many answers to label, and of which verdict."""

    frame: str
    """What they are drawn from."""
    judged: dict[str, int]
    drawn: dict[str, int]
    """Drawn already, labelled or waiting for people."""
    needed: LabelsNeeded | None
    """For the wanted half-width; None where a number of labels was given instead."""
    more: dict[str, int]
    """To be drawn now."""


def plan(half_width: float, labels: int | None) -> Plan:
    """Return what to label next, so that the corrected pass rate is known to within a half-width.

    Args:
        half_width: Half of the wanted interval, as a share.
        labels: How many labels in all; None for as many as the half-width takes.

    Raises:
        InsufficientDataError: No answer was judged, or all labels of the world do not suffice.
    """
    answers = tonight()
    frame = frame_of(answers)
    judged = {verdict: sum(one.verdict == verdict for one in answers) for verdict in STRATA}
    drawn = Counter(draw.stratum for draw in DRAWS.read(may_be_absent=True) if draw.frame == frame)
    needed = None
    if labels is None:
        passed, failed = guesses()
        needed = labels_for(half_width, judge_pass=judged["pass"], judged=len(answers), passed=passed, failed=failed)
    wanted = max(labels or (needed.labels if needed else 0), sum(drawn.values()))
    there = {verdict: drawn[verdict] for verdict in STRATA}
    return Plan(frame, judged, there, needed, sqrt_allocation(judged, min(wanted, len(answers)), labelled=there))


def tonight() -> list[Answered]:
    """Return tonight's first answers that the judge has judged by the cases as they are, in the order of the cases.

    Raises:
        InsufficientDataError: There is none.
    """
    cases = {case.case_id: case for case in CASES.read()}
    responses = RESPONSES.read()
    said = {
        verdict.item_id: verdict.outcome
        for verdict in night.scores(VERDICTS.stream(), responses, cases.values())
        if (verdict.subject, verdict.scorer, verdict.trial, verdict.status) == ("target", JUDGE, 0, "ok")
    }
    found = [
        Answered(cases[response.case_id], response, said[response.case_id])
        for response in responses
        if response.trial == 0 and response.status == "ok" and response.case_id in said
    ]
    if not found:
        raise InsufficientDataError("no answer of tonight was judged, so none can be drawn: run `assay nightly` first")
    return found


def frame_of(answers: Sequence[Answered]) -> str:
    """Return the name of these very answers: another night's, or a changed product's, are another frame."""
    content = digest([[one.case.case_id, one.response.text] for one in answers])
    return f"{answers[0].response.target} answers {content}"


def guesses() -> tuple[float, float]:
    """Return how often people pass what the judge passes, and what it fails, as of its certificate; else .9 and .3."""
    held = read_certificates().get(JUDGE)
    if held is None:
        return 0.9, 0.3
    (tn, fp), (fn, tp) = held.confusion
    return (tp + 1) / (tp + fp + 2), (fn + 1) / (fn + tn + 2)


def record(made: Plan, drawn: int) -> dict[str, Any]:
    """Return a plan as JSON values."""
    return made._asdict() | {"needed": made.needed and made.needed.labels, "drawn_now": drawn}


def lines(made: Plan) -> list[str]:
    """Return a plan as a person reads it."""
    rows = [f"{'tonight the judge says':24}{'answers':>9}{'drawn':>8}{'to draw':>9}"]
    rows += [
        f"{verdict:24}{made.judged[verdict]:>9}{made.drawn[verdict]:>8}{made.more[verdict]:>9}" for verdict in STRATA
    ]
    if made.needed:
        rows.append(
            f"the pass rate within {100 * made.needed.half_width:.1f} points takes {made.needed.labels} labels in all"
        )
    return rows


def draw(made: Plan, file: Path, seed: int = SEED) -> int:
    """Draw answers at random within their verdicts, keep how, and write them for people to label; return how many.

    Raises:
        DataError: data/labels breaks its contract.
    """
    rng = np.random.default_rng(seed)
    before = DRAWS.read(may_be_absent=True)
    taken = {one.item_id for one in before}
    chosen: list[tuple[Answered, str]] = []
    for verdict, count in made.more.items():
        open_ones = [one for one in tonight() if one.verdict == verdict and item_id(one) not in taken]
        picks = sorted(rng.choice(len(open_ones), size=count, replace=False).tolist())
        chosen += [(open_ones[pick], verdict) for pick in picks]
    chosen = [chosen[place] for place in rng.permutation(len(chosen)).tolist()]
    items = [_item(one) for one, _ in chosen]
    everything = [
        *before,
        *(
            Draw(item_id=item.item_id, frame=made.frame, stratum=verdict, inclusion_probability=1)
            for item, (_, verdict) in zip(items, chosen, strict=True)
        ),
    ]
    label_files.write(items, file, rubric=prompt.load(JUDGE).rubric)
    keep(everything, made, items)
    return len(items)


def keep(draws: Sequence[Draw], made: Plan, items: Sequence[Item]) -> None:
    """File items and draws; a second draw from one frame raises the chance that everything in it had, labels too."""
    total = Counter(one.stratum for one in draws if one.frame == made.frame)
    chance = {verdict: total[verdict] / made.judged[verdict] for verdict in STRATA if made.judged[verdict]}
    moved = [
        one.model_copy(update={"inclusion_probability": chance[one.stratum]}) if one.frame == made.frame else one
        for one in draws
    ]
    probability = {one.item_id: one.inclusion_probability for one in moved if one.frame == made.frame}
    known, labels = labelled()
    ITEMS.write([*known, *items])
    DRAWS.write(moved)
    if any(label.item_id in probability for label in labels):
        LABELS.write(
            [
                label.model_copy(update={"inclusion_probability": probability[label.item_id]})
                if label.item_id in probability
                else label
                for label in labels
            ],
        )


def take(file: Path, annotator: str, maps: Sequence[str], now: datetime) -> tuple[int, list[str]]:
    """Append the labels of a file to the log; return how many, and what was left out.

    Args:
        file: As people's tool wrote it.
        annotator: Who labelled, where the file does not say.
        maps: What words mean, such as `good=pass`.
        now: When a label was given that does not say when.

    Raises:
        DataError: A label is about an item that is not on file, answers another question, or was given before.
    """
    reading = label_files.read(file, annotator=annotator, maps=maps)
    items, labels = labelled()
    by_id = {item.item_id: item for item in items}
    drawn = {one.item_id: one for one in DRAWS.read(may_be_absent=True)}
    decided: dict[str, Split] = {label.item_id: label.split for label in labels}
    splits = Splits(items, decided)
    given = {(label.item_id, label.annotator) for label in labels}
    fresh: list[Label] = []
    for one in reading.labels:
        item = _known(one, by_id, given)
        fresh.append(_label(one, item, drawn.get(item.item_id), decided.get(item.item_id) or splits.of(item), now))
    LABELS.write([*labels, *fresh])
    return len(fresh), reading.left_out


def hand_over() -> int:
    """File what was labelled at the desk, of every item that has all its annotators; return how many labels."""
    items, labels = labelled()
    drawn = {one.item_id: one for one in DRAWS.read(may_be_absent=True)}
    decided: dict[str, Split] = {label.item_id: label.split for label in labels}
    splits = Splits(items, decided)
    by = on_file(labels)
    needed = read_params("review", batches.Settings).labellers
    found = pile(items, needed, by, ANSWERS.read(may_be_absent=True))
    fresh: list[Label] = []
    for name, said in found.answers.items():
        item = found.items.get(name)
        if item is None or not found.is_complete(name):
            continue
        split = decided.get(name) or splits.of(item)
        for answer in said.values():
            if answer.annotator not in by.get(name, ()):
                given = label_files.Given(name, answer.annotator, _word(answer), "", answer.answered_at, "")
                one = _label(given, item, drawn.get(name), split, answer.answered_at)
                fresh.append(one.model_copy(update={"spans": answer.spans}))
    if fresh:
        LABELS.write([*labels, *fresh])
    return len(fresh)


def on_file(labels: Sequence[Label]) -> dict[str, dict[str, str]]:
    """Return every label by item and annotator."""
    by: dict[str, dict[str, str]] = {}
    for label in labels:
        by.setdefault(label.item_id, {})[label.annotator] = label.outcome
    return by


def _word(answer: Answer) -> Outcome:
    """Return a standing answer's outcome; what was withdrawn never stands."""
    if answer.outcome == "withdraw":
        raise ValueError(f"{answer.item_id}: a withdrawn answer stands, expected it folded away")
    return answer.outcome


def item_id(one: Answered) -> str:
    """Return the id of an answer: another answer to the case is another item."""
    return f"{one.case.case_id}.{digest(one.response.text)}"[:100]


def _item(one: Answered) -> Item:
    fields: dict[str, Any] = {"question": "pass-fail", "slice": "natural", "response_b": ""}
    case = one.case
    about = {"case_id": case.case_id, "category": case.category, "turns": case.turns, "reference": case.reference or ""}
    return Item(item_id=item_id(one), response_a=one.response.text, **about, **fields)


def _known(one: label_files.Given, items: dict[str, Item], given: set[tuple[str, str]]) -> Item:
    item = items.get(one.item_id)
    if item is None:
        raise DataError(
            f"{one.place}: item {one.item_id[:80]!r} is not in data/labels/items.jsonl, expected one that was drawn: "
            "draw it with `assay calibrate --plan --draw`, or add it to the items"
        )
    legal = ("pass", "fail") if item.question == "pass-fail" else ("a", "tie", "b")
    if one.outcome not in legal:
        raise DataError(f"{one.place}: the label is {one.outcome}, expected one of {', '.join(legal)}: correct it")
    if (one.item_id, one.annotator) in given:
        raise DataError(
            f"{one.place}: {one.annotator} has labelled {one.item_id} before, expected one label of each annotator: "
            "take the row out"
        )
    return item


def _label(one: label_files.Given, item: Item, drawn: Draw | None, split: Split, now: datetime) -> Label:
    return Label(
        item_id=item.item_id,
        annotator=one.annotator,
        outcome=one.outcome,
        split=split,
        sampling_frame=drawn.frame if drawn else "hand-picked",
        stratum=drawn.stratum if drawn else "all",
        inclusion_probability=drawn.inclusion_probability if drawn else None,
        rubric_version=one.rubric_version or prompt.load(JUDGES[item.question]).rubric_version,
        labelled_at=one.labelled_at or now,
    )
