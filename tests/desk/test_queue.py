"""The queue of candidates: who is shown what, and which words are taken."""

import threading
from datetime import timedelta

import pytest

from assay.desk.candidate_queue import RefusedError, round_from, sitting
from assay.desk.log_cache import Live
from assay.desk.narrowing import Narrowing
from assay.evalset.admission import standings
from tests.cast import AT, case
from tests.desks import Logs, candidate, person, said

ONE, TWO, THREE = (candidate(number) for number in (1, 2, 3))
LATE = AT + timedelta(days=15)


def test_nobody_decides_after_the_end() -> None:
    """At the deadline the queue is empty, and a word or an undo is refused."""
    logs = Logs([ONE])
    queue = logs.queue()
    queue.say(person("ada"), said(ONE), AT)
    assert queue.next_for("ben", LATE) is None
    for late in (lambda: queue.say(person("ben"), said(ONE), LATE), lambda: queue.undo(person("ada"), LATE)):
        with pytest.raises(RefusedError, match="This batch has ended"):
            late()
    assert len(logs.decisions) == 1


def test_a_word_is_about_what_was_on_the_screen() -> None:
    """A word on another revision, or on an item of no open batch, is refused and leaves no row."""
    logs = Logs([ONE])
    with pytest.raises(RefusedError, match="has changed since it was shown"):
        logs.queue().say(person("ada"), said(ONE, revision="0" * 16), AT)
    with pytest.raises(RefusedError, match="not in the open batch"):
        logs.queue().say(person("ada"), said(candidate(9)), AT)
    assert logs.decisions == []


def test_an_item_gets_as_many_reviewers_as_it_needs() -> None:
    """The third word on an item for two is refused by the server; a reviewer may change the own one."""
    queue = Logs([ONE]).queue()
    for name in ("ada", "ben"):
        queue.say(person(name), said(ONE), AT)
    with pytest.raises(RefusedError, match="has all its reviewers"):
        queue.say(person("cem"), said(ONE), AT)
    queue.say(person("ada"), said(ONE, "reject"), AT)
    assert queue.sitting().standings[ONE.candidate_id].state == "disputed"


