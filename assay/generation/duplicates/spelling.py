"""Spelling: a misspelled word is read as the word of the other text that it stands for.

Only an unknown word is mended, and only into a known one that the other text has: the name of another person or street
is never taken for a slip.
"""

import re

from rapidfuzz.distance import OSA

from assay.generation.duplicates.lexicon import Lexicon
from assay.generation.duplicates.reading import Reading, read
from assay.generation.duplicates.words import stem

MOST_WORDS = 100
"""Words of a text that are looked at."""
_WORD = re.compile(r"(?<![\w'-])[^\W\d_]{4,}(?![\w'-])")


def mended(one: Reading, other: Reading, lexicon: Lexicon) -> Reading:
    """Return a reading as if its slips were spelled as the other text spells them.

    A slip has at least four letters, the first one right, and is one letter (or one pair turned round) off.
    """
    given, wanted = (set(_WORD.findall(reading.text)[:MOST_WORDS]) for reading in (one, other))
    known = [word for word in sorted(wanted - given) if _is_known(word, lexicon)]
    slips = {}
    for word in sorted(given - wanted):
        if not _is_known(word, lexicon):
            meant = [right for right in known if right[0] == word[0] and OSA.distance(word, right, score_cutoff=1) <= 1]
            if meant:
                slips[word] = meant[0]
    if not slips:
        return one
    text = re.sub(_WORD.pattern, lambda found: slips.get(found[0].lower(), found[0]), one.written)
    return read(text, lexicon)._replace(is_whole=one.is_whole)


def _is_known(word: str, lexicon: Lexicon) -> bool:
    return word in lexicon.functions or stem(word) in lexicon.vocabulary
