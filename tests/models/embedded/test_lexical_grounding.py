"""The lexical grounding check: what it sees and what it cannot see."""

import time

import pytest
from lexical_facts import FACTS

from assay.models.embedded.grounding import supported

CONTEXTS = [
    "Refunds are possible within 14 days after delivery. Send a photo of the damaged item to support.",
    "Christmas boxes are delivered on December 23. There is no delivery on Sundays.",
]


@pytest.mark.parametrize(
    "response",
    [
        "Refunds are possible within 30 days after delivery.",
        "Our founder was born in Lisbon in 1970.",
        "Refunds are possible within 14 days after delivery. A courier named Otto brings the cash at once.",
        "There is a delivery on Sundays.",
        "Purple unicorn potato!",
    ],
)
def test_unsupported_claims_fail(response: str) -> None:
    """A changed number, a claim from nowhere, one such claim among good ones, a dropped negation: not supported."""
    assert supported(CONTEXTS, response)["pass"] < 0.5


@pytest.mark.parametrize(
    "response",
    [
        "Refunds are possible within 14 days after delivery.",
        "Hello! Please send us a photo of the damaged item.",
        "There is no delivery on Sundays. Is there anything else?",
        "",
    ],
)
def test_supported_claims_pass(response: str) -> None:
    """What the contexts say, courtesies and questions beside it included, is supported; no claim is no fault."""
    assert supported(CONTEXTS, response)["pass"] > 0.5


def test_without_contexts_nothing_is_supported() -> None:
    """A claim with no context at all fails."""
    assert supported([], "Refunds are possible within 14 days.")["pass"] < 0.5


def test_what_it_cannot_see() -> None:
    """Of 48 copies with one word of weight changed most pass, of 48 right paraphrases most fail: it reads words."""
    wrong = [supported([fact["reference"]], fact["copy"])["pass"] > 0.5 for fact in FACTS]
    right = [supported([fact["reference"]], fact["paraphrase"])["pass"] > 0.5 for fact in FACTS]
    own = [supported([fact["reference"]], fact["reference"])["pass"] > 0.5 for fact in FACTS]
    assert sum(wrong) >= 24
    assert sum(right) <= 12
    assert all(own)


def test_a_million_characters_take_no_time() -> None:
    """A hostile length of contexts or of the response is answered within seconds."""
    started = time.process_time()
    for text in ("a b c d. " * 110_000, "word\n" * 200_000, "." * 1_000_000):
        supported([text] * 3, text)
    assert time.process_time() - started < 10
