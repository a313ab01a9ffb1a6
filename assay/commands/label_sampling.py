"""Label sampling: what should people label next for a judge, and how many?

Reads what the judge has judged tonight and what was drawn before; appends to data/labels. Asks nobody. Answers are
drawn at random within the judge's verdict, more of its rarer one, since both rates are corrected for that; pairs with
one chance for all, since nothing corrects theirs. Within it every value of the judge's own scale gets its share. People
are shown what the judge was shown, without a word of what it said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from assay.calibration.split import TUNE
from assay.commands.judged import Judged, Tonight, settled, tonight
from assay.errors import ConfigError, InsufficientDataError
from assay.interchange import labels as label_files
from assay.judges.declaration import Declaration
from assay.judges.prompt import JudgePrompt
from assay.project.certificates import read_certificates
from assay.project.params import read_params
from assay.project.tables.labels import DRAWS, ITEMS, LABELS, labelling
from assay.records.label import Draw, Item, Label
from assay.stages import calibrate
from assay.stats.allocation import LabelsNeeded, labels_for, sqrt_allocation

SEED = 20261126
"""Of the draw; what is drawn already is never drawn again, so one seed serves all."""
HALF_WIDTH = 0.05
"""Of the corrected pass rate, as a share, where nobody asks for another one."""
Row = TypeVar("Row", Draw, Label)
STRATA = {True: ("a", "tie", "b"), False: ("pass", "fail")}
"""By whether a judge compares pairs: its verdicts."""


class Plan(NamedTuple):
    """What to label next for a judge, drawn but not filed."""

    judge: str
    frame: str
    """What it is drawn from."""
    judged: dict[str, int]
    """By the judge's verdict."""
    drawn: dict[str, int]
    """Of these already, labelled or waiting for people."""
    needed: LabelsNeeded | None
    """For a half-width; None where a number of labels was given instead."""
    wanted: int
    """Labels in all, those drawn already included."""
    chosen: list[tuple[Item, str]]
    """To be drawn now, each with the judge's verdict."""
    notes: list[str]
    """Why it is fewer than wanted, and what nobody may draw."""

    @property
    def more(self) -> dict[str, int]:
        """Return how many are to be drawn now, by the judge's verdict."""
        counts = Counter(stratum for _, stratum in self.chosen)
        return {stratum: counts[stratum] for stratum in self.judged}


def plan(judge: JudgePrompt, half_width: float | None = None, labels: int | None = None, seed: int = SEED) -> Plan:
    """Return what to label next.

    Args:
        judge: Whose question is to be answered.
        half_width: Half of the wanted interval of the corrected pass rate, as a share.
        labels: How many of what was judged tonight to have drawn in all, whatever the half-width. Neither is a
            half-width of five points, or all that was judged where that cannot be reached; for pairs as many as the
            judge's floors need.
        seed: Of the draw.

    Raises:
        ConfigError: Both are given, or a half-width for pairs, which have no pass rate.
        InsufficientDataError: Nothing was judged, or all labels of the world do not suffice.
    """
    _require_one(judge, half_width, labels)
    declared, about, there = judge.declared, labelling(), tonight(judge)
    mine = about.of(judge.name)
    judged = {stratum: sum(one.stratum == stratum for one in there.judged) for stratum in STRATA[declared.is_pair]}
    counts = Counter(draw.stratum for draw in mine.draws if draw.frame == there.frame)
    drawn = {stratum: counts[stratum] for stratum in judged}
    needed, beyond = None, ""
    if labels is None and not declared.is_pair:
        needed, beyond = _needed(judge, half_width, judged)
    wanted = labels or (needed.labels if needed else sum(judged.values()) if beyond else of_floors(judge))
    known, taken = {item.item_id: item for item in about.items}, {item.item_id for item in mine.items}
    open_ones = [one for one in there.judged if not {one.item.item_id, settled(judge, one, known).item_id} & taken]
    chosen = _chosen(declared, open_ones, drawn, max(wanted, sum(drawn.values())), seed)
    picks = [(settled(judge, one, known), one.stratum) for one in chosen]
    fewer = _fewer(there, drawn, wanted, len(chosen))
    notes = [note for note in (beyond, fewer, there.left_out) if note]
    return Plan(judge.name, there.frame, judged, drawn, needed, wanted, picks, notes)


