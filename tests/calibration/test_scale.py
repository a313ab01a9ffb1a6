"""A judge's own scale in its certificate: the figures of `assay check`, by the same functions."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from assay.calibration.assessment import Assessment, assess
from assay.calibration.certificate import Certificate
from assay.calibration.figures import BY_VERDICT
from assay.calibration.policy import PassFailPolicy
from assay.calibration.ratings import join
from assay.commands.check import Columns, check
from assay.judges.declaration import Declaration
from assay.records.label import Item, Label
from assay.records.verdict import Verdict
from tests.calibration.test_certificate import certificate
from tests.cast import item, label, verdict

POLICY = PassFailPolicy(min_labels=50, min_rarer=20, tpr=0.75, tnr=0.6, youden=0.4)
DECLARED = {
    "labels": Declaration(question="labels", labels=("kind", "curt", "rude"), passing_labels=("kind",)),
    "score": Declaration(question="score", range=(1, 5), pass_threshold=4),
}
PEOPLE = ("ada", "ben", "cleo")


def words(declared: Declaration, n: int = 120) -> tuple[list[list[str]], list[str]]:
    """Return what three people and a judge say of items in a judge's own scale, seeded."""
    rng, scale = np.random.default_rng(6), declared.verdicts
    truth = rng.integers(0, len(scale), n)

    def said(errors: float) -> list[str]:
        moved = np.clip(truth + rng.choice([-1, 0, 1], n, p=[errors / 2, 1 - errors, errors / 2]), 0, len(scale) - 1)
        return [scale[place] for place in moved]

    return [said(0.1), said(0.2), said(0.3)], said(0.25)


def material(
    declared: Declaration, people: list[list[str]], judge: list[str], **changes: Any
) -> tuple[list[Item], list[Label], list[Verdict]]:
    """Return items with the labels and verdicts of these words."""

    def outcome(word: str) -> str:
        return "pass" if word in declared.passing else "fail"

    items = [item(number, f"Answer {number}.", reference="") for number in range(len(judge))]
    labels = [
        label(one.item_id, outcome(word), who, label=word, **changes)
        for who, said in zip(PEOPLE, people, strict=False)
        for one, word in zip(items, said, strict=True)
        if word
    ]
    verdicts = [
        verdict(one.item_id, outcome(word), subject="anchor", label=word)
        for one, word in zip(items, judge, strict=True)
    ]
    return items, labels, verdicts


def measured(question: str, people: list[list[str]], judge: list[str], **changes: Any) -> Assessment:
    """Return what a judge of this question is worth."""
    found = join(question, *material(DECLARED[question], people, judge, **changes))
    return assess(found, found, POLICY, rng=np.random.default_rng(1), scale=DECLARED[question])


def estimates(found: Assessment) -> dict[str, float | None]:
    return {figure.name: figure.estimate for figure in found.figures}


def test_a_judge_without_a_label_in_its_scale_says_so() -> None:
    """People who passed and failed alone leave a reason in place of a kappa, and no class and no annotator."""
    people, judge = words(DECLARED["labels"])
    items, labels, verdicts = material(DECLARED["labels"], people, judge)
    bare = [one.model_copy(update={"label": ""}) for one in labels]
    found = join("labels", items, bare, verdicts)
    worth = assess(found, found, POLICY, rng=np.random.default_rng(1), scale=DECLARED["labels"])
    (kappa,) = [figure for figure in worth.figures if figure.name == "kappa-scale"]
    assert (kappa.estimate, worth.by_class, worth.by_annotator) == (None, [], [])
    assert "label some" in kappa.note


