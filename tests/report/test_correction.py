"""Correction: the labels' sampling picks the estimator, and a label that cannot carry a rate never does."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from assay.calibration.rounds import KEY
from assay.judges import prompt, questions
from assay.judges.prompt import JudgePrompt
from assay.records.case import Case
from assay.records.label import Draw, Frame, Item, Label, Labelling
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report.content import Corrected
from assay.report.correction import VOID, WHOLE, corrected, uncovered
from assay.stats.corrected import Confusion, rogan_gladen
from tests.cast import case, item, label, response, verdict

CORRECTNESS = prompt.load("correctness")
JUDGED, LABELLED = 200, 100
CELLS = (("pass", "pass"), 60), (("fail", "pass"), 5), (("pass", "fail"), 10), (("fail", "fail"), 25)
"""Human and judge on the 100 labelled answers, in the order of their numbers; of the other 100 the judge passes 70."""
HUMAN = [human for (human, _), n in CELLS for _ in range(n)]
JUDGE = [judge for (_, judge), n in CELLS for _ in range(n)] + ["pass"] * 70 + ["fail"] * 30


class Night:
    """Two hundred judged answers, of which a hundred drawn at random are labelled; a test changes what it is about."""

    def __init__(self) -> None:
        """Give every case an answer, a verdict and, up to 100, an item with a label."""
        self.cases: list[Case] = [case(number) for number in range(JUDGED)]
        self.responses: list[Response] = [response(one, text(number)) for number, one in enumerate(self.cases)]
        self.verdicts: list[Verdict] = [verdict(case(number).case_id, said) for number, said in enumerate(JUDGE)]
        self.items: list[Item] = [item(number, text(number)) for number in range(LABELLED)]
        self.verdicts += [verdict(one.item_id, JUDGE[at], subject="anchor") for at, one in enumerate(self.items)]
        self.labels: list[Label] = [label(one.item_id, HUMAN[at]) for at, one in enumerate(self.items)]

    def relabel(self, which: slice, **changes: Any) -> None:
        """Change the labels of these items."""
        self.labels[which] = [row.model_copy(update=changes) for row in self.labels[which]]

    def found(self, about: Labelling | None = None, judge: JudgePrompt = CORRECTNESS) -> Corrected:
        """Return what the module makes of this night."""
        rng = np.random.default_rng(1)
        result = corrected(
            judge,
            self.verdicts,
            self.responses,
            about or Labelling(self.items, self.labels, []),
            self.cases,
            rng=rng,
            draws=5000,
        )
        assert result
        return result


def text(number: int) -> str:
    return f"Yes, answer {number}: refunds are possible within 14 days."


def method(found: Corrected) -> str:
    return found.rate.method.split(",")[0] if found.rate else "none"


def test_without_a_judge_there_is_nothing_to_correct() -> None:
    """A night on which the judge said nothing of the target has no judged pass rate."""
    night = Night()
    rows = [row for row in night.verdicts if row.subject == "anchor"]
    rng = np.random.default_rng(1)
    assert (
        corrected(
            CORRECTNESS,
            rows,
            night.responses,
            Labelling(night.items, night.labels, []),
            night.cases,
            rng=rng,
            draws=5000,
        )
        is None
    )


def test_labels_of_tonight_s_answers_carry_double_sampling() -> None:
    """The judge passes 135 of 200; people pass 60 of its 65 and 10 of its 35: .675 x 60/65 + .325 x 10/35."""
    found = Night().found()
    assert (method(found), found.frame, found.labels, found.raw.estimate) == (
        "double sampling",
        "support@2",
        100,
        0.675,
    )
    assert found.rate
    assert found.rate.estimate == pytest.approx(0.675 * 60 / 65 + 0.325 * 10 / 35)
    assert found.rate.low < found.rate.estimate < found.rate.high
    assert "random part of these very answers" in found.note


def test_one_answer_that_differs_is_enough_for_rogan_gladen() -> None:
    """TPR 60/70 and TNR 25/30 carried over to 135 of 200: (.675 + 5/6 - 1) / (6/7 + 5/6 - 1), and the note warns."""
    night = Night()
    night.responses[7] = response(case(7), "Something else.")
    found = night.found()
    assert (method(found), found.frame, found.labels) == ("Rogan-Gladen", "all natural labels", 100)
    assert found.rate
    assert found.rate.estimate == pytest.approx((0.675 + 25 / 30 - 1) / (60 / 70 + 25 / 30 - 1))
    assert "assumes that the judge errs on these as on those" in found.note


@pytest.mark.parametrize("at", [0, 62, 99])
def test_a_label_by_an_earlier_reference_says_nothing_of_tonight(at: int) -> None:
    """The answer is as good as unlabelled: the frame is still tonight's, with one label less."""
    night = Night()
    night.cases[at] = case(at, reference="Else.")
    found = night.found()
    assert (method(found), found.labels) == ("double sampling", 99)
    night.responses[7] = response(case(7), "Something else.")
    found = night.found()
    assert (method(found), found.labels) == ("Rogan-Gladen", 100)


