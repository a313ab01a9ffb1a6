"""The list of runs as a page: each verdict with its own sign, and one that is not known with a plain one."""

import re
from typing import get_args

import pytest

from assay.report.gate import Word
from assay.report.page import BADGES
from assay.report.runs_page import OTHER, Index, Row, render
from tests.archives import a_record


def tags(*words: str) -> list[tuple[str, str, str]]:
    """Return tone, sign and word of each run, of runs with these verdicts."""
    rows = [
        Row(record=a_record(number, word=word), short="01a2", link="", took="", note="")
        for number, word in enumerate(words, 1)
    ]
    pattern = r'class="tag (\w+)"><span aria-hidden="true">(.) </span>([A-Z-]+)<'
    return re.findall(pattern, render(Index(rows=rows)))


@pytest.mark.parametrize("word", get_args(Word))
def test_each_verdict_has_its_sign(word: Word) -> None:
    """A run is shown under its verdict with the sign and the tone of the report."""
    sign, tone = BADGES[word]
    assert tags(word) == [(tone, sign, word.upper())]


def test_a_verdict_of_another_version_is_shown() -> None:
    """A word that this version does not know is plain, beside one that it knows."""
    assert tags("splendid", "pass") == [(OTHER[1], OTHER[0], "SPLENDID"), ("good", "\N{CHECK MARK}", "PASS")]


def test_an_empty_list_says_what_to_run() -> None:
    """Without a run there is no table, but the note and the command for it."""
    page = render(Index(note="There is <none>.", command="assay nightly"))
    assert "<table" not in page
    assert ("There is &lt;none&gt;." in page, "<code>assay nightly</code>" in page) == (True, True)
