"""Model: weighs what speaks for and against a pair, with weights that a file beside this module holds."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.errors import DataError
from assay.generation.duplicates.features import FEATURES, features
from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.reading import Reading

RESOURCES = ("weights.json",)
FILE = Path(__file__).parent / "weights.json"
TOO_LONG = "too long to be compared by more than equality"
SAME, REWORDED, NOTHING = "the same text", "the same request in other words", "few words in common"


class Decided(NamedTuple):
    """What the model says of a pair."""

    similarity: float
    """From 0 to 1."""
    is_duplicate: bool
    why: str
    """For a reviewer; what spoke against it most, where it is no duplicate."""


@dataclass(frozen=True, kw_only=True)
class Model:
    """A logistic regression over `FEATURES`."""

    weights: Mapping[str, float]
    """Feature -> weight; its sign is the feature's or it is 0."""
    bias: float
    threshold: float
    """Similarity from which a pair is a duplicate."""

    def decide(self, one: Reading, other: Reading, known: Lexicon) -> Decided:
        """Decide on one pair, as both were read with one lexicon; the order of the two does not matter."""
        if not one.units and not other.units:
            return Decided(0.0, is_duplicate=False, why=NOTHING)
        values = features(one, other, known)
        spoke = [self.weights[feature.name] * float(value) for feature, value in zip(FEATURES, values, strict=True)]
        similarity = 1 / (1 + math.exp(-max(-50.0, min(50.0, sum(spoke) + self.bias))))
        if not (one.is_whole and other.is_whole):
            return Decided(similarity, is_duplicate=False, why=TOO_LONG)
        if similarity >= self.threshold:
            return Decided(similarity, is_duplicate=True, why=REWORDED)
        against = min(range(len(FEATURES)), key=lambda place: spoke[place])
        enough = spoke[against] < 0 and values[0] > 0
        return Decided(similarity, is_duplicate=False, why=FEATURES[against].says if enough else NOTHING)


@cache
def shipped() -> Model:
    """Return the model whose weights lie beside this module."""
    return parse(FILE.read_text(encoding="utf8"))


def parse(text: str) -> Model:
    """Return the model that a JSON text spells.

    Raises:
        DataError: It is not a bias, a threshold and a finite number for each feature and no other.
    """
    names = [feature.name for feature in FEATURES]
    try:
        written = json.loads(text)
        found = Model(
            weights={name: float(value) for name, value in written["weights"].items()},
            bias=float(written["bias"]),
            threshold=float(written["threshold"]),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"the weights of the duplicate model are {text[:80]!r}; expected bias, threshold and weights: refit"
        ) from error
    if list(found.weights) != names or not np.isfinite([*found.weights.values(), found.bias, found.threshold]).all():
        raise DataError(
            f"the weights of the duplicate model are for {', '.join(found.weights)[:80]!r}; expected a finite number "
            "for each feature and no other: refit"
        )
    return found


def spell(model: Model) -> str:
    """Return the JSON text of a model, four decimals a weight."""
    weights = {feature.name: round(model.weights[feature.name], 4) for feature in FEATURES}
    return json.dumps({"threshold": model.threshold, "bias": round(model.bias, 4), "weights": weights}, indent=2) + "\n"
