"""Admission: the evaluation set is the fold of the two logs, and nothing else gets in."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from assay.errors import DataError
from assay.evalset.admission import (
    BatchEvent,
    Outcome,
    batch_name,
    batches,
    is_done,
    is_reason,
    outcome,
    standings,
)
from assay.records.candidate import Candidate
from assay.records.case import Case
from assay.records.decision import Decision
from tests.cast import AT, case, decision

LATER = AT + timedelta(days=14)


def candidate(number: int, **changes: Any) -> Candidate:
    """Return a proposed case of the cast."""
    of = case(number, **changes)
    return Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0)


SHOWN = [candidate(number) for number in (1, 2, 3)]
BATCH = batch_name(SHOWN)


def event(word: str, at: datetime = AT, **changes: Any) -> BatchEvent:
    """Return something that happened to the batch of three."""
    fields: dict[str, Any] = {"batch": BATCH, "event": word, "who": "ada", "at": at, "note": "", "deadline": None}
    if word == "open":
        shown = {one.candidate_id: one.digest() for one in SHOWN}
        fields |= {"deadline": LATER, "reviewers": 2, "candidates": shown}
    return BatchEvent.model_validate(fields | changes)


def said(number: int, word: str, reviewer: str, **changes: Any) -> Decision:
    """Return a word on a candidate of the batch."""
    return decision(case(number), word, reviewer=reviewer, batch=BATCH, **changes)


def folded(log: list[Decision], *events: BatchEvent) -> Outcome:
    """Return what a log comes to after the batch was opened and these events."""
    return outcome(log, [event("open"), *events], {BATCH: SHOWN})


AGREED = [said(1, "admit", "ada"), said(1, "admit", "ben"), said(2, "reject", "ada"), said(2, "reject", "ben")]


@pytest.mark.parametrize(("word", "kept"), [("reject", case(1)), ("admit", None), ("edit", None), ("retire", case(1))])
def test_a_word_fits_its_case(word: str, kept: Case | None) -> None:
    """An admission carries a case, any other word none."""
    with pytest.raises(DataError, match="do not fit"):
        outcome([decision(case(1), word, case=kept)], [], {})


@pytest.mark.parametrize("batch", ["", BATCH])
def test_admits_only_what_was_shown(batch: str) -> None:
    """A case that differs from what the reviewer saw is refused by row and candidate."""
    swapped = decision(case(1), batch=batch).model_copy(update={"case": case(1, turns=["Something else."])})
    with pytest.raises(DataError, match=r"row 2 \(refunds-001\): the case is not the one that was shown"):
        folded([decision(case(4)), swapped])


@pytest.mark.parametrize("word", ["admit", "edit", "reject"])
def test_a_word_on_what_was_never_opened_is_refused(word: str) -> None:
    """A word in a batch is about a candidate that was opened there, with the content that it had then."""
    other = case(1, turns=["Never shown."])
    for stranger in (decision(other, word, batch=BATCH), decision(case(9), word, batch=BATCH)):
        with pytest.raises(DataError, match="was not opened in batch-"):
            folded([stranger], event("close"))
    with pytest.raises(DataError, match="was not opened in elsewhere"):
        folded([decision(case(1), word, batch="elsewhere")])


def test_nothing_is_admitted_before_the_batch_is_closed() -> None:
    """While a batch is open, and after it was abandoned, its words admit and reject nothing."""
    for events in ([], [event("abandon")]):
        found = folded(AGREED, *events)
        assert (found.cases, found.past, found.ended) == ([], [], len(events))


def test_a_closed_batch_admits_what_its_reviewers_agreed_on() -> None:
    """Two reviewers of one mind admit or reject; what lacks a second word is neither in the set nor past."""
    found = folded([*AGREED, said(3, "admit", "ada")], event("close"))
    assert [one.case_id for one in found.cases] == ["refunds-001"]
    assert [(one.candidate_id, one.why, one.case) for one in found.past] == [("refunds-002", "rejected", case(2))]


def test_both_tables_are_in_the_order_of_their_names() -> None:
    """Whichever was decided first, cases and what is past stand by their ids, so that equal logs give equal files."""
    words = [said(number, "reject", who) for number in (3, 1) for who in ("ada", "ben")]
    assert [one.candidate_id for one in folded(words, event("close")).past] == ["refunds-001", "refunds-003"]
    words = [said(number, "admit", who) for number in (3, 1, 2) for who in ("ada", "ben")]
    assert [one.case_id for one in folded(words, event("close")).cases] == ["refunds-001", "refunds-002", "refunds-003"]


def test_one_person_is_one_reviewer() -> None:
    """The same person's second word replaces the first and never counts as another's."""
    words = standings(batches([event("open")])[BATCH], [said(1, "reject", "ada"), said(1, "admit", "ada")])
    assert words["refunds-001"].state == "open"
    assert [word.decision for word in words["refunds-001"].words] == ["admit"]


def test_an_undo_takes_the_word_back() -> None:
    """After a withdrawal the item waits for that reviewer again."""
    log = [said(1, "admit", "ada"), said(1, "admit", "ben"), said(1, "withdraw", "ben", case=None)]
    assert standings(batches([event("open")])[BATCH], log)["refunds-001"].state == "open"
    assert folded(log, event("close")).cases == []


@pytest.mark.parametrize(
    "second", [said(1, "reject", "ben"), said(1, "edit", "ben", case=case(1, reference="Only within 14 days."))]
)
def test_reviewers_who_disagree_need_a_third(second: Decision) -> None:
    """Admit against reject, and two different cases, are disputes: nothing enters until an adjudicator has spoken."""
    log = [said(1, "admit", "ada"), second]
    assert standings(batches([event("open")])[BATCH], log)["refunds-001"].state == "disputed"
    assert folded(log, event("close")).cases == []
    third = [*log, said(1, "admit", "eve", role="adjudicator")]
    assert folded(third, event("close")).cases == [case(1)]


def test_equal_edits_agree() -> None:
    """Two reviewers who make the same case of a candidate are of one mind, and that case is admitted."""
    better = case(1, reference="Only within 14 days.")
    log = [said(1, "edit", who, case=better) for who in ("ada", "ben")]
    assert folded(log, event("close")).cases == [better]


def test_a_rule_is_met_by_enough_decided_items() -> None:
    """With a quorum of two thirds, two decided items of three are enough, and one is not."""
    batch = batches([event("open", quorum=2 / 3)])[BATCH]
    assert is_done(batch, standings(batch, AGREED))
    assert not is_done(batch, standings(batch, AGREED[:2]))


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([event("close")], "row 1 .*found `close`, expected an open batch"),
        ([event("open"), event("open")], "row 2 .*expected a batch that is not open"),
        ([event("open"), event("close"), event("extend")], "row 3 .*expected an open batch"),
        ([event("open", deadline=None)], "expected a deadline"),
        ([event("open", candidates={})], "expected a deadline and candidates"),
    ],
)
def test_a_log_of_batches_makes_sense(events: list[BatchEvent], sentence: str) -> None:
    """An event that cannot have happened is refused by row."""
    with pytest.raises(DataError, match=sentence):
        batches(events)


@pytest.mark.parametrize("fields", [{"reviewers": 0}, {"quorum": 0}, {"quorum": 1.1}, {"who": ""}, {"event": "stop"}])
def test_an_event_that_says_nothing_sound_is_none(fields: dict[str, Any]) -> None:
    """A batch for nobody, of no item or of more than all, and an event of nobody are no rows of the log."""
    with pytest.raises(ValidationError):
        event("open", **fields)
    assert event("open", who="x").who == "x"


def test_a_batch_asks_one_reviewer_for_every_item_unless_it_says_otherwise() -> None:
    """What an opening does not say: one person decides on each, and all of them have to be decided."""
    opening = {"batch": BATCH, "event": "open", "who": "ada", "at": AT, "note": "", "deadline": LATER}
    bare = BatchEvent.model_validate(opening | {"candidates": {"refunds-001": "x"}})
    (batch,) = batches([bare]).values()
    assert (batch.reviewers, batch.quorum, batch.run, batch.state, batch.why) == (1, 1.0, "", "open", "")
    kept = [batches([event("open", run="run-1"), event(word, note="why")])[BATCH] for word in ("close", "abandon")]
    assert [(one.state, one.why, one.run) for one in kept] == [("close", "why", "run-1"), ("abandon", "why", "run-1")]


@pytest.mark.parametrize(
    ("reason", "note", "is_one"),
    [
        *(("duplicate", "", True), ("unclear", "why", True), ("other", "why", True)),
        *(("other", "", False), ("", "why", False), ("because", "why", False)),
    ],
)
def test_a_rejection_says_why(reason: str, note: str, *, is_one: bool) -> None:
    """One of the reasons, and for any other one a note."""
    assert is_reason(reason, note) == is_one


def test_an_extension_moves_the_deadline() -> None:
    """A batch is over at its deadline, and no longer after somebody extended it."""
    assert batches([event("open")])[BATCH].is_over(LATER)
    longer = batches([event("open"), event("extend", deadline=LATER + timedelta(days=1))])[BATCH]
    assert not longer.is_over(LATER)
    assert batches([event("open"), event("abandon", note="wrong prompt")])[BATCH].why == "wrong prompt"


def test_outside_of_a_batch_the_last_word_holds() -> None:
    """Of several words on one candidate the last one counts, and it outranks a batch of before."""
    log = [decision(case(4)), decision(case(5)), decision(case(4), "reject")]
    assert [one.case_id for one in outcome(log, [], {}).cases] == ["refunds-005"]
    assert [one.case_id for one in outcome([*log, decision(case(4))], [], {}).cases] == ["refunds-004", "refunds-005"]
    assert folded([*AGREED, decision(case(1), "reject")], event("close")).cases == []


def test_what_is_wanted_again_is_not_past_any_more() -> None:
    """A case that was rejected or retired and then admitted is in the set, and may be proposed as any other one."""
    rejected = [decision(case(4)), decision(case(4), "reject")]
    retired = [decision(case(4)), decision(case(4), "retire", case=None)]
    for log, why in ((rejected, "rejected"), (retired, "retired")):
        assert [one.why for one in outcome(log, [], {}).past] == [why]
        again = outcome([*log, decision(case(4))], [], {})
        assert ([one.case_id for one in again.cases], again.past) == (["refunds-004"], [])
    withdrawn = outcome([*rejected, decision(case(4), "withdraw", case=None)], [], {})
    assert (withdrawn.cases, withdrawn.past) == ([], [])


def test_a_case_is_retired_as_it_stands() -> None:
    """A retirement takes exactly the admitted case out, keeps it as past, and fits nothing else."""
    found = outcome([decision(case(4)), decision(case(4), "retire", case=None)], [], {})
    assert (found.cases, [(one.why, one.case) for one in found.past]) == ([], [("retired", case(4))])
    changed = case(4, reference="Another.")
    for log in ([decision(changed, "retire", case=None)], [decision(case(4)), decision(changed, "retire", case=None)]):
        with pytest.raises(DataError, match="is to be retired, expected an admitted case as it stands"):
            outcome(log, [], {})


def test_one_id_is_admitted_once() -> None:
    """Two candidates that claim one case id are refused."""
    with pytest.raises(DataError, match="refunds-001 admitted more than once"):
        outcome([decision(case(1)), decision(case(1), candidate_id="another")], [], {})


def test_a_batch_is_named_by_its_content() -> None:
    """Another word in one candidate is another batch."""
    assert batch_name(SHOWN) == batch_name(list(SHOWN)) != batch_name([*SHOWN[:2], candidate(3, turns=["Other."])])


def test_the_last_adjudicator_s_word_holds() -> None:
    """Of two adjudicators the one who spoke last decides, whatever the first one and the reviewers said."""
    log = [said(1, "admit", "ada"), said(1, "reject", "ben")]
    log += [said(1, "reject", "eve", role="adjudicator"), said(1, "admit", "dan", role="adjudicator")]
    found = standings(batches([event("open")])[BATCH], log)["refunds-001"]
    assert (found.state, found.case) == ("decided", case(1))
    turned = standings(batches([event("open")])[BATCH], [*log[:2], log[3], log[2]])["refunds-001"]
    assert (turned.state, turned.case) == ("decided", None)
