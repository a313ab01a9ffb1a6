"""The corrected pass rate: what people would say of all judged answers, by the estimator that the labels allow.

Where every answer of tonight had a chance to be labelled, in this round of drawing or in one before a change of the
product, the labels carry double sampling. Where some had none, only the judge's agreement with people can be carried
over: Rogan-Gladen, and the report says what that assumes (STATISTICS 3.1). A label that was given by another reference
than the judge sees today tells how the judge errs and nothing of tonight's answer. One answer a case counts, the first
trial's, since an interval over several would count the case as often.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.calibration.rounds import Rounds, apart
from assay.errors import InsufficientDataError
from assay.judges import questions
from assay.judges.applicability import threshold
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case
from assay.records.label import Item, Label, Labelling
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import Subject, Verdict
from assay.report.findings import Rate, rate
from assay.stats import annotators
from assay.stats.corrected import Confusion, rogan_gladen
from assay.stats.rates import effective, wilson
from assay.stats.sampled import CLOSE, NOBODY, Part, by_chance, of_parts


class Corrected(Record):
    """The judged pass rate as people would have it."""

    raw: Rate
    rate: Rate | None
    """None where the labels cannot carry it; `note` says why."""
    labels: int
    """Labelled items behind the correction."""
    split: int = 0
    """Of these, items on which people were of several minds: each counts as the share of them who pass it."""
    void: int = 0
    """Labelled answers that do not count, since they were labelled by another reference than the case has today."""
    frame: str
    """What those labels were drawn from."""
    note: str


SAME_SIZE = 0.02
"""Share of tonight's answers that may never have had a chance to be labelled: failed calls, a case that is new."""
ALONE = 1.0
"""The chance of what was drawn otherwise than in a round: it stands for itself."""
WHOLE = "a random part of these very answers is labelled"
TRANSFERRED = "the labels are no random part of tonight's answers: assumes that the judge errs on these as on those"
VOID = (
    "; the labels of {void} of them were given by another reference and do not count, which may lean: draw these "
    "again, `assay labels draw --judge {judge}`"
)
CLIPPED = "; the correction left 0 to 100 % and was cut off there, so this does not hold here: label tonight's answers"


class _Labels(NamedTuple):
    """What people said of answers that were drawn by chance, for one judge."""

    items: dict[str, Item]
    human: dict[str, float]
    """By item, held out: the share of people who pass it."""
    chances: dict[str, dict[str, float]]
    """By frame and item, of both splits: each one's chance of being drawn."""

    def chance(self, item_id: str) -> float:
        """Return the chance of an item."""
        return next(found[item_id] for found in self.chances.values() if item_id in found)


def corrected(
    judge: JudgePrompt,
    verdicts: Sequence[Verdict],
    responses: Sequence[Response],
    about: Labelling,
    cases: Iterable[Case],
    *,
    rng: np.random.Generator,
    draws: int,
) -> Corrected | None:
    """Return the target's judged pass rate, raw and corrected; None when the judge gave no verdict on the target.

    Args:
        judge: The judge.
        verdicts: Of any.
        responses: Tonight's.
        about: What was labelled for the judge's question.
        cases: As they are today.
        rng: Source of draws.
        draws: How many.
    """
    judged = _outcomes(judge.name, verdicts, "target")
    if not judged:
        return None
    tonight = Answers(judge, judged, responses, cases)
    labels = _labels(about)
    raw = rate(wilson(list(judged.values()).count("pass"), len(judged)))
    whole = _parts(tonight, labels, about)
    if whole:
        frame, parts, used = whole
        try:
            found = rate(of_parts(parts, rng=rng, draws=draws).pass_rate)
        except InsufficientDataError as refusal:
            return Corrected(raw=raw, rate=None, frame=frame, note=str(refusal), **_behind(used, labels))
        void = tonight.void(labels.items[item_id] for item_id in labels.human)
        note = WHOLE + (VOID.format(void=void, judge=judge.name) if void else "")
        return Corrected(raw=raw, rate=found, frame=frame, void=void, note=note, **_behind(used, labels))
    said = _outcomes(judge.name, verdicts, "anchor")
    used = [item_id for item_id in labels.human if item_id in said]
    common = {"raw": raw, "frame": "all natural labels", **_behind(used, labels)}
    try:
        carried = rogan_gladen(
            _weighed(used, labels, said), judge_pass=list(judged.values()).count("pass"), judged=len(judged)
        )
    except InsufficientDataError as refusal:
        return Corrected(rate=None, note=str(refusal), **common)
    published = None if carried.clipped and carried.low >= carried.high else rate(carried)
    return Corrected(rate=published, note=TRANSFERRED + (CLIPPED if carried.clipped else ""), **common)


