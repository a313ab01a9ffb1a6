"""Fitting: the weights of the duplicate model, from pairs that people labelled.

A labelled pair says more than itself. Of a group, whose pairs all begin with one seed sentence, two duplicates of the
seed are duplicates of each other, and a duplicate of the seed differs from whatever differs from the seed: these
`implied` pairs keep the fit from learning that a different text is one in nearly the same words. `foreign` pairs (the
most similar texts of other groups) keep it from taking a common subject for a common request, `enlarged` ones (a
duplicate that asks for something else besides) from taking a part for the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from assay.errors import InsufficientDataError
from assay.generation.duplicates import lexicon
from assay.generation.duplicates.features import FEATURES, features
from assay.generation.duplicates.model import Model
from assay.generation.duplicates.reading import read
from assay.records.record import Record

FOLDS = 6
LABELLED, IMPLIED, FOREIGN, ENLARGED = 1.0, 0.5, 0.15, 0.6
"""Weight of a pair of each kind."""
PENALTY = 0.02
LIGHTER = 0.05
"""Share of the penalty on features that no duplicate has."""
PLAIN_FACTS = frozenset({"other_number", "other_id", "other_name", "other_part"})
NEIGHBOURS = 3
THRESHOLDS = tuple(round(0.05 + 0.01 * step, 2) for step in range(91))


class Pair(Record):
    """Two texts and whether they say the same."""

    group: str
    """Pairs of one group share their first text."""
    a: str
    b: str
    label: Literal["duplicate", "different"]
    kind: str
    """How the second was made from the first: `reworded`, `number`, `negation` ..."""
    split: str


class Found(NamedTuple):
    """How well duplicates are found."""

    precision: float
    recall: float
    n: int


def implied(pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs that follow from labelled ones of the same group."""
    found = []
    for group in dict.fromkeys(pair.group for pair in pairs):
        own = [pair for pair in pairs if pair.group == group]
        same, other = ([pair for pair in own if pair.label == label] for label in ("duplicate", "different"))
        for place, pair in enumerate(same):
            found += [pair.model_copy(update={"a": pair.b, "b": twin.b}) for twin in same[place + 1 :]]
            found += [pair.model_copy(update={"a": pair.b, "b": t.b, "label": t.label, "kind": t.kind}) for t in other]
    return found