def test_many_at_once_are_still_two() -> None:
    """Of twelve threads that decide on one item at the same moment two are taken."""
    logs = Logs([ONE])
    queue, taken = logs.queue(), []

    def decide() -> None:
        try:
            taken.append(
                queue.say(person("ada").model_copy(update={"name": threading.current_thread().name}), said(ONE), AT)
            )
        except RefusedError:
            return

    threads = [threading.Thread(target=decide, name=f"r{number}") for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == len(logs.decisions) == 2


def test_what_somebody_looks_at_is_kept_for_them() -> None:
    """An item for one reviewer is shown to one person at a time, and to the next one ten minutes later."""
    queue = Logs([ONE, TWO], reviewers=1).queue()
    assert queue.next_for("ada", AT) == ONE.candidate_id
    assert queue.next_for("ben", AT) == TWO.candidate_id
    assert queue.next_for("cem", AT) is None
    assert queue.next_for("cem", AT + timedelta(minutes=9, seconds=59)) is None
    assert queue.next_for("cem", AT + timedelta(minutes=10)) == ONE.candidate_id


def test_what_is_put_off_comes_last() -> None:
    """An item that was put off is shown after the others, and again once it is the only one."""
    queue = Logs([ONE, TWO]).queue()
    queue.put_off("ada", ONE.candidate_id)
    assert queue.put_off_by("ada") == 1
    assert queue.next_for("ada", AT) == TWO.candidate_id
    queue.say(person("ada"), said(TWO), AT)
    assert queue.next_for("ada", AT) == ONE.candidate_id
    queue.say(person("ada"), said(ONE), AT)
    assert (queue.next_for("ada", AT), queue.put_off_by("ada"), len(queue.open_for("ben", AT))) == (None, 0, 2)


def test_the_next_item_is_the_one_behind() -> None:
    """Behind each item comes the one after it, behind the last the first, behind a stranger the first; each once."""
    assert round_from(["a", "b", "c"], "a") == ["b", "c", "a"]
    queue = Logs([ONE, TWO, THREE]).queue()
    names = [one.candidate_id for one in (ONE, TWO, THREE)]
    assert [queue.next_for("ada", AT, after=name) for name in (*names, "gone")] == [*names[1:], names[0], names[0]]


def test_a_category_is_worked_through_by_itself() -> None:
    """Narrowed to a category, only its items are shown."""
    other = candidate(4, "escalation")
    queue = Logs([ONE, other, TWO]).queue()
    assert queue.next_for("ada", AT, only=Narrowing(category="escalation")) == other.candidate_id
    assert queue.next_for("ada", AT, only=Narrowing(category="refunds"), after=ONE.candidate_id) == TWO.candidate_id
    assert queue.next_for("ada", AT, only=Narrowing(category="none")) is None


def test_undo_takes_back_the_last_word_first() -> None:
    """Each undo takes back the latest standing word of that person, and nobody else's."""
    logs = Logs([ONE, TWO])
    queue = logs.queue()
    for of in (ONE, TWO):
        queue.say(person("ada"), said(of), AT)
    queue.say(person("ben"), said(ONE), AT)
    assert [queue.undo(person("ada"), AT) for _ in range(2)] == [TWO.candidate_id, ONE.candidate_id]
    with pytest.raises(RefusedError, match="nothing to take back"):
        queue.undo(person("ada"), AT)
    assert [row.decision for row in logs.decisions] == ["admit"] * 3 + ["withdraw"] * 2
    assert len(queue.sitting().standings[ONE.candidate_id].words) == 1


def test_a_dispute_is_settled_by_somebody_who_did_not_review_it() -> None:
    """An adjudicator has the last word on what others disagree about, and on nothing that they reviewed themselves."""
    queue = Logs([ONE, TWO]).queue()
    queue.say(person("ada"), said(ONE), AT)
    queue.say(person("ben"), said(ONE, "reject", reason="duplicate"), AT)
    queue.say(person("ada"), said(TWO), AT)
    queue.say(person("eve"), said(TWO, "reject", reason="unclear"), AT)
    assert [queue.next_dispute(person(name)) for name in ("ada", "cem", "eve")] == [None, None, ONE.candidate_id]
    settled = queue.say(person("eve"), said(ONE), AT)
    assert (settled.role, settled.case) == ("adjudicator", ONE.case)
    assert queue.sitting().standings[ONE.candidate_id].state == "decided"
    assert queue.sitting().standings[TWO.candidate_id].state == "disputed"
    assert (queue.next_dispute(person("eve")), queue.may_settle(person("eve"), TWO.candidate_id)) == (None, False)
    for again in (lambda: queue.say(person("ada"), said(ONE), AT), lambda: _undo_twice(queue)):
        with pytest.raises(RefusedError, match="An adjudicator has settled this item"):
            again()
    assert queue.undo(person("eve"), AT) == ONE.candidate_id
    assert queue.next_dispute(person("eve"), after=TWO.candidate_id) == ONE.candidate_id


def _undo_twice(queue: object) -> None:
    """Take back ada's last word, which is on the second item, and then the one on the settled item."""
    queue.undo(person("ada"), AT)  # type: ignore[attr-defined]
    queue.undo(person("ada"), AT)  # type: ignore[attr-defined]


def test_what_others_write_meanwhile_counts() -> None:
    """Words that another program appended are seen at the next look, and a word that no longer fits is refused."""
    logs = Logs([ONE])
    queue, other = logs.queue(), logs.queue()
    queue.sitting()
    for name in ("ben", "cem"):
        other.say(person(name), said(ONE), AT)
    with pytest.raises(RefusedError, match="has all its reviewers"):
        queue.say(person("ada"), said(ONE), AT)
    assert len(logs.decisions) == 2


def test_the_own_words_need_no_reading() -> None:
    """A desk alone with its logs reads them once, however many words it takes."""
    logs = Logs([candidate(number) for number in range(20)])
    queue = logs.queue()
    for of in logs.candidates:
        queue.say(person("ada"), said(of), AT)
    assert logs.reads == 1


def test_the_desk_and_the_fold_agree() -> None:
    """What the queue says of each item after any words is what admission makes of the log."""
    logs = Logs([ONE, TWO, THREE])
    queue = logs.queue()
    better = case(2, reference="Only within 14 days.")
    queue.say(person("ada"), said(ONE), AT)
    queue.say(person("ben"), said(ONE, "reject"), AT)
    queue.say(person("ada"), said(TWO, "edit", case=better), AT)
    queue.say(person("ben"), said(TWO, "edit", case=better), AT)
    queue.say(person("cem"), said(THREE), AT)
    queue.undo(person("cem"), AT)
    queue.say(person("eve"), said(ONE, "reject"), AT)
    assert logs.batch
    assert queue.sitting().standings == standings(logs.batch, logs.decisions)
    assert queue.sitting().standings[TWO.candidate_id].case == better


def test_a_time_that_nobody_read_is_cut() -> None:
    """A page left open over night, and a clock that ran backwards, give no figure of such a kind."""
    logs = Logs([ONE, TWO])
    queue = logs.queue()
    assert queue.say(person("ada"), said(ONE, seconds=1e9), AT).seconds == 3600
    assert queue.say(person("ada"), said(TWO, seconds=-5.0), AT).seconds == 0
    assert queue.say(person("ben"), said(TWO, seconds=12.346), AT).seconds == 12.35


def test_what_was_put_off_first_comes_first() -> None:
    """Once nothing else is left, items come in the order in which they were put off last."""
    queue = Logs([ONE, TWO, THREE]).queue()
    for one in (TWO, THREE, ONE):
        queue.put_off("ada", one.candidate_id)
    assert queue.next_for("ada", AT) == TWO.candidate_id
    queue.put_off("ada", TWO.candidate_id)
    assert (queue.next_for("ada", AT), queue.put_off_by("ada")) == (THREE.candidate_id, 3)


def test_what_is_put_off_is_kept_too() -> None:
    """An item that comes again after it was put off is held like any other one: nobody else is led to it."""
    queue = Logs([ONE], reviewers=1).queue()
    queue.put_off("ada", ONE.candidate_id)
    assert queue.next_for("ada", AT) == ONE.candidate_id
    assert queue.next_for("ben", AT) is None


def test_a_changed_word_is_the_last_one() -> None:
    """Whoever changes an earlier word takes that one back first, and has one word on the item."""
    queue = Logs([ONE, TWO]).queue()
    for of, word in ((ONE, "admit"), (TWO, "admit"), (ONE, "reject")):
        queue.say(person("ada"), said(of, word), AT)
    words = queue.sitting().all_of("ada")
    assert [(word.candidate_id, word.decision) for word in words] == [
        *((TWO.candidate_id, "admit"), (ONE.candidate_id, "reject")),
    ]
    assert [queue.undo(person("ada"), AT) for _ in range(2)] == [ONE.candidate_id, TWO.candidate_id]


def test_words_of_other_batches_count_for_nothing() -> None:
    """The log holds every batch's words: those of another one, or on what was shown otherwise, open no item here."""
    logs = Logs([ONE, TWO])
    queue = logs.queue()
    mine = queue.say(person("ada"), said(ONE), AT)
    others = [mine.model_copy(update={"batch": "batch-other"}), mine.model_copy(update={"digest": "0" * 16})]
    read = sitting(logs.batch, logs.candidates, others)
    assert (read.mine, [one.state for one in read.standings.values()]) == ({}, ["open", "open"])
    assert sitting(None, [], [mine]).mine == {}


def test_a_word_is_made_again_where_the_log_moved() -> None:
    """Where somebody else wrote meanwhile the row is made anew of what the log comes to by then, until it is signed."""
    log = [1]
    tried: list[tuple[int, int]] = []

    def sign(row: int, seen: int) -> tuple[int, int] | None:
        tried.append((row, seen))
        if len(tried) < 3:
            log.append(10)
            return None
        log.append(row)
        return row, len(log)

    live: Live[list[int], int] = Live(lambda: (list(log), len(log)), lambda: len(log), sign, list.append)
    assert live.write(sum) == 21
    assert tried == [(1, 1), (11, 2), (21, 3)]
    assert live.state() == log == [1, 10, 10, 21]