def uncovered(
    judge: JudgePrompt,
    verdicts: Sequence[Verdict],
    responses: Sequence[Response],
    about: Labelling,
    cases: Iterable[Case],
) -> tuple[int, int]:
    """Return how many of tonight's judged answers had no chance of being labelled, and how many were judged.

    None where so few had none that the labels are a random part of these answers (`SAME_SIZE`). Arguments are those of
    `corrected`.
    """
    judged = _outcomes(judge.name, verdicts, "target")
    tonight, labels = Answers(judge, judged, responses, cases), _labels(about)
    if _parts(tonight, labels, about):
        return 0, len(judged)
    chances = _chances_tonight(tonight, labels, about)
    return len(judged) - sum(map(bool, chances.values())), len(judged)


def _behind(used: Sequence[str], labels: _Labels) -> dict[str, int]:
    return {"labels": len(used), "split": sum(0 < labels.human[item_id] < 1 for item_id in used)}


def _labels(about: Labelling) -> _Labels:
    items = {item.item_id: item for item in about.items if item.question == "pass-fail" and item.slice == "natural"}
    drawn = [label for label in about.labels if label.item_id in items and label.inclusion_probability is not None]
    human = annotators.shares(label for label in drawn if label.split == "heldout")
    return _Labels(items, human, _chances(drawn))


