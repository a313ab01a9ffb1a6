"""The answer is worded like a reference, or means the same as far as an embedding can tell.

The value is a JSON object with `measure`, `reference` and `threshold`. `ratio` compares characters: the
share of both texts that lies in their longest common subsequence, as in rapidfuzz. `rouge-l` compares words in
lower case in the same way: ROUGE-L's F1 (Lin, 2004). Both compare texts as `folding` has them. `embedding` compares
meanings: the cosine of the vectors of the texts as written, which the judge stage asks a model for; without one nobody
can tell.
"""

from typing import Any

from rapidfuzz.distance import Indel

from assay.checks.finding import Finding, judged, unknown
from assay.checks.folding import compared
from assay.checks.json_text import show
from assay.checks.shape import read_options, require_values
from assay.errors import DataError
from assay.records.case import Expectation
from assay.records.response import Response

EMBEDDING = "embedding"
MEASURES = ("ratio", "rouge-l", EMBEDDING)
LONGEST = 20_000
"""Characters of a reference: the cost grows with the product of both lengths."""


def validate(expectation: Expectation) -> None:
    """Expect one JSON object with `measure`, `reference` and `threshold`, above 0 and at most 1.

    Raises:
        DataError: It is written otherwise, or the reference is longer than 20,000 characters.
    """
    require_values(expectation, 1, 1)
    options = _options(expectation)
    if options["measure"] not in MEASURES:
        raise DataError(
            f"check {expectation.check!r} has {show(options['measure'])} as 'measure'; expected one of {MEASURES}"
        )
    if len(options["reference"]) > LONGEST:
        raise DataError(
            f"check {expectation.check!r} has a reference of {len(options['reference'])} characters; expected at most "
            f"{LONGEST}: shorten it, or use a judge"
        )


def score(expectation: Expectation, response: Response) -> Finding:
    """Measure how much of the two texts is common to both, in order."""
    options = _options(expectation)
    measure, threshold = options["measure"], options["threshold"]
    if measure == EMBEDDING:
        return unknown("no embedding was asked for: set judge.embedding_model in params.yaml")
    answer, reference = (_units(compared(expectation, text), measure) for text in (response.text, options["reference"]))
    # The cut-off lets the search stop early; below it the measure is not worked out.
    share = Indel.normalized_similarity(answer, reference, score_cutoff=threshold)
    if share >= threshold:
        return judged(passed=True, detail=f"{measure} is {share:.3f}, at least {threshold:g} is asked for")
    return judged(passed=False, detail=f"{measure} is below {threshold:g}")


def embedded(expectation: Expectation) -> str:
    """Return the reference whose embedding an expectation needs; empty for any other expectation."""
    if expectation.check not in ("similarity", "not-similarity"):
        return ""
    options = _options(expectation)
    return options["reference"] if options["measure"] == EMBEDDING else ""


def of_cosine(expectation: Expectation, cosine: float) -> Finding:
    """Hold a cosine against the threshold of an expectation that needs one, with or without `not-`."""
    threshold = _options(expectation)["threshold"]
    is_wanted = expectation.check == "similarity"
    bound = "at least" if is_wanted else "below"
    detail = f"the cosine of the embeddings is {cosine:.3f}, {bound} {threshold:g} is asked for"
    return judged(passed=(cosine >= threshold) is is_wanted, detail=detail)


def without_text(expectation: Expectation) -> Finding:
    """Return the finding on an answer without a text, of which there is no vector: it means nothing."""
    return judged(passed=expectation.check != "similarity", detail="the answer has no text, which means nothing")


def _options(expectation: Expectation) -> dict[str, Any]:
    required = {"measure": "text", "reference": "text", "threshold": "a share above 0, at most 1"}
    return read_options(expectation, expectation.values[0], required=required)


def _units(text: str, measure: str) -> str | list[str]:
    return text.casefold().split() if measure == "rouge-l" else text.strip()
