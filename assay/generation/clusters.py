"""Clusters: failures that are the same one, so that candidates are made for what happens again and again.

Texts are compared by their words (TF-IDF with logarithmic term frequency, cosine) and joined by average linkage.
"""

import re
from collections import Counter
from collections.abc import Sequence

from sklearn.cluster import AgglomerativeClustering
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.metrics.pairwise import cosine_distances

MOST = 500
"""Texts that are compared: each with each."""
APART = 0.8
"""Cosine distance from which two groups are not the same failure."""
_WORD = re.compile(r"\w+")


def clustered(texts: Sequence[str]) -> list[list[int]]:
    """Return the places of texts that say much the same, the largest group first, then by first place.

    Args:
        texts: Any number; of more than `MOST` the first are grouped, and the rest left out.

    Returns:
        Groups of places in ascending order; a text that resembles none is a group of its own.
    """
    words = [_WORD.findall(text.casefold()) for text in texts[:MOST]]
    worded = [place for place, found in enumerate(words) if found]
    alone = [[place] for place, found in enumerate(words) if not found]
    groups = [*_joined([words[place] for place in worded], worded), *alone]
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def _joined(texts: Sequence[Sequence[str]], places: Sequence[int]) -> list[list[int]]:
    if not texts[1:]:
        return [[place] for place in places]
    apart = cosine_distances(TfidfVectorizer(sublinear_tf=True, analyzer=list).fit_transform(texts))
    joining = AgglomerativeClustering(
        n_clusters=None, metric="precomputed", linkage="average", distance_threshold=APART
    )
    names = joining.fit_predict(apart)
    return [[place for place, name in zip(places, names, strict=True) if name == group] for group in Counter(names)]
