"""What the numbers cost: corrected pass rates of a million verdicts, and bootstraps over a hundred thousand items."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from assay.stats.annotators import human_ceiling
from assay.stats.corrected import Confusion, double_sampling, rogan_gladen
from assay.stats.ppi import ppi
from assay.stats.raters import alpha_interval, count_ballots

VERDICTS, LABELS = 1_000_000, 1_000
ITEMS, DRAWS, PEOPLE = 100_000, 2_000, 3
PASS_RATE, RIGHT = 0.85, 0.92


def measure(rounds: int) -> dict[str, Any]:
    """Return the median seconds of each, and of one pass of numpy over the same million verdicts beside them."""
    rng = np.random.default_rng(1)
    truth = rng.random(VERDICTS) < PASS_RATE
    said = np.where(rng.random(VERDICTS) < RIGHT, truth, ~truth)
    human, judge, others = truth[:LABELS], said[:LABELS], said[LABELS:]
    cells = {"tp": human & judge, "fp": ~human & judge, "fn": human & ~judge, "tn": ~human & ~judge}
    labelled = Confusion(**{name: int(where.sum()) for name, where in cells.items()})
    counts = {"judge_pass": int(said.sum()), "judged": VERDICTS}
    ways: dict[str, Callable[[], object]] = {
        "numpy_mean_and_variance_of_the_verdicts": lambda: (others.mean(), others.astype(float).var()),
        "double_sampling": lambda: double_sampling(labelled, **counts, rng=np.random.default_rng(2)),
        "rogan_gladen": lambda: rogan_gladen(labelled, **counts),
        "ppi": lambda: ppi(human.astype(float), judge.astype(float), others.astype(float)),
    }
    found = {name: _median(way, rounds) for name, way in ways.items()}
    return {"verdicts": VERDICTS, "labels": LABELS, **found, **_bootstraps(rounds), **_fits(rounds)}


def _bootstraps(rounds: int) -> dict[str, Any]:
    from assay.records.label import Label

    rng = np.random.default_rng(3)
    truth = rng.random(ITEMS) < PASS_RATE
    ratings = np.array([np.where(rng.random(ITEMS) < RIGHT, truth, ~truth) for _ in range(PEOPLE)]).astype(int)
    ballots = count_ballots(ratings, classes=2)
    labels = [
        Label.model_construct(item_id=str(item), annotator=f"person-{who}", outcome=("fail", "pass")[given])
        for who, row in enumerate(ratings.tolist())
        for item, given in enumerate(row)
    ]
    judge = {str(item): ("fail", "pass")[int(one)] for item, one in enumerate(truth)}
    alpha = _median(lambda: alpha_interval(ballots, rng=np.random.default_rng(4), draws=DRAWS), rounds)
    ceiling = _median(lambda: human_ceiling(labels, judge, rng=np.random.default_rng(5), draws=DRAWS), rounds)
    return {"items": ITEMS, "draws": DRAWS, "bootstrap_of_alpha": alpha, "bootstrap_of_the_human_ceiling": ceiling}


def _fits(rounds: int) -> dict[str, Any]:
    """Return what fitting the embedded judge costs, beside scikit-learn's own fit of as many rows and features."""
    from sklearn.linear_model import LogisticRegression

    from assay.models.embedded.features import FEATURES
    from assay.models.embedded.lexical import LexicalJudge
    from assay.models.embedded.tuning import majority
    from assay.project.tables.labels import ITEMS, LABELS
    from benchmarks.project import ROOT, inside

    with inside(ROOT):
        labelled = majority(ITEMS.read(), LABELS.read())
    rng = np.random.default_rng(6)
    rows, classes = rng.random((len(labelled), len(FEATURES))), rng.random(len(labelled)) < PASS_RATE
    bare = _median(lambda: LogisticRegression().fit(rows, classes), rounds)
    return {"fit_of_the_embedded_judge": _median(lambda: LexicalJudge.fit(labelled), rounds), "fit_of_sklearn": bare}


def _median(way: Callable[[], object], rounds: int) -> float:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        way()
        taken.append(time.perf_counter() - began)
    return round(statistics.median(taken), 4)