def answered_otherwise(night: Night) -> None:
    """People were split on the one answer that is not given again."""
    night.responses[3] = response(case(3), "Something else.")
    night.labels.append(label(night.items[3].item_id, "fail", "ben"))


def changed_in_the_other_split(night: Night) -> None:
    night.relabel(slice(5, 6), split="tune")
    night.responses[5] = response(case(5), "Something else.")


def not_answered(night: Night) -> None:
    del night.responses[11]


def failed_on_the_wire(night: Night) -> None:
    night.responses[9] = response(case(9), "", status="error", error_kind="timeout", error="late")


def grown(night: Night) -> None:
    """Ten cases were admitted that no label had a chance to be drawn from."""
    night.verdicts += [verdict(case(number).case_id, "fail") for number in range(200, 210)]
    night.responses += [response(case(number)) for number in range(200, 210)]


@pytest.mark.parametrize(
    "change", [answered_otherwise, changed_in_the_other_split, not_answered, failed_on_the_wire, grown]
)
def test_a_frame_that_fits_in_part_is_not_tonight_s(change: Callable[[Night], None]) -> None:
    """A frame of before of which one answer is missing is not tonight's."""
    night = Night()
    change(night)
    assert method(night.found()) != "double sampling"


def test_labels_drawn_by_verdict_are_weighed() -> None:
    """Labels drawn more often among the judge's fails carry Rogan-Gladen too, each weighed by its chance, by hand.

    TPR = 60 x 2.5 / (60 x 2.5 + 10), TNR = 25 / (25 + 5 x 2.5).
    """
    night = Night()
    # Every second and a half of the judge's passes, and every one of its fails: not what makes up tonight's answers.
    night.relabel(slice(65), inclusion_probability=0.4)
    night.relabel(slice(65, 100), inclusion_probability=1.0)
    night.responses[7] = response(case(7), "Something else.")
    found = night.found()
    assert (method(found), found.labels) == ("Rogan-Gladen", 100)
    assert found.rate
    tpr, tnr = 150 / 160, 25 / 37.5
    assert found.rate.estimate == pytest.approx((0.675 + tnr - 1) / (tpr + tnr - 1))


def test_unequal_chances_within_a_verdict_are_no_hindrance() -> None:
    """By hand: 80 labels stand for themselves, 20 for 120, of which the judge passes half and people three quarters."""
    night = Night()
    night.relabel(slice(100), inclusion_probability=1.0)
    night.relabel(slice(55, 75), inclusion_probability=20 / 120)
    found = night.found()
    assert method(found) == "double sampling"
    assert found.rate
    assert found.rate.estimate == pytest.approx((120 * 15 / 20 + 55) / 200)


def test_too_few_labels_give_no_rate_and_say_what_to_add() -> None:
    """With 40 labels there is the raw rate and no corrected one, with what is wanting."""
    night = Night()
    night.labels = night.labels[:20] + night.labels[80:]
    found = night.found()
    assert (found.rate, found.labels, found.raw.estimate) == (None, 40, 0.675)
    assert "label more" in found.note


@pytest.mark.parametrize("number", [0, 7])
def test_labels_that_may_not_be_used_change_nothing(number: int) -> None:
    """Labels on the split for tuning, and on constructed items, leave the corrected rate as it is."""
    plain, night = Night(), Night()
    for one in (plain, night):
        one.responses[number] = response(case(number), "Something else.")
    made = [item(number, "A fault.", slice="gross") for number in range(500, 560)]
    tuned = [item(number, "Another.") for number in range(600, 660)]
    night.items += made + tuned
    chances = [None, 0.5]
    night.labels += [
        label(one.item_id, "pass", sampling_frame=f"made-{at % 2}", inclusion_probability=chances[at % 2])
        for at, one in enumerate(made)
    ]
    night.labels += [label(one.item_id, "pass", split="tune") for one in tuned]
    night.verdicts += [verdict(one.item_id, "fail", subject="anchor") for one in [*made, *tuned]]
    assert night.found() == plain.found()


