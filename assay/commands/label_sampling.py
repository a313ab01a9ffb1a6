"""Label sampling: what should people label next for a judge, and how many?

Reads what the judge has judged tonight and what was drawn before; appends to data/labels. Asks nobody. Every draw is
one of all of tonight's answers, by the permanent random numbers of their cases (assay/calibration/rounds.py), so that
what was labelled before counts in it. Answers are drawn within the judge's verdict, more of its rarer one; pairs with
one chance for all. Within it every value of the judge's own scale gets its share. People are shown what the judge was
shown, without a word of what it said.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from math import ceil
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from assay.calibration.rounds import KEY, Entry, Rounds, apart, draw_of_round, numbers, place
from assay.calibration.split import TUNE
from assay.commands.judged import Judged, Tonight, settled, tonight
from assay.errors import ConfigError, InsufficientDataError
from assay.interchange import labels as label_files
from assay.judges import prompt, questions
from assay.judges.declaration import Declaration
from assay.judges.prompt import JudgePrompt
from assay.project.certificates import read_certificates
from assay.project.params import read_params
from assay.project.tables.labels import DRAWS, FRAMES, ITEMS, LABELS, labelling
from assay.records.label import Draw, Frame, Item, Label, Labelling, Numbers
from assay.records.record import digest
from assay.report.correction import SAME_SIZE
from assay.stages import calibrate
from assay.stats.allocation import LabelsNeeded, labels_for, sqrt_allocation

ALL = "all"
"""The stratum of pairs."""
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
    round: Frame
    """What they are drawn from, with every answer's chance."""
    notes: list[str]
    """Why it is fewer than wanted, and what nobody may draw."""

    @property
    def more(self) -> dict[str, int]:
        """Return how many are to be drawn now, by the judge's verdict."""
        counts = Counter(stratum for _, stratum in self.chosen)
        return {stratum: counts[stratum] for stratum in self.judged}


def plan(judge: JudgePrompt, half_width: float | None = None, labels: int | None = None) -> Plan:
    """Return what to label next.

    Args:
        judge: Whose question is to be answered.
        half_width: Half of the wanted interval of the corrected pass rate, as a share.
        labels: How many of what was judged tonight to have drawn in all, whatever the half-width. Neither is a
            half-width of five points, or all that was judged where that cannot be reached; for pairs as many as the
            judge's floors need.

    Raises:
        ConfigError: Both are given, or a half-width for pairs, which have no pass rate.
        InsufficientDataError: Nothing was judged, or all labels of the world do not suffice.
    """
    _require_one(judge, half_width, labels)
    declared, about, there = judge.declared, labelling(), tonight(judge)
    mine = about.of(judge.name)
    judged = {stratum: sum(one.stratum == stratum for one in there.judged) for stratum in STRATA[declared.is_pair]}
    known = {item.item_id: item for item in about.items}
    taken, alone = {item.item_id for item in mine.items}, apart(mine.items, mine.draws)
    whose = numbers(mine.frames)
    here = [_candidate(judge, one, known, taken, alone, whose) for one in there.judged]
    drawn = {stratum: sum(one.is_drawn for one in here if one.verdict == stratum) for stratum in judged}
    needed, beyond = None, ""
    if labels is None and not declared.is_pair:
        needed, beyond = _needed(judge, half_width, judged)
    wanted = labels or (needed.labels if needed else sum(judged.values()) if beyond else of_floors(judge))
    if not labels:
        wanted = max(wanted, sum(drawn.values()) + _of_the_new(here, Rounds(mine.frames)))
    chosen, chances = _chosen(declared, here, wanted)
    picks = [(one.item, one.verdict) for one in chosen]
    fewer = _fewer(len(here), sum(drawn.values()), wanted, len(chosen))
    notes = [note for note in (beyond, fewer, there.left_out) if note]
    made = _round(judge, there, here, mine, chances)
    return Plan(judge.name, there.frame, judged, drawn, needed, wanted, picks, made, notes)


class _Candidate(NamedTuple):
    """One of tonight's answers, as the draw sees it."""

    item: Item
    verdict: str
    stratum: str
    """Its verdict; of pairs, which have one chance, one for all."""
    value: str
    key: str
    place: float
    is_drawn: bool
    is_void: bool
    """It was drawn as the judge was shown it before, such as by another reference."""
    is_apart: bool
    """It was drawn otherwise than in a round."""


