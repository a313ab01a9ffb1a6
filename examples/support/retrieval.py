"""Two ways to find the handbook article that answers a question, and two ways to quote it.

`WordOverlap` counts shared words and quotes how an article begins. `Bm25` weighs stems by rarity (Robertson and
Zaragoza 2009, The Probabilistic Relevance Framework, eq. 3.15, with a boosted title), knows everyday synonyms, mends
small typing errors and quotes the sentences that fit. Written out here because 30 articles need no library, and the
server must start at once.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any

import yaml
from rapidfuzz import process
from rapidfuzz.distance import OSA

from examples.support.handbook import Article

NEGATIONS = re.compile(
    r"\b(no|not|never|cannot|without|except|neither|nor|isn't|aren't|don't|doesn't|can't|won't)\b", re.IGNORECASE
)
QUANTITY = re.compile(
    r"\b(how (many|much|long|old|late|soon|often|big)|when|what time|deadline|price|cost|until|days?)\b", re.IGNORECASE
)
K1, B, TITLE_WEIGHT = 1.4, 0.6, 3
SHORTEST_MENDED = 5
OPENING, QUOTED = 4, 3


@dataclass(frozen=True, kw_only=True)
class Found:
    """An article, the sentences quoted from it, and how much speaks for it."""

    article: Article
    quote: str
    evidence: float
    """The weight of the words that it shares with the question."""
    coverage: float
    """The share of the question's weight that these words are, from 0 to 1."""


class WordOverlap:
    """Count the words that question and article share, those of the title twice; quote how the article begins."""

    def __init__(self, articles: Sequence[Article]) -> None:
        """Index the articles' words."""
        self._index = [
            (frozenset(words(article.title)), frozenset(words(article.text)), article) for article in articles
        ]

    def find(self, question: str) -> Found | None:
        """Return the article with the most shared words, or None when no word is shared."""
        asked = frozenset(words(question))
        counts = [2 * len(asked & title) + len(asked & text) for title, text, _ in self._index]
        shared = max(counts)
        if not shared:
            return None
        article = self._index[counts.index(shared)][-1]
        return Found(
            article=article,
            quote=" ".join(article.sentences[:OPENING]),
            evidence=float(shared),
            coverage=shared / len(asked),
        )


class Bm25:
    """Weigh stems by rarity, the title counting threefold; quote the sentences that fit the question best."""

    def __init__(self, articles: Sequence[Article]) -> None:
        """Index the articles' stems."""
        self._articles = articles
        self._bags = [Counter(stems(f"{article.title} " * TITLE_WEIGHT + article.text)) for article in articles]
        self._mean = sum(bag.total() for bag in self._bags) / len(self._bags)
        self._seen = Counter(stem for bag in self._bags for stem in bag)
        self._known = {article.slug: [_both(sentence) for sentence in article.sentences] for article in articles}
        sentences = [known for several in self._known.values() for known in several]
        self._sentences, self._sentences_with = len(sentences), Counter(stem for known in sentences for stem in known)

    def find(self, question: str) -> Found | None:
        """Return the best article, or None when no stem of the question occurs in the handbook."""
        asked = self._mend(stems(question, synonyms()))
        scores = [self._score(asked, bag) for bag in self._bags]
        best = max(range(len(scores)), key=scores.__getitem__)
        if not scores[best]:
            return None
        article = self._articles[best]
        evidence = sum(self._rarity(stem) for stem in asked if stem in self._bags[best])
        quote = self._quote(article, question, asked)
        total = sum(self._rarity(stem) for stem in asked)
        return Found(article=article, quote=quote, evidence=evidence, coverage=evidence / total)

    def _score(self, asked: Sequence[str], bag: Counter[str]) -> float:
        length = 1 - B + B * bag.total() / self._mean
        return sum(self._rarity(stem) * bag[stem] * (K1 + 1) / (bag[stem] + K1 * length) for stem in asked)

    def _rarity(self, stem: str) -> float:
        count = self._seen[stem]
        return math.log(1 + (len(self._bags) - count + 0.5) / (count + 0.5))

    def _telling(self, stem: str) -> float:
        return math.log(1 + self._sentences / (1 + self._sentences_with[stem]))

    def _mend(self, asked: Sequence[str]) -> list[str]:
        return list(dict.fromkeys(self._nearest(stem) for stem in asked))

    def _nearest(self, stem: str) -> str:
        if stem in self._seen or len(stem) < SHORTEST_MENDED or stem.isdigit():
            return stem
        near = process.extractOne(stem, self._mendable, scorer=OSA.distance, score_cutoff=1)
        return near[0] if near else stem

    @cached_property
    def _mendable(self) -> list[str]:
        return sorted(stem for stem in self._seen if len(stem) >= SHORTEST_MENDED)

    def _quote(self, article: Article, question: str, asked: Sequence[str]) -> str:
        known = self._known[article.slug]
        scores = [self._fit(pair, question, asked) for pair in zip(article.sentences, known, strict=True)]
        order = sorted(range(len(scores)), key=lambda index: (-scores[index], index))[:QUOTED]
        return " ".join(article.sentences[index] for index in sorted(order))

    def _fit(self, pair: tuple[str, frozenset[str]], question: str, asked: Sequence[str]) -> float:
        sentence, known = pair
        fit = sum(self._telling(stem) for stem in asked if stem in known)
        if NEGATIONS.search(question) and NEGATIONS.search(sentence):
            fit += 1
        if QUANTITY.search(question) and any(letter.isdigit() for letter in sentence):
            fit += 1
        return fit


def words(text: str) -> list[str]:
    """Return the words of a text in lower case, without those that carry no meaning."""
    return [word for word in re.findall(r"[a-z0-9]+", text.lower()) if word not in stopwords()]


def stems(text: str, known: dict[str, str] | None = None) -> list[str]:
    """Return the stems of a text's words, each word first replaced by its synonym if it has one."""
    return [_stem((known or {}).get(word, word)) for word in words(text)]


@cache
def stopwords() -> frozenset[str]:
    """Return the words that carry no meaning."""
    return frozenset(_vocabulary()["stopwords"].split())


@cache
def synonyms() -> dict[str, str]:
    """Return everyday words, each with the handbook's word for it."""
    return {word: known for known, line in _vocabulary()["synonyms"].items() for word in line.split()}


@cache
def _vocabulary() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(
        (resources.files("examples.support") / "vocabulary.yaml").read_text("utf-8")
    )
    return content


def _both(sentence: str) -> frozenset[str]:
    return frozenset(stems(sentence)) | frozenset(stems(sentence, synonyms()))


def _stem(word: str) -> str:
    for ending in ("ations", "ation", "ings", "ing", "ies", "ied", "ed", "es", "ly", "s", "e", "y"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:  # noqa: PLR2004 - a stem keeps three letters
            return word.removesuffix(ending)
    return word
