"""The lexical grounding check: is each sentence of a response carried by the contexts, as far as words can tell?

It is not fitted: its weights are written down here and are a guess about every product but the one they were tried on.
It sees claims from nowhere and foreign numbers and names; a contradiction in the contexts' own words passes. An
application has to calibrate it on its own labels before its rate means anything.
"""

import math
import re

from assay.models.embedded.features import READ_CHARACTERS, Surface, stem, surface

INTERCEPT = -3.0
COVERED = 6.0
"""Weight of the share of a sentence's words of content that occur in the contexts: half covered is even odds."""
NUMBERS = -4.0
"""Weight of the share of a sentence's numbers that occur in no context."""
NAMES = -2.0
"""Weight of the share of a sentence's names that occur in no context."""
NEGATION = -4.0
"""Weight of a sentence that is negated while the context sentence nearest to it is not, or the reverse."""

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_FUNCTION_WORDS = frozenset(
    stem(word)
    for word in re.findall(
        r"\S+",
        """a about after all also am an and any are as at be been but by can could did do does for from had has have
        hello her hi his how i if in into is it its just let may me might more my of on or our out please shall she
        should so some sorry than thank thanks that the their them then there these they this to too up us very was
        we were what when where which who will with would you your i'm i'll you'll we'll it's that's""",
    )
)
MAX_SENTENCES = 200
"""Of the contexts; more are not compared one by one."""


def supported(contexts: list[str], response: str) -> dict[str, float]:
    """Return P(pass) and P(fail): the least supported sentence of the response decides.

    Questions to the user and sentences without a word of content claim nothing; a response without claims passes.
    """
    known = surface("\n".join(contexts))
    sentences = [surface(sentence) for context in contexts for sentence in _sentences(context)][:MAX_SENTENCES]
    claims = [surface(sentence) for sentence in _sentences(response) if not sentence.rstrip().endswith("?")]
    scores = [_support(claim, known, sentences) for claim in claims if _content(claim)]
    passes = 1 / (1 + math.exp(-min(scores, default=-INTERCEPT)))
    return {"pass": passes, "fail": 1 - passes}


def _support(claim: Surface, known: Surface, sentences: list[Surface]) -> float:
    """Return the log-odds that the contexts carry one claim."""
    content = _content(claim)
    nearest = max(sentences, key=lambda sentence: len(content & set(sentence.tokens)), default=known)
    return (
        INTERCEPT
        + COVERED * len(content & set(known.tokens)) / len(content)
        + NUMBERS * len(claim.numbers - known.numbers) / max(1, len(claim.numbers))
        + NAMES * len(claim.names - set(known.tokens) - known.names) / max(1, len(claim.names))
        + NEGATION * (claim.is_negated != nearest.is_negated)
    )


def _content(text: Surface) -> set[str]:
    return set(text.tokens) - _FUNCTION_WORDS


def _sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE_END.split(text[:READ_CHARACTERS]) if sentence.strip()]
