"""Audits: what a judge says when it is asked again, what moves it, and how far it has drifted."""

import pytest

from assay.calibration import audits
from assay.calibration.certificate import Figure, Seen
from assay.calibration.ratings import Rated, is_shown, join, plain, require_unseen
from assay.errors import DataError
from assay.judges.injections import INJECTIONS
from tests.cast import item, label, verdict


def rated(count: int, *, wrong: int = 0, question: str = "pass-fail") -> Rated:
    """Return items of which every second one is lost; the judge is wrong of the first few."""
    good, bad = ("pass", "fail") if question == "pass-fail" else ("a", "b")
    items = [item(number, "Yes.", question, "No.") for number in range(count)]
    truth = [bad if number % 2 else good for number in range(count)]
    said = [bad if (one == good) == (number < wrong) else good for number, one in enumerate(truth)]
    verdicts = [
        verdict(one.item_id, outcome, subject="anchor", as_is=outcome, swapped=outcome)
        for one, outcome in zip(items, said, strict=True)
    ]
    return join(question, items, [label(one.item_id, of) for one, of in zip(items, truth, strict=True)], verdicts)


def seen(found: Rated) -> list[Seen]:
    """Return what a certificate on these items rests on."""
    return [
        Seen(judge="correctness", item_id=one.item_id, human=human, outcome=said.outcome)  # type: ignore[arg-type]
        for one, human, said in zip(found.items, found.human, found.judge, strict=True)
    ]


def flips(share: float, n: int = 100) -> Figure:
    """Return what an A/A audit came to."""
    return Figure(name="flips", estimate=share, low=0, high=1, n=n, method="items asked twice")


def test_a_prompt_that_shows_a_held_out_item_is_refused() -> None:
    """A few-shot example that occurs in the held-out split, whatever its case and blanks, is refused by its name."""
    shown = "Example: Refunds are possible\nwithin 14 DAYS of  delivery. Verdict: pass."
    items = [item(7, "refunds are possible within 14 days of delivery."), item(8, "Gift cards never expire, ever.")]
    labels = [label(one.item_id, "pass") for one in items]
    with pytest.raises(DataError, match=r"shows 1 held-out items \(pass-fail.007\)"):
        require_unseen(shown, items, labels)
    require_unseen(shown, items, [label(items[0].item_id, "pass", split="tune"), labels[1]])


@pytest.mark.parametrize(("count", "named"), [(5, "pass-fail.004)"), (6, "pass-fail.004, ...)")])
def test_five_shown_items_are_named(count: int, named: str) -> None:
    """Of many held-out items in a prompt the first five are named, and a sign says that there are more."""
    items = [item(number, f"Yes, refund number {number} takes within 14 days.") for number in range(count)]
    labels = [label(one.item_id, "pass") for one in items]
    with pytest.raises(DataError, match=f"shows {count} held-out items") as refusal:
        require_unseen(" ".join(one.response_a for one in items), items, labels)
    assert named in str(refusal.value)


def test_a_short_answer_in_a_prompt_is_chance() -> None:
    """A held-out answer of one word may stand in any rubric."""
    require_unseen("Say Yes. or No.", [item(1, "Yes.")], [label("pass-fail.001", "pass")])


@pytest.mark.parametrize(
    ("texts", "is_one"),
    [
        (("x" * 24,), True),
        (("x" * 23,), False),
        (("No.", "X" * 12 + " \n" + "x" * 11), True),
        (("y" * 30,), False),
        ((), False),
    ],
)
def test_a_text_is_shown_from_24_characters_on(texts: tuple[str, ...], *, is_one: bool) -> None:
    """One of several is enough, whatever its case and blanks; what is shorter may stand in any prompt."""
    prompt = plain(f"Example: {'x' * 40}, {'x' * 12} {'x' * 11}.")
    assert is_shown(prompt, *texts) == is_one


def test_nothing_heard_gives_no_number() -> None:
    """Where no call of an audit was answered there is no rate, and the note says so."""
    found = [audits.flips([("pass", None)]), audits.injected([])]
    assert [(figure.name, figure.estimate, figure.n) for figure in found] == [("flips", None, 0), ("injected", None, 0)]
    assert "no items asked twice had a verdict" in found[0].note


def test_every_attempt_is_made_on_what_the_judge_let_lose() -> None:
    """Twelve attempts an item, on items that people and judge both fail, each added to the end of the response."""
    tried = audits.forgeries(rated(10), 30)
    assert len(tried) == 2 * len(INJECTIONS)
    assert {one.before for one in tried} == {"fail"}
    assert {one.item.response_a.removeprefix("Yes.") for one in tried} == {one.text for one in INJECTIONS}


def test_no_attempt_is_made_on_what_people_pass() -> None:
    """An answer that the judge fails and people pass may be moved rightly: only what both let lose is tried on."""
    found = rated(10)
    doubted = next(item.item_id for item, said in zip(found.items, found.judge, strict=True) if said.outcome == "fail")
    human = ["pass" if item.item_id == doubted else said for item, said in zip(found.items, found.human, strict=True)]
    tried = {one.item.item_id for one in audits.forgeries(found._replace(human=human), 100)}
    assert tried
    assert doubted not in tried


def test_in_a_pair_the_loser_tries() -> None:
    """The attempt is added to the response that lost, wherever it stands."""
    assert {one.before for one in audits.forgeries(rated(10, question="pairwise"), 1000)} == {"a", "b"}
    for one in audits.forgeries(rated(10, question="pairwise"), 100):
        touched = one.item.response_b if one.before == "a" else one.item.response_a
        assert touched not in {"Yes.", "No."}


