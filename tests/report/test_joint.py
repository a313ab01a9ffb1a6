"""Several judges behind a case: what people say of the whole case, from their answers to each judge's question."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from assay.calibration.rounds import COMMON, KEY, place
from assay.judges import prompt, questions
from assay.records.case import Case
from assay.records.label import Draw, Frame, Item, Label, Labelling, Numbers
from assay.records.response import Response
from assay.records.verdict import Subject, Verdict
from assay.report.joint import Facts, Joint, _together, joint
from tests.cast import case, item, label, response, verdict

CORRECTNESS = prompt.load("correctness")
TONE = replace(CORRECTNESS, name="tone")
JUDGES = (CORRECTNESS, TONE)
COUNT = 240
CHANCES = {"correctness": {"pass": 0.5, "fail": 0.9}, "tone": {"pass": 0.4, "fail": 0.8}}
NO_CHECK = COUNT - 24
"""The last cases have a check, which every second of them fails."""


class World:
    """Answers that two judges judge, whose errors and whose faults come together, and what people say of some."""

    def __init__(self, seed: int, numbers: Numbers = COMMON) -> None:
        """Begin without an answer."""
        self.rng, self.numbers = np.random.default_rng(seed), numbers
        checks = case(0).expectations
        self.cases = [
            case(number, case_id=f"w{seed}-{number}", expectations=checks if number >= NO_CHECK else [])
            for number in range(COUNT)
        ]
        self.verdicts: list[Verdict] = []
        self.items: dict[str, Item] = {}
        self.labels: list[Label] = []
        self.draws: list[Draw] = []
        self.frames: dict[str, Frame] = {}

    def answers(self, subject: Subject, rate: float) -> tuple[list[Response], list[bool]]:
        """Return a version's answers, and of each case whether people pass it whole."""
        found, truth = [], []
        for number, of in enumerate(self.cases):
            spoiled = self.rng.random() < 0.5
            good = {judge.name: self.rng.random() < (rate if spoiled else 0.99) for judge in JUDGES}
            is_checked = number >= NO_CHECK and number % 2 == 0
            row = response(of, f"{subject} {number}")
            found.append(row)
            truth.append(all(good.values()) and not is_checked)
            if number >= NO_CHECK:
                word = "fail" if is_checked else "pass"
                self.verdicts.append(verdict(of.case_id, word, subject=subject, scorer="check:1-icontains-any"))
            fooled = self.rng.random() < 0.25
            for judge in JUDGES:
                said = good[judge.name] or fooled
                self._judge(judge.name, subject, of, row, is_good=good[judge.name], said="pass" if said else "fail")
        return found, truth

    def _judge(self, judge: str, subject: Subject, of: Case, row: Response, *, is_good: bool, said: str) -> None:
        self.verdicts.append(verdict(of.case_id, said, subject=subject, scorer=judge))
        asked = next(one for one in JUDGES if one.name == judge)
        one = item(0, row.text, item_id=f"i-{of.case_id}-{subject}", case_id=of.case_id, turns=of.turns)
        one = one.model_copy(update={"reference": of.reference})
        self.items[one.item_id] = one
        frame = self.frames.get(judge) or Frame(
            judge=judge, frame=judge, round=1, run="", answers={"pass": "", "fail": ""}, chances=CHANCES[judge],
            numbers=self.numbers,
        )  # fmt: skip
        key = questions.item_key(asked, one)[:KEY]
        self.frames[judge] = frame.model_copy(update={"answers": frame.answers | {said: frame.answers[said] + key}})
        if place(judge, of.case_id, self.numbers) < CHANCES[judge][said]:
            chance = {"inclusion_probability": CHANCES[judge][said], "sampling_frame": judge}
            word = "pass" if is_good else "fail"
            self.labels.append(label(one.item_id, word, judge=judge, **chance))
            drawn = {"item_id": one.item_id, "frame": judge, "stratum": said, "judge": judge, "round": 1}
            self.draws.append(Draw(**drawn, inclusion_probability=CHANCES[judge][said]))

    def facts(self, **excepted: list[str]) -> Facts:
        """Return what the night knows."""
        about = Labelling(list(self.items.values()), self.labels, self.draws, list(self.frames.values()))
        return Facts(cases=self.cases, judges=JUDGES, verdicts=self.verdicts, labelling=about, excepted=excepted)

    def told(self, mine: list[Response], theirs: Sequence[Response] = (), **excepted: list[str]) -> Joint:
        """Return what is published."""
        found = joint(self.facts(**excepted), mine, theirs, rng=np.random.default_rng(1), draws=2000)
        assert found
        return found


@pytest.mark.parametrize("numbers", [COMMON, "own"])
def test_the_joint_rate_is_people_s(numbers: Numbers) -> None:
    """Where both judges are fooled together, the interval holds people's joint rate in 19 of 20 worlds, raw in none."""
    holds = raw = 0
    for seed in range(40):
        world = World(seed, numbers)
        mine, truth = world.answers("target", 0.5)
        found = world.told(mine)
        assert found.rate
        assert found.judges == ["correctness", "tone"]
        holds += found.rate.low <= np.mean(truth) <= found.rate.high
        raw += found.raw.low <= np.mean(truth) <= found.raw.high
    assert holds >= 35
    assert raw < 10