def test_a_rate_off_the_scale_is_flagged() -> None:
    """Where the correction leaves 0 to 100 % the note says so, and an interval without a width is none."""
    night = Night()
    night.responses[7] = response(case(7), "Something else.")
    night.verdicts = [
        row.model_copy(update={"outcome": "fail"}) if row.subject == "target" else row for row in night.verdicts
    ]
    found = night.found()
    assert found.rate is None or (found.rate.estimate == 0 and found.rate.high > found.rate.low)
    assert "was cut off there" in found.note


def test_further_trials_add_no_certainty() -> None:
    """Three trials of each case leave the rate and its interval as one trial has them."""
    night, once = Night(), Night().found()
    for trial in (1, 2):
        night.responses += [response(case(number), text(number), trial=trial) for number in range(JUDGED)]
        night.verdicts += [verdict(case(number).case_id, "pass", trial=trial) for number in range(JUDGED)]
    assert night.found() == once


def test_a_verdict_that_differs_from_the_anchor_s_is_no_crash() -> None:
    """Where the judge says of an answer tonight what it does not say of the same anchor, tonight's word counts."""
    night = Night()
    night.verdicts[0] = verdict(case(0).case_id, "fail")
    found = night.found()
    assert found.rate
    assert found.rate.estimate == pytest.approx(0.67 * 59 / 64 + 0.33 * 11 / 36)


def test_rogan_gladen_is_the_reference_s() -> None:
    """The figures that leave the module are those of the estimator on the very counts."""
    night = Night()
    night.responses[0] = response(case(0), "Something else.")
    expected = rogan_gladen(Confusion(tp=60, fp=5, fn=10, tn=25), judge_pass=135, judged=200)
    found = night.found().rate
    assert found
    assert (found.estimate, found.low, found.high) == (expected.estimate, expected.low, expected.high)


def in_round(night: Night, numbers: range, chance: float) -> Labelling:
    """Return labels of which these were drawn in a round of all that the judge passes, and of all that it fails."""
    keys = {"pass": "", "fail": ""}
    for number, of in enumerate(night.cases):
        texts = questions.texts_of(CORRECTNESS, of, night.responses[number])
        keys[JUDGE[number]] += questions.answer_key(of.case_id, texts)[:KEY]
    chances = {"pass": chance, "fail": chance}
    frame = Frame(judge="correctness", frame="tonight", round=1, run="", answers=keys, chances=chances)
    draws = [
        Draw(item_id=night.items[at].item_id, frame="tonight", stratum=JUDGE[at], inclusion_probability=chance, round=1)
        for at in numbers
    ]
    return Labelling(night.items, night.labels, draws, [frame])


def test_what_was_drawn_before_rounds_stands_for_itself() -> None:
    """By hand: 50 labels of before stand for themselves, 50 of a round for the other 150, by the judge's words."""
    night = Night()
    about = in_round(night, range(50, 100), 1 / 3)
    found = night.found(about)
    assert found.rate
    assert (found.note, found.labels) == (WHOLE, 100)
    # Of the 150 the judge passes 85 and fails 65; of the 50 labelled it passes 15 (10 by people) and fails 35 (10).
    assert found.rate.estimate == pytest.approx((50 + 85 * 10 / 15 + 65 * 10 / 35) / 200)


def test_a_reference_that_the_judge_is_not_shown_does_not_matter() -> None:
    """Of a judge that sees question and answer alone a label holds whatever the case's reference has become."""
    night = Night()
    night.cases = [of.model_copy(update={"reference": "Else."}) for of in night.cases]
    about = in_round(night, range(100), 0.5)
    assert night.found(about).labels == 0
    declared = CORRECTNESS.declared.model_copy(update={"input": ("question", "response"), "requires": ()})
    blind = replace(CORRECTNESS, declared=declared, texts=("question", "response"))
    assert night.found(about, blind).labels == 100


