"""Check: anybody's flat file gives the certificate of its judge, or one sentence that says where it is at fault."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.commands.check import Checked, Columns, check
from assay.commands.check_text import lines
from assay.errors import ConfigError, InsufficientDataError

BOTH = Columns(judge="judge", human=["human"])


def written(folder: Path, rows: Sequence[Sequence[str]], header: str = "judge,human") -> Path:
    """Write a CSV file."""
    file = folder / "results.csv"
    file.write_text("\n".join([header, *(",".join(row) for row in rows)]) + "\n", encoding="utf8")
    return file


def cells(*counts: tuple[str, str, int]) -> list[tuple[str, str]]:
    """Return so many rows of each judge's and human's word."""
    return [(judge, human) for judge, human, count in counts for _ in range(count)]


GOOD = cells(("pass", "pass", 140), ("fail", "fail", 56), ("pass", "fail", 4), ("fail", "pass", 10))


def command(*arguments: Any) -> Result:
    """Run `assay check` as its user does."""
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


def figure(found: Checked, name: str) -> float | None:
    """Return one estimate."""
    return next(one.estimate for one in found.worth.figures if one.name == name)


def missed(found: Checked) -> set[str]:
    """Return the figures whose floor was missed."""
    return {floor.figure for floor in found.worth.floors if not floor.met}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"judge,human\npass,pass\n", "label 9 more"),
        (b"judge,annotator\npass,pass\n", "human"),
        (b"judge,human\npass,pass\nmaybe,fail\n", r"row 3, column 'judge'.*'maybe'"),
        (b"judge,human\npass,pass\npass,a\n", "row 3.*'a'"),
        (b"judge,human\npass,\xff\n", "row 2"),
        (b"judge,human\npass,NaN\n", "row 2.*'NaN'"),
        (b"judge,human\npass,pass,pass\n", "row 2"),
        (b"judge,human\npass," + b"p" * 1_000_000 + b"\n", "row 2 has 1,000,000 characters in column 'human'"),
        (b"judge,human\n", "row"),
        (b"", "row 1 has nothing"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path: Path, text: bytes, sentence: str) -> None:
    """Whatever is wrong with a file is told with its row and column, with exit code 2, and nothing is written."""
    file = tmp_path / "results.csv"
    file.write_bytes(text)
    found = command(file, "--judge", "judge", "--human", "human")
    assert found.exit_code == 2
    assert found.output.count("\n") == 1
    assert re.search(sentence, found.output), found.output
    assert [one.name for one in tmp_path.iterdir()] == ["results.csv"]


def test_an_item_that_stands_twice_is_refused(tmp_path: Path) -> None:
    """The same id in two rows would be two labels of one annotator: both rows are named."""
    file = written(tmp_path, [("pass", "pass", "x"), ("fail", "fail", "x")], "judge,human,id")
    found = command(file, "--judge", "judge", "--human", "human", "--id", "id")
    assert (found.exit_code, "row 3" in found.output, "row 2" in found.output) == (2, True, True)


@pytest.mark.parametrize("demand", ["tnr", "tnr=high", "speed=1"])
def test_a_demand_that_is_none_is_refused(tmp_path: Path, demand: str) -> None:
    """An unknown floor or one without a number is said to be so."""
    with pytest.raises(ConfigError, match="--floor"):
        check(written(tmp_path, GOOD), BOTH, demands=[demand])


def test_labels_of_one_class_carry_nothing(tmp_path: Path) -> None:
    """Where people passed everything there is no TNR, and the sentence says what to label."""
    with pytest.raises(InsufficientDataError, match="label items that people fail"):
        check(written(tmp_path, cells(("pass", "pass", 99))), BOTH)


def test_three_labels_say_nothing(tmp_path: Path) -> None:
    """Three items are one sentence and exit code 2, and it says how many more to label."""
    file = written(tmp_path, cells(("pass", "pass", 2), ("fail", "fail", 1)))
    found = command(file, "--judge", "judge", "--human", "human")
    assert (found.exit_code, found.output.count("\n")) == (2, 1)
    assert "both decided 3 items" in found.output
    assert "label 7 more" in found.output


def test_a_few_labels_are_refused_by_count(tmp_path: Path) -> None:
    """Thirty items have figures and a certificate that is refused; kappa says how many more to label."""
    found = check(written(tmp_path, cells(("pass", "pass", 20), ("fail", "fail", 10))), BOTH)
    assert {"labelled items", "of the rarer label"} <= missed(found)
    assert any("label 20 more" in one.note for one in found.worth.figures)


def test_a_good_judge_is_certified(tmp_path: Path) -> None:
    """Worked by hand: TPR 140/150, TNR 56/60; every floor is met, and --gate exits with 0."""
    found = check(written(tmp_path, GOOD), BOTH)
    assert figure(found, "tpr") == pytest.approx(140 / 150)
    assert figure(found, "tnr") == pytest.approx(56 / 60)
    assert not missed(found)
    assert command(tmp_path / "results.csv", "--judge", "judge", "--human", "human", "--gate").exit_code == 0


def test_a_judge_that_always_passes_is_refused(tmp_path: Path) -> None:
    """At prevalence .9 it agrees on 90 %; the TNR floor refuses it, as does the alternative test by its guard."""
    votes = [["fail" if row % 10 == 0 else "pass"] * 3 for row in range(300)]
    for row in range(5, 300, 10):
        votes[row][row // 10 % 3] = "fail"
    file = written(tmp_path, [("pass", *vote) for vote in votes], "judge,ada,ben,cleo")
    found = check(file, Columns(judge="judge", human=["ada", "ben", "cleo"]))
    assert figure(found, "accuracy") == pytest.approx(0.9)
    assert {"tnr", "youden"} <= missed(found)
    (test,) = [one for one in found.worth.figures if one.name == "alternative-test"]
    assert test.note.startswith("not passed")
    assert command(file, "--judge", "judge", "--human", "ada", "--gate").exit_code == 4


def test_a_coin_is_refused(tmp_path: Path) -> None:
    """A judge without any skill misses J, TPR and TNR, and beats no judge without a thought."""
    coin = cells(("pass", "pass", 75), ("fail", "pass", 75), ("pass", "fail", 25), ("fail", "fail", 25))
    assert {"tpr", "tnr", "youden", "accuracy"} <= missed(check(written(tmp_path, coin), BOTH))


def test_an_always_first_judge_wins_nothing(tmp_path: Path) -> None:
    """All its pairs are conflicts, so all are ties: no win for anybody, and the certificate is refused."""
    rows = [("a", "b", "a" if row % 2 else "b") for row in range(100)]
    file = written(tmp_path, rows, "judge,swapped,human")
    found = check(file, Columns(judge="judge", human=["human"], swapped="swapped"))
    assert (figure(found, "conflict"), figure(found, "direction"), figure(found, "accuracy")) == (1, 1, 0)
    assert [sum(row) for row in zip(*found.worth.confusion, strict=True)] == [0, 100, 0]
    assert {"conflict", "accuracy"} <= missed(found)


def test_one_order_alone_is_no_proof(tmp_path: Path) -> None:
    """Pairs that were judged in one order have no conflict rate, and the floor on it is missed."""
    rows = [("a", "a") if row % 2 else ("b", "b") for row in range(100)]
    found = check(written(tmp_path, rows), BOTH)
    assert missed(found) == {"conflict"}
    assert any("judge each of them in both" in one.note for one in found.worth.figures)


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    """A missing verdict, an even split and a row without labels are in no figure, and each is told."""
    rows = [(*row, row[1]) for row in GOOD] + [("", "pass", "pass"), ("pass", "pass", "fail"), ("pass", "", "")]
    found = check(written(tmp_path, rows, "judge,ada,ben"), Columns(judge="judge", human=["ada", "ben"]))
    assert (found.items, found.unscored, found.undecided, found.unlabelled) == (210, 1, 1, 1)
    assert "left out: 1 without a verdict, 1 on which people were evenly split, 1 without a label" in lines(found)


def test_the_lowest_slice_stands_first(tmp_path: Path) -> None:
    """The values of a column are compared, a hostile name among them, and the worst is named first."""
    rows = [("pass", "pass", "easy")] * 60 + [("pass", "fail", "=cmd()")] * 30 + [("fail", "fail", "easy")] * 30
    file = written(tmp_path, rows, "judge,human,kind")
    found = check(file, Columns(judge="judge", human=["human"], slices=["kind"]))
    assert [part.name for part in found.worth.slices if part.name] == ["=cmd()", "easy"]


def test_json_is_the_same_certificate(tmp_path: Path) -> None:
    """--json prints one object with the figures, the floors and whether they are met."""
    file = written(tmp_path, GOOD)
    found = json.loads(command(file, "--judge", "judge", "--human", "human", "--json").output)
    assert (found["question"], found["met"], found["items"]) == ("pass-fail", True, 210)
    assert {one["name"] for one in found["worth"]["figures"]} >= {"tpr", "tnr", "kappa", "ac1"}


def test_demands_and_words_are_the_user_s(tmp_path: Path) -> None:
    """Words of the file are told with --map and floors with --floor."""
    rows = [("good" if judge == "pass" else "bad", human) for judge, human in GOOD]
    found = check(written(tmp_path, rows), BOTH, maps=["good=pass", "bad=fail"], demands=["tpr=0.99"])
    assert missed(found) == {"tpr"}


def test_a_judge_that_favours_its_own_is_told(tmp_path: Path) -> None:
    """TV-2.3 as counts: it passes 88 of 100 good answers of its own and 71 of 100 of others, so .17 [.058, .278]."""
    good = [("pass", "pass", "yes")] * 88 + [("fail", "pass", "yes")] * 12
    good += [("pass", "pass", "no")] * 71 + [("fail", "pass", "no")] * 29
    rows = [*good, *[("fail", "fail", who) for who in ("yes", "no")] * 30]
    found = check(written(tmp_path, rows, "judge,human,own"), Columns(judge="judge", human=["human"], own="own"))
    (tpr,) = [one for one in found.worth.figures if one.name == "self-preference-tpr"]
    assert (tpr.estimate, tpr.low, tpr.high) == pytest.approx((0.17, 0.058290, 0.277702), abs=5e-7)
    assert figure(found, "self-preference-tnr") == 0


def test_in_pairs_the_own_answer_may_stand_on_either_side(tmp_path: Path) -> None:
    """A judge that takes its own answer whenever people do, and in half of the other pairs, has a preference of .5."""
    rows = [("a", "a", "a"), ("b", "b", "b"), ("a", "b", "a"), ("a", "a", "b")] * 30
    found = check(written(tmp_path, rows, "judge,human,own"), Columns(judge="judge", human=["human"], own="own"))
    assert figure(found, "self-preference") == pytest.approx(0.5)


def test_hostile_names_do_not_reach_the_terminal(tmp_path: Path) -> None:
    """A slice whose name holds an escape sequence is spelled out, so that no file can write on a screen."""
    file = written(tmp_path, [(*row, "\x1b[2Jgone") for row in GOOD], "judge,human,kind")
    assert "\x1b" not in command(file, "--judge", "judge", "--human", "human", "--slice", "kind").output
