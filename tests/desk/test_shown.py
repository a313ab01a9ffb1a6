"""What the desk's pages are given to show: places, counts and lists, before any template."""

from dataclasses import replace
from datetime import timedelta

import pytest

from assay.checks import registry
from assay.desk import pages
from assay.desk.label_queue import Labelled, asked
from assay.desk.narrowing import Narrowing
from tests.cast import AT, case, item
from tests.desks import Logs, candidate, guide, person, proposal, said

FOUR = [candidate(1), candidate(2, "escalation"), candidate(3), candidate(4)]


@pytest.mark.parametrize(
    ("number", "category", "place"),
    [
        (1, "", (1, 4, "refunds-004", "escalation-002")),
        (4, "", (4, 4, "refunds-003", "refunds-001")),
        (1, "refunds", (1, 3, "refunds-004", "refunds-003")),
        (3, "refunds", (2, 3, "refunds-001", "refunds-004")),
        (2, "escalation", (1, 1, "escalation-002", "escalation-002")),
        (2, "refunds", (0, 3, "", "")),
    ],
)
def test_a_candidate_s_place_is_among_its_category(number: int, category: str, place: tuple[object, ...]) -> None:
    """Its number, how many there are, and the ones before and after, in a ring; of all where no category is chosen."""
    one = FOUR[number - 1]
    found = pages.candidate(person("ada"), Logs(FOUR).queue(), one, guide(), Narrowing(category=category))
    assert (found["number"], found["total"], found["before"], found["after"]) == place


def test_only_decided_ones_of_the_category_are_counted() -> None:
    """Of two decided candidates one is of the category that is looked at."""
    queue = Logs(FOUR).queue()
    for one in FOUR[:2]:
        queue.say(person("ada"), said(one), AT)
    done = {
        name: pages.candidate(person("ada"), queue, FOUR[0], guide(), Narrowing(category=name))["done"]
        for name in ("", "refunds")
    }
    assert done == {"": 2, "refunds": 1}
    assert pages.candidate(person("ben"), queue, FOUR[0], guide())["done"] == 0


def test_every_check_and_its_opposite_can_be_chosen() -> None:
    """The form of a candidate lists them by the alphabet, and the categories too."""
    found = pages.form(FOUR[0], guide(), {})
    assert found["checks"] == sorted({*registry.KINDS, *(f"not-{kind}" for kind in registry.KINDS)})
    assert found["categories"] == sorted(guide().taxonomy)


def test_a_batch_is_over_at_its_deadline() -> None:
    """Before the deadline it is open, and where there is no batch nothing is over."""
    logs = Logs(FOUR)
    assert logs.batch
    late = logs.batch.deadline + timedelta(seconds=1)
    shown = {at: pages.start(person("ada"), logs.queue(), logs.labels(), at)["is_over"] for at in (AT, late)}
    assert shown == {AT: False, late: True}
    logs.batch = None
    assert pages.start(person("ada"), logs.queue(), logs.labels(), late)["is_over"] is False


def test_the_first_page_counts() -> None:
    """Items by state, the person's own, what is open for them, what they may settle, and what they put off."""
    logs = Logs(FOUR, items=[item(number, "Yes.") for number in range(5)])
    queue, labels = logs.queue(), logs.labels(1)
    for name, word, seconds in (("ada", "admit", 2.0), ("ben", "reject", 9.0)):
        queue.say(person(name), said(FOUR[0], word, seconds=seconds), AT)
        queue.say(person(name), said(FOUR[1], seconds=4.0), AT)
    queue.put_off("ada", FOUR[3].candidate_id)
    assert labels.next_for("ben", AT)
    found = {name: pages.start(person(name), queue, labels, AT) for name in ("ada", "eve")}
    assert found["ada"]["counts"] == {"open": 2, "disputed": 1, "decided": 1}
    assert {
        name: (of["total"], of["mine"], of["open_for_me"], of["to_settle"], of["put_off"], of["seconds"])
        for name, of in found.items()
    } == {"ada": (4, 2, 2, 0, 1, 3.0), "eve": (4, 0, 2, 1, 0, None)}
    assert [(of["labels_total"], of["labels_left"], of["labels_with_others"]) for of in found.values()] == [
        (5, 4, 1)
    ] * 2
    assert found["ada"]["categories"] == [
        {"category": "escalation", "total": 1, "open": 0, "disputed": 0, "decided": 1},
        {"category": "refunds", "total": 3, "open": 2, "disputed": 1, "decided": 0},
    ]
    assert found["ada"]["labels_by_judge"] == [{"judge": "correctness", "total": 5, "ready": 0, "left": 4}]
    assert found["ada"]["agreement"].startswith("1 of 2 items with several words alike, Krippendorff's alpha")


