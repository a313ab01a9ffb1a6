"""Forty-eight facts of the meal-kit sample, and the labelled items made of them.

Each fact has a question, a reference, a free paraphrase (right) and a copy of the reference with one word of weight
changed (wrong): that is what makes them hard for a judge that sees only surfaces.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from assay.records.label import Item, Label

_LINES = Path(__file__).with_name("lexical_facts.jsonl").read_text(encoding="utf-8").splitlines()
FACTS: list[dict[str, str]] = [json.loads(line) for line in _LINES]
JUDGES = ("correctness", "preference")
"""Whose labels these are."""
GARBLED = "Lorem box box the of subscribe unicorn potato 99 !!"
REFUSAL = "I am sorry, but I cannot help with that."


def items() -> list[Item]:
    """Return four items a fact: a gross and a minimal-edit pair (A and B right by turns), and both answers alone."""
    return [item for index in range(len(FACTS)) for item, _ in _items(index)]


def labels() -> list[Label]:
    """Return one right label an item, by one annotator; facts with an even number are for tuning.

    As in a product's own labels, gross faults are more frequent there: only every third minimal edit is for tuning.
    """
    return [
        Label(
            item_id=item.item_id,
            annotator="ana",
            outcome=outcome,
            split="heldout" if index % 2 else "tune",
            sampling_frame="constructed",
            stratum=item.slice,
            inclusion_probability=None,
            rubric_version="1",
            labelled_at=datetime(2026, 11, 2, tzinfo=UTC),
        )
        for index in range(len(FACTS))
        for item, outcome in _items(index)
        if index % 2 or item.slice == "gross" or index % 3 == 0
    ]


def _items(index: int) -> Iterator[tuple[Item, str]]:
    fact = FACTS[index]
    other = (FACTS[(index + 5) % len(FACTS)]["reference"], GARBLED, REFUSAL)[index // 2 % 3]
    good = f"{fact['reference']} Is there anything else?" if index // 2 % 2 else f"Sure! {fact['reference']}"
    first_is_right = index // 2 % 2 == 0
    for kind, right, wrong in (("gross", good, other), ("minimal-edit", fact["paraphrase"], fact["copy"])):
        shown = {"case_id": f"fact-{index}", "category": "facts", "slice": kind, "reference": fact["reference"]}
        a, b = (right, wrong) if first_is_right else (wrong, right)
        pair = {"item_id": f"fact-{index}-{kind}", "question": "pairwise", "response_a": a, "response_b": b}
        yield Item.model_validate({**shown, **pair, "turns": [fact["question"]]}), "a" if first_is_right else "b"
        for name, response, outcome in (("right", right, "pass"), ("wrong", wrong, "fail")):
            alone = {"item_id": f"fact-{index}-{kind}-{name}", "question": "pass-fail", "response_a": response}
            yield Item.model_validate({**shown, **alone, "response_b": "", "turns": [fact["question"]]}), outcome
