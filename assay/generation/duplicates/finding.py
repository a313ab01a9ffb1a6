"""Duplicates: does a proposed case say what another one says already, in whatever words?

`find` gives each candidate the text that it repeats most, among the existing ones and the candidates before it. A few
neighbours of each are found by words, meanings and pieces of words (and an embedder's vectors, if one is given); only
these are decided on, by a model that knows numbers, negations, roles and synonyms. A text longer than `reading.SHOWN`
is a duplicate only of its equal.

The model is right about texts that share most words, and less so about a paraphrase that also changes a fact, or in the
words of a trade that the lexicon does not know: `python -m benchmarks duplicates` says how much less. What it finds is
for a reviewer to see, and no reason to drop a case unseen unless `similarity` is 1.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from assay.errors import ConfigError
from assay.generation.duplicates import lexicon, model, neighbours
from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.model import Model
from assay.generation.duplicates.neighbours import Embedder
from assay.generation.duplicates.reading import Reading, read
from assay.generation.duplicates.words import plain

NEAREST = 12
"""Neighbours by words that are decided on, per candidate."""
KIN = 36
"""As many more are looked at where some of them may be kin, which are left out."""
EMBEDDED = 6
"""Neighbours by an embedder's vectors that are decided on besides."""


class Text(NamedTuple):
    """What is compared."""

    id: str
    text: str
    """A case's turns, joined with newlines."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """The text that a candidate resembles most."""

    other_id: str
    """Empty when nothing resembles it at all."""
    similarity: float
    """From 0 to 1 (the same text)."""
    is_duplicate: bool
    why: str
    """For a reviewer."""


def find(
    candidates: Sequence[Text],
    existing: Sequence[Text],
    *,
    embedder: Embedder | None = None,
    decider: Model | None = None,
    known: Lexicon | None = None,
    is_kin: Callable[[str, str], bool] | None = None,
) -> dict[str, Match]:
    """Return the best match of each candidate among `existing` and the candidates before it, by its id.

    Args:
        candidates: The proposed texts, in their order: the first of two equals is no duplicate.
        existing: What is there already, retired texts included.
        embedder: Finds more neighbours, by its vectors; what is decided of them stays the model's.
        decider: Decides on a pair; the shipped one if left out.
        known: Which words mean the same; the shipped ones if left out.
        is_kin: Tells of a candidate's id and another one whether they resemble each other on purpose, so that neither
            repeats the other.

    Raises:
        ConfigError: Two candidates have one id, or the embedder's vectors are not what it promises.
    """
    ids = [candidate.id for candidate in candidates]
    if len(set(ids)) < len(ids):
        twice = next(name for place, name in enumerate(ids) if name in ids[:place])
        raise ConfigError(f"two candidates have the id {twice[:80]!r}; expected each id once: rename one")
    if not candidates:
        return {}
    texts = [*existing, *candidates]
    decider, known = decider or model.shipped(), known or lexicon.shipped()
    places = range(len(existing), len(texts))
    is_kin = is_kin or _never
    equals = _equals(texts)
    index = neighbours.Index()
    for text in texts:
        index.add(read(text.text, known))
    near = index.nearest(len(existing), NEAREST + KIN * (is_kin is not _never))
    further = _further(embedder, texts, len(existing))
    found = {}
    for place, by_words, by_vectors in zip(places, near, further, strict=True):
        own = texts[place].id
        equal = next((at for at in equals[place] if at < place and not is_kin(own, texts[at].id)), None)
        if equal is not None:
            match = Match(other_id=texts[equal].id, similarity=1.0, is_duplicate=True, why=model.SAME)
        else:
            apart = [at for at in by_words if not is_kin(own, texts[at].id)][:NEAREST]
            apart += [at for at in by_vectors if not is_kin(own, texts[at].id)]
            match = _best(texts, place, list(dict.fromkeys(apart)), decider, known)
        found[own] = match
    return found


def _never(_: str, __: str) -> bool:
    return False


def _further(embedder: Embedder | None, texts: Sequence[Text], first: int) -> Iterator[list[int]]:
    if embedder is None:
        return iter([[] for _ in range(first, len(texts))])
    return neighbours.embedded(embedder, [text.text for text in texts], first, EMBEDDED)


def _equals(texts: Sequence[Text]) -> list[list[int]]:
    """Return, for each text, the places of all that are equal to it but for case, spacing and spelling of signs."""
    seen: dict[bytes, list[int]] = {}
    found = []
    for place, text in enumerate(texts):
        key = hashlib.blake2b(plain(text.text).casefold().encode("utf8", "replace"), digest_size=16).digest()
        same = seen.setdefault(key, [])
        same.append(place)
        found.append(same)
    return found


def _best(texts: Sequence[Text], place: int, near: Sequence[int], decider: Model, known: Lexicon) -> Match:
    """Decide on a candidate's neighbours; of equally similar ones the first stands."""
    mine: Reading = read(texts[place].text, known)
    best = Match(other_id="", similarity=0.0, is_duplicate=False, why="")
    for other in sorted(near):
        decided = decider.decide(mine, read(texts[other].text, known), known)
        if (decided.is_duplicate, decided.similarity) > (best.is_duplicate, best.similarity):
            best = Match(
                other_id=texts[other].id,
                similarity=round(decided.similarity, 6),
                is_duplicate=decided.is_duplicate,
                why=decided.why,
            )
    return best
