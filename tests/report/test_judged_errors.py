"""A judge's scale tonight, how far it errs otherwise on one version, and what draws by round make of a change."""

from collections.abc import Sequence
from typing import Any

import pytest

from assay.calibration.rounds import KEY
from assay.judges import prompt, questions
from assay.records.label import Draw, Frame, Item, Label, Labelling
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report.judged import Change, Difference, change, difference, scale
from assay.stats.difference import newcombe
from assay.stats.ppi import ppi_change
from tests.cast import case, item, label, response, verdict

CORRECTNESS = prompt.load("correctness")
COUNT = 120
CASES = [case(number) for number in range(COUNT)]
MINE, THEIRS = ([response(of, text) for of in CASES] for text in ("mine", "theirs"))
Words = Sequence[str]


def outcomes(passed: int) -> Words:
    """Return so many passes, then fails."""
    return ["pass"] * passed + ["fail"] * (COUNT - passed)


def judged(subject: str, words: Words) -> list[Verdict]:
    return [verdict(of.case_id, word, subject=subject) for of, word in zip(CASES, words, strict=True)]


def labelled(subject: str, text: str, words: Words, **changes: Any) -> tuple[list[Item], list[Label]]:
    """Return what people say of one version's answers, an empty word for nothing."""
    numbers = [number for number, word in enumerate(words) if word]
    items = [item(at, text, item_id=f"{subject}.{at:03}", case_id=CASES[at].case_id) for at in numbers]
    return items, [label(one.item_id, words[at], **changes) for one, at in zip(items, numbers, strict=True)]


def compared(now: tuple[Words, Words], before: tuple[Words, Words]) -> Difference:
    """Return how the judge errs, from what people and the judge say of each version."""
    verdicts = judged("target", now[1]) + judged("baseline", before[1])
    items, labels = labelled("target", "mine", now[0])
    more_items, more_labels = labelled("baseline", "theirs", before[0])
    about = Labelling(items + more_items, labels + more_labels, [])
    return difference(CORRECTNESS, verdicts, MINE, THEIRS, about, CASES)


def test_errors_on_both_versions_by_hand() -> None:
    """Of 60 fails the judge passes 12 now and 6 before; of 60 passes it loses 3 now and none before (Newcombe)."""
    people = outcomes(60)
    now = ["fail"] * 3 + ["pass"] * 69 + ["fail"] * 48
    found = compared((people, now), (people, outcomes(66)))
    laxer, kept = newcombe(12, 60, 6, 60), newcombe(57, 60, 60, 60)
    assert found.labels == (COUNT, COUNT)
    assert found.laxer
    assert (found.laxer.estimate, found.laxer.low, found.laxer.high) == pytest.approx((0.1, laxer.low, laxer.high))
    assert found.stricter
    told = (found.stricter.estimate, found.stricter.low, found.stricter.high)
    assert told == pytest.approx((0.05, -kept.high, -kept.low))


@pytest.mark.parametrize(("fails", "passes", "known"), [(20, 100, (True, True)), (19, 101, (False, True))])
@pytest.mark.parametrize("turned", [False, True])
def test_fewer_than_twenty_of_a_kind_say_nothing(
    fails: int, passes: int, known: tuple[bool, bool], *, turned: bool
) -> None:
    """Twenty labelled fails, or passes, of each version tell how the judge errs on them; nineteen do not."""
    people = outcomes(fails if turned else passes)
    found = compared((people, people), (outcomes(60), outcomes(60)))
    told = (found.laxer is not None, found.stricter is not None)
    assert told == (known[::-1] if turned else known)


def test_labels_on_one_version_alone_are_no_difference() -> None:
    """Without a label on the accepted answers nothing is said, and the counts of labels tell why."""
    found = compared((outcomes(60), outcomes(60)), ([""] * COUNT, outcomes(60)))
    assert (found.laxer, found.stricter, found.labels) == (None, None, (COUNT, 0))


def test_a_scale_counts_the_judge_s_own_words_on_tonight_s_answers() -> None:
    """Other judges, the accepted answers, what is no verdict and what has no label are not counted."""
    rows = [
        verdict("a", "pass", label="kind"),
        verdict("b", "pass", label="kind", trial=1),
        verdict("c", "fail", label="rude"),
        verdict("d", "pass"),
        verdict("e", "pass", label="kind", scorer="tone"),
        verdict("f", "pass", label="kind", subject="baseline"),
        verdict("g", "unscored", label="kind"),
    ]
    assert scale("correctness", rows) == {"kind": 2, "rude": 1}
    assert scale("correctness", []) == {}


def drawn(answers: Sequence[Response], chances: Sequence[float], number: int) -> Frame:
    """Return a round in which each answer had its chance; one without a chance was not in it."""
    strata: dict[str, str] = {}
    for of, answer, chance in zip(CASES, answers, chances, strict=True):
        if chance:
            key = questions.answer_key(of.case_id, questions.texts_of(CORRECTNESS, of, answer))[:KEY]
            strata[f"{chance}"] = strata.get(f"{chance}", "") + key
    known = {name: float(name) for name in strata}
    return Frame(judge="correctness", frame=f"round {number}", round=number, run="", answers=strata, chances=known)


