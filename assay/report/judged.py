"""The judges' word on both versions, once its length and the judge's own errors are taken out of it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from assay.calibration.rounds import Rounds, apart
from assay.errors import InsufficientDataError
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case
from assay.records.label import Label, Labelling
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import IDENTICAL, Verdict
from assay.report.correction import SAME_SIZE, Answers
from assay.report.findings import Rate, rate
from assay.stats import annotators
from assay.stats.difference import newcombe
from assay.stats.length import length_controlled
from assay.stats.ppi import ppi_change
from assay.stats.rates import effective

GOOD = "pass"
LEAST = 20
"""Labelled passes, or fails, of each version below which nothing is said of how a judge errs there."""
UNEVEN = "the labels were drawn with unequal chances before rounds were kept: draw tonight's, `assay labels draw`"
FEW = 0.05
"""Share of the cases up to which changed answers without a label are counted either way."""
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
    changed: int = 0
    """Of these, cases to which the versions gave different answers."""
    rate: Rate | None
    """None where the labels cannot carry it; `note` says why."""
    labels: int
    """Changed cases of which people labelled both versions' answers."""
    note: str


class Difference(Record):
    """By how much more of what people fail, and less of what they pass, a judge passes on the new version."""

    laxer: Rate | None
    """None where a version has fewer than 20 labelled fails."""
    stricter: Rate | None
    """None where a version has fewer than 20 labelled passes."""
    labels: tuple[int, int]
    """On the new version's answers, and on the accepted one's."""


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
    judge: JudgePrompt,
    verdicts: Sequence[Verdict],
    responses: Iterable[Response],
    baseline: Iterable[Response],
    about: Labelling,
    cases: Iterable[Case],
) -> Change | None:
    """Return by how much people's pass rate changed, from labels on both versions' answers to the same cases.

    None where the judge has no case with a verdict on both versions. Where both gave the same answer nothing changed,
    whatever the judge says of it twice; so labels are needed on the others alone, each weighed by the chance that both
    of its answers were drawn. A label counts while its case asks, and has the reference, that its annotator was shown.

    Args:
        judge: The judge.
        verdicts: Of any.
        responses: Tonight's.
        baseline: The accepted ones.
        about: What was labelled for the judge's question.
        cases: As they are today.
    """
    said = {subject: _outcomes(judge.name, verdicts, subject) for subject in ("target", "baseline")}
    both = [case_id for case_id in said["target"] if case_id in said["baseline"]]
    if not both:
        return None
    asked, known = list(cases), dict.fromkeys(both, "")
    sides = [Side(judge, known, answers, asked, about) for answers in (responses, baseline)]
    moved = [case_id for case_id in both if sides[0].key(case_id) != sides[1].key(case_id)]
    word = {case_id: float(said["target"][case_id] - said["baseline"][case_id]) for case_id in both}
    human = {
        case_id: sides[0].human[case_id] - sides[1].human[case_id]
        for case_id in moved
        if all(case_id in side.human for side in sides)
    }
    chances = {case_id: min(side.chance(case_id) for side in sides) for case_id in moved}
    return of_moved(word, moved, human, chances, note=_uncovered(chances, human, about))


def of_moved(
    word: Mapping[str, float],
    moved: Sequence[str],
    human: Mapping[str, float],
    chances: Mapping[str, float],
    *,
    note: str,
) -> Change:
    """Return the change over all cases from the labels on those whose answer changed.

    Args:
        word: By case, how much the scorers say that it changed: -1, 0 or 1.
        moved: The cases that may have changed at all.
        human: Of these, by case that people labelled in both versions, how much they say.
        chances: Of these, by case, the chance that both answers were drawn; all 0 where nobody kept it, and it was one
            for all.
        note: Why labels cannot carry the change; empty where they can.
    """
    common = {
        "raw": sum(word.values()) / len(word),
        "judged": len(word),
        "changed": len(moved),
        "labels": len(human),
    }
    if note:
        return Change(**common, rate=None, note=note)
    if not moved:
        return Change(**common, rate=Rate(estimate=0, low=0, high=0, n=0, method="no answer changed"), note="")
    try:
        found = ppi_change(
            list(human.values()),
            [word[case_id] for case_id in human],
            [chances[case_id] or 1 for case_id in human],
            [word[case_id] for case_id in moved if chances[case_id]] or [word[case_id] for case_id in moved],
        )
    except InsufficientDataError as refusal:
        few = _few(human, moved, word)
        return Change(**common, rate=_at_most(human, moved, word) if few else None, note=few or str(refusal))
    share = len(moved) / len(word)
    whole = rate(found)
    bounds = {name: getattr(whole, name) * share for name in ("estimate", "low", "high")}
    return Change(**common, rate=whole.model_copy(update=bounds), note="")


