"""Policies: what is demanded of a judge, by a word, by its own demands, and by those of params.yaml before them."""

from typing import Any

import pytest

from assay.calibration.policy import PAIRED, SINGLE, PairwisePolicy, PassFailPolicy, policy_of, preset
from assay.errors import ConfigError
from assay.judges.declaration import Declaration

PAIR = Declaration(question="pairwise")


@pytest.mark.parametrize("name", ["strict", "default", "pilot"])
def test_a_word_names_what_is_demanded(name: Any) -> None:
    """Each preset is that of the question, whether the judge or params.yaml names it."""
    assert (
        policy_of(Declaration(policy=name), {}, "w") == policy_of(Declaration(), {"preset": name}, "w") == SINGLE[name]
    )
    assert policy_of(PAIR, {"preset": name}, "w") == PAIRED[name]


def test_the_presets_are_those_that_the_documents_name() -> None:
    """Labels, TPR, TNR and Youden's J of single answers; labels, accuracy, kappa and conflicts of pairs."""
    single = {name: (one.min_labels, one.min_rarer, one.tpr, one.tnr, one.youden) for name, one in SINGLE.items()}
    assert single == {
        "strict": (100, 40, 0.9, 0.9, 0.8),
        "default": (50, 20, 0.8, 0.8, 0.6),
        "pilot": (30, 10, 0.6, 0.6, 0.3),
    }
    paired = {name: (one.min_labels, one.accuracy, one.kappa, one.max_conflict) for name, one in PAIRED.items()}
    assert paired == {"strict": (100, 0.7, 0.4, 0.15), "default": (50, 0.6, 0.2, 0.25), "pilot": (30, 0.5, 0.1, 0.35)}
    for presets in (SINGLE, PAIRED):
        audits = {name: (one.max_flips, one.max_injected) for name, one in presets.items()}
        assert audits == {"strict": (0.05, 0.05), "default": (0.1, 0.1), "pilot": (0.2, 0.2)}


def test_demands_go_before_a_preset_and_params_before_the_judge() -> None:
    """What a judge demands replaces what its preset says, and params.yaml replaces both; the rest stays."""
    own = Declaration(policy={"preset": "pilot", "tpr": 0.7, "tnr": 0.75})
    found = policy_of(own, {"tnr": 0.65}, "calibrate.policies.tone")
    assert found == SINGLE["pilot"].model_copy(update={"tpr": 0.7, "tnr": 0.65})
    assert (preset(own, {}), preset(own, {"preset": "strict"}), preset(Declaration(policy={"tpr": 0.7}), {})) == (
        *("pilot", "strict", "default"),
    )


@pytest.mark.parametrize(
    ("declared", "over", "found"),
    [
        (Declaration(), {"preset": "lenient"}, r"w is 'lenient', expected one of strict, default, pilot"),
        (Declaration(), {"max_conflict": 0.2}, "max_conflict"),
        (PAIR, {"tpr": 0.8}, "tpr"),
        (Declaration(), {"tpr": 1.0}, "tpr"),
        (Declaration(), {"min_labels": 0}, "min_labels"),
    ],
)
def test_a_demand_that_is_none_is_refused(declared: Declaration, over: dict[str, Any], found: str) -> None:
    """A word or a demand that is not made of such a judge, or that nobody could meet, is named."""
    with pytest.raises(ConfigError, match=found):
        policy_of(declared, over, "w")


def test_each_question_has_its_policy() -> None:
    """Single answers, labels and scores have rates of both kinds; pairs have an accuracy."""
    score = Declaration(question="score", range=(1, 5), pass_threshold=4)
    assert [type(policy_of(one, {}, "w")) for one in (Declaration(), score, PAIR)] == [
        *(PassFailPolicy, PassFailPolicy, PairwisePolicy),
    ]