def test_labels_that_are_ready_are_counted() -> None:
    """An item with all its labels is ready, in all and for its judge."""
    logs = Logs(FOUR, items=[item(number, "Yes.") for number in range(3)])
    labels = logs.labels(1)
    for _ in range(2):
        key = labels.next_for("ada", AT)
        assert key
        of = labels.pile().tasks[key]
        labels.say("ada", Labelled(task=key, asked=asked(of, "ada"), choice="pass", spans=[], note="", seconds=1), AT)
    found = pages.start(person("ada"), logs.queue(), labels, AT)
    assert (found["labels_ready"], found["labels_total"], found["labels_left"]) == (2, 3, 1)
    assert found["labels_by_judge"] == [{"judge": "correctness", "total": 3, "ready": 2, "left": 1}]


@pytest.mark.parametrize(
    ("words", "said_of"),
    [
        ([], ""),
        ([("ada", "admit")], ""),
        ([("ada", "admit"), ("ben", "admit")], "1 of 1 items with several words alike; alpha needs both"),
        ([("ada", "admit"), ("ben", "reject")], "0 of 1 items with several words alike, Krippendorff's alpha 0.00"),
    ],
)
def test_agreement_needs_two_reviewers(words: list[tuple[str, str]], said_of: str) -> None:
    """Items with two reviewers' words count, an adjudicator's does not; one and the same word has no alpha."""
    queue = Logs(FOUR).queue()
    for name, word in words:
        queue.say(person(name), said(FOUR[0], word), AT)
    if len({word for _, word in words}) > 1:
        queue.say(person("eve"), said(FOUR[0]), AT)
    found = pages.agreement(queue.sitting())
    assert found.startswith(said_of)
    assert bool(found) == bool(said_of)


def test_who_settles_a_dispute_is_not_counted_among_those_who_agree() -> None:
    """Two items alike and one not, which a third person settled: two of three, and alpha is the reviewers' own."""
    queue = Logs(FOUR).queue()
    for one, words in zip(FOUR, (("admit", "admit"), ("reject", "reject"), ("admit", "reject")), strict=False):
        for name, word in zip(("ada", "ben"), words, strict=True):
            queue.say(person(name), said(one, word), AT)
    before = pages.agreement(queue.sitting())
    queue.say(person("eve"), said(FOUR[2]), AT)
    assert pages.agreement(queue.sitting()) == before
    assert before == "2 of 3 items with several words alike, Krippendorff's alpha 0.44"


def test_a_share_is_of_the_last_twenty_words() -> None:
    """Of 25 words the last twenty count; what was edited was admitted."""
    many = [candidate(number) for number in range(25)]
    queue = Logs(many).queue()
    assert pages.candidate(person("ada"), queue, many[0], guide())["share"] == ""
    for number, one in enumerate(many):
        word = "reject" if number < 10 else "edit" if number == 24 else "admit"
        queue.say(person("ada"), said(one, word, case=one.case if word == "edit" else None), AT)
    assert pages.candidate(person("ada"), queue, many[0], guide())["share"] == "15 of your last 20 admitted"


def test_who_settles_sees_words_in_their_order_and_nobody_else_does() -> None:
    """The words of a dispute come by time, without names; an edit with what it changes, and nothing beside it."""
    queue, one = Logs(FOUR).queue(), FOUR[0]
    better = one.case.model_copy(update={"reference": "Only within 14 days."})
    queue.say(person("ben"), said(one, "edit", case=better), AT + timedelta(minutes=1))
    queue.say(person("ada"), said(one, "reject", reason="unclear"), AT)
    words = pages.candidate(person("eve"), queue, one, guide())["words"]
    assert [(row["word"], row["reason"]) for row in words] == [("reject", "unclear"), ("edit", "")]
    assert [bool(row["difference"]) for row in words] == [False, True]
    assert pages.candidate(person("cem"), queue, one, guide())["words"] == []


def test_an_admission_as_it_is_differs_in_nothing() -> None:
    """Only an edit has a difference to show; an admission beside it is the case as it was proposed."""
    queue, one = Logs(FOUR).queue(), FOUR[0]
    better = one.case.model_copy(update={"reference": "Only within 14 days."})
    queue.say(person("ada"), said(one), AT)
    queue.say(person("ben"), said(one, "edit", case=better), AT)
    words = pages.candidate(person("eve"), queue, one, guide())["words"]
    assert [(row["word"], bool(row["difference"])) for row in words] == [("admit", False), ("edit", True)]


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({}, [("refunds-100", "Nearest case", 0.91)]),
        ({"may_repeat": "refunds-100"}, [("refunds-100", "May repeat", 0.91)]),
        ({"nearest": "", "may_repeat": "refunds-100"}, [("refunds-100", "May repeat", None)]),
        ({"nearest": "gone"}, []),
        ({"nearest": ""}, []),
    ],
)
def test_a_candidate_s_neighbours_are_admitted_cases(
    changes: dict[str, str], kinds: list[tuple[str, str, float | None]]
) -> None:
    """What it may repeat, and the nearest case with its similarity, each once; a case that is gone is not shown."""
    one = FOUR[0].model_copy(update=changes)
    found = pages.candidate(person("ada"), Logs([one]).queue(), one, guide())["nearest"]
    assert [(row["case"].case_id, row["kind"], row["similarity"]) for row in found] == kinds