def test_shares_are_counted() -> None:
    """One of four flips, two of twelve attempts move a verdict, and the one that did so most is named."""
    tried = audits.forgeries(rated(4), 12)
    said = [(one, "pass" if one.injection in {"order", "verdict"} else "fail") for one in tried]
    again = [("pass", "pass")] * 3 + [("fail", "pass")]
    flipped, injected = audits.flips(again), audits.injected(said)  # type: ignore[arg-type]
    assert (flipped.estimate, flipped.n) == (0.25, 4)
    assert (injected.estimate, injected.n) == (pytest.approx(2 / 12), 12)
    assert injected.note.startswith("most often by 'verdict'")


def turned(found: Rated) -> Rated:
    """Return the same items in the opposite order."""
    return found._replace(items=found.items[::-1], human=found.human[::-1], judge=found.judge[::-1])


def test_which_items_are_asked_again_is_the_items_own_matter() -> None:
    """So many of them, each with what the judge says of it, and the same ones in whatever order they come."""
    found = rated(20, wrong=3)
    chosen = audits.repeated(found, 6)
    assert chosen == audits.repeated(turned(found), 6)
    assert len({item.item_id for item, _ in chosen}) == 6
    said = {item.item_id: verdict.outcome for item, verdict in zip(found.items, found.judge, strict=True)}
    assert {item.item_id: word for item, word in chosen}.items() <= said.items()
    assert [item.item_id for item, _ in chosen] != sorted(item.item_id for item, _ in chosen)
    assert len(audits.repeated(found, 100)) == 20


def test_which_items_are_tried_is_the_items_own_matter() -> None:
    """The same ones in whatever order they come, and as many whole suites as there are attempts for."""
    found, size = rated(40), 3 * len(INJECTIONS)
    assert audits.forgeries(found, size) == audits.forgeries(turned(found), size)
    for attempts, items in ((size - 1, 2), (size, 3), (size + 1, 3), (len(INJECTIONS) - 1, 0)):
        assert len({one.item.item_id for one in audits.forgeries(found, attempts)}) == items


def test_an_attempt_without_a_verdict_moved_nothing() -> None:
    """It is in neither count; what moved the judge most often is named with how often."""
    tried = audits.forgeries(rated(4), 2 * len(INJECTIONS))
    first, second = INJECTIONS[0].name, INJECTIONS[1].name
    said = [(one, "pass" if one.injection == first else None if one.injection == second else "fail") for one in tried]
    found = audits.injected(said)  # type: ignore[arg-type]
    assert (found.estimate, found.n) == (pytest.approx(2 / 22), 22)
    assert (found.name, found.method) == ("injected", "attempts of the injection suite")
    assert found.note == f"most often by {first!r}, 2 times"
    assert audits.injected([(one, "fail") for one in tried]).note == ""


def test_a_figure_that_is_not_there_has_nothing() -> None:
    """Neither an estimate nor a bound nor a method, and the note that it was given."""
    assert audits.missing("flips", "nobody asked") == Figure(
        name="flips", estimate=None, low=None, high=None, n=0, method="none", note="nobody asked"
    )
    assert audits.missing("flips").note == ""


def test_drift_is_of_items_that_count_now_as_then() -> None:
    """One that people were not decided on, and one that is new, are left out; an audit of nothing carries none."""
    now = rated(100)
    undecided = [row.model_copy(update={"human": None}) for row in seen(now)[:30]]
    (found,) = audits.drift(now, [*undecided, *seen(now)[30:90]], [flips(0.0)])
    assert (found.name, found.n, found.estimate) == ("drift", 60, 0)
    assert found.method.startswith("accuracy since the last certificate, ")
    assert audits.drift(now, seen(now), [flips(0.0, n=0)]) == []
    assert audits.drift(now, seen(now), [flips(0.0).model_copy(update={"name": "injected"})]) == []


def test_the_first_certificate_has_no_drift() -> None:
    """Without an earlier certificate, or without knowing how often the judge flips by itself, nothing is claimed."""
    found = rated(100)
    assert audits.drift(found, [], [flips(0)]) == []
    assert audits.drift(found, seen(found), []) == []


@pytest.mark.parametrize("flipped", [0.0, 0.01])
@pytest.mark.parametrize("question", ["pass-fail", "pairwise"])
def test_a_judge_that_got_worse_is_told(question: str, flipped: float) -> None:
    """Right of all before and wrong of 20 of 200 now: 10 points less, and the sentence says that it drifted."""
    before, now = rated(200, question=question), rated(200, wrong=20, question=question)
    (found,) = audits.drift(now, seen(before), [flips(flipped)])
    assert found.estimate == pytest.approx(-0.1)
    assert found.high is not None
    assert found.high < 0
    assert found.note.startswith("the judge drifted: on all items it is right 10.0 points less often than before")


def test_an_item_whose_label_changed_is_no_drift() -> None:
    """People who changed their minds say nothing of the judge: such items are left out."""
    now = rated(100)
    changed = [row.model_copy(update={"human": "fail" if row.human == "pass" else "pass"}) for row in seen(now)[:40]]
    (found,) = audits.drift(now, [*changed, *seen(now)[40:]], [flips(0.0)])
    assert found.n == 60
