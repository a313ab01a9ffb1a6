"""Neighbours: the few texts of many that a text may repeat, without comparing it with each by more than a product.

A text is a row of weights (term frequency times inverse document frequency) over its words, their meanings and the
pieces of four letters that its words are made of; the neighbours are those of the largest cosine. Rows are multiplied
in blocks, so that memory is bounded by `BLOCK` times the number of texts.
"""

from array import array
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from assay.errors import ConfigError
from assay.generation.duplicates.reading import Reading

Embedder = Callable[[Sequence[str]], np.ndarray]
"""Texts -> their vectors, shape (n, d), rows of length 1."""
BLOCK = 50
"""Rows that are multiplied at once."""
COMMON, FEW = 0.1, 2_000
"""A term in more than this share of more than so many texts tells nothing and is left out."""
PIECE = 4
"""Letters of a piece of a word."""
TERMS = 400
"""Terms of a text that count; the first ones."""
MEANING, LETTERS = 2.0, 0.5
"""Weight of a meaning and of a piece beside a word's 1."""
TOLERANCE = 1e-3


class Index:
    """Terms of texts, one row a text; texts are added one after the other and need not be kept."""

    def __init__(self) -> None:
        self._places: dict[str, int] = {}
        self._weights = array("f")
        self._terms = array("i")
        self._ends = array("q", [0])

    def add(self, reading: Reading) -> None:
        """Add the next text."""
        for term, weight in self._of(reading):
            self._terms.append(self._places.setdefault(term, len(self._places)))
            self._weights.append(weight)
        self._ends.append(len(self._terms))

    def _of(self, reading: Reading) -> list[tuple[str, float]]:
        found: dict[str, float] = {}
        for unit in reading.units:
            found[unit.stem] = unit.weight
            for value in unit.values:
                found[f"={value}"] = 1.0
            for meaning in unit.meanings:
                found[f"#{meaning}"] = MEANING * unit.weight
            for start in range(max(0, min(len(unit.stem), 12) - PIECE + 1)):
                found.setdefault(f"*{unit.stem[start : start + PIECE]}", LETTERS * unit.weight)
        return list(found.items())[:TERMS]

    def nearest(self, first: int, count: int) -> Iterator[list[int]]:
        """Yield, for each text from the place `first` on, the places of at most `count` texts before it, best first."""
        rows = self._matrix()
        columns = rows.T.tocsr()
        for start in range(first, rows.shape[0], BLOCK):
            products = (rows[start : start + BLOCK] @ columns).tocsr()
            for row in range(products.shape[0]):
                span = slice(products.indptr[row], products.indptr[row + 1])
                yield _largest(products.indices[span], products.data[span], start + row, count)

    def _matrix(self) -> Any:  # noqa: ANN401 - scipy has no types
        from scipy import sparse

        shape = (len(self._ends) - 1, len(self._places))
        terms = np.frombuffer(self._terms, dtype=np.int32) if self._terms else np.zeros(0, np.int32)
        weights = np.frombuffer(self._weights, dtype=np.float32) if self._weights else np.zeros(0, np.float32)
        often = np.bincount(terms, minlength=shape[1])
        inverse = np.log1p(shape[0] / np.maximum(often, 1)).astype(np.float32)
        if shape[0] > FEW:
            inverse[often > COMMON * shape[0]] = 0
        rows = sparse.csr_matrix(
            (weights * inverse[terms], terms, np.frombuffer(self._ends, dtype=np.int64)), shape=shape
        )
        rows.eliminate_zeros()
        lengths = np.sqrt(np.asarray(rows.multiply(rows).sum(axis=1)).ravel())
        return (sparse.diags(1 / np.where(lengths > 0, lengths, 1)).astype(np.float32) @ rows).tocsr()


def _largest(places: np.ndarray, scores: np.ndarray, limit: int, count: int) -> list[int]:
    """Return the places below `limit` of the largest scores; of equal ones the first."""
    inside = places < limit
    places, scores = places[inside], scores[inside]
    if len(scores) > count:
        least = np.partition(scores, -count)[-count]
        kept = scores >= least
        places, scores = places[kept], scores[kept]
    order = np.lexsort((places, -scores))[:count]
    return [int(place) for place in places[order]]


def embedded(embedder: Embedder, texts: Sequence[str], first: int, count: int) -> Iterator[list[int]]:
    """Yield the same by the cosine of an embedder's vectors.

    Raises:
        ConfigError: The embedder did not give one finite row of length 1 a text.
    """
    vectors = np.asarray(embedder(texts), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts):  # noqa: PLR2004
        raise ConfigError(
            f"the embedder gave an array of shape {vectors.shape} for {len(texts)} texts; expected one row a text: "
            "mend it"
        )
    if not np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=TOLERANCE):
        raise ConfigError("the embedder gave rows that are not finite or not of length 1; expected both: mend it")
    for start in range(first, len(texts), BLOCK):
        products = vectors[start : start + BLOCK] @ vectors.T
        for row, scores in enumerate(products):
            yield _largest(np.arange(len(texts)), scores, start + row, count)
