"""Given: names, times and words mean the same whatever tool wrote them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from assay.errors import DataError
from assay.interchange.flat_file import vocabulary
from assay.interchange.label_import import annotator, moment, spellings, word
from assay.judges.declaration import Declaration
from assay.records.record import PersonName

ANSWER, PAIR = Declaration(), Declaration(question="pairwise")


@pytest.mark.parametrize("found", ["", None, "***", "\u20ac\u0301", "   ", "--"])
def test_somebody_must_have_said_it(found: object) -> None:
    """A label of nobody is refused, and so is a name of which nothing is left."""
    with pytest.raises(DataError, match=r"^x.csv, row 2: the annotator is '.*', expected a name.* --annotator NAME"):
        annotator(found, "x.csv, row 2")


@pytest.mark.parametrize("found", ["maybe", "", "passed", None, ["pass"], float("nan"), 2])
def test_no_word_is_guessed(found: object) -> None:
    """A word that nobody has told is refused, and so is what is no word."""
    for question, legal in ((ANSWER, "pass, fail"), (PAIR, "a, tie, b")):
        with pytest.raises(DataError, match=rf"^here: the label is .*, expected one of {legal}: .*--map"):
            word(found, "here", vocabulary(words=spellings(question)), question)


@pytest.mark.parametrize(
    ("found", "meant"),
    [
        ("PASS", "pass"),
        (" Incorrect", "fail"),
        (1, "pass"),
        (False, "fail"),
        ("A  wins", "a"),
        ("model_b", "b"),
        ("Draw", "tie"),
    ],
)
def test_every_outcome_is_read(found: object, meant: str) -> None:
    """The five outcomes are read in any case, and with the common words for them."""
    question = ANSWER if meant in ("pass", "fail") else PAIR
    assert word(found, "here", vocabulary(words=spellings(question)), question) == meant


@pytest.mark.parametrize(
    ("found", "name"),
    [
        ("Ada Lovelace", "ada-lovelace"),
        (" ada@example.org ", "ada-example.org"),
        ("Zoë Åström", "zoe-astrom"),
        (12, "annotator-12"),
        ("12", "annotator-12"),
        ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"),
        ("_x_", "x"),
        ("a" * 300, "a" * 100),
        ("\u0416\u0430\u043d\u043d\u0430 \u0418.", "\u0436\u0430\u043d\u043d\u0430-\u0438"),
        ("\u674e\u660e", "\u674e\u660e"),
        ("\uae40\ubbfc\uc218", "\uae40\ubbfc\uc218"),
        ("\u0905\u0928\u093f\u0932", "\u0905\u0928\u093f\u0932"),
    ],
)
def test_names_are_written_one_way(found: object, name: str) -> None:
    """A person has one name however a tool spells it; a bare number is the annotator of that number."""
    assert annotator(found, "here") == name


@given(st.text(max_size=200), st.sampled_from("azAZ09"), st.text(max_size=200))
def test_whatever_holds_a_letter_is_a_name(before: str, letter: str, after: str) -> None:
    """Whatever stands around one Latin letter or digit, an annotator's name may become part of a table's key."""
    name = annotator(f"{before}{letter}{after}", "here")
    assert TypeAdapter(PersonName).validate_python(name) == name


@pytest.mark.parametrize("found", ["", " ", "-._", "\u0301", "\u20ac", None])
def test_whatever_holds_none_is_refused(found: str | None) -> None:
    """Where no letter and no digit is left nobody is named."""
    with pytest.raises(DataError, match="expected a name of letters or digits"):
        annotator(found, "here")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-03T10:00:00.123456Z", datetime(2026, 11, 3, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-11-03 10:00", datetime(2026, 11, 3, 10, tzinfo=UTC)),
        ("2026-11-03T10:00:00+02:00", datetime(2026, 11, 3, 8, tzinfo=UTC)),
        ("", None),
        (None, None),
    ],
)
def test_times_have_a_zone(text: str | None, at: datetime | None) -> None:
    """A time without a zone is UTC, one with a zone stays the same moment, and no time is None."""
    found = moment(text, "here")
    assert found == at
    assert found is None or found.utcoffset() in {timedelta(0), timedelta(hours=2)}
