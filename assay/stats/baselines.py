"""What does a judge score that does not judge? The floor that any certificate must clear, on the very same labels.

Each baseline is given every advantage: the constant answer is the commonest label, and ROUGE-L's cut-off on pass/fail
items is the best one for these labels. A judge that cannot beat them has learned nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.errors import DataError, InsufficientDataError
from assay.records.label import Item
from assay.stats.agreement import cohen, cross_table
from assay.stats.pairs import SCALE
from assay.stats.rates import Interval, wilson

MAX_WORDS = 4_000
"""Words of a text that ROUGE-L reads: its cost grows with the product of both lengths."""
PASS_FAIL = {"fail": 0, "pass": 1}


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """One trivial judge on labelled items."""

    name: str
    n: int
    accuracy: Interval
    kappa: float | None
    """None where people gave all items the label that this judge gives: kappa is 0/0 there."""
    right: tuple[bool, ...]
    """By item with a label: whether it gives what people gave."""


def trivial_judges(items: Sequence[Item], truth: Mapping[str, str], *, level: float = 0.95) -> list[Baseline]:
    """Return what each trivial judge scores on labelled items of one question.

    Args:
        items: Pairs (always first, longer wins, ROUGE-L, constant) or pass/fail items (ROUGE-L, constant).
        truth: The human outcome by item id; items without one are left out.
        level: Confidence level of the accuracies.

    Longer takes part when there are texts, ROUGE-L when every item has a reference.

    Raises:
        InsufficientDataError: No item has a label.
        DataError: The items mix both questions, or a label does not belong to their question.
    """
    rated = [item for item in items if item.item_id in truth]
    questions = {item.question for item in rated}
    if not rated:
        raise InsufficientDataError(
            f"none of the {len(items)} items has a human label; a baseline needs labelled items"
        )
    if len(questions) > 1:
        raise DataError("the items mix pass-fail and pairwise; score each question on its own")
    classes = SCALE if questions == {"pairwise"} else PASS_FAIL
    labels = [truth[item.item_id] for item in rated]
    for item, label in zip(rated, labels, strict=True):
        if label not in classes:
            raise DataError(f"item {item.item_id} is labelled {label!r}; expected one of {', '.join(classes)}")
    given = _pairwise(rated) if classes is SCALE else _pass_fail(rated, labels)
    given["constant"] = [max(classes, key=labels.count)] * len(rated)
    return [_score(name, labels, answers, classes, level) for name, answers in given.items()]


def rouge_l(text: str, reference: str) -> float:
    """Return the F1 of the longest common subsequence of words, 0 to 1, over the first 4,000 words of either.

    Words are compared in lower case, split at white space. Two texts without a word have nothing in common: 0.

    Source:
        Lin (2004), ROUGE; the subsequence by the bit-parallel method of Hyyro (2004).
    """
    left, right = text.casefold().split()[:MAX_WORDS], reference.casefold().split()[:MAX_WORDS]
    if not left or not right:
        return 0.0
    places: dict[str, int] = {}
    for index, word in enumerate(left):
        places[word] = places.get(word, 0) | 1 << index
    everything = (1 << len(left)) - 1
    row = everything
    for word in right:
        hits = row & places.get(word, 0)
        row = ((row + hits) | (row - hits)) & everything
    common = len(left) - row.bit_count()
    return 2 * common / (len(left) + len(right))


def _likeness(item: Item, response: str) -> float:
    """Return how like a response is to the right answer that it is most like."""
    return max(rouge_l(response, answer) for answer in item.right_answers())


def _pairwise(items: Sequence[Item]) -> dict[str, list[str]]:
    """Return the outcome that each trivial pairwise judge gives, in the items' own frame."""
    given = {"always-first": ["a"] * len(items)}
    if any(item.response_a or item.response_b for item in items):
        given["longer"] = [_larger(len(item.response_a), len(item.response_b)) for item in items]
    if all(item.right_answers() for item in items):
        given["rouge-l"] = [
            _larger(_likeness(item, item.response_a), _likeness(item, item.response_b)) for item in items
        ]
    return given


def _pass_fail(items: Sequence[Item], labels: Sequence[str]) -> dict[str, list[str]]:
    """Return the verdicts of ROUGE-L at the cut-off that suits these labels best."""
    if not all(item.right_answers() for item in items):
        return {}
    scores = np.array([_likeness(item, item.response_a) for item in items])
    passed = np.array([label == "pass" for label in labels])
    cuts = np.append(np.unique(scores), np.inf)
    right = [int(((scores >= cut) == passed).sum()) for cut in cuts]
    best = cuts[int(np.argmax(right))]
    return {"rouge-l": ["pass" if score >= best else "fail" for score in scores]}


def _larger(first: float, second: float) -> str:
    if first == second:
        return "tie"
    return "a" if first > second else "b"


def _score(
    name: str, labels: Sequence[str], answers: Sequence[str], classes: Mapping[str, int], level: float
) -> Baseline:
    """Return accuracy and kappa of one column of answers."""
    right = tuple(label == answer for label, answer in zip(labels, answers, strict=True))
    n = len(labels)
    table = cross_table(
        [classes[label] for label in labels], [classes[answer] for answer in answers], classes=len(classes)
    )
    constant = len(set(labels)) == 1 and set(answers) == set(labels)
    return Baseline(
        name=name,
        n=n,
        accuracy=wilson(sum(right), n, level=level),
        kappa=None if constant else cohen(table).estimate,
        right=right,
    )
