"""The answer is worded like a reference, or means the same as far as an embedding can tell.

`ratio` compares characters: the share of both texts that lies in their longest common subsequence, as in rapidfuzz.
`rouge-l` compares words in lower case in the same way: ROUGE-L's F1 (Lin, 2004). Both compare texts as `folding` has
them. `embedding` compares meanings: the cosine of the vectors of the texts as written, which the judge stage asks a
model for; without one nobody can tell.
"""

from typing import Annotated, ClassVar, Literal

from pydantic import Field
from rapidfuzz.distance import Indel

from assay.checks.finding import Finding, judged, unknown
from assay.checks.folding import compared
from assay.checks.form import Exact, Filled, Options, Share
from assay.records.case import Expectation
from assay.records.response import Response

EMBEDDING = "embedding"
LONGEST = 20_000
"""Characters of a reference: the cost grows with the product of both lengths."""


class Similarity(Options):
    """The answer is like a reference."""

    check: Literal["similarity", "not-similarity"]
    measure: Literal["ratio", "rouge-l", "embedding"]
    reference: Annotated[Filled, Field(max_length=LONGEST)]
    threshold: Share
    exact: Exact = False
    kept_beside: ClassVar = frozenset({"exact"})


FORM = Similarity


def score(expectation: Expectation, response: Response) -> Finding:
    """Measure how much of the two texts is common to both, in order."""
    asked = Similarity.of(expectation)
    measure, threshold = asked.measure, asked.threshold
    if measure == EMBEDDING:
        return unknown("no embedding was asked for: set judge.embedding_model in params.yaml")
    answer, reference = (_units(compared(expectation, text), measure) for text in (response.text, asked.reference))
    # The cut-off lets the search stop early; below it the measure is not worked out.
    share = Indel.normalized_similarity(answer, reference, score_cutoff=threshold)
    if share >= threshold:
        return judged(passed=True, detail=f"{measure} is {share:.3f}, at least {threshold:g} is asked for")
    return judged(passed=False, detail=f"{measure} is below {threshold:g}")


def embedded(expectation: Expectation) -> str:
    """Return the reference whose embedding an expectation needs; empty for any other expectation."""
    if expectation.check not in ("similarity", "not-similarity"):
        return ""
    asked = Similarity.of(expectation)
    return asked.reference if asked.measure == EMBEDDING else ""


def of_cosine(expectation: Expectation, cosine: float) -> Finding:
    """Hold a cosine against the threshold of an expectation that needs one, with or without `not-`."""
    threshold = Similarity.of(expectation).threshold
    is_wanted = expectation.check == "similarity"
    bound = "at least" if is_wanted else "below"
    detail = f"the cosine of the embeddings is {cosine:.3f}, {bound} {threshold:g} is asked for"
    return judged(passed=(cosine >= threshold) is is_wanted, detail=detail)


def without_text(expectation: Expectation) -> Finding:
    """Return the finding on an answer without a text, of which there is no vector: it means nothing."""
    return judged(passed=expectation.check != "similarity", detail="the answer has no text, which means nothing")


def _units(text: str, measure: str) -> str | list[str]:
    return text.casefold().split() if measure == "rouge-l" else text.strip()