def _chances(drawn: Iterable[Label]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for label in drawn:
        found[label.sampling_frame][label.item_id] = label.inclusion_probability or 0
    return found


class Answers:
    """A version's first answers that a judge has judged, as the draws know them."""

    def __init__(
        self, judge: JudgePrompt, judged: Mapping[str, str], responses: Iterable[Response], cases: Iterable[Case]
    ) -> None:
        """Know what the judge is shown of every answer, and what it said."""
        self.judge, self.judged = judge, judged
        self.cases = {case.case_id: case for case in cases}
        self.keys = {
            row.case_id: questions.answer_key(row.case_id, questions.texts_of(judge, self.cases[row.case_id], row))
            for row in responses
            if row.trial == 0 and row.status == "ok" and row.case_id in judged and row.case_id in self.cases
        }

    def is_of(self, item: Item) -> bool:
        """Tell whether an item is the very answer that the case has here, whatever reference it was labelled by."""
        return self.keys.get(item.case_id) == questions.item_key(self.judge, item)

    def void(self, items: Iterable[Item]) -> int:
        """Return of how many answers every label is about the case as it was before."""
        about: dict[str, list[bool]] = defaultdict(list)
        for item in items:
            if self.is_of(item):
                about[item.case_id].append(self.asks(item))
        return sum(not any(found) for found in about.values())

    def asks(self, item: Item) -> bool:
        """Tell whether a label on an item is about the case as it is today, as far as the judge sees it."""
        case = self.cases.get(item.case_id)
        if case is None or ("question" in self.judge.texts and item.turns != case.turns):
            return False
        if threshold(self.judge, item) != threshold(self.judge, case):
            return False
        return "reference" not in self.judge.texts or item.knows(case)


def _parts(tonight: Answers, labels: _Labels, about: Labelling) -> tuple[str, list[Part], list[str]] | None:
    """Return tonight's answers by their chance of being labelled, and the labels used; None where some had none."""
    mine = {item_id: item for item_id, item in labels.items.items() if tonight.is_of(item)}
    chances = _chances_tonight(tonight, labels, about)
    without = sum(not chance for chance in chances.values()) + len(tonight.judged) - len(chances)
    used = {item.case_id: item_id for item_id, item in mine.items() if item_id in labels.human and tonight.asks(item)}
    if about.frames and without <= SAME_SIZE * len(tonight.judged):
        return about.frames[-1].frame, _by_chance(tonight, labels, chances, used), list(used.values())
    frame = _of_before(tonight, labels, used)
    if not frame:
        return None
    inside = [used_id for used_id in used.values() if used_id in labels.chances[frame]]
    return frame, _by_stratum(tonight, labels, frame, inside), inside


def _chances_tonight(tonight: Answers, labels: _Labels, about: Labelling) -> dict[str, float]:
    """Return by case the chance that tonight's answer had to be labelled, over all rounds; 0 where it had none."""
    rounds, alone = Rounds(about.frames), apart(labels.items.values(), about.draws)
    by_itself = {
        item.case_id
        for item_id, item in labels.items.items()
        if item_id in alone and item_id in labels.human and tonight.is_of(item)
    }
    return {
        case_id: ALONE if case_id in by_itself else round(rounds.chance(key), CLOSE)
        for case_id, key in tonight.keys.items()
    }


def _by_chance(tonight: Answers, labels: _Labels, chances: Mapping[str, float], used: Mapping[str, str]) -> list[Part]:
    """Return the population in parts of one chance; of every answer it is known what the judge said."""
    said = Counter((chance, tonight.judged[case_id]) for case_id, chance in chances.items() if chance)
    human = by_chance(
        (chances[case_id], tonight.judged[case_id] == "pass", labels.human[item_id])
        for case_id, item_id in used.items()
        if chances[case_id]
    )
    parts = []
    for chance in sorted({chance for chance, _ in said}):
        passed, failed = human.get(chance, (NOBODY, NOBODY))
        counts = (said[chance, "pass"], said[chance, "fail"])
        parts.append(Part(human_of_passed=passed, human_of_failed=failed, judged=counts))
    return parts


def _by_stratum(tonight: Answers, labels: _Labels, frame: str, inside: Sequence[str]) -> list[Part]:
    """Return the population that a frame of before tells of, in parts of one chance.

    Where there are several, it is known of labelled answers alone which of them they are in.
    """
    passes = list(tonight.judged.values()).count("pass")
    sizes: dict[float, float] = defaultdict(float)
    for chance in labels.chances[frame].values():
        sizes[round(chance, CLOSE)] += 1 / chance
    human = by_chance(
        (
            round(labels.chances[frame][item_id], CLOSE),
            tonight.judged[labels.items[item_id].case_id] == "pass",
            labels.human[item_id],
        )
        for item_id in inside
    )
    counts = (passes, len(tonight.judged) - passes) if len(sizes) == 1 else None
    parts = []
    for chance in sorted(sizes):
        passed, failed = human.get(chance, (NOBODY, NOBODY))
        parts.append(Part(human_of_passed=passed, human_of_failed=failed, judged=counts, size=sizes[chance]))
    return parts


def _of_before(tonight: Answers, labels: _Labels, used: Mapping[str, str]) -> str:
    """Return the frame of before rounds were kept that is a random sample of tonight's answers; empty if none is.

    All its answers are given again tonight, and the population it was drawn from, as its chances tell, is as large as
    tonight's.
    """
    fitting = {}
    for frame, chances in labels.chances.items():
        is_whole = abs(sum(1 / chance for chance in chances.values()) - len(tonight.judged)) <= SAME_SIZE * len(
            tonight.judged
        )
        if is_whole and all(tonight.is_of(labels.items[item_id]) for item_id in chances):
            fitting[frame] = sum(item_id in chances for item_id in used.values())
    return max(sorted(fitting), key=lambda frame: fitting[frame], default="")


def _weighed(used: Sequence[str], labels: _Labels, said: Mapping[str, str]) -> Confusion:
    """Return the counts that carry the judge's TPR and TNR: as many as say as much as labels weighed by chance."""
    weights = np.array([1 / labels.chance(item_id) for item_id in used])
    human = np.array([labels.human[item_id] for item_id in used])
    passed = np.array([said[item_id] == "pass" for item_id in used], dtype=bool)
    tp, passes = effective(weights * human, passed)
    tn, fails = effective(weights * (1 - human), ~passed)
    return Confusion(tp=tp, fp=fails - tn, fn=passes - tp, tn=tn, labels=len(used))


def _outcomes(name: str, verdicts: Iterable[Verdict], subject: Subject) -> dict[str, str]:
    """Return the judge's outcome by item, on first trials."""
    return {
        verdict.item_id: verdict.outcome
        for verdict in verdicts
        if (verdict.subject, verdict.scorer, verdict.status, verdict.trial) == (subject, name, "ok", 0)
    }
