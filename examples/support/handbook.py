"""The handbook: the articles that both versions of the assistant answer from."""

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, kw_only=True)
class Article:
    """One article of the handbook, cut into sentences."""

    slug: str
    title: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The article without its title."""
        return " ".join(self.sentences)

    @property
    def context(self) -> str:
        """The article as it is quoted beside an answer: `slug: text`."""
        return f"{self.slug}: {self.text}"


@cache
def articles() -> tuple[Article, ...]:
    """Return all articles, by slug."""
    folder = resources.files("examples.support") / "handbook"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".md")), key=lambda file: file.name)
    return tuple(_article(file.name.removesuffix(".md"), file.read_text(encoding="utf-8")) for file in files)


def _article(slug: str, text: str) -> Article:
    title, _, body = text.partition("\n")
    sentences = re.split(r"(?<=[.!?]) (?=[A-Z0-9])", " ".join(body.split()))
    return Article(slug=slug, title=title.removeprefix("# ").strip(), sentences=tuple(sentences))
