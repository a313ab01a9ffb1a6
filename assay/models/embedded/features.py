"""Features: how a response compares with a reference by its surface, as numbers between 0 and 1.

Nothing here understands a sentence. A fluent response that copies the reference and changes what no list here knows
(before for after, sender for recipient) looks perfect, and a free paraphrase looks poor.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import LCSseq

READ_CHARACTERS = 20_000
"""What lies beyond in a text is not compared, so that no text can make a judgement slow."""

FEATURES = {
    "rouge_l": 1,
    "token_f1": 1,
    "trigram_cosine": 1,
    "reference_covered": 1,
    "length_ratio": 1,
    "numbers_missing": -1,
    "numbers_added": -1,
    "number_changed": -1,
    "negation_mismatch": -1,
    "names_missing": -1,
    "names_added": -1,
    "refusal_mismatch": -1,
}
"""Each feature with the sign it may count with: likeness to the reference for a response, mismatches against it."""
SHORTEST_STEM = 3
_WORD = re.compile(r"\w+(?:'\w+)?")
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*")
_NAME = re.compile(r"(?<![.!?:\n] )(?<=[\w,;] )[A-Z]\w+|[A-Z]{2,}\w*")
_REFUSAL = re.compile(
    r"\b(?:can(?:not|'t| not)|unable to|not able to|won't be able to|not allowed to)\b.{0,40}"
    r"\b(?:help|assist|answer|share|give|provide|discuss|advise|do that)"
    r"|\bi(?:'m| am) (?:afraid|sorry)\b.{0,20}\b(?:can|not)"
)
_NEGATIONS = frozenset(
    ["not", "no", "never", "cannot", "without", "none", "nor", "neither", "nobody", "nothing", "unless"]
)
_SPELLED = {
    word: str(number)
    for number, word in enumerate(
        ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), start=2
    )
} | {"fifteen": "15", "twenty": "20", "thirty": "30", "forty": "40", "fifty": "50", "sixty": "60", "ninety": "90"}


@dataclass(frozen=True, kw_only=True)
class Surface:
    """One text, taken apart once."""

    tokens: list[str]
    """Lower-case words without their commonest endings."""
    trigrams: Counter[str]
    numbers: frozenset[str]
    names: frozenset[str]
    """Words with a capital that opens no sentence, and words in capitals."""
    is_negated: bool
    is_refusal: bool


def surface(text: str) -> Surface:
    """Take a text apart; beyond `READ_CHARACTERS` it is not read."""
    text = text[:READ_CHARACTERS].replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    lower = text.lower()
    words = _WORD.findall(lower)
    squeezed = " ".join(words)
    spelled = [_SPELLED[word] for word in words if word in _SPELLED]
    return Surface(
        tokens=[stem(word) for word in words],
        trigrams=Counter(squeezed[start : start + 3] for start in range(len(squeezed) - 2)),
        numbers=frozenset([*map(_plain, _NUMBER.findall(text)), *spelled]),
        names=frozenset(name.lower() for name in _NAME.findall(text)),
        is_negated=any(word in _NEGATIONS or word.endswith("n't") for word in words),
        is_refusal=bool(_REFUSAL.search(lower)),
    )


def compare(response: Surface, reference: Surface) -> list[float]:
    """Return the features of a response against a reference, in the order of `FEATURES`."""
    common = sum((Counter(response.tokens) & Counter(reference.tokens)).values())
    lengths = len(response.tokens), len(reference.tokens)
    missing = len(reference.numbers - response.numbers)
    added = len(response.numbers - reference.numbers)
    return [
        _f1(LCSseq.similarity(response.tokens, reference.tokens), *lengths),
        _f1(common, *lengths),
        _cosine(response.trigrams, reference.trigrams),
        common / max(1, lengths[1]),
        min(lengths) / max(1, *lengths),
        missing / max(1, len(reference.numbers)),
        added / max(1, len(response.numbers)),
        float(missing > 0 and added > 0),
        float(response.is_negated != reference.is_negated),
        len(reference.names - response.names) / max(1, len(reference.names)),
        len(response.names - reference.names) / max(1, len(response.names)),
        float(response.is_refusal != reference.is_refusal),
    ]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Cut the commonest English endings off a word, if at least three letters are left."""
    for ending in ("ing", "ied", "ies", "ed", "es", "ly", "s"):
        if len(word) - len(ending) >= SHORTEST_STEM and word.endswith(ending):
            return word[: -len(ending)]
    return word


def _plain(number: str) -> str:
    """Spell equal numbers alike: 1,000.00 as 1000."""
    whole, _, cents = number.replace(",", "").partition(".")
    return whole if not cents.strip("0") else f"{whole}.{cents}"


def _f1(common: float, first: int, second: int) -> float:
    return 2 * common / max(1, first + second)


def _cosine(first: Counter[str], second: Counter[str]) -> float:
    if len(second) < len(first):
        first, second = second, first
    dot = sum(count * second[gram] for gram, count in first.items() if gram in second)
    return dot / math.sqrt(max(1, _norm(first) * _norm(second)))


def _norm(grams: Counter[str]) -> int:
    return sum(count * count for count in grams.values())