def test_a_constant_judge_of_scores_has_no_order() -> None:
    """Whatever it says passes or fails, its correlation is refused with the reason and its kappa is 0."""
    people, judge = words(DECLARED["score"])
    found = measured("score", people, ["4"] * len(judge))
    assert estimates(found)["spearman"] is None
    assert estimates(found)["kappa-scale"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("labels", {"kappa-scale": "kappa", "accuracy-scale": "accuracy", "macro-f1": "macro-f1"}),
        ("score", {"kappa-scale": "kappa-quadratic", "spearman": "spearman", "mae": "mae", "within-one": "within-one"}),
    ],
)
def test_a_certificate_says_what_check_says(tmp_path: Path, question: str, names: dict[str, str]) -> None:
    """The same words in a flat file have the same figures, the same classes, and the same annotators one by one."""
    people, judge = words(DECLARED[question])
    people[2][50:] = [""] * 70
    file = tmp_path / "results.csv"
    rows = zip(judge, *people, strict=True)
    file.write_text("\n".join([",".join(["judge", *PEOPLE]), *map(",".join, rows)]))
    checked = check(file, Columns(judge="judge", human=PEOPLE), scale="1-5" if question == "score" else "")
    held, flat = measured(question, people, judge), {one.name: one.estimate for one in checked.worth.figures}
    mine = estimates(held)
    assert {name: mine[name] for name in names} == {name: pytest.approx(flat[other]) for name, other in names.items()}
    assert held.by_annotator == checked.worth.by_annotator
    if question == "labels":
        assert sorted(held.by_class, key=lambda one: one.name) == checked.worth.by_class
    else:
        assert (held.by_class, mine["kappa-linear"]) == ([], pytest.approx(flat["kappa-linear"]))


def test_an_item_that_people_pass_and_fail_has_a_score_all_the_same() -> None:
    """Scores 3 and 4 are split on whether it passes and have the lower median 3: the scale counts such items too."""
    people, judge = words(DECLARED["score"])
    people, split = people[:1] * 2, [at for at, word in enumerate(people[0]) if word == "3"]
    people[1] = ["4" if at in split else word for at, word in enumerate(people[0])]
    found = measured("score", people, judge)
    (kappa,) = [figure for figure in found.figures if figure.name == "kappa-scale"]
    assert len(split) > 10
    assert kappa.n == len(judge)
    assert kappa.estimate == pytest.approx(
        cohen_kappa_score(people[0], judge, weights="quadratic", labels=list("12345"))
    )


def test_labels_drawn_by_a_verdict_are_said_to_be() -> None:
    """The scale's figures are those of the labelled items, and each says so where they are not the share of all."""
    people, judge = words(DECLARED["labels"])
    items, labels, verdicts = material(DECLARED["labels"], people, judge)
    drawn = [
        one.model_copy(update={"inclusion_probability": 0.2 if int(one.item_id[-3:]) % 2 else 0.9}) for one in labels
    ]
    found = join("labels", items, drawn, verdicts)
    worth = assess(found, found, POLICY, rng=np.random.default_rng(1), scale=DECLARED["labels"])
    notes = {figure.name: figure.note for figure in worth.figures}
    assert all(notes[name].endswith(BY_VERDICT) for name in ("kappa-scale", "macro-f1", "accuracy-scale"))


def test_pass_and_fail_drawn_by_a_verdict_have_no_means_of_classes() -> None:
    """TPR and TNR are weighed there; means of the labelled items alone would stand beside them and contradict."""
    items = [item(number, f"Answer {number}.", reference="") for number in range(120)]
    said = ["pass" if number % 3 else "fail" for number in range(120)]
    verdicts = [verdict(one.item_id, word, subject="anchor") for one, word in zip(items, said, strict=True)]
    for chances, names in (((0.5, 0.5), {"macro-f1"}), ((0.2, 0.9), set())):
        labels = [
            label(one.item_id, word if at % 7 else "fail", inclusion_probability=chances[word == "fail"])
            for at, (one, word) in enumerate(zip(items, said, strict=True))
        ]
        found = join("pass-fail", items, labels, verdicts)
        worth = assess(found, found, POLICY, rng=np.random.default_rng(1))
        assert {figure.name for figure in worth.figures} & {"macro-f1"} == names
        assert bool(worth.by_class) == bool(names)


@pytest.mark.parametrize("field", ["epsilon", "by_class", "by_annotator"])
def test_a_certificate_of_before_is_read(field: str) -> None:
    """A row without the newer fields is a certificate as it was, at the epsilon that was taken then."""
    row = certificate().model_dump(mode="json")
    del row[field]
    assert getattr(Certificate.model_validate(row), field) == {"epsilon": 0.1}.get(field, [])