def changed(now: Sequence[float], before: Sequence[float], people: Words, of: int = COUNT) -> Change:
    """Return the change where the first answers were drawn with these chances, and so many labelled in both."""
    verdicts = judged("target", outcomes(80)) + judged("baseline", outcomes(60))
    labels_of = [*people[:of], *[""] * (COUNT - of)]
    items, labels = labelled("target", "mine", labels_of)
    others, more = labelled("baseline", "theirs", [word and "pass" for word in labels_of])
    frames = [drawn(MINE, now, 1), drawn(THEIRS, before, 2)]
    draws = [
        Draw(item_id=one.item_id, frame=frame.frame, stratum="", inclusion_probability=0.5, round=frame.round)
        for frame, some in zip(frames, (items, others), strict=True)
        for one in some
    ]
    about = Labelling(items + others, labels + more, draws, frames)
    found = change(CORRECTNESS, verdicts, MINE, THEIRS, about, CASES)
    assert found
    return found


def test_a_change_is_weighed_by_the_smaller_chance_of_its_two_answers() -> None:
    """Each case counts by the chance that both answers were drawn, which is that of the rarer one."""
    now, before = [0.5] * 60 + [1.0] * 60, [1.0] * 60 + [0.25] * 60
    people = [word for at in range(COUNT) for word in [("pass", "pass", "fail")[at % 3]]]
    found = changed(now, before, people)
    human = [-1.0 if word == "fail" else 0.0 for word in people]
    word = [float((at < 80) - (at < 60)) for at in range(COUNT)]
    expected = ppi_change(human, word, [0.5] * 60 + [0.25] * 60, word)
    assert found.rate
    assert (found.rate.estimate, found.rate.low, found.rate.high) == pytest.approx(
        (expected.estimate, expected.low, expected.high)
    )
    assert (found.judged, found.changed, found.labels, found.note) == (COUNT, COUNT, COUNT, "")
    assert found.raw == pytest.approx(20 / COUNT)


@pytest.mark.parametrize(("without", "is_told"), [(2, False), (3, True)])
def test_cases_of_which_an_answer_could_not_be_drawn_are_counted(without: int, *, is_told: bool) -> None:
    """Up to one in fifty may have had no chance and are left out; with more there is no corrected change."""
    found = changed([1.0] * COUNT, [0.0] * without + [1.0] * (COUNT - without), outcomes(60))
    assert (found.rate is None) == is_told
    assert found.note.startswith(f"of {without} of {COUNT} changed cases") == is_told


def test_what_could_not_be_drawn_is_no_part_of_the_whole() -> None:
    """The judge's mean is taken over the cases whose two answers both could be drawn."""
    found = changed([1.0] * COUNT, [1.0] * (COUNT - 2) + [0.0] * 2, outcomes(60), of=100)
    word = [float((at < 80) - (at < 60)) for at in range(COUNT)]
    expected = ppi_change([-1.0 * (at >= 60) for at in range(100)], word[:100], [1.0] * 100, word[:-2])
    assert found.rate
    assert (found.rate.estimate, found.rate.low) == pytest.approx((expected.estimate, expected.low))


def few_changed(moved: int, lost: int, labelled_ones: int, **changes: Any) -> Change:
    """Return the change where so many answers are others, people lose some of them, and some are labelled in both."""
    theirs = [response(of, "theirs" if at < moved else "mine") for at, of in enumerate(CASES)]
    verdicts = judged("target", outcomes(100)) + judged("baseline", outcomes(100))
    words = ["fail" if at < lost else "pass" for at in range(labelled_ones)] + [""] * (COUNT - labelled_ones)
    items, labels = labelled("target", "mine", words, **changes)
    others, more = labelled("baseline", "theirs", [word and "pass" for word in words])
    found = change(CORRECTNESS, verdicts, MINE, theirs, Labelling(items + others, labels + more, []), CASES)
    assert found
    return found


@pytest.mark.parametrize(("moved", "is_known"), [(8, True), (9, False)])
def test_few_changed_answers_are_counted_either_way(moved: int, *, is_known: bool) -> None:
    """Of 120 cases 8 answers changed, 2 are labelled and one of them is lost: -1 of 120, and six more either way."""
    found = few_changed(moved, 1, 2)
    assert (found.changed, found.labels) == (moved, 2)
    if not is_known:
        assert found.rate is None
        return
    assert found.rate
    told = (found.rate.estimate, found.rate.low, found.rate.high)
    assert told == pytest.approx((-1 / COUNT, -7 / COUNT, 5 / COUNT))
    assert found.rate.n == 2
    assert found.note.startswith("the answers to 8 cases changed, and 6 of them count either way")


def test_no_changed_answer_is_no_change() -> None:
    """Where both versions gave the same answers the change is nothing, and that is known without a label."""
    found = few_changed(0, 0, 0)
    assert found.rate
    assert (found.rate.estimate, found.rate.low, found.rate.high, found.changed) == (0, 0, 0, 0)


def test_uneven_labels_on_one_version_alone_are_not_the_reason() -> None:
    """Labels with unequal chances of which none is on both answers to a case are too few, and nothing else."""
    verdicts = judged("target", outcomes(60)) + judged("baseline", outcomes(60))
    items, labels = labelled("target", "mine", outcomes(60))
    odd = [labels[0].model_copy(update={"inclusion_probability": 0.9}), *labels[1:]]
    found = change(CORRECTNESS, verdicts, MINE, THEIRS, Labelling(items, odd, []), CASES)
    assert found
    assert (found.rate, found.labels) == (None, 0)
    assert "unequal chances" not in found.note
    assert "label 10 more" in found.note
