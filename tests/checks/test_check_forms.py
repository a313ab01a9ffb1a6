"""How an expectation is written: options as fields of one typed form a kind, kept as one record."""

from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from check_cases import EXAMPLES, answer

from assay.checks import registry
from assay.checks.reference import schema
from assay.desk import editing
from assay.desk.candidate_queue import RefusedError
from assay.errors import DataError
from assay.interchange import cases_yaml
from assay.records.case import Expectation
from assay.records.record import digest
from tests.cast import case
from tests.interchange.sets.shop import taken

CALL = {"name": "refund", "arguments": {"order": "A"}}
WRITTEN: list[tuple[dict[str, Any], list[str]]] = [
    ({"check": "contains", "values": ["14 days"], "exact": True}, ["14 days"]),
    ({"check": "not-regex", "values": ["^x"]}, ["^x"]),
    ({"check": "language", "values": ["en"]}, ["en"]),
    ({"check": "refusal"}, []),
    ({"check": "latency", "seconds": 2}, ["2"]),
    ({"check": "latency", "seconds": 0.25}, ["0.25"]),
    ({"check": "cost", "usd": 1e-05}, ["0.00001"]),
    ({"check": "length-max", "words": 80}, ["80"]),
    ({"check": "json-schema", "schema": {"type": "object"}}, ['{"type": "object"}']),
    ({"check": "contains-json"}, []),
    ({"check": "contains-json", "schema": {"const": 1}}, ['{"const": 1}']),
    ({"check": "numeric", "equals": 12, "absolute": 0.5}, ['{"absolute": 0.5, "equals": 12}']),
    ({"check": "python", "function": "my_checks:tone"}, ['{"function": "my_checks:tone"}']),
    (
        {"check": "similarity", "measure": "ratio", "reference": "Grüße", "threshold": 1, "exact": True},
        ['{"measure": "ratio", "reference": "Grüße", "threshold": 1}'],
    ),
    ({"check": "context-recall", "facts": ["a"], "threshold": 1}, ['{"facts": ["a"], "threshold": 1}']),
    (
        {"check": "final-state", "states": [{"path": "$.a", "equals": None}, {"path": "b", "equals": [1]}]},
        ['{"equals": null, "path": "$.a"}', '{"equals": [1], "path": "b"}'],
    ),
    ({"check": "tool-call", "calls": [CALL]}, []),
    ({"check": "tool-call", "calls": [CALL], "exact": True}, ['{"exact": true}']),
    ({"check": "trajectory", "mode": "subset", "tools": ["refund"]}, ['{"mode": "subset", "tools": ["refund"]}']),
]
NAMES = ("check", "values", "calls", "exact")
BAD: list[tuple[dict[str, Any], str]] = [
    ({"check": "numeric", "equals": "14", "absolute": 0}, "check 'numeric' has a fault: equals is '14', expected"),
    ({"check": "numeric", "equal": 14, "absolute": 0}, r"equals is missing.*\(found equal, no such name here\)"),
    ({"check": "numeric", "equals": 14, "absolute": 0, "tolerance": 1}, "tolerance is 1.*numeric has equals, absolute"),
    ({"check": "numeric", "equals": 14}, "one tolerance, `absolute` or `relative`"),
    ({"check": "numeric", "equals": 14, "absolute": 0, "path": "$["}, "path is .*a JSONPath"),
    ({"check": "numeric", "equals": True, "absolute": 0}, "equals is True"),
    ({"check": "numeric", "equals": float("nan"), "absolute": 0}, "equals is nan"),
    ({"check": "latency", "seconds": "2"}, "seconds is '2', expected"),
    ({"check": "latency", "seconds": -1}, "seconds is -1, expected"),
    ({"check": "cost"}, "usd is missing"),
    ({"check": "contains", "values": ["a", "b"]}, "values is "),
    ({"check": "contains", "values": [" "]}, "values.0 is "),
    ({"check": "refusal", "values": ["no"]}, "values is .*refusal has no options"),
    ({"check": "language", "values": ["en"], "exact": True}, "exact is True"),
    ({"check": "tool-call", "calls": []}, "calls is "),
    ({"check": "tool-call", "calls": [{"arguments": {}}]}, "calls.0.name is missing"),
    ({"check": "tool-call", "calls": [CALL], "ignore": "$.a"}, "ignore is "),
    ({"check": "tool-call", "calls": [CALL], "ignore": ["$..*..*"]}, "ignore.0 is .*`..` more than"),
    ({"check": "trajectory", "mode": "some"}, "mode is 'some', expected"),
    ({"check": "final-state", "path": "$.a", "equals": 1}, "states is missing"),
    ({"check": "final-state", "states": [{"path": "$.a"}]}, "states.0.equals is missing"),
    ({"check": "python", "function": "tone"}, "function is 'tone', expected"),
    ({"check": "numerik", "equals": 14}, "the check 'numerik' is unknown"),
    ({"values": ["a"]}, "expected an expectation with a `check`"),
]


