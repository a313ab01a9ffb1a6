"""The queue of labels: blind, each annotator in an order of their own, and kept in the item's own frame."""

import pytest

from assay.desk.candidate_queue import RefusedError
from assay.desk.holds import HELD_FOR
from assay.desk.label_queue import Labelled, asked, is_swapped, key_of, pile, wanted
from assay.records.label import Item, Span
from tests.cast import AT, item
from tests.desks import Logs, candidate, labelled_items, task


def labelled(of: Item, word: str, person: str = "ada", **changes: object) -> Labelled:
    """Return a label as it comes from the screen."""
    fields = {
        "task": task(of).key,
        "asked": asked(task(of), person),
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
        ({"asked": "0" * 16}, "has changed since it was shown"),
        ({"task": "other"}, "not to be labelled by you"),
        ({"spans": [Span(start=0, end=999)]}, "lies outside of the answer"),
        ({"spans": [Span(start=3, end=2)]}, "lies outside of the answer"),
        ({"spans": [Span(start=2, end=2)]}, "lies outside of the answer"),
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


@pytest.mark.parametrize(("people", "taken"), [(2, 20), (3, 30), (5, 50), (30, 200)])
def test_nobody_is_refused_because_others_were_faster(people: int, taken: int) -> None:
    """All look at the same time and label what they see, ten times: all is taken, and nobody sees an item twice."""
    found = Logs([candidate(1)], items=[item(number, "Yes.") for number in range(100)])
    queue, of = found.labels(), {task(one).key: one for one in found.items}
    names = [f"r{number}" for number in range(people)]
    seen: list[tuple[str, str]] = []
    for _ in range(10):
        looking = {name: shown for name in names if (shown := queue.next_for(name, AT))}
        for name, shown in looking.items():
            queue.say(name, labelled(of[shown], "pass", name), AT)
        seen += looking.items()
    assert len(found.answers) == len(seen) == len(set(seen)) == taken
    assert all(len(queue.pile().by(name)) <= 2 for name in of)


def test_a_third_label_is_for_one_person_at_a_time() -> None:
    """Where two annotators disagree, one of those who wait gets the item, and no second one beside them."""
    found = Logs([candidate(1)], items=[item(1, "Yes.")])
    queue, one = found.labels(), found.items[0]
    queue.say("ada", labelled(one, "pass", "ada"), AT)
    queue.say("ben", labelled(one, "fail", "ben"), AT)
    assert [queue.next_for(name, AT) for name in ("ada", "cem", "eve")] == [None, task(one).key, None]


def test_what_somebody_looks_at_is_kept_until_they_are_gone() -> None:
    """A hold ends when its time is over or its person leaves, and lasts while they do something."""
    found = Logs([candidate(1)], items=[item(1, "Yes.")])
    queue, later = found.labels(1), AT + HELD_FOR * 0.6
    assert queue.next_for("ada", AT) == task(found.items[0]).key
    assert (queue.next_for("ben", later), queue.left_for("ben", later), queue.with_others("ben", later)) == (None, 0, 1)
    queue.renew("ada", later)
    assert queue.next_for("ben", AT + HELD_FOR) is None
    assert queue.next_for("ben", later + HELD_FOR) == task(found.items[0]).key
    queue.renew("ada", later + HELD_FOR)
    assert queue.with_others("ben", later + HELD_FOR) == 0
    assert queue.next_for("cem", later + HELD_FOR) is None
    queue.leave("ben")
    assert queue.next_for("cem", later + HELD_FOR) == task(found.items[0]).key


def test_what_is_taken_back_is_kept_too() -> None:
    """After an undo the item is its annotator's again, although somebody waits for it."""
    found = Logs([candidate(1)], items=[item(1, "Yes.")])
    queue = found.labels(1)
    queue.say("ada", labelled(found.items[0], "pass"), AT)
    queue.undo("ada", AT)
    assert queue.next_for("ben", AT) is None


def test_only_what_somebody_could_label_is_with_others() -> None:
    """Not what they labelled themselves, nor what others completed; only what others look at."""
    found = Logs([candidate(1)], items=[item(number, "Yes.") for number in (1, 2, 3)])
    queue = found.labels(2)
    first, second, third = found.items
    queue.say("ada", labelled(first, "pass", "ada"), AT)
    for name in ("ben", "cem"):
        queue.say(name, labelled(second, "pass", name), AT)
    assert (queue.left_for("ada", AT), queue.with_others("ada", AT)) == (1, 0)
    for name in ("ben", "cem"):
        queue.hold(name, task(third).key, AT)
    assert (queue.left_for("ada", AT), queue.with_others("ada", AT)) == (0, 1)


@pytest.mark.parametrize(
    ("outcomes", "needed", "labels"),
    [
        ([], 2, 2),
        (["pass"], 2, 2),
        (["pass", "pass"], 2, 2),
        (["pass", "fail"], 2, 3),
        (["pass", "fail", "fail"], 2, 2),
        (["a", "b", "tie"], 3, 4),
        (["a", "a", "b", "tie"], 4, 4),
        (["a", "a", "b", "b"], 4, 5),
        (["pass"], 1, 1),
    ],
)
def test_one_more_label_is_wanted_while_the_leading_outcomes_draw_level(
    outcomes: list[str], needed: int, labels: int
) -> None:
    """Only once all that are needed are there, and only where no outcome leads."""
    assert wanted(outcomes, needed) == labels


def test_answers_of_before_judges_had_names_belong_to_their_kind() -> None:
    """A single answer to the judge of single ones, a pair to that of pairs; of an unknown item to nobody."""
    single, pair = item(1, "Yes."), item(2, "x", "pairwise", "y")
    queue = Logs([candidate(1)], items=[single, pair]).labels(1)
    given = queue.say("ada", labelled(single, "pass"), AT).model_copy(update={"judge": "", "label": ""})
    old = [given, given.model_copy(update={"item_id": pair.item_id, "outcome": "tie"})]
    read = pile([task(single), task(pair)], 1, {}, old)
    assert {key: read.is_complete(key) for key in read.tasks} == {task(single).key: True, task(pair).key: True}
    assert read.mine == {"ada": [task(single).key, task(pair).key]}
    assert key_of(given.model_copy(update={"item_id": "gone"}), read.kinds) == "/gone"


def test_a_changed_label_is_the_last_one() -> None:
    """Whoever changes an earlier label takes that one back first, and has one label on the item."""
    found = Logs([candidate(1)], items=[item(number, "Yes.") for number in (1, 2)])
    queue = found.labels()
    first, second = found.items
    for of, word in ((first, "pass"), (second, "pass"), (first, "fail")):
        queue.say("ada", labelled(of, word), AT)
    assert queue.pile().mine["ada"] == [task(second).key, task(first).key]
    assert [queue.undo("ada", AT) for _ in range(2)] == [task(first).key, task(second).key]


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


def test_a_side_is_an_annotator_s_for_ever() -> None:
    """Which answer somebody sees on the left depends on the pair and on them alone, since answers on file hold it."""
    pairs = [item(number, "x", "pairwise", "y") for number in range(12)]
    left = {name: "".join("B" if is_swapped(one, name) else "A" for one in pairs) for name in ("ada", "ben")}
    assert left == {"ada": "ABAABBABAAAA", "ben": "AAAAAAAAAAAB"}


@pytest.mark.parametrize(("told", "kept"), [(-5.0, 0), (0.0, 0), (12.346, 12.35), (3600.0, 3600), (1e9, 3600)])
def test_a_time_that_nobody_read_is_cut(told: float, kept: float) -> None:
    """A page left open over night, and a clock that ran backwards, give no figure of such a kind."""
    found = _logs()
    found.labels().say("ada", labelled(found.items[0], "pass", seconds=told), AT)
    assert [answer.seconds for answer in found.answers] == [kept]


def test_undo_takes_the_label_back() -> None:
    """After an undo the item waits again, and nothing is left to take back."""
    found = _logs()
    queue = found.labels()
    first = queue.next_for("ada", AT)
    assert first
    of = next(one for one in found.items if task(one).key == first)
    queue.say("ada", labelled(of, "tie" if of.question == "pairwise" else "fail"), AT)
    assert queue.next_for("ada", AT) != first
    assert queue.undo("ada", AT) == first
    assert queue.next_for("ada", AT) == first
    with pytest.raises(RefusedError, match="nothing to take back"):
        queue.undo("ada", AT)


def test_only_what_lacks_labels_is_shown() -> None:
    """Items with all their labels on file are left out, and what somebody labelled elsewhere is not shown to them."""
    items = labelled_items()
    full, half = task(items[0]).key, task(items[1]).key
    found = pile([*map(task, items)], 2, {full: {"ada": "pass", "ben": "pass"}, half: {"ada": "fail"}}, [])
    assert full not in found.tasks
    assert found.by(half) == {"ada": "fail"}


def test_a_split_item_gets_a_third_blind_label() -> None:
    """Where two annotators disagree one more person labels the item, as blind as they did, and then it is complete."""
    found = _logs()
    queue, one = found.labels(), found.items[0]
    queue.say("ada", labelled(one, "pass", "ada"), AT)
    queue.say("ben", labelled(one, "fail", "ben"), AT)
    assert not queue.pile().is_complete(task(one).key)
    queue.say("cem", labelled(one, "fail", "cem"), AT)
    assert queue.pile().is_complete(task(one).key)
    with pytest.raises(RefusedError, match="has all its annotators"):
        queue.say("eve", labelled(one, "pass", "eve"), AT)
    key = task(one).key
    split = {key: {"ada": "pass", "ben": "fail"}}
    assert key in pile([task(one)], 2, split, []).tasks
    assert key not in pile([task(one)], 2, {key: split[key] | {"cem": "fail"}}, []).tasks


def test_tasks_stand_judge_by_judge_in_an_order_that_says_nothing() -> None:
    """By the judge's name, then by a hash of the item; not as the items come, and tomorrow as today."""
    items = [item(number, "Yes.") for number in range(9)]
    pairs = [item(number, "x", "pairwise", "y") for number in range(9)]
    found = list(pile([*map(task, pairs), *map(task, items)], 2, {}, []).tasks)
    assert [key.split("/")[0] for key in found] == ["correctness"] * 9 + ["preference"] * 9
    assert found == list(pile([*map(task, items[::-1]), *map(task, pairs)], 2, {}, []).tasks)
    assert "".join(key[-1] for key in found) == "346051827485071236"


def test_one_judge_s_items_are_labelled_by_themselves() -> None:
    """Narrowed to a judge, its items alone are shown, counted and left; behind an item comes the next of them."""
    found = Logs([candidate(1)], items=[item(1, "Yes."), item(2, "x", "pairwise", "y"), item(3, "No.")])
    queue = found.labels()
    keys = [key for key in queue.pile().tasks if key.startswith("correctness/")]
    assert [queue.left_for("ada", AT, judge) for judge in ("", "correctness", "preference", "none")] == [3, 2, 1, 0]
    assert [queue.next_for("ada", AT, judge="correctness", after=key) for key in keys] == keys[::-1]
    assert queue.next_for("ada", AT, judge="none") is None


def test_what_was_handed_over_stays() -> None:
    """A label on file is neither given again at the desk nor taken back there."""
    items = [item(1, "Yes."), item(2, "No.")]
    keys = [task(one).key for one in items]
    logs = Logs([candidate(1)], items=items)
    queue = logs.labels()
    queue.say("ada", labelled(items[0], "pass"), AT)
    queue.pile().on_file[keys[0]] = {"ada": "pass"}
    with pytest.raises(RefusedError, match="handed over already"):
        queue.undo("ada", AT)
    with pytest.raises(RefusedError, match="not to be labelled by you"):
        queue.say("ada", labelled(items[0], "fail"), AT)
    assert len(logs.answers) == 1


def test_an_answer_holds_what_was_seen_and_said() -> None:
    """Item, outcome, marks, note, moment and judge are on file; an undo keeps none of the marks and words."""
    logs = _logs()
    queue, one = logs.labels(), logs.items[0]
    span = Span(start=0, end=len(one.response_a))
    given = queue.say("ada", labelled(one, "fail", spans=[span], note="Rude.", seconds=3.0), AT)
    assert (given.item_id, given.annotator, given.outcome, given.spans, given.note) == (
        *(one.item_id, "ada", "fail", [span], "Rude."),
    )
    assert (given.answered_at, given.seconds, given.judge, given.label) == (AT, 3.0, task(one).judge.name, "")
    later = AT + HELD_FOR
    queue.undo("ada", later)
    gone = logs.answers[-1]
    assert (gone.outcome, gone.spans, gone.note, gone.seconds, gone.answered_at) == ("withdraw", [], "", 0.0, later)


def test_an_annotator_may_change_the_own_label() -> None:
    """The own label is not among the others that an item has already: a second word replaces the first."""
    found = _logs()
    queue, one = found.labels(), found.items[0]
    for name in ("ada", "ben"):
        queue.say(name, labelled(one, "pass", name), AT)
    queue.say("ada", labelled(one, "fail", "ada"), AT)
    assert queue.pile().by(task(one).key) == {"ben": "pass", "ada": "fail"}


@pytest.mark.parametrize(
    ("choices", "outcome"), [(("right", "left"), "a"), (("left", "right"), "b"), (("tie", "tie"), "tie")]
)
def test_each_side_is_the_item_s_own(choices: tuple[str, str], outcome: str) -> None:
    """Where B was shown on the left, left is B and right is A; else the other way round; a tie is one either way."""
    pairs = [item(number, "x", "pairwise", "y") for number in range(20)]
    found = Logs(_logs().candidates, items=pairs)
    queue = found.labels()
    for one in pairs:
        queue.say("ada", labelled(one, choices[0] if is_swapped(one, "ada") else choices[1]), AT)
    assert {(answer.is_swapped, answer.outcome) for answer in found.answers} == {(True, outcome), (False, outcome)}
