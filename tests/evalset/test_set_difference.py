"""The difference of two sets: every change is found, under its kind, in its words."""

from assay.evalset.diff import compare, lines, marked
from tests.cast import case

BEFORE = [case(1), case(2, turns=["May I pause my box?"]), case(3), case(1, "escalation")]
AFTER = [case(1, owner="ben"), case(2, turns=["May I cancel my box?"]), case(4), case(1, "escalation")]


def test_each_kind_of_change() -> None:
    """Added, retired, changed and merely relabelled cases are told apart, with the fields that differ."""
    found = compare(("a", "b"), BEFORE, AFTER)
    assert [one.case_id for one in found.added] == ["refunds-004"]
    assert [one.case_id for one in found.retired] == ["refunds-003"]
    assert [(one.case_id, [field.field for field in one.fields]) for one in found.changed] == [
        ("refunds-002", ["turns"])
    ]
    assert [(one.case_id, one.fields[0].model_dump()) for one in found.relabelled] == [
        ("refunds-001", {"field": "owner", "old": "payments", "new": "ben"})
    ]


def test_each_list_is_in_the_order_of_the_ids() -> None:
    """However the sets are sorted: equal sets have equal differences, line by line."""
    numbers = [7, 2, 9, 4, 8, 3, 6, 5]
    mine, theirs = ([case(number, category) for number in numbers] for category in ("refunds", "escalation"))
    stays = [case(number, "orders") for number in numbers]
    changed = [case(n, "orders", owner="ben") if n % 2 else case(n, "orders", turns=["Other?"]) for n in numbers]
    found = compare(("a", "b"), [*mine, *stays], [*changed, *theirs])
    ids = {
        "added": [one.case_id for one in found.added],
        "retired": [one.case_id for one in found.retired],
        "changed": [one.case_id for one in found.changed],
        "relabelled": [one.case_id for one in found.relabelled],
    }
    assert {name: len(some) for name, some in ids.items()} == {"added": 8, "retired": 8, "changed": 4, "relabelled": 4}
    assert all(some == sorted(some) for some in ids.values())
    assert list(found.categories) == ["escalation", "orders", "refunds"]


def test_counts_by_category() -> None:
    """Each category says how many cases it had and has, and how many of each change, as counted by hand."""
    found = compare(("a", "b"), BEFORE, AFTER).categories
    same = {"added": 0, "retired": 0, "changed": 0, "relabelled": 0}
    assert found == {
        "escalation": {"before": 1, "after": 1} | same,
        "refunds": {"before": 3, "after": 3, "added": 1, "retired": 1, "changed": 1, "relabelled": 1},
    }


def test_words_are_marked() -> None:
    """Of a changed text only the words that changed are marked."""
    assert marked("May I pause my box?", "May I cancel my box?") == "May I [-pause-]{+cancel+} my box?"


def test_a_long_text_is_cut() -> None:
    """Of a value 2,000 characters are shown, and of a question in a list 100 and a sign that more follows."""
    assert marked("x" * 1_999, "x" * 1_999) == "x" * 1_999
    assert marked("x" * 2_001, "x" * 3_000) == "x" * 2_000
    whole, cut = (list(lines(compare(("a", "b"), [], [case(1, turns=["x" * size])]))) for size in (100, 101))
    assert (whole[-1], cut[-1]) == (f"+ refunds-001: {'x' * 100}", f"+ refunds-001: {'x' * 100} ...")


def test_a_terminal_is_safe() -> None:
    """No control character of a case reaches the terminal, and a huge text is cut."""
    hostile = "\x1b[2J\u202eevil\x07" + "x " * 10_000
    shown = "\n".join(lines(compare(("a", "b"), [case(1)], [case(1, turns=[hostile]), case(2, turns=[hostile])])))
    assert all(character.isprintable() or character == "\n" for character in shown)
    assert len(shown) < 20_000


def test_the_same_set_has_no_difference() -> None:
    """Two equal sets differ in nothing, and one line says so."""
    assert list(lines(compare(("a", "b"), BEFORE, BEFORE))) == ["a to b: 0 added, 0 retired, 0 changed, 0 relabelled"]


def test_what_is_no_text_stands_as_json() -> None:
    """A list of texts is shown line by line, a list of anything else and a record as JSON, letters as they are."""
    old = case(1, turns=["One.", "Two."])
    new = case(1, turns=["One.", "Drei ä."], expectations=[], metadata={"plan": "ä"})
    (change,) = compare(("a", "b"), [old], [new]).changed
    fields = {field.field: (field.old, field.new) for field in change.fields}
    assert fields["turns"] == ("One.\nTwo.", "One.\nDrei ä.")
    assert fields["expectations"][0].startswith('[{"check": "icontains-any"')
    assert fields["expectations"][1] == ""
    assert fields["metadata"] == ("{}", '{"plan": "ä"}')


def test_a_difference_is_told_in_its_order() -> None:
    """Counts, each category that changed, added and retired cases, then what changed in the others, by field."""
    told = list(lines(compare(("a", "b"), BEFORE, AFTER)))
    assert told[:4] == [
        "a to b: 1 added, 1 retired, 1 changed, 1 relabelled",
        "refunds: 3 cases before, 3 after",
        "+ refunds-004: Cleo asks question 4 about refunds. Is it within 14 days?",
        "- refunds-003: Cleo asks question 3 about refunds. Is it within 14 days?",
    ]
    assert told[4:] == [
        *("~ refunds-002", "    turns: May I [-pause-]{+cancel+} my box?"),
        *("= refunds-001", "    owner: [-payments-]{+ben+}"),
    ]


def test_a_category_is_told_for_any_kind_of_change() -> None:
    """One with a new case, one that lost one, one with a new owner; not one that stays as it was."""
    stays = [case(1), case(1, "escalation")]
    told = {
        "added": lines(compare(("a", "b"), stays, [*stays, case(2)])),
        "retired": lines(compare(("a", "b"), [*stays, case(2)], stays)),
        "relabelled": lines(compare(("a", "b"), [*stays, case(2)], [*stays, case(2, owner="ben")])),
    }
    assert {kind: [line for line in found if "before, " in line] for kind, found in told.items()} == {
        "added": ["refunds: 1 cases before, 2 after"],
        "retired": ["refunds: 2 cases before, 1 after"],
        "relabelled": ["refunds: 2 cases before, 2 after"],
    }


def test_line_ends_and_tabs_of_a_text_are_shown() -> None:
    """A line end is a stroke and a tab a blank, so that a change of a text stays one line."""
    assert marked("a\nb\tc", "a\nb\tc") == "a / b c"
