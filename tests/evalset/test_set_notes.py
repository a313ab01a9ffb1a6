"""Release notes: what changed, who wanted it, and nothing that people wrote as markup."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from assay.evalset.notes import Release, escaped, notes, page, reasons
from assay.evalset.versions import changes, choose, content
from assay.records.case import Case
from assay.records.category import Category
from assay.records.decision import Decision
from tests.cast import AT, case, decision

CATEGORY = Category(
    category="refunds", definition="d", examples=["e"], severity="low", quota=2, owner="payments", layer="unit"
)
BEFORE = [case(1), case(2), case(3), case(4)]
AFTER = [case(1), case(2, turns=["May I pause?"]), case(3, owner="ben"), case(5)]


def word(of: Case, said: str = "admit", **changes: Any) -> Decision:
    return decision(of, said, case=of if said in ("admit", "edit") else None, **changes)


WORDS = [
    *map(word, BEFORE),
    word(case(2, turns=["May I pause?"]), "edit", candidate_id="refunds-002", reviewer="ben", reason="too easy"),
    word(case(3, owner="ben"), "edit", candidate_id="refunds-003", reviewer="ben", reason="moved"),
    word(case(4), "retire", reviewer="cem", reason="no longer sold"),
    word(case(5), reason="seen in production"),
    word(case(5), "withdraw", reviewer="dan", reason="a withdrawn word says nothing"),
]


def written(note: str = "Pauses.", words: Sequence[Decision] = WORDS, after: list[Case] = AFTER) -> Release:
    old, new = content(BEFORE, [CATEGORY]), content(after, [CATEGORY])
    found = changes(old, new)
    choice = choose("auto", "evalset@v1.0.0", found)
    return notes(choice, note, "evalset@v1.0.0", found, after, [CATEGORY], words, new, AT)


def test_each_change_has_its_reason() -> None:
    """Added, changed, relabelled and retired cases are told with who wanted that, and why."""
    found = reasons(
        WORDS, ["refunds-002", "refunds-003", "refunds-004", "refunds-005"], {one.case_id: one for one in AFTER}
    )
    assert {name: (one.reviewer, one.reason) for name, one in found.items()} == {
        "refunds-002": ("ben", "too easy"),
        "refunds-003": ("ben", "moved"),
        "refunds-004": ("cem", "no longer sold"),
        "refunds-005": ("ada", "seen in production"),
    }


def test_a_reason_is_of_what_was_known_then() -> None:
    """A retirement of what was never admitted, and a word that was taken back, give no case its reason."""
    assert reasons([word(case(4), "retire", reason="never there")], ["refunds-004"], {}) == {}
    assert reasons([word(case(5)), word(case(5), "withdraw", reason="no")], ["refunds-005"], {}) == {}


def test_a_reason_is_of_the_case_as_it_is() -> None:
    """A later word on other content is not why the case is as it is, whoever said it; one on the same content is."""
    other = word(case(5, turns=["Else?"]), "edit", reviewer="ben", reason="another batch")
    again = word(case(5), reviewer="cem", reason="still true")
    for log, who in (([word(case(5)), other], "ada"), ([word(case(5)), other, again], "cem")):
        assert reasons(log, ["refunds-005"], {"refunds-005": case(5)})["refunds-005"].reviewer == who
    gone = [word(case(5)), word(case(5), "retire", reviewer="dan", reason="gone")]
    assert reasons(gone, ["refunds-005"], {})["refunds-005"].reviewer == "dan"
    assert reasons(gone, ["refunds-005"], {"refunds-005": case(5)})["refunds-005"].reviewer == "ada"


def test_the_page_by_hand() -> None:
    """The page of four changes, as a person reads it; four cases find nothing short of a drop of every case."""
    assert page(written()) == (
        "# evalset@v2.0.0\n\n"
        "A major version: 1 retired (refunds-004); 1 changed in what they ask or expect (refunds-002).\n\n"
        "> Pauses.\n\n"
        "4 cases (unit 4), released 2026-11-01T12:00:00+00:00.\n"
        f"Content `{written().content}`.\n\n"
        "## Changes since evalset@v1.0.0\n\n"
        "### refunds (owner: payments)\n\n"
        "- added, 1: `refunds-005`: seen in production (ada)\n"
        "- changed, 1: `refunds-002`: too easy (ben)\n"
        "- retired, 1: `refunds-004`: no longer sold (cem)\n"
        "- relabelled, 1: `refunds-003`: moved (ben)\n\n"
        "## Coverage\n\n"
        "| category | owner | cases | quota | smallest drop found with 80 % power |\n"
        "|---|---|---|---|---|\n"
        "| refunds | payments | 4 | 2 | 100 points |\n"
    )


def test_enough_cases_say_what_they_can_find() -> None:
    """Thirty cases find a drop from 24 points on (STATISTICS 4.3), and record and page say so."""
    found = written(after=[case(number) for number in range(1, 31)], words=[])
    assert round(found.coverage["refunds"].detectable_drop or 0, 2) == 0.24
    assert "| 30 | 2 | 24 points |" in page(found)


def test_a_drop_has_four_digits() -> None:
    """More of them would change the notes with every library that works them out."""
    drop = written(after=[case(number) for number in range(1, 31)], words=[]).coverage["refunds"].detectable_drop
    assert drop == round(drop or 0, 4) != round(drop or 0, 3)


def test_nothing_that_people_wrote_is_markup() -> None:
    """A heading, a table row, a link, HTML and a hidden character stay text, on their own line."""
    hostile = (
        "# evalset@v9.9.9\n| a | b |\n[x](https://evil.example) <img src=x> www.evil.example `c` \u202e **b** @ada"
    )
    shown = page(written(hostile, [word(case(5), reason=hostile, reviewer=hostile)]))
    assert "\n# evalset@v9" not in shown
    assert "\n| a" not in shown
    assert "<img" not in shown.replace("\\<", "")
    assert "[x]" not in shown
    assert "https:" not in shown
    assert "www.e" not in shown
    assert "\u202e" not in shown
    assert [line for line in shown.splitlines() if line.startswith("#")] == [
        "# evalset@v2.0.0",
        "## Changes since evalset@v1.0.0",
        "### Cases of which the decision log says nothing",
        "### refunds (owner: payments)",
        "## Coverage",
    ]


def test_an_address_without_a_scheme_is_no_link() -> None:
    """What a reader would see as a link stays letters, as whoever wrote it spelled them."""
    assert escaped("see www.evil.example or WWW.evil.example") == "see www\\.evil.example or WWW\\.evil.example"


def test_a_reason_has_an_end() -> None:
    """A reason of a million characters takes one short line."""
    assert len(escaped("a" * 1_000_000)) < 400


def test_the_log_is_named() -> None:
    """The record keeps the hash of the last word, so that the log before it cannot be rewritten unnoticed."""
    signed = [word(case(5), chain="ab" * 32, decided_at=AT + timedelta(days=1))]
    assert written(words=signed).log == "ab" * 32
    assert "decision log up to `abababababababab`" in page(written(words=signed))


def test_notes_of_an_earlier_format_are_read() -> None:
    """The notes that the first release wrote are a release, and have a page."""
    fields = written().model_dump(
        include={
            "release",
            "note",
            "released",
            "content",
            "cases",
            "layers",
            "added",
            "retired",
            "changed",
            "revisions",
        }
    )
    old = Release.model_validate(fields | {"coverage": {"refunds": {"admitted": 4, "quota": 2, "owner": "payments"}}})
    assert (old.version, old.log) == ("v2.0.0", "")
    assert page(old).startswith("# evalset@v2.0.0\n")


def test_what_earlier_notes_do_not_have_is_empty() -> None:
    """Each field that came later is read as empty, so that no release of before is told to have had something."""
    later = ("relabelled", "taxonomy_changed", "after", "bump", "why", "log", "digests", "taxonomy", "reasons")
    old = Release.model_validate(written().model_dump(exclude=set(later)))
    assert [getattr(old, name) for name in later] == [[], [], "", "", "", "", {}, {}, {}]


def test_notes_say_what_the_set_held() -> None:
    """What the next version is held against is what the notes have: cases, their digests and the taxonomy."""
    assert written().holds() == content(AFTER, [CATEGORY])


@pytest.mark.parametrize(("length", "shown"), [(300, "a" * 300), (301, "a" * 300 + " ...")])
def test_a_line_of_the_notes_is_cut_at_300(length: int, shown: str) -> None:
    """What has 300 characters stands whole; of what is longer the first 300 and a sign."""
    assert escaped("a" * length) == shown


def test_a_page_says_what_is_not_there() -> None:
    """A category without a case, a change without a reason, a changed category and a first release say so."""
    old = content(BEFORE, [CATEGORY])
    more = CATEGORY.model_copy(update={"quota": 3})
    bare = CATEGORY.model_copy(update={"category": "bare", "owner": "care"})
    after = [*BEFORE, case(5)]
    new = content(after, [more, bare])
    found = changes(old, new)
    words = [word(case(5), reason="", reviewer="eve")]
    of = notes(choose("auto", "evalset@v1.0.0", found), "a\nb", "", found, after, [more, bare], words, new, AT)
    shown = page(of).splitlines()
    assert [line for line in shown if line.startswith("> ")] == ["> a", "> b"]
    assert "## Cases" in shown
    assert "- added, 1: `refunds-005`: no reason given (eve)" in shown
    assert "Categories whose text, quota or owner changed: bare, refunds." in shown
    assert "| bare | care | 0 | 2 | none |" in shown
    assert (of.coverage["bare"].detectable_drop, of.coverage["refunds"].admitted) == (None, 5)
    assert (of.cases, of.layers, of.bump, of.after) == (5, {"unit": 5}, "minor", "")
    plain = page(of.model_copy(update={"taxonomy_changed": [], "bump": ""}))
    assert "Categories whose" not in plain
    assert "version:" not in plain
