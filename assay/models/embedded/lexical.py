"""The lexical judge: logistic regressions on surface features, fitted to people's tune labels.

What it is good for: it runs without key or network in a millisecond, it is deterministic, and it sees gross faults
(wrong article, missing answer, refusal, garbage) about as well as a large model does. What it is not: it understands
nothing, so a fluent response that copies the reference and changes one word of weight fools it, and so does a good
paraphrase. Its certificate has to be read slice by slice.

For a pair it is symmetric by construction: it weighs differences of features, without an intercept, so that P(A over B)
and P(B over A) add up to 1 and it has no position bias. Ties follow Davidson (1970), On extending the Bradley-Terry
model to accommodate ties, eq. 2.5: P(tie) is in proportion to nu, P(A) and P(B) to exp(d/2) and exp(-d/2).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression

from assay.models.embedded.features import FEATURES, compare, surface
from assay.models.embedded.tuning import Tuned
from assay.records.record import digest

Matrix = npt.NDArray[Any]

REGULARISATION = 3.0
"""scikit-learn's C: weak enough for a few dozen labels to be heard."""
BORROWED_PAIRS = ((0.0, 0.0, 0.0, 1.28, 0.0, -0.44, -1.1, -2.82, -0.8, -0.26, 0.0, 0.0), 1.13)
BORROWED_ANSWERS = ((0.0, 0.0, 0.0, 1.65, 0.0, -1.81, -0.14, -1.09, -1.03, -2.17, 0.0, 0.0), 0.46)
"""What the labels of the sample product gave: weights, and nu or the intercept."""
DECIMALS = 4
"""Coefficients are rounded so far before they are used, so that equal labels give an equal judge on every machine."""


@dataclass(frozen=True, kw_only=True)
class LexicalJudge:
    """A fitted judge; its name says with which coefficients."""

    pair_weights: tuple[float, ...]
    """One a feature, for the difference A - B."""
    nu: float
    """Davidson's tie parameter."""
    pass_weights: tuple[float, ...]
    """One a feature, for the response."""
    pass_intercept: float
    is_fitted: bool = True
    """False where one of the questions, for want of labels, is answered by what other people's labels gave."""

    @classmethod
    def fit(cls, tuned: Sequence[Tuned]) -> Self:
        """Fit both questions to labelled items.

        A question without a label of each kind is answered with the weights that the sample product's labels gave, so
        that there is something to draw the first labels by. What that is worth no label says, and no certificate.
        """
        pairs = [one for one in tuned if one.item.question == "pairwise"]
        answers = [one for one in tuned if one.item.question == "pass-fail"]
        can_pairs, can_answers = {one.outcome for one in pairs} & {"a", "b"}, len({one.outcome for one in answers}) > 1
        pair_weights, nu = _fit_pairs(pairs) if can_pairs else BORROWED_PAIRS
        pass_weights, pass_intercept = _fit_answers(answers) if can_answers else BORROWED_ANSWERS
        return cls(
            pair_weights=pair_weights,
            nu=nu,
            pass_weights=pass_weights,
            pass_intercept=pass_intercept,
            is_fitted=bool(can_pairs and can_answers),
        )

    @property
    def reported_model(self) -> str:
        """The name it answers under; any refit that changes a coefficient changes it."""
        fitted = [self.pair_weights, self.nu, self.pass_weights, self.pass_intercept]
        return f"lexical-judge-{'' if self.is_fitted else 'unfitted-'}{digest([list(FEATURES), fitted])[:8]}"

    def compare(self, reference: str | Sequence[str], response_a: str, response_b: str) -> dict[str, float]:
        """Return P(A), P(B) and P(tie); of several references each response is held against the one it is most like."""
        d = _dot(self.pair_weights, _difference(reference, response_a, response_b))
        a, b = math.exp(d / 2), math.exp(-d / 2)
        total = a + b + self.nu
        return {"A": a / total, "B": b / total, "tie": self.nu / total}

    def decide(self, reference: str | Sequence[str], response: str) -> dict[str, float]:
        """Return P(pass) and P(fail), by that of several references which the response is most like."""
        logit = self.pass_intercept + _dot(self.pass_weights, _likeness(reference, response))
        passes = 1 / (1 + math.exp(-logit))
        return {"pass": passes, "fail": 1 - passes}


