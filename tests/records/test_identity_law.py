"""The law of hashes: what may be added to a record or renamed in it without a change of any hash, and what may not."""

from typing import Any, ClassVar, cast

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import Field, ValidationError, create_model

from assay.evalset.admission import batch_name
from assay.records.candidate import Candidate
from assay.records.case import Case, Expectation, SimulatedUser, ToolCall
from assay.records.record import Record, digest
from tests import identities

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
FILLED = TEXT.filter(bool)
NAME = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}", fullmatch=True)
CALLS = st.lists(st.builds(ToolCall, name=TEXT, arguments=TEXT | st.just("{}")), max_size=2)
EXPECTATIONS = st.builds(Expectation, check=NAME, values=st.lists(TEXT, max_size=2), calls=CALLS)
USERS = st.builds(SimulatedUser, goal=FILLED, persona=TEXT, stop=FILLED, max_turns=st.integers(1, 50))
CASES = st.builds(
    Case,
    case_id=NAME,
    layer=st.sampled_from(["unit", "task", "production"]),
    category=NAME,
    turns=st.lists(TEXT, min_size=1, max_size=2),
    reference=TEXT,
    expectations=st.lists(EXPECTATIONS, max_size=2),
    provenance=st.sampled_from(["written", "generated", "production"]),
    parent=TEXT,
    owner=TEXT,
    user=st.none() | USERS,
)
ADDED: dict[str, Any] = {
    "a_first": (str, ""),
    "later": (int | None, None),
    "listed": (list[str], Field(default_factory=list)),
    "within": (ToolCall, ToolCall(name="none")),
}
"""Fields that a later version adds, each with a default."""
NOT_ASKED = {"case_id", "provenance", "parent", "owner"}
"""Fields of a case that cannot move an answer or a verdict."""


def grown(record: type[Record], **changed: Any) -> Any:
    """Return a record of a later version: with more fields, and with parts that have more fields."""
    return create_model("Later", __base__=record, **ADDED, **changed)


LATER_EXPECTATION = grown(Expectation, calls=(list[grown(ToolCall)], Field(default=[])))
LATER_CASE = grown(Case, expectations=(list[LATER_EXPECTATION], ...), user=(grown(SimulatedUser) | None, None))
LATER_CANDIDATE = grown(Candidate, case=(LATER_CASE, ...))


@given(CASES)
def test_a_field_that_is_added_changes_no_hash(case: Case) -> None:
    """New fields with defaults, in a case and in whatever is within it, leave revision and digest as they are."""
    later = LATER_CASE.model_validate(case.model_dump())
    assert set(ADDED) <= set(later.expectations[0].model_dump() if later.expectations else ADDED)
    assert (later.revision(), later.digest()) == (case.revision(), case.digest())


@given(CASES)
def test_a_field_that_is_added_renames_no_batch(case: Case) -> None:
    """The name of a batch, which files and decisions on file have, outlives new fields of candidates and cases."""
    fields = identities.candidate(1) | {"case": case.model_dump()}
    later = cast("Candidate", LATER_CANDIDATE.model_validate(fields))
    assert batch_name([later]) == batch_name([Candidate.model_validate(fields)])


@given(CASES, FILLED)
def test_a_field_that_was_added_counts_once_it_says_something(case: Case, text: str) -> None:
    """A new field with another value than its default changes the digest, however deep it lies."""
    later = LATER_CASE.model_validate(case.model_dump())
    assert later.model_copy(update={"a_first": text}).digest() != case.digest()
    assume(later.expectations)
    deep = later.expectations[0].model_copy(update={"a_first": text})
    changed = later.model_copy(update={"expectations": [deep, *later.expectations[1:]]})
    assert changed.digest() != case.digest()
    assert changed.revision() != case.revision()


@given(CASES, CASES)
def test_a_changed_field_changes_the_hash(case: Case, other: Case) -> None:
    """Each field of a case is in its digest, and each that could move a verdict in its revision, and no other."""
    for name in Case.model_fields:
        changed = case.model_copy(update={name: getattr(other, name)})
        assert (changed.digest() == case.digest()) == (changed == case)
        assert (changed.revision() == case.revision()) == (changed == case or name in NOT_ASKED)


@given(CASES, st.randoms(use_true_random=False))
def test_the_order_of_fields_is_no_part_of_a_hash(case: Case, random: Any) -> None:
    """Rows and records whose fields stand in another order are the same."""
    names = list(Case.model_fields)
    random.shuffle(names)
    assert Case.model_validate({name: getattr(case, name) for name in names}).digest() == case.digest()
    fields = {name: (field.annotation, field) for name, field in Case.model_fields.items()}
    mixed: Any = create_model("Mixed", __base__=Record, **{name: fields[name] for name in names})
    assert digest(mixed.model_validate(case.model_dump())) == digest(case)


class Parcel(Record):
    """A record of before."""

    always_hashed: ClassVar = ("note",)
    weight_kg: float
    to: str = ""
    note: str = ""


class Renamed(Record):
    """The same one, all of whose fields have new names, one for the second time."""

    always_hashed: ClassVar = ("remark",)
    old_names: ClassVar = {"mass_kg": ("weight_kg",), "recipient": ("to", "addressee"), "remark": ("note",)}
    mass_kg: float
    recipient: str = ""
    remark: str = ""


class Van(Record):
    """What holds parcels."""

    parcels: list[Parcel]


class RenamedVan(Record):
    """The same one, of parcels as they are called now."""

    parcels: list[Renamed]


@given(st.floats(allow_nan=False, allow_infinity=False), TEXT, TEXT)
def test_a_renamed_field_keeps_hashes_and_rows(weight: float, to: str, note: str) -> None:
    """A field with its old name declared has the hash of before, and rows with any of its names are read."""
    before, after = Parcel(weight_kg=weight, to=to, note=note), Renamed(mass_kg=weight, recipient=to, remark=note)
    assert digest(after) == digest(before)
    for row in (before.model_dump(), after.model_dump(), {"weight_kg": weight, "addressee": to, "note": note}):
        assert Renamed.model_validate(row) == after
    assert Renamed.model_validate_json(before.model_dump_json()) == after
    van = Van(parcels=[before, before])
    renamed = RenamedVan.model_validate(van.model_dump())
    assert renamed.parcels == [after, after]
    assert digest(renamed) == digest(van)


@pytest.mark.parametrize(
    "row", [{"mass_kg": 1, "weight_kg": 2}, {"weight_kg": 1, "to": "a", "addressee": "b"}, {"weight": 1}, {}, []]
)
def test_a_row_with_two_names_of_one_field_is_refused(row: object) -> None:
    """A row that says one thing under two names, under none or under a strange one is no row."""
    with pytest.raises(ValidationError):
        Renamed.model_validate(row)


def _records(record: type[Record] = Record) -> list[type[Record]]:
    return [one for child in record.__subclasses__() for one in (child, *_records(child))]


def test_what_records_declare_of_their_hashes_is_true() -> None:
    """What is always hashed is a field with a default, and an old name is of one field, which is there."""
    for record in _records():
        names = set(record.model_fields)
        assert {name for name in record.always_hashed if record.model_fields[name].is_required()} == set()
        before = [old for olds in record.old_names.values() for old in olds]
        assert record.old_names.keys() <= names
        assert (len(before), names & set(before)) == (len(set(before)), set())
