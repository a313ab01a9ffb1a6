"""Policies: what is demanded of a judge, by a word, by its own demands, and by those of params.yaml before them."""

from typing import Any

import pytest
from pydantic import ValidationError

from assay.calibration.policy import (
    PAIRED,
    SINGLE,
    NominalPolicy,
    PairwisePolicy,
    PassFailPolicy,
    Policy,
    PreferencePolicy,
    ScorePolicy,
    policy_of,
    preset,
)
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


SINGLES: dict[str, tuple[float | None, float | None]] = {
    "min_labels": (1, None),
    "max_flips": (0, 1),
    "max_injected": (0, 1),
    "min_rarer": (0, None),
    "tpr": (0, 0.99),
    "tnr": (0, 0.99),
    "youden": (-1, 0.99),
    "kappa": (-1, 0.99),
    "beyond_trivial": (-1, 0.99),
}
BOUNDS: list[tuple[type[Policy], dict[str, Any], dict[str, tuple[float | None, float | None]]]] = [
    (PassFailPolicy, SINGLE["default"].model_dump(), SINGLES),
    (
        PairwisePolicy,
        PAIRED["default"].model_dump(),
        {"accuracy": (0, 0.99), "kappa": (-1, 0.99), "max_conflict": (0, 1)},
    ),
    (
        NominalPolicy,
        {"min_labels": 50, "min_rarer": 20, "kappa": 0.2},
        {"min_rarer": (0, None), "kappa": (-1, 0.99), "macro_f1": (0, 0.99)},
    ),
    (
        ScorePolicy,
        {"min_labels": 50, "spearman": 0.2},
        {"kappa": (-1, 0.99), "spearman": (-1, 0.99), "max_mae": (0.01, None)},
    ),
    (PreferencePolicy, {"min_labels": 50, "agreement": 0.6}, {"agreement": (0, 0.99), "spearman": (-1, 0.99)}),
]
"""Of each policy: demands that are sound, and by demand the least and the most that may be demanded."""


@pytest.mark.parametrize(
    ("policy", "sound", "name", "value", "step"),
    [
        (policy, sound, name, value, step)
        for policy, sound, bounds in BOUNDS
        for name, (least, most) in bounds.items()
        for value, step in ((least, -1), (most, 1))
        if value is not None
    ],
)
def test_a_demand_can_be_met(policy: type[Policy], sound: dict[str, Any], name: str, value: float, step: int) -> None:
    """Each lies between what every judge meets and what none can: the bound itself is sound, what is beyond is not."""
    assert getattr(policy.model_validate(sound | {name: value}), name) == value
    beyond = value + step if isinstance(value, int) else value + step / 100
    with pytest.raises(ValidationError):
        policy.model_validate(sound | {name: beyond})


def test_each_question_has_its_policy() -> None:
    """Single answers, labels and scores have rates of both kinds; pairs have an accuracy."""
    score = Declaration(question="score", range=(1, 5), pass_threshold=4)
    assert [type(policy_of(one, {}, "w")) for one in (Declaration(), score, PAIR)] == [
        *(PassFailPolicy, PassFailPolicy, PairwisePolicy),
    ]