def test_a_rate_that_is_cut_off_with_a_width_is_published_with_a_warning() -> None:
    """The judge passes 20 of 200, fewer than its errors alone would: 0 %, up to a bound, and the note says so."""
    night = Night()
    night.responses[7] = response(case(7), "Something else.")
    night.verdicts = [row for row in night.verdicts if row.subject != "target"]
    night.verdicts += [verdict(of.case_id, "pass" if at < 20 else "fail") for at, of in enumerate(night.cases)]
    found = night.found()
    assert found.rate
    assert (found.rate.estimate, found.rate.low) == (0, 0)
    assert found.rate.high > 0
    assert "was cut off there" in found.note


@pytest.mark.parametrize(("without", "found"), [(0, 0), (4, 0), (5, 5), (60, 60)])
def test_answers_without_a_chance_are_counted_beyond_one_in_fifty(without: int, found: int) -> None:
    """Of 200 judged answers four may have had no chance of being labelled; with more all of them are counted."""
    night = Night()
    night.relabel(slice(JUDGED), inclusion_probability=1.0)
    about = in_round(night, range(100), 0.5)
    frame = about.frames[0]
    cut = {"pass": frame.answers["pass"][without * KEY :], "fail": frame.answers["fail"]}
    about = about._replace(frames=[frame.model_copy(update={"answers": cut})])
    assert uncovered(CORRECTNESS, night.verdicts, night.responses, about, night.cases) == (found, JUDGED)


def test_labels_of_before_cover_what_they_were_drawn_from() -> None:
    """Without a round labels cover tonight's answers where theirs are given again, and otherwise themselves alone."""
    night = Night()
    about = Labelling(night.items, night.labels, [])
    assert uncovered(CORRECTNESS, night.verdicts, night.responses, about, night.cases) == (0, JUDGED)
    night.responses[7] = response(case(7), "Something else.")
    assert uncovered(CORRECTNESS, night.verdicts, night.responses, about, night.cases) == (JUDGED - 99, JUDGED)


@pytest.mark.parametrize("void", [0, 1, 3])
def test_labels_about_the_case_as_it_was_are_told(void: int) -> None:
    """Answers of which every label is about the case as it was before are counted, and the note names the judge."""
    night = Night()
    night.cases[:void] = [case(at, reference="Else.") for at in range(void)]
    found = night.found()
    assert found.void == void
    assert found.note == WHOLE + (VOID.format(void=void, judge="correctness") if void else "")


def test_an_answer_that_was_labelled_again_is_not_void() -> None:
    """One item about the case as it is today is enough, whatever another one is about."""
    night = Night()
    night.cases[0] = case(0, reference="Else.")
    again = item(0, text(0), item_id="again", reference="Else.")
    night.items.append(again)
    night.labels.append(label(again.item_id, "pass"))
    assert night.found(in_round(night, range(101), 1.0)).void == 0


def test_labels_on_which_people_were_split_are_counted() -> None:
    """Beside the number of labels it is told on how many of them people did not agree."""
    night = Night()
    assert night.found().split == 0
    for at in (3, 70):
        night.labels.append(label(night.items[at].item_id, "fail" if HUMAN[at] == "pass" else "pass", "ben"))
    assert (night.found().split, night.found().labels) == (2, 100)


def test_a_frame_with_too_few_labels_is_named_all_the_same() -> None:
    """Where labels of a round cannot carry a rate the refusal says of which answers they are, and how many."""
    night = Night()
    night.labels = night.labels[:8]
    found = night.found(in_round(night, range(8), 0.5))
    assert (found.rate, found.frame, found.labels) == (None, "tonight", 8)
    assert "label" in found.note


@pytest.mark.parametrize(("labels", "told"), [(100, "double sampling"), (98, "double sampling"), (97, "Rogan-Gladen")])
def test_a_frame_of_before_is_as_large_as_tonight(labels: int, told: str) -> None:
    """Drawn with one half each, 98 labels stand for 196 of 200 answers, which is near enough; 97 stand for too few."""
    night = Night()
    night.labels = night.labels[:labels]
    found = night.found()
    assert (method(found), found.labels) == (told, labels)


def test_an_item_that_nobody_labelled_stands_for_nothing() -> None:
    """An answer among the items without a held-out label is one of those that others stand for."""
    night = Night()
    expected = night.found(in_round(night, range(50, 100), 1 / 3))
    night.items += [item(number, text(number)) for number in (150, 151)]
    night.labels.append(label(night.items[-1].item_id, "pass", split="tune"))
    assert night.found(in_round(night, range(50, 100), 1 / 3)) == expected