@pytest.mark.parametrize(("written", "values"), WRITTEN, ids=[str(one["check"]) for one, _ in WRITTEN])
def test_options_are_fields_and_are_kept_in_one_record(written: dict[str, Any], values: list[str]) -> None:
    """Each form becomes one record that can be scored, says the same as fields again, and fits the published schema."""
    kept = registry.read(written)
    assert kept.values == values
    registry.validate(kept)
    registry.score(kept, answer("x", state={}))
    assert registry.read(registry.fields(kept)) == kept
    jsonschema_rs.validator_for(schema()).validate(written)


@pytest.mark.parametrize("kept", EXAMPLES, ids=[one.check for one in EXAMPLES])
def test_what_is_on_file_stays_what_it_is(kept: Expectation) -> None:
    """A record written in full is read as itself, with its hash, and as fields it means the same."""
    assert registry.read(kept.model_dump()) == kept
    assert digest(registry.read(kept.model_dump(exclude_defaults=True))) == digest(kept)
    again = registry.read(registry.fields(kept))
    assert registry.fields(again) == registry.fields(kept)


def test_there_is_one_form_for_every_kind() -> None:
    """The union tells every check and its opposite apart, and each form takes no other check."""
    told = set(schema()["discriminator"]["mapping"])
    assert told == {name for kind in registry.KINDS for name in (kind, f"not-{kind}")}
    for kind, check in registry.KINDS.items():
        with pytest.raises(DataError, match="check 'other' has a fault: check is 'other'"):
            check.FORM.parse({"check": "other"})
        assert kind in str(check.FORM.model_fields["check"].annotation)


@pytest.mark.parametrize(("bad", "sentence"), BAD)
def test_a_mistyped_option_is_refused(bad: dict[str, Any], sentence: str) -> None:
    """The sentence says which option of which check was found, and what was expected."""
    with pytest.raises(DataError, match=sentence) as caught:
        registry.read(bad)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 900


def test_a_mistyped_option_is_refused_at_every_door(tmp_path: Path) -> None:
    """A file of cases, another tool's rows, the desk and a generator's reply all tell it by the name of the option."""
    bad = {"check": "numeric", "equals": "14", "absolute": 0}
    fields = {"case_id": "refunds-010", "layer": "unit", "category": "refunds", "turns": ["How long?"]}
    with pytest.raises(DataError, match=r"case 1 \(refunds-010\), expectations.0: .* equals is '14'"):
        cases_yaml.parse(yaml.safe_dump([fields | {"expectations": [bad]}]), "x.yaml")
    row = {"id": "a", "question": "How long?", "reference": "14", "expectations": [bad]}
    (listed,) = taken(tmp_path, "rows.json", [row]).not_understood
    assert "equals is '14'" in listed
    form = {"turn-0": "How long?", "case-category": "refunds", "check-0": "numeric", "reference": ""}
    with pytest.raises(RefusedError, match="equals is 'much'"):
        editing.edited(case(1), form | {"values-0": "equals: much\nabsolute: 0"}, {"refunds": "payments"})


def test_the_desk_shows_options_line_by_line() -> None:
    """Options are lines of a name and a value; what stands there otherwise on file comes back as it was."""
    told = registry.read({"check": "numeric", "equals": 14, "absolute": 0, "path": "$.days"})
    odd = Expectation(check="numeric", values=['{"equals":14,  "absolute": 0}'])
    of = case(1, turns=["How long?"], expectations=[told, odd])
    shown = editing.fields(of, {})["expectations"]
    assert shown[0][1].splitlines() == ["equals: 14", "absolute: 0", 'path: "$.days"']
    assert shown[1][1] == odd.values[0]
    form = {"turn-0": "How long?", "case-category": of.category, "reference": of.reference}
    form |= {"check-0": "numeric", "values-0": shown[0][1], "check-1": "numeric", "values-1": shown[1][1]}
    assert editing.edited(of, form, {of.category: of.owner}) == of
    calls = registry.read({"check": "tool-call", "calls": [CALL], "exact": True, "ignore": ["$.id"]})
    of_calls = case(
        1,
        turns=["How long?"],
        expectations=[
            calls,
            Expectation(
                check="similarity", exact=True, values=['{"measure": "ratio", "reference": "a\\nb", "threshold": 1}']
            ),
        ],
    )
    shown = editing.fields(of_calls, {})["expectations"]
    assert shown[0][1].splitlines() == ['ignore: ["$.id"]', "exact: true"]
    sent = {f"{name}-{n}": text for n, row in enumerate(shown) for name, text in zip(NAMES, row, strict=True)}
    back = editing.edited(of_calls, form | sent, {of.category: of.owner})
    assert back == of_calls
    typed = form | {"check-1": "latency", "values-1": "seconds: 2"}
    assert editing.edited(of, typed, {of.category: of.owner}).expectations[1].values == ["2"]
