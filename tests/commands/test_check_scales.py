"""Check on scales that people have: several classes, scores, preferences; one annotator or many with holes."""

import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.stats import spearmanr
from sklearn.metrics import cohen_kappa_score, f1_score, mean_absolute_error

from assay.calibration.certificate import AnnotatorFigure, Figure
from assay.cli.main import app
from assay.commands.check import Checked, Columns, check
from assay.commands.check_text import lines
from assay.errors import AssayError, ConfigError, DataError, InsufficientDataError

BOTH = Columns(judge="judge", human=["human"])
THREE = Columns(judge="judge", human=["ada", "ben", "cleo"])


def written(folder: Path, rows: Sequence[Sequence[object]], header: str = "judge,human") -> Path:
    """Write a CSV file."""
    file = folder / "results.csv"
    file.write_text("\n".join([header, *(",".join(map(str, row)) for row in rows)]) + "\n", encoding="utf8")
    return file


def command(*arguments: Any) -> Result:
    """Run `assay check` as its user does."""
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def figure(found: Checked, name: str) -> Figure:
    """Return one figure."""
    (one,) = [one for one in found.worth.figures if one.name == name]
    return one


def missed(found: Checked) -> set[str]:
    """Return the figures whose floor was missed."""
    return {floor.figure for floor in found.worth.floors if not floor.met}


def topics(n: int = 120) -> tuple[list[str], list[str]]:
    """Return what people and a judge say of the topic of items, seeded; the judge errs on a quarter."""
    rng = np.random.default_rng(2)
    names = np.array(["billing", "delivery", "returns", "other"])
    human = rng.choice(4, n, p=[0.4, 0.3, 0.2, 0.1])
    judge = np.where(rng.random(n) < 0.25, rng.integers(0, 4, n), human)
    return names[human].tolist(), names[judge].tolist()