def foreign(pairs: Sequence[Pair]) -> list[Pair]:
    """Return each text beside its most similar ones of other groups of the same split, all of them different."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    found = []
    for split in dict.fromkeys(pair.split for pair in pairs):
        groups = {text: pair.group for pair in pairs if pair.split == split for text in (pair.a, pair.b)}
        texts, of = list(groups), np.array(list(groups.values()))
        rows = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5)).fit_transform(texts)
        scores = (rows @ rows.T).toarray()
        scores[of[:, None] == of[None, :]] = -1
        for place, text in enumerate(texts):
            for other in np.argsort(-scores[place], kind="stable")[:NEIGHBOURS]:
                given: dict[str, Any] = {"group": groups[text], "a": text, "b": texts[other], "split": split}
                found.append(Pair(**given, label="different", kind="foreign"))
    return found


def enlarged(pairs: Sequence[Pair]) -> list[Pair]:
    """Return each duplicate with the seed of the next group of its split said besides: it asks for more."""
    found = []
    for split in dict.fromkeys(pair.split for pair in pairs):
        own = [pair for pair in pairs if pair.split == split]
        seeds = {pair.group: pair.a for pair in own}
        following = dict(zip(seeds, [*list(seeds.values())[1:], *list(seeds.values())[:1]], strict=True))
        for pair in own:
            if pair.label == "duplicate":
                more = {"b": f"{pair.b} {following[pair.group]}", "label": "different", "kind": "enlarged"}
                found.append(pair.model_copy(update=more))
    return found


class Table(NamedTuple):
    """Pairs as numbers."""

    values: np.ndarray
    """Shape (n, features)."""
    duplicate: np.ndarray
    """Shape (n,), True or False."""
    weight: np.ndarray
    """Shape (n,), above 0."""
    groups: np.ndarray
    """Shape (n,), names."""

    def where(self, kept: np.ndarray) -> "Table":
        """Return the rows that a mask of shape (n,) keeps."""
        return Table(*(column[kept] for column in self))


def table(pairs: Sequence[Pair], weight: float) -> Table:
    """Return the features of pairs, each with the same weight."""
    known = lexicon.shipped()
    readings = {text: read(text, known) for pair in pairs for text in (pair.a, pair.b)}
    return Table(
        np.array([features(readings[pair.a], readings[pair.b], known) for pair in pairs]).reshape(-1, len(FEATURES)),
        np.array([pair.label == "duplicate" for pair in pairs], dtype=bool),
        np.full(len(pairs), weight),
        np.array([pair.group for pair in pairs]),
    )


def examples(pairs: Sequence[Pair]) -> Table:
    """Return all that a fit learns from, the labelled pairs first."""
    made = (implied, IMPLIED), (foreign, FOREIGN), (enlarged, ENLARGED)
    parts = [table(pairs, LABELLED), *(table(make(pairs), weight) for make, weight in made)]
    return Table(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def regress(known: Table) -> Callable[[np.ndarray], np.ndarray]:
    """Return a function that gives similarities of rows of features; see `fit`."""
    beta = _solve(known)

    def similarity(values: np.ndarray) -> np.ndarray:
        return _logistic(values @ beta[:-1] + beta[-1])

    return similarity


def _logistic(score: np.ndarray) -> np.ndarray:
    found: np.ndarray = 1 / (1 + np.exp(-np.clip(score, -50, 50)))
    return found


def _solve(known: Table) -> np.ndarray:
    """Return weights and bias of the smallest weighted logistic loss with an L2 penalty, no weight against its sign."""
    from scipy.optimize import minimize

    scale = known.values.std(axis=0)
    scale[scale == 0] = 1
    rows, share = known.values / scale, known.weight / known.weight.sum()
    penalty = PENALTY * np.array([LIGHTER if feature.name in PLAIN_FACTS else 1.0 for feature in FEATURES])

    def loss(beta: np.ndarray) -> tuple[float, np.ndarray]:
        score = rows @ beta[:-1] + beta[-1]
        off = share * (_logistic(score) - known.duplicate)
        value = float(share @ (np.logaddexp(0, score) - known.duplicate * score) + penalty @ beta[:-1] ** 2 / 2)
        return value, np.r_[rows.T @ off + penalty * beta[:-1], off.sum()]

    bounds = [(0, None) if feature.sign > 0 else (None, 0) for feature in FEATURES]
    start = np.zeros(len(FEATURES) + 1)
    options = {"maxiter": 5000, "ftol": 1e-14, "gtol": 1e-9}
    solved = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)], options=options)
    if not solved.success:
        raise InsufficientDataError(f"the fit of the duplicate model did not settle ({solved.message}): add pairs")
    beta: np.ndarray = np.append(solved.x[:-1] / scale, solved.x[-1])
    return beta


def fit(pairs: Sequence[Pair], *, rng: np.random.Generator) -> Model:
    """Return the model of these pairs; its threshold has the best of the lesser of precision and recall out of fold.

    Args:
        pairs: Labelled pairs, both labels among them.
        rng: Deals the groups into folds.

    Raises:
        InsufficientDataError: A label is missing, there are fewer groups than folds, or the fit did not settle.
    """
    similarity, duplicate = cross_validate(pairs, rng=rng)
    threshold = max(THRESHOLDS, key=lambda at: min(score(similarity >= at, duplicate)[:2]))
    beta = _solve(examples(pairs))
    names = [feature.name for feature in FEATURES]
    return Model(weights=dict(zip(names, beta[:-1].tolist(), strict=True)), bias=float(beta[-1]), threshold=threshold)


def cross_validate(pairs: Sequence[Pair], *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarity of each labelled pair by a fit without its group, and whether it is one; shapes (n,).

    Raises:
        InsufficientDataError: A label is missing or there are fewer groups than folds.
    """
    groups = sorted({pair.group for pair in pairs})
    if len({pair.label for pair in pairs}) < 2 or len(groups) < FOLDS:  # noqa: PLR2004
        raise InsufficientDataError(
            f"{len(pairs)} pairs of {len(groups)} groups cannot carry a fit; expected both labels and at least {FOLDS} "
            "groups: label more"
        )
    fold: Mapping[str, int] = {groups[at]: place % FOLDS for place, at in enumerate(rng.permutation(len(groups)))}
    known = examples(pairs)
    folds = np.array([fold[group] for group in known.groups])
    similarity = np.zeros(len(known.groups))
    for one in range(FOLDS):
        similarity[folds == one] = regress(known.where(folds != one))(known.values[folds == one])
    return similarity[: len(pairs)], known.duplicate[: len(pairs)]


def score(said: np.ndarray, duplicate: np.ndarray) -> Found:
    """Return precision and recall of what was said to be a duplicate; precision is 0 where nothing was said.

    Args:
        said: Shape (n,), True where a duplicate was found.
        duplicate: Shape (n,), True where there is one.
    """
    right = int((said & duplicate).sum())
    return Found(right / max(1, int(said.sum())), right / max(1, int(duplicate.sum())), len(said))
