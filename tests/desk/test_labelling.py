"""The queue of labels: blind, each annotator in an order of their own, and kept in the item's own frame."""

import pytest

from assay.desk.candidate_queue import RefusedError
from assay.desk.label_queue import Labelled, is_swapped, pile, shown
from assay.records.label import Item, Span
from tests.cast import AT, item
from tests.desks import Logs, candidate, labelled_items


def labelled(of: Item, word: str, person: str = "ada", **changes: object) -> Labelled:
    """Return a label as it comes from the screen."""
    fields = {
        "item_id": of.item_id,
        "shown": shown(of, person),
        "choice": word,
        "spans": [],
        "note": "",
        "seconds": 1.0,
    }
    return Labelled(**(fields | changes))  # type: ignore[arg-type]


def _logs() -> Logs:
    """Return logs with four items to label."""
    return Logs([candidate(1)], items=labelled_items())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"choice": "left"}, "takes pass, fail"),
        ({"shown": "0" * 16}, "has changed since it was shown"),
        ({"item_id": "other"}, "not to be labelled by you"),
        ({"spans": [Span(start=0, end=999)]}, "lies outside of the answer"),
        ({"spans": [Span(start=3, end=2)]}, "lies outside of the answer"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(change: dict[str, object], sentence: str) -> None:
    """A word of the other kind of question, on something else, or a mark outside of the answer leaves no row."""
    found = _logs()
    with pytest.raises(RefusedError, match=sentence):
        found.labels().say("ada", labelled(found.items[0], "pass", **change), AT)
    assert found.answers == []


def test_an_item_gets_as_many_annotators_as_it_needs() -> None:
    """The third person's label on an item for two is refused."""
    found = _logs()
    queue, one = found.labels(), found.items[0]
    for name in ("ada", "ben"):
        queue.say(name, labelled(one, "pass", name), AT)
    with pytest.raises(RefusedError, match="has all its annotators"):
        queue.say("cem", labelled(one, "pass", "cem"), AT)


def test_sides_differ_from_person_to_person() -> None:
    """Each annotator sees about half of the pairs the other way round, not the same half as others."""
    pairs = [item(number, "x", "pairwise", "y") for number in range(400)]
    ada, ben = ([is_swapped(one, name) for one in pairs] for name in ("ada", "ben"))
    assert 160 < sum(ada) < 240
    assert 160 < sum(first == second for first, second in zip(ada, ben, strict=True)) < 240
    assert not any(is_swapped(item(number, "x"), "ada") for number in range(50))


def test_a_choice_is_kept_in_the_item_s_own_frame() -> None:
    """Whoever prefers A says so by the side on which A was shown, and the log has `a` either way."""
    pairs = [item(number, "x", "pairwise", "y") for number in range(20)]
    found = Logs(_logs().candidates, items=pairs)
    queue = found.labels()
    for one in pairs:
        queue.say("ada", labelled(one, "right" if is_swapped(one, "ada") else "left"), AT)
    assert {answer.outcome for answer in found.answers} == {"a"}
    assert {answer.is_swapped for answer in found.answers} == {True, False}


def test_undo_takes_the_label_back() -> None:
    """After an undo the item waits again, and nothing is left to take back."""
    found = _logs()
    queue = found.labels()
    first = queue.next_for("ada")
    assert first
    of = next(one for one in found.items if one.item_id == first)
    queue.say("ada", labelled(of, "tie" if of.question == "pairwise" else "fail"), AT)
    assert queue.next_for("ada") != first
    assert queue.undo("ada", AT) == first
    assert queue.next_for("ada") == first
    with pytest.raises(RefusedError, match="nothing to take back"):
        queue.undo("ada", AT)


def test_only_what_lacks_labels_is_shown() -> None:
    """Items with all their labels on file are left out, and what somebody labelled elsewhere is not shown to them."""
    items = labelled_items()
    full, half = items[0].item_id, items[1].item_id
    found = pile(items, 2, {full: {"ada": "pass", "ben": "pass"}, half: {"ada": "fail"}}, [])
    assert full not in found.items
    assert found.by(half) == {"ada": "fail"}


def test_a_split_item_gets_a_third_blind_label() -> None:
    """Where two annotators disagree one more person labels the item, as blind as they did, and then it is complete."""
    found = _logs()
    queue, one = found.labels(), found.items[0]
    queue.say("ada", labelled(one, "pass", "ada"), AT)
    queue.say("ben", labelled(one, "fail", "ben"), AT)
    assert not queue.pile().is_complete(one.item_id)
    queue.say("cem", labelled(one, "fail", "cem"), AT)
    assert queue.pile().is_complete(one.item_id)
    with pytest.raises(RefusedError, match="has all its annotators"):
        queue.say("eve", labelled(one, "pass", "eve"), AT)
    split = {one.item_id: {"ada": "pass", "ben": "fail"}}
    assert one.item_id in pile([one], 2, split, []).items
    assert one.item_id not in pile([one], 2, {one.item_id: split[one.item_id] | {"cem": "fail"}}, []).items