def _require_one(judge: JudgePrompt, half_width: float | None, labels: int | None) -> None:
    if half_width is not None and labels is not None:
        raise ConfigError("--half-width and --labels are given together, expected one of them: leave the other out")
    if half_width is not None and judge.declared.is_pair:
        raise ConfigError(
            f"--half-width is of a pass rate, which {judge.name} has not since it compares pairs: say --labels N"
        )


def _needed(judge: JudgePrompt, half_width: float | None, judged: Mapping[str, int]) -> tuple[LabelsNeeded | None, str]:
    """Return how many labels a half-width takes; None and why where nobody asked for one and none will do.

    Raises:
        InsufficientDataError: A half-width that was asked for cannot be reached, or nothing was judged.
    """
    passed, failed = guesses(judge.name)
    total = sum(judged.values())
    try:
        wanted = half_width or HALF_WIDTH
        return labels_for(wanted, judge_pass=judged["pass"], judged=total, passed=passed, failed=failed), ""
    except InsufficientDataError as refusal:
        if half_width or not total:
            raise InsufficientDataError(f"{refusal}; or say how many to draw, --labels N") from refusal
        return None, f"all that was judged is planned: {refusal}"


def guesses(judge: str) -> tuple[float, float]:
    """Return how often people pass what a judge passes, and what it fails, as of its certificate; else .9 and .3."""
    held = read_certificates().get(judge)
    if held is None:
        return 0.9, 0.3
    (tn, fp), (fn, tp) = held.confusion
    return (tp + 1) / (tp + fp + 2), (fn + 1) / (fn + tn + 2)


def of_floors(judge: JudgePrompt) -> int:
    """Return about how many labels it takes until enough of them are held out for what a judge must reach."""
    least = calibrate.policy(read_params("calibrate", calibrate.Settings), judge).min_labels
    return ceil(least / (1 - TUNE))


def _chosen(
    declared: Declaration, open_ones: Sequence[Judged], drawn: Mapping[str, int], wanted: int, seed: int
) -> list[Judged]:
    """Draw: within a verdict, or from all pairs, everything that is open has one chance."""
    rng = np.random.default_rng(seed)
    if declared.is_pair:
        groups = [(list(open_ones), min(len(open_ones), wanted - sum(drawn.values())))]
    else:
        of = {verdict: [one for one in open_ones if one.stratum == verdict] for verdict in drawn}
        sizes = {verdict: drawn[verdict] + len(of[verdict]) for verdict in drawn}
        if not any(sizes.values()):
            return []
        more = sqrt_allocation(sizes, min(wanted, sum(sizes.values())), labelled=drawn)
        groups = [(of[verdict], more[verdict]) for verdict in drawn]
    chosen = [one for group, count in groups for one in _spread(group, count, rng)]
    return [chosen[place] for place in rng.permutation(len(chosen)).tolist()]


def _spread(group: Sequence[Judged], count: int, rng: np.random.Generator) -> list[Judged]:
    """Draw systematically through the values of the judge's scale, at random within each: one chance for all."""
    shuffled = [group[place] for place in rng.permutation(len(group)).tolist()]
    ordered = sorted(shuffled, key=lambda one: one.value)
    step, start = len(group) / max(count, 1), rng.random()
    return [ordered[int((start + place) * step)] for place in range(count)]