def grades(n: int = 120, people: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return scores from 1 to 5 of people, shape (people, n), and of a judge, seeded."""
    rng = np.random.default_rng(3)
    truth = rng.integers(1, 6, n)
    human = np.array([np.clip(truth + rng.choice([-1, 0, 1], n, p=[0.1, 0.8, 0.1]), 1, 5) for _ in range(people)])
    return human, np.clip(truth + rng.choice([-1, 0, 1], n, p=[0.2, 0.6, 0.2]), 1, 5)


@pytest.mark.parametrize(
    ("rows", "scale", "error", "sentence"),
    [
        ([("spam", "spam")] * 60, "", InsufficientDataError, "one and the same label throughout"),
        ([("4", "4")] * 60, "", InsufficientDataError, "gave the score 4 throughout"),
        ([("", "spam")] * 60 + [("ham", "")] * 60, "", InsufficientDataError, "label 10 more"),
        ([("spam", ""), ("ham", "")] * 30, "", InsufficientDataError, "holds a label"),
        ([("spam", "ham"), ("ham", "ham")], "", InsufficientDataError, "label 8 more"),
        ([("4", "3"), ("6", "5")] * 30, "1-5", DataError, "row 3, column 'judge': found '6'"),
        ([("pass", "partly"), ("pass", "fail")] * 30, "", DataError, "row 2, column 'human': found 'partly'"),
        ([("spam", "ham")] * 30, "pass-fail", DataError, "row 2, column 'judge': found 'spam'"),
    ],
)
def test_what_cannot_be_told_is_one_sentence(
    tmp_path: Path, rows: list[tuple[str, str]], scale: str, error: type[AssayError], sentence: str
) -> None:
    """One class or score throughout, holes only, too few items, words of another scale: refused, with exit code 2."""
    file = written(tmp_path, rows)
    with pytest.raises(error, match=sentence):
        check(file, BOTH, scale=scale)
    found = command(file, "--judge", "judge", "--human", "human", "--scale", scale)
    assert (found.exit_code, found.output.count("\n")) == (2, 1)


@pytest.mark.parametrize("option", ["swapped", "own"])
def test_options_of_pairs_fit_no_other_scale(tmp_path: Path, option: str) -> None:
    """A second order, or whose answer it was, means nothing beside classes."""
    human, judge = topics()
    file = written(tmp_path, [(*row, row[0]) for row in zip(judge, human, strict=True)], "judge,human,more")
    with pytest.raises(ConfigError, match=f"--{option}"):
        check(file, Columns(**{"judge": "judge", "human": ["human"], option: "more"}))


def test_an_id_twice_is_refused_on_every_scale(tmp_path: Path) -> None:
    """The same id in two rows would be two labels of one annotator."""
    file = written(tmp_path, [("spam", "ham", "x"), ("ham", "ham", "x")] * 10, "judge,human,id")
    with pytest.raises(DataError, match="row 3"):
        check(file, Columns(judge="judge", human=["human"], item="id"))


def test_classes_have_the_figures_of_scikit_learn(tmp_path: Path) -> None:
    """Accuracy, kappa, macro F1 and each class as scikit-learn has them; kappa and F1 with an interval."""
    human, judge = topics()
    found = check(written(tmp_path, list(zip(judge, human, strict=True))), BOTH)
    assert (found.question, found.classes) == ("nominal", ("billing", "delivery", "other", "returns"))
    assert figure(found, "accuracy").estimate == pytest.approx(np.mean(np.array(human) == np.array(judge)))
    for name, expected in (
        ("kappa", cohen_kappa_score(human, judge)),
        ("macro-f1", f1_score(human, judge, average="macro")),
    ):
        one = figure(found, name)
        assert one.estimate == pytest.approx(expected)
        assert one.low is not None
        assert one.high is not None
        assert one.low < expected < one.high
    each = f1_score(human, judge, average=None)
    assert [one.f1 for one in found.worth.by_class] == pytest.approx(each)
    assert not missed(found)


def test_pass_and_fail_are_classes_too(tmp_path: Path) -> None:
    """By hand: 40 of 45 passes and 50 of 55 fails of the judge are right; scikit-learn's means of both classes."""
    rows = [("pass", "pass")] * 40 + [("pass", "fail")] * 5 + [("fail", "fail")] * 50 + [("fail", "pass")] * 5
    found = check(written(tmp_path, rows), BOTH)
    judge, human = zip(*rows, strict=True)
    assert found.question == "pass-fail"
    assert figure(found, "macro-f1").estimate == pytest.approx(f1_score(human, judge, average="macro"))
    assert {one.name: one.precision for one in found.worth.by_class} == {"fail": 50 / 55, "pass": 40 / 45}


def test_a_constant_judge_of_classes_is_refused(tmp_path: Path) -> None:
    """It has kappa 0 and beats no constant; classes that it never gave have no precision."""
    human, _ = topics()
    found = check(written(tmp_path, [("billing", word) for word in human]), BOTH)
    assert figure(found, "kappa").estimate == pytest.approx(0)
    assert {"kappa", "accuracy"} <= missed(found)
    precision = {one.name: one.precision for one in found.worth.by_class}
    assert precision["other"] is None
    assert precision["billing"] == pytest.approx(human.count("billing") / len(human))


def test_a_word_that_only_the_judge_says_is_a_wrong_answer(tmp_path: Path) -> None:
    """It is a class that people never gave: no recall, and none of the items is right."""
    human, judge = topics()
    judge[:6] = ["refund"] * 6
    found = check(written(tmp_path, list(zip(judge, human, strict=True))), BOTH)
    (one,) = [one for one in found.worth.by_class if one.name == "refund"]
    assert (one.human, one.judge, one.precision, one.recall) == (0, 6, 0, None)
    assert found.items == len(human)


def test_classes_can_be_brought_together(tmp_path: Path) -> None:
    """--map names another class, and `unscored` none: what is left out is counted."""
    human, judge = topics()
    file = written(tmp_path, [*zip(judge, human, strict=True), ("ERROR", "other")])
    found = check(file, BOTH, maps=["returns=delivery", "error=unscored"])
    assert found.classes == ("billing", "delivery", "other")
    assert (found.items, found.unscored) == (120, 1)
    assert figure(found, "accuracy-unscored-wrong").n == 121


def test_scores_have_the_figures_of_scipy_and_scikit_learn(tmp_path: Path) -> None:
    """Quadratic kappa, Spearman, mean absolute error, equal and one apart, each with an interval; 4.0 is 4."""
    (human,), judge = grades()
    rows = [(f"{score}.0", other) for score, other in zip(judge, human, strict=True)]
    found = check(written(tmp_path, rows), BOTH)
    expected = {
        "kappa-quadratic": cohen_kappa_score(human, judge, weights="quadratic"),
        "kappa-linear": cohen_kappa_score(human, judge, weights="linear"),
        "spearman": spearmanr(human, judge).statistic,
        "mae": mean_absolute_error(human, judge),
        "accuracy": np.mean(human == judge),
        "within-one": np.mean(abs(human - judge) <= 1),
    }
    assert found.question == "ordinal"
    for name, value in expected.items():
        one = figure(found, name)
        assert one.estimate == pytest.approx(value), name
        assert one.low is not None
        assert one.high is not None
        assert one.low < value < one.high
    assert not missed(found)


def test_a_constant_judge_of_scores_is_refused(tmp_path: Path) -> None:
    """It has no order, which is said, and no number stands in; kappa is 0 and misses its floor."""
    (human,), _ = grades()
    found = check(written(tmp_path, [(3, score) for score in human]), BOTH)
    assert figure(found, "spearman").estimate is None
    assert "the judge gave the score 3 to all 120" in figure(found, "spearman").note
    assert {"spearman", "kappa-quadratic"} <= missed(found)


def test_people_s_scores_are_a_mean_and_a_lower_median(tmp_path: Path) -> None:
    """By hand, half of the rows each: of 1, 2 and 5 the mean is 2.67 and the median 2, of 2 and 5 3.5 and 2."""
    rows = [(2, 1, 2, 5), (4, 2, "", 5)] * 30
    found = check(written(tmp_path, rows, "judge,ada,ben,cleo"), THREE)
    assert figure(found, "mae").estimate == pytest.approx((8 / 3 - 2 + 4 - 3.5) / 2)
    assert figure(found, "accuracy").estimate == 0.5
    assert found.undecided == 0


def test_means_of_scores_have_no_steps(tmp_path: Path) -> None:
    """Where people's scores are means such as 4.33, order and distance hold; kappa is refused with its reason."""
    human, judge = grades(people=3)
    rows = [(score, f"{mean:.2f}") for score, mean in zip(judge, human.mean(axis=0), strict=True)]
    found = check(written(tmp_path, rows), BOTH)
    assert figure(found, "kappa-quadratic").estimate is None
    assert "no whole or half numbers" in figure(found, "kappa-quadratic").note
    assert figure(found, "spearman").estimate == pytest.approx(spearmanr(human.mean(axis=0).round(2), judge).statistic)
    assert not missed(found)
    assert missed(check(tmp_path / "results.csv", BOTH, demands=["kappa=0.1"])) == {"kappa-quadratic"}
    assert not any("without a thought" in row or "people / judge" in row for row in lines(found))


def test_fine_scores_have_no_slices_and_cost_no_table(tmp_path: Path) -> None:
    """6,000 different scores would be a table of 288 MB; 120 MB hold it all, and --slice is refused."""
    rng = np.random.default_rng(4)
    human = rng.random(3_000) * 5
    rows = [(f"{score + rng.random():.6f}", f"{score:.6f}", "x") for score in human]
    file = written(tmp_path, rows, "judge,human,kind")
    tracemalloc.start()
    found = check(file, BOTH)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (found.items, peak < 120e6) == (3_000, True)
    with pytest.raises(ConfigError, match="--slice"):
        check(file, Columns(judge="judge", human=["human"], slices=["kind"]))


def test_every_annotator_is_told_one_by_one(tmp_path: Path) -> None:
    """Holes and all: how many items each shares with the judge and with the others, and kappa there."""
    human, judge = grades(people=3)
    table = human.astype(object)
    table[2, 40:] = ""
    rows = zip(judge, *table, strict=True)
    found = check(written(tmp_path, list(rows), "judge,ada,ben,cleo"), THREE)
    ada, _, cleo = found.worth.by_annotator
    assert (cleo.annotator, cleo.n, cleo.others_n, ada.n) == ("cleo", 40, 40, 120)
    assert cleo.agree == int((human[2] == judge)[:40].sum())
    assert cleo.kappa == pytest.approx(cohen_kappa_score(human[2][:40], judge[:40], weights="quadratic"))
    assert isinstance(ada, AnnotatorFigure)
    text = "\n".join(lines(found))
    assert all(name in text for name in ("annotator", "ada", "ben", "cleo"))


@pytest.mark.parametrize("scale", ["pass-fail", "nominal"])
def test_kappa_stands_beside_the_agreement_of_a_slice(tmp_path: Path, scale: str) -> None:
    """A part has scikit-learn's kappa; one of a single word has none, and one below fifty items has no interval."""
    rng = np.random.default_rng(5)
    words = np.array(["pass", "fail"] if scale == "pass-fail" else ["spam", "ham"])
    human = rng.integers(0, 2, 100)
    judge = np.where(rng.random(100) < 0.2, 1 - human, human)
    rows = [
        (words[j], words[h], "large" if at < 70 else "small")
        for at, (j, h) in enumerate(zip(judge, human, strict=True))
    ]
    rows += [(words[0], words[0], "same")] * 20
    found = check(written(tmp_path, rows, "judge,human,kind"), Columns(judge="judge", human=["human"], slices=["kind"]))
    parts = {part.name: part for part in found.worth.slices}
    assert parts["large"].kappa == pytest.approx(cohen_kappa_score(human[:70], judge[:70]))
    assert parts["large"].kappa_low is not None
    assert parts["small"].kappa == pytest.approx(cohen_kappa_score(human[70:], judge[70:]))
    assert (parts["small"].kappa_low, parts["same"].kappa) == (None, None)


def test_epsilon_is_told_and_can_be_set(tmp_path: Path) -> None:
    """The alternative annotator test says its epsilon, which decides whether the judge passes."""
    rng = np.random.default_rng(8)
    truth = rng.integers(0, 3, 150)
    people = [np.where(rng.random(150) < 0.1, rng.integers(0, 3, 150), truth) for _ in range(3)]
    judge = np.where(rng.random(150) < 0.3, rng.integers(0, 3, 150), truth)
    names = np.array(["spam", "ham", "eggs"])
    file = written(tmp_path, list(zip(*(names[row] for row in (judge, *people)), strict=True)), "judge,ada,ben,cleo")
    strict, lax = check(file, THREE), check(file, THREE, epsilon=0.5)
    assert (strict.epsilon, lax.epsilon) == (0.1, 0.5)
    assert figure(strict, "alternative-test").note.startswith("not passed at epsilon 0.1")
    assert figure(lax, "alternative-test").note == "passed at epsilon 0.5"
    options = [option for name in ("ada", "ben", "cleo") for option in ("--human", name)]
    assert command(file, "--judge", "judge", *options, "--epsilon", "1").exit_code == 2
    assert (
        json.loads(command(file, "--judge", "judge", *options, "--epsilon", "0.5", "--json").output)["epsilon"] == 0.5
    )


def test_pairs_of_several_people_are_held_against_one_at_random(tmp_path: Path) -> None:
    """By hand: .6, .2, and .5 of an even split; two people of an item say the same in 4/10, 6/10 and 2/6."""
    rows = [("a", "a", "a", "a", "b", "b"), ("a", "a", "b", "b", "b", "b"), ("b", "a", "b", "a", "b", "")] * 20
    people = ["p1", "p2", "p3", "p4", "p5"]
    found = check(written(tmp_path, rows, ",".join(["judge", *people])), Columns(judge="judge", human=people))
    one = figure(found, "agrees-with-one")
    assert (one.estimate, one.n) == (pytest.approx((0.6 + 0.2 + 0.5) / 3), 60)
    assert "44.4%" in one.note
    assert found.undecided == 20


def test_shares_are_preferences_of_many(tmp_path: Path) -> None:
    """By hand: .8 and a, .4 and b, .6 and b: agreement .8, .6, .4; squared errors .04, .16, .36; two of three sides."""
    found = check(written(tmp_path, [("a", 0.8), ("b", 0.4), ("b", 0.6)] * 30), BOTH)
    assert found.question == "shares"
    assert figure(found, "agrees-with-one").estimate == pytest.approx(0.6)
    assert figure(found, "brier").estimate == pytest.approx((0.04 + 0.16 + 0.36) / 3)
    assert figure(found, "accuracy").estimate == pytest.approx(2 / 3)
    human, judge = [0.8, 0.4, 0.6] * 30, [1, 0, 0] * 30
    assert figure(found, "spearman").estimate == pytest.approx(spearmanr(human, judge).statistic)
    assert found.worth.confusion == [[30, 0, 30], [0, 0, 0], [0, 0, 30]]


def test_a_judge_may_give_a_probability(tmp_path: Path) -> None:
    """A judge's P(A) beside a, b and tie is a share as well: errors .2, .5 and .9 by hand."""
    found = check(written(tmp_path, [(0.8, "a"), (1, "tie"), (0.9, "b")] * 30), BOTH)
    assert figure(found, "brier").estimate == pytest.approx((0.04 + 0.25 + 0.81) / 3)


def test_floors_of_a_scale_are_the_user_s(tmp_path: Path) -> None:
    """Each scale has floors of its own; one of another scale is refused by name, and --gate exits with 4."""
    (human,), judge = grades()
    file = written(tmp_path, list(zip(judge, human, strict=True)))
    assert missed(check(file, BOTH, demands=["max_mae=0.1", "kappa=0.99"])) == {"mae", "kappa-quadratic"}
    with pytest.raises(ConfigError, match="tnr=0.6"):
        check(file, BOTH, demands=["tnr=0.6"])
    assert command(file, "--judge", "judge", "--human", "human", "--gate").exit_code == 0
    assert command(file, "--judge", "judge", "--human", "human", "--gate", "--floor", "spearman=0.99").exit_code == 4


def test_json_has_all_of_it(tmp_path: Path) -> None:
    """--json prints one object with the scale, why it was taken, its classes, and every class and annotator."""
    human, judge = topics()
    file = written(tmp_path, list(zip(judge, human, human, strict=True)), "judge,ada,ben")
    found = json.loads(command(file, "--judge", "judge", "--human", "ada", "--human", "ben", "--json").output)
    assert (found["question"], found["met"], found["items"]) == ("nominal", True, 120)
    assert found["why"]
    assert len(found["classes"]) == len(found["worth"]["confusion"]) == len(found["worth"]["by_class"]) == 4
    assert [one["annotator"] for one in found["worth"]["by_annotator"]] == ["ada", "ben"]


def test_hostile_classes_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """A class or column that holds an escape sequence is spelled out, so that no file can write on a screen."""
    rows = [("\x1b[2Jgone", "\x1b[2Jgone"), ("spam", "spam"), ("spam", "\x1b[2Jgone")] * 30
    file = written(tmp_path, [(*row, row[1]) for row in rows], "judge,human,\x1b[31mben")
    found = command(file, "--judge", "judge", "--human", "human", "--human", "\x1b[31mben")
    assert found.exit_code == 0
    assert "\x1b" not in found.output