def _candidate(
    judge: JudgePrompt,
    one: Judged,
    known: Mapping[str, Item],
    taken: Collection[str],
    alone: Collection[str],
    whose: Numbers,
) -> _Candidate:
    item = settled(judge, one, known)
    return _Candidate(
        item=item,
        verdict=one.stratum,
        stratum=ALL if judge.declared.is_pair else one.stratum,
        value=one.value,
        key=questions.item_key(judge, item)[:KEY],
        place=place(judge.name, item.case_id, whose),
        is_drawn=item.item_id in taken,
        is_void=item.item_id not in taken and one.item.item_id in taken,
        is_apart=item.item_id in alone,
    )


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
        needed = labels_for(
            wanted, judge_pass=judged["pass"], judged=total, passed=passed, failed=failed, usable=1 - TUNE
        )
    except InsufficientDataError as refusal:
        if half_width or not total:
            raise InsufficientDataError(f"{refusal}; or say how many to draw, --labels N") from refusal
        return None, f"all that was judged is planned: {refusal}"
    return needed, ""


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
    declared: Declaration, here: Sequence[_Candidate], wanted: int
) -> tuple[list[_Candidate], dict[str, float]]:
    """Draw; return who is drawn, in an order that tells nothing, and the chance that everybody had, by stratum.

    Who was drawn otherwise than in a round stands for itself alone, and counts among what is wanted.
    """
    pot = [one for one in here if not one.is_apart]
    entries = [Entry(one.stratum, one.value, one.place, one.is_drawn) for one in pot]
    more = max(0, wanted - sum(one.is_drawn for one in here))
    found = draw_of_round(entries, more, _evenly if declared.is_pair else sqrt_allocation)
    return sorted((pot[number] for number in found.chosen), key=lambda one: digest(one.key)), found.chances


def _of_the_new(here: Sequence[_Candidate], rounds: Rounds) -> int:
    """Return how many answers that no round could draw, such as those of a changed product, keep the share drawn.

    None where there are few of them, or nothing was drawn in any round. Those whose labels are void come on top.
    """
    void = sum(one.is_void for one in here)
    new = sum(not one.is_apart and not rounds.chance(one.key) for one in here)
    old = len(here) - new
    if new <= SAME_SIZE * len(here) or not old:
        return void
    return void + ceil(new * sum(one.is_drawn for one in here) / old)


def _evenly(sizes: Mapping[str, int], total: int) -> dict[str, int]:
    """Return how many pairs are drawn: all have one chance."""
    return dict.fromkeys(sizes, total)


def _round(
    judge: JudgePrompt, there: Tonight, here: Sequence[_Candidate], mine: Labelling, chances: Mapping[str, float]
) -> Frame:
    answers: dict[str, str] = dict.fromkeys(chances, "")
    for one in sorted(here, key=lambda one: one.key):
        answers[one.stratum] += one.key
    number = 1 + max((row.round for row in mine.frames), default=0)
    return Frame(
        judge=judge.name,
        frame=there.frame,
        round=number,
        run=there.run,
        answers=answers,
        chances=dict(chances),
        numbers=numbers(mine.frames),
    )


def _fewer(total: int, before: int, wanted: int, more: int) -> str:
    """Return why fewer are drawn than were asked for; empty where they are not."""
    if before + more >= wanted:
        return ""
    taken = f", {before} of them are drawn already" if before else ""
    return f"{more} instead of {max(wanted - before, 0)} are drawn: {total} were judged{taken}"


def record(made: Plan, drawn: int) -> dict[str, Any]:
    """Return a plan as JSON values."""
    fields = made._asdict() | {"needed": made.needed and made.needed.labels, "more": made.more, "drawn_now": drawn}
    return {name: value for name, value in fields.items() if name not in ("chosen", "round")}


def lines(made: Plan) -> list[str]:
    """Return a plan as a person reads it."""
    rows = [f"{f'tonight {made.judge} says':32}{'judged':>9}{'drawn':>8}{'to draw':>9}"]
    rows += [
        f"{stratum:32}{made.judged[stratum]:>9}{made.drawn[stratum]:>8}{made.more[stratum]:>9}"
        for stratum in made.judged
    ]
    if made.needed:
        rows.append(
            f"the pass rate within {100 * made.needed.half_width:.1f} points takes about {made.needed.labels} labels, "
            f"{TUNE:.0%} of which are for tuning the judge and do not count towards it"
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
    """File items, draws and the round; what was drawn in an earlier one has the greater of its chances from now on."""
    about = labelling()
    frame = made.round
    rounds = Rounds([*about.of(made.judge).frames, frame])
    judge = prompt.load(made.judge)

    def chance(item: Item) -> float:
        return rounds.chance(questions.item_key(judge, item))

    fresh = [
        Draw(
            item_id=item.item_id,
            frame=frame.frame,
            stratum=stratum,
            inclusion_probability=chance(item),
            judge=made.judge,
            run=frame.run,
            round=frame.round,
        )
        for item, stratum in made.chosen
    ]
    known = {item.item_id: item for item in about.items}
    raised = {row.item_id: chance(known[row.item_id]) for row in about.of(made.judge).draws if row.round}

    def moved(row: Row) -> Row:
        its = raised.get(row.item_id, 0) if row.judge == made.judge else 0
        return row.model_copy(update={"inclusion_probability": its}) if its else row

    ITEMS.write([*about.items, *(item for item, _ in made.chosen if item.item_id not in known)])
    DRAWS.write([*map(moved, about.draws), *fresh])
    FRAMES.write([*about.frames, frame])
    if about.labels:
        LABELS.write([moved(row) for row in about.labels])