def _fewer(there: Tonight, drawn: Mapping[str, int], wanted: int, more: int) -> str:
    """Return why fewer are drawn than were asked for; empty where they are not."""
    total, before = len(there.judged), sum(drawn.values())
    if before + more >= wanted:
        return ""
    elsewhere = total - before - more
    taken = [f"{before} of them are drawn already"] if before else []
    taken += [f"{elsewhere} were labelled or drawn on other nights"] if elsewhere else []
    why = ", ".join([f"{total} were judged", *taken])
    return f"{more} instead of {max(wanted - before, 0)} are drawn: {why}"


def record(made: Plan, drawn: int) -> dict[str, Any]:
    """Return a plan as JSON values."""
    fields = made._asdict() | {"needed": made.needed and made.needed.labels, "more": made.more, "drawn_now": drawn}
    return {name: value for name, value in fields.items() if name != "chosen"}


def lines(made: Plan) -> list[str]:
    """Return a plan as a person reads it."""
    rows = [f"{f'tonight {made.judge} says':32}{'judged':>9}{'drawn':>8}{'to draw':>9}"]
    rows += [
        f"{stratum:32}{made.judged[stratum]:>9}{made.drawn[stratum]:>8}{made.more[stratum]:>9}"
        for stratum in made.judged
    ]
    if made.needed:
        rows.append(
            f"the pass rate within {100 * made.needed.half_width:.1f} points takes {made.needed.labels} labels in all"
        )
    return [*rows, *made.notes]


def draw(made: Plan, judge: JudgePrompt, file: Path | None) -> int:
    """File what is planned for people to label, and how it was drawn; return how many.

    Args:
        made: The plan.
        judge: Whose question is to be answered.
        file: Where it is written for people elsewhere; None to let it wait at the desk.

    Raises:
        InsufficientDataError: More is wanted, and there is nothing left to draw.
        DataError: data/labels breaks its contract.
    """
    if not made.chosen and sum(made.drawn.values()) < made.wanted:
        raise InsufficientDataError(
            f"nothing is left to draw for {judge.name} ({'; '.join(made.notes)}): label what waits, or draw after "
            "another night"
        )
    if not made.chosen:
        return 0
    items = [item for item, _ in made.chosen]
    if file:
        label_files.write(items, file, judge)
    _keep(made)
    return len(items)


def _keep(made: Plan) -> None:
    """File items and draws; a second draw from one frame raises the chance that everything in it had, labels too."""
    about = labelling()
    mine = about.of(made.judge)
    fresh = [
        Draw(item_id=item.item_id, frame=made.frame, stratum=stratum, inclusion_probability=1, judge=made.judge)
        for item, stratum in made.chosen
    ]
    inside = [*(row for row in mine.draws if row.frame == made.frame), *fresh]
    chances = _chances(made, inside)
    chance = {row.item_id: chances[row.stratum] for row in inside}
    rows: list[Draw | Label] = [*inside, *mine.labels]
    its_own = {(row.item_id, row.judge) for row in rows if row.item_id in chance}

    def moved(row: Row, frame: str) -> Row:
        is_inside = frame == made.frame and (row.item_id, row.judge) in its_own
        return row.model_copy(update={"inclusion_probability": chance[row.item_id]}) if is_inside else row

    known = {item.item_id for item in about.items}
    ITEMS.write([*about.items, *(item for item, _ in made.chosen if item.item_id not in known)])
    DRAWS.write([moved(row, row.frame) for row in [*about.draws, *fresh]])
    if about.labels:
        LABELS.write([moved(row, row.sampling_frame) for row in about.labels])


def _chances(made: Plan, inside: Sequence[Draw]) -> dict[str, float]:
    """Return the chance of being drawn, by verdict: that of its verdict, or of all pairs alike."""
    total = Counter(row.stratum for row in inside)
    if set(made.judged) == set(STRATA[True]):
        return dict.fromkeys(made.judged, len(inside) / sum(made.judged.values()))
    return {stratum: total[stratum] / judged for stratum, judged in made.judged.items() if judged}
