"""How well repetitions are found, beside simpler ways, and what it costs among a hundred thousand cases.

`python -m benchmarks.duplicates refit` fits the weights again and writes them.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import ROOT, environment

FOLDER = ROOT / "tests" / "generation"
EXISTING, CANDIDATES, SEED = 100_000, 1_000, 20


def pairs(name: str = "pairs") -> list[Any]:
    """Return the labelled pairs of one file."""
    from assay.generation.duplicates.fitting import Pair

    return [Pair.model_validate_json(line) for line in (FOLDER / f"{name}.jsonl").read_text("utf8").splitlines()]


def fitted() -> Any:
    """Return the model that the training pairs give."""
    from assay.generation.duplicates.fitting import fit

    return fit([pair for pair in pairs() if pair.split == "train"], rng=np.random.default_rng(SEED))


def measure() -> dict[str, Any]:
    """Return precision and recall of the model and of simpler ways, and what a search costs."""
    return {"quality": quality(), "cost": cost()}


def quality() -> dict[str, Any]:
    """Fit again, and return how well duplicates are found, split by split."""
    from assay.generation.duplicates import fitting

    model = fitted()
    train, test = ([pair for pair in pairs() if pair.split == split] for split in ("train", "test"))
    similarity, duplicate = fitting.cross_validate(train, rng=np.random.default_rng(SEED))
    sets = {
        "train": train,
        "test": test,
        "later": pairs("pairs_later"),
        "implied_by_test": fitting.implied(test),
        "implied_by_later": fitting.implied(pairs("pairs_later")),
        "enlarged_of_test": fitting.enlarged(test),
        "foreign_of_train": fitting.foreign(train),
        "foreign_of_test": fitting.foreign(test),
    }
    own = {name: _said(model, known) for name, known in sets.items()}
    own["cross_validated"] = _shown(similarity >= model.threshold, duplicate)
    return {"model": own, **{name: _alone(way, train, test) for name, way in _ways(train).items()}}


def _said(model: Any, known: Sequence[Any]) -> dict[str, Any]:
    from assay.generation.duplicates import lexicon
    from assay.generation.duplicates.reading import read

    words = lexicon.shipped()
    said = [model.decide(read(pair.a, words), read(pair.b, words), words).is_duplicate for pair in known]
    return _shown(np.array(said), _labels(known))


def _labels(known: Sequence[Any]) -> np.ndarray:
    return np.array([pair.label == "duplicate" for pair in known])


def _shown(said: np.ndarray, duplicate: np.ndarray) -> dict[str, Any]:
    from assay.generation.duplicates.fitting import score

    found = score(said, duplicate)
    wrong = int((said & ~duplicate).sum())
    alarms = {"false_alarms": wrong, "different": int((~duplicate).sum())}
    if not duplicate.any():
        return alarms
    return {"precision": round(found.precision, 3), "recall": round(found.recall, 3), "pairs": found.n, **alarms}


def _ways(train: Sequence[Any]) -> dict[str, Callable[[Any], float]]:
    """Similarity alone; the last is its opposite, and shows what a set of minimal pairs can be beaten with."""
    from rapidfuzz import fuzz
    from sklearn.feature_extraction.text import TfidfVectorizer

    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5))
    letters.fit([text for pair in train for text in (pair.a, pair.b)])

    def cosine(pair: Any) -> float:
        rows = letters.transform([pair.a, pair.b])
        return float((rows[0] @ rows[1].T).toarray()[0, 0])

    return {
        "token_ratio": lambda pair: fuzz.token_ratio(pair.a.lower(), pair.b.lower()) / 100,
        "letters": cosine,
        "unlikeness": lambda pair: 1 - fuzz.token_ratio(pair.a.lower(), pair.b.lower()) / 100,
    }


def _alone(way: Callable[[Any], float], train: Sequence[Any], test: Sequence[Any]) -> dict[str, Any]:
    from assay.generation.duplicates.fitting import score

    found = {name: np.array([way(pair) for pair in known]) for name, known in (("train", train), ("test", test))}
    labels = {"train": _labels(train), "test": _labels(test)}
    best = max(sorted(set(found["train"])), key=lambda at: min(score(found["train"] >= at, labels["train"])[:2]))
    return {name: _shown(values >= best, labels[name]) for name, values in found.items()}


def cost() -> dict[str, Any]:
    """Return seconds and peak memory of one search, its index included, in a process of its own on two cores."""
    command = [sys.executable, "-m", "benchmarks.duplicates", "job"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout  # noqa: S101 - asked for above
        said: dict[str, Any] = json.loads(process.stdout.read())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return {"existing": EXISTING, "candidates": CANDIDATES, **said, "peak_mib": round(used.ru_maxrss / 1024)}


def job() -> dict[str, Any]:
    """Search once among cases made of one half of the fixture's sentences, and of the seeds of the other half."""
    from assay.generation.duplicates.finding import Text, find

    rng = np.random.default_rng(SEED)
    labelled = pairs()
    groups = list(dict.fromkeys(pair.group for pair in labelled))
    repeated = [pair for pair in labelled if pair.group in set(groups[::2])]
    others = [pair for pair in labelled if pair.group not in set(groups[::2])]
    sentences = list(dict.fromkeys(text for pair in others for text in (pair.a, pair.b)))

    def invented(name: str) -> Text:
        one, other = rng.integers(len(sentences), size=2)
        return Text(name, f"{sentences[one]} My reference is {rng.integers(10**6)}. {sentences[other]}")

    seeds = {pair.a: f"seed-{pair.group}" for pair in repeated}
    existing = [Text(name, seed) for seed, name in seeds.items()]
    existing += [invented(f"case-{place}") for place in range(EXISTING - len(seeds))]
    sought = [pair for pair in repeated if pair.label == "duplicate"]
    candidates = [Text(f"candidate-{place}", pair.b) for place, pair in enumerate(sought)]
    candidates += [invented(f"new-{place}") for place in range(CANDIDATES - len(sought))]
    began = time.perf_counter()
    found = find(candidates, existing)
    wall_s = round(time.perf_counter() - began, 2)
    repeats = [(found[text.id], seeds[pair.a]) for text, pair in zip(candidates, sought, strict=False)]
    return {
        "wall_s": wall_s,
        "repeated": len(sought),
        "repeated_and_found": sum(match.is_duplicate for match, _ in repeats),
        "repeated_and_found_as_it_was": sum(match.is_duplicate and match.other_id == seed for match, seed in repeats),
        "new_and_taken_for_a_duplicate": sum(found[text.id].is_duplicate for text in candidates[len(sought) :]),
    }


def refit(place: Path) -> None:
    """Fit again, and write the weights."""
    from assay.generation.duplicates.model import spell

    place.write_text(spell(fitted()), encoding="utf8")


if __name__ == "__main__":
    if sys.argv[1:] == ["job"]:
        print(json.dumps(job()))
    else:
        from assay.generation.duplicates.model import FILE

        if sys.argv[1:] == ["refit"]:
            refit(FILE)
        print(json.dumps(measure(), indent=2))
