"""What a judge's pass rate really is: all of its verdicts in a file, and people's labels on some of them."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.errors import InsufficientDataError
from assay.records.verdict import Outcome
from assay.stats.allocation import labels_for
from assay.stats.rates import Interval, wilson
from assay.stats.sampled import Part, of_parts

Words = Sequence[Outcome | None]
"""One a row; None where there is none."""


class CorrectedRate(NamedTuple):
    """A pass rate of all rows that a judge gave a verdict on."""

    raw: Interval
    """By the judge alone."""
    rate: Interval | None
    """As people would have it, if the labelled rows were picked at random; None where `note` says why."""
    labels: int
    """Labelled rows behind it."""
    of: int
    """Rows with a verdict."""
    halved: int
    """Labels in all, about, for an interval half as wide; 0 where all labels of the file would not do."""
    note: str


def corrected(judge: Words, people: Mapping[str, Words], rng: np.random.Generator) -> CorrectedRate | None:
    """Return the corrected pass rate; None where every row with a verdict is labelled, so that people say it.

    An item counts as the share of its annotators who pass it.

    Args:
        judge: Its verdicts, pass or fail.
        people: By annotator.
        rng: Source of posterior draws.
    """
    decided = [number for number, word in enumerate(judge) if word in ("pass", "fail")]
    human = {number: share for number in decided if (share := _share(people, number)) is not None}
    if len(human) == len(decided):
        return None
    said = {word: [number for number in decided if judge[number] == word] for word in ("pass", "fail")}
    passed, failed = ([human[number] for number in said[word] if number in human] for word in ("pass", "fail"))
    counts = len(said["pass"]), len(said["fail"])
    raw = wilson(counts[0], len(decided))
    part = Part(human_of_passed=np.array(passed), human_of_failed=np.array(failed), judged=counts)
    try:
        found = of_parts([part], rng=rng).pass_rate
    except InsufficientDataError as refusal:
        return CorrectedRate(raw, None, len(human), len(decided), 0, str(refusal))
    halved = _needed((found.high - found.low) / 4, counts, _mean(passed), _mean(failed))
    return CorrectedRate(raw, found, len(human), len(decided), halved, "")


def _share(people: Mapping[str, Words], number: int) -> float | None:
    """Return the share of annotators who pass a row; None where nobody decided."""
    votes = [words[number] == "pass" for words in people.values() if words[number] in ("pass", "fail")]
    return sum(votes) / len(votes) if votes else None


def _needed(half_width: float, counts: tuple[int, int], passed: float, failed: float) -> int:
    if not half_width:
        return 0
    judged = {"judge_pass": counts[0], "judged": sum(counts)}
    try:
        return labels_for(half_width, **judged, passed=passed, failed=failed, allocation="random", usable=1.0).labels
    except InsufficientDataError:
        return 0


def _mean(shares: Sequence[float]) -> float:
    return sum(shares) / len(shares) if shares else 0.5
