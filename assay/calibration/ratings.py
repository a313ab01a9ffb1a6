"""What people and a judge said of the same held-out items; what either side left open is counted, not guessed."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from assay.errors import DataError, InsufficientDataError
from assay.records.label import Item, Label
from assay.records.verdict import Outcome, Verdict
from assay.stats import annotators

TELLING = 24
"""Characters from which on a text in a prompt is no chance: `Yes.` may stand anywhere."""


class Rated(NamedTuple):
    """Held-out items of one judge's question with what people and the judge said, in the same order."""

    items: list[Item]
    human: list[str]
    judge: list[Verdict]
    labels: list[Label]
    """All of them, so also of items on which people were evenly split: how far people agree must not be flattered."""
    said: dict[str, Outcome]
    """The judge's outcome by item, whether people were decided or not."""
    unscored: list[Item]
    """Items that people decided and the judge gave no verdict on."""
    unscored_human: list[str]
    """What people said of those."""
    undecided: int
    words: Mapping[str, str] = {}
    """What the judge said in its own scale, by item, whether people were decided or not."""


def join(judge: str, items: Iterable[Item], labels: Iterable[Label], verdicts: Iterable[Verdict]) -> Rated:
    """Join held-out labels with the anchors' verdicts; what either side left open is counted, not guessed.

    Args:
        judge: The judge, for a message.
        items: Those of its question.
        labels: Those for its question.
        verdicts: Its own.

    Raises:
        InsufficientDataError: No held-out item has both.
        DataError: An item is in both splits: the judge was tuned on what it is to be tested with.
    """
    asked = {item.item_id: item for item in items}
    about = [label for label in labels if label.item_id in asked]
    heldout = [label for label in about if label.split == "heldout"]
    leaked = {label.item_id for label in about if label.split == "tune"} & {label.item_id for label in heldout}
    if leaked:
        raise DataError(
            f"data/labels: {min(leaked)} and {len(leaked) - 1} more items are in both splits, expected tune or heldout "
            "for all labels of an item: decide for one split each"
        )
    human = annotators.majority(heldout)
    said = {verdict.item_id: verdict for verdict in verdicts if verdict.item_id in asked and verdict.status == "ok"}
    both = [item_id for item_id in human.outcomes if item_id in said]
    if not both:
        raise InsufficientDataError(
            f"no held-out item has both a label for {judge} and its verdict: label some, or run `assay nightly` first"
        )
    return Rated(
        items=[asked[item_id] for item_id in both],
        human=[human.outcomes[item_id] for item_id in both],
        judge=[said[item_id] for item_id in both],
        labels=heldout,
        said={item_id: verdict.outcome for item_id, verdict in said.items()},
        unscored=[asked[item_id] for item_id in human.outcomes if item_id not in said],
        unscored_human=[outcome for item_id, outcome in human.outcomes.items() if item_id not in said],
        undecided=len(human.split),
        words={item_id: verdict.label for item_id, verdict in said.items()},
    )


def only_natural(found: Rated, items: Iterable[Item]) -> Rated:
    """Keep what a product really said: constructed items tell where a judge is blind, not how often it errs."""
    drawn = {label.item_id for label in found.labels if label.inclusion_probability is not None}
    keep = [index for index, item in enumerate(found.items) if item.slice == "natural" and item.item_id in drawn]
    open_ = [index for index, item in enumerate(found.unscored) if item.slice == "natural" and item.item_id in drawn]
    if not keep:
        raise InsufficientDataError("no held-out item was drawn from a product's responses: label some that were")
    natural = {item.item_id for item in items if item.slice == "natural"} & drawn
    return found._replace(
        items=[found.items[index] for index in keep],
        human=[found.human[index] for index in keep],
        judge=[found.judge[index] for index in keep],
        labels=[label for label in found.labels if label.item_id in natural],
        unscored=[found.unscored[index] for index in open_],
        unscored_human=[found.unscored_human[index] for index in open_],
    )


def require_unseen(shown: str, items: Iterable[Item], labels: Iterable[Label]) -> None:
    """Refuse a judge's prompt that shows what the judge is to be tested with.

    Args:
        shown: Everything of the prompt that is the same in every call: instructions, rubric, few-shot examples.
        items: All labelled items.
        labels: Their labels; those of the split `heldout` must not be in the prompt.

    Raises:
        DataError: A held-out response or conversation stands in the prompt, word for word but for case and blanks.
    """
    heldout = {label.item_id for label in labels if label.split == "heldout"}
    prompt = plain(shown)
    seen = [
        item.item_id
        for item in items
        if item.item_id in heldout and is_shown(prompt, item.response_a, item.response_b, " ".join(item.turns))
    ]
    if seen:
        named = f"{', '.join(seen[:5])}{', ...' if seen[5:] else ''}"
        raise DataError(
            f"the judge's prompt shows {len(seen)} held-out items ({named}), "
            "expected none of what it is tested with: take other examples, or move the items to the split tune"
        )


def is_shown(prompt: str, *texts: str) -> bool:
    """Tell whether a plain prompt holds one of these texts, but for case and blanks."""
    return any(len(text) >= TELLING and text in prompt for text in map(plain, texts))


def plain(text: str) -> str:
    """Return a text without what case and blanks say."""
    return " ".join(text.casefold().split())