def difference(
    judge: JudgePrompt,
    verdicts: Sequence[Verdict],
    responses: Iterable[Response],
    baseline: Iterable[Response],
    about: Labelling,
    cases: Iterable[Case],
) -> Difference:
    """Return how far a judge errs otherwise on tonight's answers than on the accepted ones, by labels on both.

    Args: as for `change`.

    Source:
        Newcombe (1998), at the effective numbers of labels of unequal chances (Kish 1965).
    """
    asked, sides = list(cases), []
    for subject, answers in (("target", responses), ("baseline", baseline)):
        said = _outcomes(judge.name, verdicts, subject)
        sides.append((Side(judge, dict.fromkeys(said, ""), answers, asked, about), said))
    bounds = [_apart([_passed(side, said, of_passes=of_passes) for side, said in sides]) for of_passes in (False, True)]
    stricter = bounds[1] and bounds[1].model_copy(
        update={"estimate": -bounds[1].estimate, "low": -bounds[1].high, "high": -bounds[1].low}
    )
    now, before = (len(side.human) for side, _ in sides)
    return Difference(laxer=bounds[0], stricter=stricter, labels=(now, before))


def _passed(side: "Side", said: Mapping[str, bool], *, of_passes: bool) -> tuple[float, float]:
    """Return how many of what people pass, or fail, the judge passes, and of how many, unweighed."""
    rows = [
        ((share if of_passes else 1 - share) / (side.chance(case_id) or 1), said[case_id])
        for case_id, share in side.human.items()
    ]
    return effective([weight for weight, _ in rows], [passed for _, passed in rows])


def _apart(counts: Sequence[tuple[float, float]]) -> Rate | None:
    (events, n), (base, base_n) = counts
    if min(n, base_n) < LEAST:
        return None
    return rate(newcombe(events, n, base, base_n))


def _few(human: Mapping[str, float], moved: Sequence[str], both: Collection[str]) -> str:
    """Return what a change rests on of which so few cases could be part that its bounds tell; empty where not."""
    open_ones = len(moved) - len(human)
    if open_ones > FEW * len(both):
        return ""
    return (
        f"the answers to {len(moved)} cases changed, and {open_ones} of them count either way: no more can have changed"
    )


def _at_most(human: Mapping[str, float], moved: Sequence[str], both: Collection[str]) -> Rate:
    """Return the change where few answers did, with those that nobody has labelled counted as gained and as lost."""
    known, open_ones, n = sum(human.values()), len(moved) - len(human), len(both)
    bounds = {"low": (known - open_ones) / n, "high": (known + open_ones) / n}
    return Rate(estimate=known / n, **bounds, n=len(human), method="few changed: unlabelled ones counted either way")


class Side:
    """One version's answers, with what people said of them and the chance that each had to be labelled."""

    def __init__(
        self,
        judge: JudgePrompt,
        judged: Mapping[str, str],
        responses: Iterable[Response],
        cases: Iterable[Case],
        about: Labelling,
    ) -> None:
        self._answers, self._rounds = Answers(judge, judged, responses, cases), Rounds(about.frames)
        natural = {item.item_id: item for item in about.items if item.question == "pass-fail"}
        mine = {
            item_id: item
            for item_id, item in natural.items()
            if item.slice == "natural" and self._answers.is_of(item) and self._answers.asks(item)
        }
        alone = apart(mine.values(), about.draws) if about.frames else set()
        drawn = [
            label
            for label in about.labels
            if label.item_id in mine and label.item_id not in alone and label.split == "heldout"
            if label.inclusion_probability is not None
        ]
        self.human = {mine[item_id].case_id: share for item_id, share in annotators.shares(drawn).items()}
        """By case: the share of people who pass the answer."""

    def key(self, case_id: str) -> str:
        """Return what tells this answer from another; empty where there is none."""
        return self._answers.keys.get(case_id, "")

    def chance(self, case_id: str) -> float:
        """Return the chance over the rounds that the answer was drawn."""
        return self._rounds.chance(self.key(case_id))


def _uncovered(chances: Mapping[str, float], human: Mapping[str, float], about: Labelling) -> str:
    """Return why labels cannot carry the change; empty where they can."""
    if not about.frames:
        drawn = [row for row in about.labels if row.inclusion_probability is not None and row.split == "heldout"]
        return UNEVEN if human and _is_uneven(drawn) else ""
    without = sum(not chance for chance in chances.values())
    if without > SAME_SIZE * len(chances):
        return (
            f"of {without} of {len(chances)} changed cases not both answers could be drawn for labelling: "
            "`assay labels draw` draws tonight's"
        )
    return ""


def _outcomes(name: str, verdicts: Iterable[Verdict], subject: str) -> dict[str, bool]:
    return {
        verdict.item_id: verdict.outcome == GOOD
        for verdict in verdicts
        if (verdict.subject, verdict.scorer, verdict.status, verdict.trial) == (subject, name, "ok", 0)
    }


def _texts(responses: Iterable[Response]) -> dict[str, str]:
    return {row.case_id: row.text for row in responses if row.status == "ok" and row.trial == 0}


def _is_uneven(labels: Iterable[Label]) -> bool:
    """Tell whether items of one frame had different chances of being drawn."""
    chances: dict[str, set[float]] = {}
    for label in labels:
        chances.setdefault(label.sampling_frame, set()).add(round(label.inclusion_probability or 0, 6))
    return any(len(found) > 1 for found in chances.values())