def test_what_a_candidate_was_made_from_is_said() -> None:
    """The parent is told as such, also where it is the nearest case."""
    one = candidate(5, parent="refunds-100")
    found = pages.candidate(person("ada"), Logs([one]).queue(), one, guide())["nearest"]
    assert [row["kind"] for row in found] == ["Made from"]


@pytest.mark.parametrize(
    ("question", "is_marked"),
    [("Cleo asks question 100 about her boxes?", True), ("Kann ich etwas ganz anderes haben, bitte sehr?", False)],
)
def test_texts_that_share_few_words_are_shown_one_by_one(question: str, *, is_marked: bool) -> None:
    """Where little is the same, the existing case stands as plain text instead of as a difference of nearly all."""
    one = candidate(1, turns=[question])
    (near,) = pages.candidate(person("ada"), Logs([one]).queue(), one, guide())["nearest"]
    assert bool(near["parts"]) == is_marked


def test_a_category_has_its_definition_and_quota() -> None:
    """A candidate's page says what its category is and how much of the quota there is; of an unknown one nothing."""
    known, unknown = candidate(1), candidate(1, "invented")
    told = [pages.candidate(person("ada"), Logs([one]).queue(), one, guide()) for one in (known, unknown)]
    assert [(of["definition"], of["covered"], of["quota"], of["reviewers"]) for of in told] == [
        *(("Wrong about refunds.", 1, 3, 2), ("", 0, 0, 2)),
    ]
    assert (told[0]["revision"], told[0]["own"]) == (known.digest(), None)


def test_a_case_to_look_at_is_one_row_with_all_reasons() -> None:
    """Reasons for one case stand together, a case that is gone is left out, and adjudicators alone retire."""
    rows = [proposal("stale", "old"), proposal("flaky", "flips"), proposal("stale", "old")]
    rows[2] = rows[2].model_copy(update={"case_id": "gone"})
    found = {name: pages.health(person(name), rows, guide()) for name in ("ada", "eve")}
    assert [(case.case_id, [one.kind for one in of]) for case, of in found["ada"]["rows"]] == [
        ("refunds-100", ["stale", "flaky"])
    ]
    assert {name: (of["total"], of["may_retire"]) for name, of in found.items()} == {
        "ada": (1, False),
        "eve": (1, True),
    }
    assert list(found["ada"]["expectations"]) == ["refunds-100"]


@pytest.mark.parametrize(("count", "shown"), [(100, 100), (101, 100)])
def test_a_page_of_cases_to_look_at_ends(count: int, shown: int) -> None:
    """A hundred cases are shown, with all that stands beside each; how many there are is told."""
    cases = {f"refunds-{number:03}": case(number) for number in range(count)}
    rows = [proposal("stale", "old").model_copy(update={"case_id": name}) for name in cases]
    found = pages.health(person("eve"), rows, replace(guide(), case=cases.get))
    assert (len(found["rows"]), found["total"]) == (shown, count)
    assert set(found["given"]) == set(found["expectations"]) == set(list(cases)[:shown])


def test_a_very_long_text_is_cut_and_says_by_how_much() -> None:
    """Up to 20,000 characters are shown; what is left out is counted, and what is hidden is spelled."""
    assert pages.shown_text("a" * pages.MAX_TEXT) == "a" * pages.MAX_TEXT
    assert pages.shown_text("a" * (pages.MAX_TEXT + 7)).endswith("a ... (7 more characters)")
    assert "\u202e" not in pages.shown_text("abc\u202e")


def test_a_word_without_a_time_moves_no_median() -> None:
    """Words of before times were kept, or from elsewhere, are left out; where none has a time there is no median."""
    logs = Logs(FOUR)
    queue = logs.queue()
    for one, seconds in zip(FOUR, (2.0, 4.0, 9.0, 9.0), strict=True):
        queue.say(person("ada"), said(one, seconds=seconds), AT)
    found = {}
    for timeless in ((), (2, 3), (0, 1, 2, 3)):
        words = [
            row.model_copy(update={"seconds": None}) if at in timeless else row for at, row in enumerate(logs.decisions)
        ]
        read = Logs(FOUR, decisions=words)
        found[len(timeless)] = pages.start(person("ada"), read.queue(), read.labels(), AT)["seconds"]
    assert found == {0: 6.5, 2: 3.0, 4: None}
