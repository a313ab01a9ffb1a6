"""The corrected pass rate: what people would say of all judged answers, by the estimator that the labels allow.

Labels drawn at random from the very answers that were judged tonight carry double sampling. When the product's answers
or the evaluation set have changed since, only the judge's agreement with people can be carried over: Rogan-Gladen, and
the report says what that assumes (STATISTICS 3.1). A label that was given by another reference than the case has today
tells how the judge errs and nothing of tonight's answer. One answer a case counts, the first trial's, since an interval
over several would count the case as often.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from assay.errors import InsufficientDataError
from assay.records.case import Case
from assay.records.label import Item, Label, Labelling
from assay.records.record import Record
from assay.records.response import Response
from assay.records.verdict import Subject, Verdict
from assay.report.findings import Rate, rate
from assay.stats import annotators
from assay.stats.corrected import MIN_LABELS, Confusion, double_sampling, rogan_gladen
from assay.stats.rates import Interval, wilson


class Corrected(Record):
    """The judged pass rate as people would have it."""

    raw: Rate
    rate: Rate | None
    """None where the labels cannot carry it; `note` says why."""
    labels: int
    """Human labels behind the correction."""
    frame: str
    """What those labels were drawn from."""
    note: str


SAME_SIZE = 0.02
"""Share by which the population that the labels were drawn from may differ from tonight's answers: failed calls."""
WHOLE = "a random part of these very answers is labelled"
TRANSFERRED = "the labels are no random part of tonight's answers: assumes that the judge errs on these as on those"
CLIPPED = "; the correction left 0 to 100 % and was cut off there, so this does not hold here: label tonight's answers"


def corrected(
    name: str,
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
        name: The judge.
        verdicts: Of any.
        responses: Tonight's.
        about: What was labelled for the judge's question.
        cases: As they are today.
        rng: Source of draws.
        draws: How many.
    """
    judged = _outcomes(name, verdicts, "target")
    if not judged:
        return None
    passes = {"judge_pass": list(judged.values()).count("pass"), "judged": len(judged)}
    natural = {item.item_id: item for item in about.items if item.question == "pass-fail" and item.slice == "natural"}
    drawn = [label for label in about.labels if label.item_id in natural and label.inclusion_probability is not None]
    human = annotators.majority(label for label in drawn if label.split == "heldout").outcomes
    frames = _frames(drawn)
    today = {case.case_id: case for case in cases}
    asked = {name for name, item in natural.items() if item.case_id in today and item.asks(today[item.case_id])}
    of_today = {item_id: outcome for item_id, outcome in human.items() if item_id in asked}
    frame = _tonight(frames, natural, of_today, judged, responses)
    found: Interval | None = None
    try:
        if frame:
            by_case = {natural[item_id].case_id: of_today[item_id] for item_id in frames[frame] if item_id in of_today}
            counts = _confusion([(by_case[case_id], judged[case_id]) for case_id in by_case if case_id in judged])
            found, note = double_sampling(counts, **passes, rng=rng, draws=draws).pass_rate, WHOLE
        else:
            said = _outcomes(name, verdicts, "anchor")
            even = [item_id for chances in frames.values() if len(set(chances.values())) == 1 for item_id in chances]
            counts = _confusion([(human[name], said[name]) for name in even if name in human and name in said])
            found = rogan_gladen(counts, **passes)
            note = TRANSFERRED + (CLIPPED if found.clipped else "")
    except InsufficientDataError as refusal:
        note = str(refusal)
    return Corrected(
        raw=rate(wilson(passes["judge_pass"], passes["judged"])),
        rate=rate(found) if found else None,
        labels=counts.n,
        frame=frame or "all natural labels",
        note=note,
    )


def _outcomes(name: str, verdicts: Iterable[Verdict], subject: Subject) -> dict[str, str]:
    """Return the judge's outcome by item, on first trials."""
    return {
        verdict.item_id: verdict.outcome
        for verdict in verdicts
        if (verdict.subject, verdict.scorer, verdict.status, verdict.trial) == (subject, name, "ok", 0)
    }


def _frames(drawn: Iterable[Label]) -> dict[str, dict[str, float]]:
    """Return, by sampling frame, each drawn item's chance of being drawn; both splits together were the draw."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for label in drawn:
        found[label.sampling_frame][label.item_id] = label.inclusion_probability or 0
    return found


def _tonight(
    frames: Mapping[str, Mapping[str, float]],
    natural: Mapping[str, Item],
    human: Mapping[str, str],
    judged: Mapping[str, str],
    responses: Iterable[Response],
) -> str:
    """Return the largest frame that is a random sample of tonight's judged answers; empty if none is.

    All its answers are given again tonight, word for word; the population it was drawn from, as its chances tell, is as
    large as tonight's; and within either verdict of the judge every answer had the same chance.
    """
    texts = {response.case_id: response.text for response in responses if response.trial == 0}
    fitting = {}
    for frame, chances in frames.items():
        inside = {item_id: natural[item_id] for item_id in chances}
        usable = [item_id for item_id, item in inside.items() if item_id in human and item.case_id in judged]
        by_verdict = {(judged[inside[item_id].case_id], chances[item_id]) for item_id in usable}
        is_even = len(by_verdict) == len({verdict for verdict, _ in by_verdict})
        is_whole = abs(sum(1 / chance for chance in chances.values()) - len(judged)) <= SAME_SIZE * len(judged)
        is_again = all(texts.get(item.case_id) == item.response_a for item in inside.values())
        if is_again and is_whole and is_even and len(usable) >= MIN_LABELS:
            fitting[frame] = len(usable)
    return max(sorted(fitting), key=lambda frame: fitting[frame], default="")


def _confusion(pairs: Sequence[tuple[str, str]]) -> Confusion:
    return Confusion(
        tp=pairs.count(("pass", "pass")),
        fp=pairs.count(("fail", "pass")),
        fn=pairs.count(("pass", "fail")),
        tn=pairs.count(("fail", "fail")),
    )
