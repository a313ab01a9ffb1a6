"""Cases written by hand: little has to be written, and what is wrong is told with the case that it stands in."""

from pathlib import Path

import pytest

from assay.errors import ConfigError, DataError
from assay.interchange.cases_yaml import parse, read
from assay.interchange.sets import registry
from assay.interchange.sets.builder import Filling
from tests.layout import ROOT

ONE = "case_id: refunds-010, layer: unit, category: refunds, turns: [How long?]"


def test_little_has_to_be_written() -> None:
    """What a case does not say is empty, and it was written; words that YAML 1.1 would turn into others stay words."""
    (case,) = parse(f"- {{{ONE}, reference: no}}", "x.yaml")
    assert (case.reference, case.provenance, case.parent, case.owner, case.expectations) == (
        "no",
        "written",
        "",
        "",
        [],
    )


def test_several_answers_may_be_right() -> None:
    """The first of `references` is the reference where no other one is; beside one they are all further ones."""
    (one,) = parse(f"- {{{ONE}, references: [Two weeks, 14 days]}}", "x.yaml")
    assert (one.reference, one.references) == ("Two weeks", ["14 days"])
    (one,) = parse(f"- {{{ONE}, reference: A fortnight, references: [Two weeks, 14 days]}}", "x.yaml")
    assert one.right_answers() == ["A fortnight", "Two weeks", "14 days"]


def test_cases_share_fields() -> None:
    """What is said once holds for all, and what a case says itself goes before it."""
    text = "shared: {layer: unit, category: refunds, owner: payments, reference: Yes.}\ncases:\n"
    text += "- {case_id: a, turns: [A?]}\n- {case_id: b, turns: [B?], owner: logistics}\n"
    assert [(one.case_id, one.category, one.owner) for one in parse(text, "x")] == [
        ("a", "refunds", "payments"),
        ("b", "refunds", "logistics"),
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "x.yaml begins 'None', expected a list of cases"),
        ("7", "x.yaml begins '7', expected a list of cases, or `shared` fields and `cases`"),
        ("{", "x.yaml is no YAML"),
        ("a: [1]", "x.yaml begins .*, expected a list"),
        ("{shared: 7, cases: []}", "expected a list of cases, or"),
        ("{shared: {}, cases: [], more: 1}", "expected a list of cases, or"),
        ("- 7", "x.yaml, case 1 is '7', expected its fields"),
        (f"- {{{ONE}}}", r"x.yaml, case 1 \(refunds-010\) has neither a reference nor an expectation"),
        ("- {case_id: a}", r"case 1 \(a\): layer is missing"),
        (f"- {{{ONE}, reference: 14}}", r"case 1 \(refunds-010\): reference is 14, expected"),
        (
            f"- {{{ONE}, expectations: [{{check: icontains-any, values: [14]}}]}}",
            "expectations.0: check 'icontains-any' has a fault: values.0 is 14, expected: a text: put it in quotes",
        ),
        (f"- {{{ONE}, expectations: [{{check: icontains-any, values: []}}]}}", "icontains-any"),
        (
            f"- {{{ONE}, expectations: [{{check: guess, values: [a]}}]}}",
            r"case 1 \(refunds-010\), expectations.0: .*guess",
        ),
        (f"- {{{ONE}, reference: a, colour: red}}", "colour is 'red', expected: no such name here"),
        (f"- {{{ONE}, reference: a}}\n- {{{ONE}, reference: b}}", "case 2: there is another refunds-010"),
        ("- &a [*a]", "x.yaml"),
        ("- !!python/object/apply:os.system [true]", "x.yaml"),
        ("[" * 200, "nested deeper than 100 levels"),
    ],
)
def test_a_bad_case_is_refused(text: str, found: str) -> None:
    """A file or a case at fault is one sentence with what was found and where."""
    with pytest.raises(DataError, match=found) as refusal:
        parse(text, "x.yaml")
    assert "\n" not in str(refusal.value)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A wrong path, and bytes that are no UTF-8, are told as such."""
    with pytest.raises(ConfigError, match="cannot be read"):
        read(tmp_path / "none.yaml")
    (tmp_path / "x.yaml").write_bytes(b"\xff")
    with pytest.raises(DataError, match="x.yaml is not UTF-8"):
        read(tmp_path / "x.yaml")


def test_the_sample_s_cases_are_written_so() -> None:
    """Every file of the sample can be taken as a pattern: `assay import` reads it."""
    files = sorted((ROOT / "examples/support/cases").glob("*.yaml"))
    assert files
    assert all(read(file) for file in files)


@pytest.mark.parametrize(("written", "kept"), [("Refunds 7", "refunds-7"), ("RÜCK_1", "ruck_1"), ("a-", "a-")])
def test_ids_by_hand_are_those_of_a_table(tmp_path: Path, written: str, kept: str) -> None:
    """An id and a category in capitals are the same by hand and in a CSV file; a legal one stays as it is."""
    (case,) = parse(f"- {{case_id: {written}, layer: unit, category: Lost Mail, turns: [A?], reference: B.}}", "x")
    assert (case.case_id, case.category) == (kept, "lost-mail")
    table = tmp_path / "x.csv"
    table.write_text(f"id,category,question,reference\n{written},Lost Mail,A?,B.\n", encoding="utf8")
    (row,) = registry.read(table, None, Filling("", "unit", "")).cases
    assert (row.case_id, row.category) == (kept.rstrip("-"), "lost-mail")


def test_two_spellings_of_one_id_are_refused() -> None:
    """Ids that differ in case alone are one id, by hand as in a table."""
    rows = "".join(
        f"- {{case_id: {one}, layer: unit, category: a, turns: [A?], reference: B.}}\n" for one in ("X1", "x1")
    )
    with pytest.raises(DataError, match="case 2: there is another x1"):
        parse(rows, "x.yaml")