def most_likely(probabilities: Mapping[str, float]) -> str:
    """Return the verdict of these probabilities; where none of A and B is ahead, it is a tie."""
    if "tie" in probabilities and probabilities["A"] == probabilities["B"]:
        return "tie"
    return max(probabilities, key=lambda verdict: probabilities[verdict])


def _fit_pairs(pairs: Sequence[Tuned]) -> tuple[tuple[float, ...], float]:
    """Return the weights and nu; each decided pair goes in both ways round, which is what symmetry means."""
    decided = [one for one in pairs if one.outcome != "tie"]
    rows = np.array([_difference(_right(one), one.item.response_a, one.item.response_b) for one in decided])
    a_wins = np.array([one.outcome == "a" for one in decided])
    weights, _ = _regress(np.vstack([rows, -rows]), np.concatenate([a_wins, ~a_wins]), fit_intercept=False)
    differences = [_difference(_right(one), one.item.response_a, one.item.response_b) for one in pairs]
    return weights, _fit_nu([_dot(weights, row) for row in differences], ties=len(pairs) - len(decided))


def _fit_nu(logits: Sequence[float], *, ties: int) -> float:
    """Solve Davidson's likelihood equation for nu: the expected number of ties is the observed one.

    Half a tie and half a win are added, so that no label set makes ties impossible or certain.
    """
    strengths = np.array([math.exp(d / 2) + math.exp(-d / 2) for d in logits])
    wanted = (ties + 0.5) / (len(logits) + 1)

    def surplus(log_nu: float) -> float:
        nu = math.exp(log_nu)
        return float(np.mean(nu / (strengths + nu))) - wanted

    return round(math.exp(brentq(surplus, -30.0, 30.0)), DECIMALS)


def _fit_answers(answers: Sequence[Tuned]) -> tuple[tuple[float, ...], float]:
    passed = np.array([one.outcome == "pass" for one in answers], dtype=bool)
    rows = np.array([_likeness(_right(one), one.item.response_a) for one in answers])
    return _regress(rows, passed, fit_intercept=True)


def _regress(rows: Matrix, outcomes: Matrix, *, fit_intercept: bool) -> tuple[tuple[float, ...], float]:
    """Return weights of the permitted signs, and the intercept.

    While a feature comes out with the wrong sign, the most wrong one is left out and the others are fitted again: no
    label may teach the judge that being less like the reference is better.
    """
    signs = np.array(list(FEATURES.values()))
    weights, intercept, kept = np.zeros(len(signs)), 0.0, np.ones(len(signs), dtype=bool)
    while kept.any():
        model = LogisticRegression(C=REGULARISATION, fit_intercept=fit_intercept, tol=1e-8, max_iter=2000)
        model.fit(rows[:, kept], outcomes)
        weights = np.zeros(len(signs))
        weights[kept] = model.coef_[0]
        intercept = float(np.ravel(model.intercept_)[0])
        most_wrong = int(np.argmin(weights * signs))
        if weights[most_wrong] * signs[most_wrong] >= 0:
            break
        kept[most_wrong] = False
    return tuple(round(float(weight), DECIMALS) for weight in weights), round(intercept, DECIMALS)


def _right(one: Tuned) -> list[str]:
    return one.item.right_answers() or [""]


def _likeness(reference: str | Sequence[str], response: str) -> list[float]:
    """Return the features of a response against that of several right answers which it is most like."""
    text, several = surface(response), [reference] if isinstance(reference, str) else reference
    return max((compare(text, surface(one)) for one in several), key=itemgetter(0))


def _difference(reference: str | Sequence[str], response_a: str, response_b: str) -> list[float]:
    rows = zip(_likeness(reference, response_a), _likeness(reference, response_b), strict=True)
    return [a - b for a, b in rows]


def _dot(weights: Sequence[float], values: Sequence[float]) -> float:
    return sum(weight * value for weight, value in zip(weights, values, strict=True))