def test_the_joint_change_is_people_s() -> None:
    """Of a version that is worse people's joint change lies in the interval in 19 of 20 worlds."""
    holds = 0
    for seed in range(30):
        world = World(seed)
        theirs, before = world.answers("baseline", 0.8)
        mine, now = world.answers("target", 0.5)
        found = world.told(mine, theirs).change
        assert found
        assert found.rate
        holds += found.rate.low <= np.mean(now) - np.mean(before) <= found.rate.high
    assert holds >= 26


def test_the_raw_change_is_that_of_cases_that_pass_by_everybody() -> None:
    """Of the cases that all judges and checks pass, as many more or fewer as before; in the judges' words alone."""
    world = World(5)
    theirs, _ = world.answers("baseline", 0.8)
    mine, _ = world.answers("target", 0.5)
    failed = {
        subject: {row.item_id for row in world.verdicts if row.subject == subject and row.outcome != "pass"}
        for subject in ("target", "baseline")
    }
    found = world.told(mine, theirs).change
    assert found
    assert found.judged == COUNT
    assert found.raw == pytest.approx((len(failed["baseline"]) - len(failed["target"])) / COUNT)
    assert found.raw < 0


def test_common_numbers_draw_the_same_cases() -> None:
    """With one number a case for all judges a fifth more cases are labelled for both than by each judge's own."""
    common, own = (World(3, numbers) for numbers in (COMMON, "own"))
    pairs = [world.told(world.answers("target", 0.5)[0]).labels for world in (common, own)]
    assert pairs[0] > 1.2 * pairs[1]


def test_a_case_that_lacks_one_judge_s_label_does_not_count() -> None:
    """Labels for one of the judges alone say nothing of whole cases, and the note says what to draw."""
    world = World(1)
    mine, _ = world.answers("target", 0.5)
    world.labels = [row for row in world.labels if row.judge == "tone"]
    found = world.told(mine)
    assert (found.rate, found.labels) == (None, 0)
    del world.frames["correctness"]
    assert "assay labels draw --judge NAME" in world.told(mine).note


def test_a_judge_that_is_not_certified_for_a_category_is_not_behind_its_cases() -> None:
    """There its word counts for nothing, so that people are asked for the other judge's question alone."""
    world = World(1)
    mine, _ = world.answers("target", 0.5)
    both, one = world.told(mine), world.told(mine, tone=["refunds"])
    assert (both.judges, one.judges) == (["correctness", "tone"], ["correctness"])
    assert one.labels > both.labels


@pytest.mark.parametrize(
    ("numbers", "together"),
    [
        ({}, 0.4),
        ({"tone": [COMMON]}, 0.4),
        ({"tone": ["own"]}, 0.2),
        ({"tone": [COMMON, "own"]}, 0.2),
        ({"tone": ["own"], "correctness": ["own"]}, 0.2),
    ],
)
def test_the_chance_of_both_labels_is_by_whose_numbers_they_were_drawn(
    numbers: dict[str, list[Numbers]], together: float
) -> None:
    """Common numbers draw the same cases, so the least chance is that of all; a judge's own once are independent."""
    world = World(1)
    world.answers("target", 0.5)
    facts = world.facts()
    frames = [
        world.frames[judge].model_copy(update={"numbers": whose})
        for judge, all_of in numbers.items()
        for whose in all_of
    ]
    facts = replace(facts, labelling=facts.labelling._replace(frames=frames))
    assert _together(facts, {"correctness": 0.5, "tone": 0.4}) == pytest.approx(together)
    assert _together(facts, {}) == 1


def test_what_a_check_fails_needs_no_label() -> None:
    """A case that a check fails is known to fail, whatever its judges say and whoever labels it."""
    world = World(2)
    mine, _ = world.answers("target", 0.5)
    failed = {row.item_id for row in world.verdicts if row.scorer.startswith("check:") and row.outcome == "fail"}
    before = world.told(mine)
    world.labels = [row for row in world.labels if row.item_id.split("-target")[0][2:] not in failed]
    after = world.told(mine)
    assert len(failed) == 12
    assert before.rate == after.rate


def test_one_answer_unchanged_is_no_change() -> None:
    """Versions with the same answers differ by nothing, whatever the judges say of each, and without a label."""
    world = World(4)
    theirs, _ = world.answers("baseline", 0.5)
    world.answers("target", 0.5)
    world.verdicts = [row for row in world.verdicts if not row.scorer.startswith("check:")]
    world.cases = world.cases[:NO_CHECK]
    found = world.told(theirs, theirs).change
    assert found
    assert found.rate
    assert (found.changed, found.rate.estimate, found.rate.low, found.rate.high) == (0, 0, 0, 0)


def test_no_outcome_no_joint_rate() -> None:
    """Before any case has an outcome there is nothing to say."""
    facts = Facts(cases=[case(0)], judges=JUDGES, verdicts=[], labelling=Labelling([], [], []), excepted={})
    assert joint(facts, [], [], rng=np.random.default_rng(1), draws=10) is None
