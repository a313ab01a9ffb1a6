"""The lexicon of a trade: its words are added to those of general English, and nothing else is read from it."""

import pytest

from assay.errors import ConfigError, DataError
from assay.generation.duplicates import lexicon, model
from assay.generation.duplicates.reading import read
from assay.stages import generate
from benchmarks.measure import ROOT
from tests.cast import Project

TRADE = """
synonyms:
- weir, sluice gate
contrasts:
- trout, carp, pike
"""


def similarity(one: str, other: str, trade: str) -> float:
    """Return how alike two texts are, to somebody who knows the trade."""
    known = lexicon.shipped(trade)
    return model.shipped().decide(read(one, known), read(other, known), known).similarity


def test_words_of_a_trade_count() -> None:
    """Its synonyms make two requests alike, its contrasts tell them apart; neither is known without it."""
    same = "Who opens the weir in spring?", "Who opens the sluice gate in spring?"
    apart = "May I catch trout in spring?", "May I catch carp in spring?"
    assert similarity(*same, TRADE) > similarity(*same, "")
    assert similarity(*apart, TRADE) < similarity(*apart, "")


def test_the_shipped_words_are_of_no_sample() -> None:
    """The sample's trade is in the sample: its own file adds to what is shipped."""
    words = (ROOT / "data/lexicon.yaml").read_text(encoding="utf8")
    own = lexicon.shipped(words).groups.keys() - lexicon.shipped().groups.keys()
    assert {lexicon.stems(one) for one in ("starter kit", "recipe card", "courgette", "risotto")} <= own


@pytest.mark.parametrize(
    "text",
    [
        "weights: [a]",
        "- weir, sluice",
        "synonyms: weir",
        "synonyms: [[weir]]",
        "synonyms: [1]",
        "synonyms: ['']",
        "a: {",
    ],
)
def test_anything_else_is_refused(project: Project, text: str) -> None:
    """Other lists, other shapes and no YAML are refused in one sentence with the file's name."""
    (project.folder / "words.yaml").write_text(text)
    with pytest.raises(DataError, match=r"^words\.yaml: the lexicon of the trade "):
        generate.lexicon("words.yaml")


@pytest.mark.parametrize("name", ["../words.yaml", "/etc/passwd", "data", "none.yaml"])
def test_it_lies_in_the_project(project: Project, name: str) -> None:
    """What is not there, or not of this project, is refused."""
    (project.folder.parent / "words.yaml").write_text(TRADE)
    with pytest.raises(ConfigError, match=r"generate\.lexicon is .*, expected a YAML file of the project"):
        generate.lexicon(name)


def test_an_empty_one_adds_nothing(project: Project) -> None:
    """Comments alone are the shipped words."""
    (project.folder / "words.yaml").write_text("# to come\n")
    assert generate.lexicon("words.yaml").groups == lexicon.shipped().groups
