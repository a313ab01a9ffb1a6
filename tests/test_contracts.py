"""The contracts: each table's suite lets sound rows through, names the rows at fault, and needs no network."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from assay.calibration.certificate import AnchorNight, Seen
from assay.errors import DataError
from assay.evalset.admission import BatchEvent, Past
from assay.project.tables.registry import TABLES
from assay.records.candidate import Candidate
from assay.records.label import Answer, Draw, Frame
from assay.records.record import Record
from assay.records.signal import Signal
from assay.storage import contracts
from assay.storage import rows as storage_rows
from tests.cast import AT, CATEGORIES, case, case_night, decision, item, label, response, trace, verdict
from tests.layout import ROOT

KNOWN = list(CATEGORIES)


def candidate(number: int) -> Candidate:
    """Return a proposed case."""
    of = case(number)
    return Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0.5)


def signal(name: str) -> Signal:
    """Return one measure of one window."""
    times = {"window_start": AT, "window_end": AT}
    counts = {"events": 1, "n": 10, "value": 0.1, "baseline_value": 0.1, "baseline_n": 10, "low": -0.1, "high": 0.1}
    money = {"impact_usd": None, "impact_low_usd": None, "impact_high_usd": None}
    texts = {"signal": name, "segment": "all", "state": "quiet", "statement": "Nothing.", "owner": "product"}
    return Signal.model_validate(times | counts | money | texts)


def event(who: str, word: str) -> BatchEvent:
    """Return something that happened to a batch."""
    deadline, shown = (AT, {"refunds-001": "d"}) if word == "open" else (None, {})
    fields = {"batch": "batch-1", "event": word, "who": who, "at": AT, "note": "", "deadline": deadline}
    return BatchEvent.model_validate(fields | {"candidates": shown})


def answer(annotator: str) -> Answer:
    """Return one answer at the desk."""
    fields = {"item_id": "pass-fail.001", "annotator": annotator, "outcome": "pass", "shown": "d", "is_swapped": False}
    return Answer.model_validate(fields | {"spans": [], "note": "", "seconds": 3.5, "answered_at": AT})


SOUND: dict[str, list[Record]] = {
    "decisions": [decision(case(1)), decision(case(1), "reject")],
    "batches": [event("assay", "open"), event("ada", "close")],
    "answers": [answer("ada"), answer("ben")],
    "past": [Past(candidate_id=case(n).case_id, why="rejected", case=case(n)) for n in (1, 2)],
    "items": [item(1, "yes"), item(2, "yes")],
    "labels": [label("pass-fail.001", "pass"), label("pass-fail.001", "fail", "ben", inclusion_probability=None)],
    "draws": [
        Draw(item_id=f"pass-fail.00{number}", frame="support@2", stratum="pass", inclusion_probability=0.5)
        for number in (1, 2)
    ],
    "frames": [
        Frame(judge="tone", frame="f", round=number, run="", answers={"pass": "0" * 8}, chances={"pass": 0.5})
        for number in (1, 2)
    ],
    "baseline": [response(case(1)), response(case(2))],
    "traces": [trace(1, AT), trace(2, AT)],
    "candidates": [candidate(1), candidate(2)],
    "cases": [case(1), case(2, "escalation")],
    "responses": [response(case(1)), response(case(1), trial=1)],
    "verdicts": [verdict("refunds-001", "pass", score=1.0), verdict("refunds-002", "unscored")],
    "signals": [signal("refusal-rate"), signal("grounded-rate")],
    "seen": [
        Seen(judge="correctness", item_id="pass-fail.001", human="pass", outcome="pass"),
        Seen(judge="preference", item_id="pass-fail.001", human=None, outcome="a"),
    ],
    "nights": [
        AnchorNight(judge=judge, night="2026-11-02", issued=AT, baseline="", anchors=9, flips=1, judged=5, passed=4)
        for judge in ("correctness", "preference")
    ],
    "history": [case_night("2026-11-01"), case_night("2026-11-02")],
}


CONTRACTS = {name: table.contract for name, table in TABLES.items()}
REQUIRED = sorted(name for name, contract in CONTRACTS.items() if contract.is_required)


def frame(table: str, rows: Sequence[Record]) -> pd.DataFrame:
    """Return rows as the store hands them to a contract."""
    return storage_rows.frame(rows, TABLES[table].record)


def fault(table: str, found: pd.DataFrame) -> str:
    """Return what the contract says of a table that breaks it."""
    with pytest.raises(DataError) as raised:
        contracts.check(CONTRACTS[table], f"data/{table}", found, KNOWN)
    return str(raised.value)


def test_every_table_has_a_contract() -> None:
    """What the store can write, a suite holds; each suite has a way to mend its table."""
    assert set(TABLES) == set(SOUND)
    assert all(table.fix_hint and name == table.name for name, table in TABLES.items())


@pytest.mark.parametrize("table", SOUND)
def test_sound_rows_pass(table: str) -> None:
    """Rows as the stages make them keep their contract."""
    contracts.check(CONTRACTS[table], f"data/{table}", frame(table, SOUND[table]), KNOWN)


@pytest.mark.parametrize("table", [table for table in SOUND if CONTRACTS[table].keys])
def test_a_key_occurs_once(table: str) -> None:
    """A repeated key is refused with the key, the file and what to do."""
    said = fault(table, frame(table, [SOUND[table][0]] * 2))
    assert said.startswith(f"data/{table}: {' + '.join(CONTRACTS[table].keys)}: 2 rows break the rule (")
    assert said.endswith("correct these rows")
    assert "once" in said


@pytest.mark.parametrize("table", REQUIRED)
def test_an_empty_table_is_refused(table: str) -> None:
    """A table that something must be in is refused when nothing is."""
    assert "found 0, expected at least one row" in fault(table, frame(table, []))


@pytest.mark.parametrize("table", sorted(set(SOUND) - set(REQUIRED)))
def test_a_table_may_be_empty_where_that_is_a_result(table: str) -> None:
    """No candidates, no verdicts and no signals are results too."""
    contracts.check(CONTRACTS[table], f"data/{table}", frame(table, []), KNOWN)


BROKEN: list[tuple[str, str, Any, str]] = [
    *(
        (table, "category", "invented", "a category of data/taxonomy")
        for table, contract in CONTRACTS.items()
        if contract.is_categorised
    ),
    *(
        (table, column, "", "a value that is not empty")
        for table, contract in CONTRACTS.items()
        for column in contract.filled
    ),
    *(
        (table, column, value, "a probability")
        for table, contract in CONTRACTS.items()
        for column in contract.probabilities
        for value in (-0.01, 1.01)
    ),
]


@pytest.mark.parametrize(("table", "column", "value", "expected"), BROKEN)
def test_each_rule_can_be_broken(table: str, column: str, value: Any, expected: str) -> None:
    """Each rule refuses the value that it is there for, and names its row."""
    found = frame(table, SOUND[table])
    found[column] = [value, *found[column][1:]]
    said = fault(table, found)
    assert said.startswith(f"data/{table}: {column}: 1 rows break the rule")
    assert expected in said
    for key in CONTRACTS[table].keys:
        assert str(found[key][0]) in said


def test_a_message_stays_short() -> None:
    """Of many rows at fault five are named, and a long value is cut: a sentence is for a person."""
    found = frame("cases", [case(number) for number in range(200)]).assign(category="x" * 5000)
    said = fault("cases", found)
    assert "200 rows break the rule" in said
    assert said.count("refunds-") == 5
    assert len(said) < 800


@pytest.mark.parametrize(
    "text", ["$HOME", "${HOME}", "$PARAMETER", "%s {0} {{x}}", "\x00", "<script>", "\U0001f600" * 9]
)
def test_values_are_data(text: str) -> None:
    """No text of a table is taken for a variable or a template, and each can be named."""
    found = frame("cases", SOUND["cases"])
    found["category"] = [text, "refunds"]
    assert text in fault("cases", found)


def test_a_suite_is_known_by_its_rules() -> None:
    """The version of a suite changes with the taxonomy where that matters, and only there."""
    assert contracts.version(CONTRACTS["cases"], KNOWN) != contracts.version(CONTRACTS["cases"], [*KNOWN, "delivery"])
    assert contracts.version(CONTRACTS["cases"], KNOWN) != contracts.version(CONTRACTS["items"], KNOWN)
    assert contracts.version(CONTRACTS["labels"], KNOWN) == contracts.version(CONTRACTS["labels"], [*KNOWN, "delivery"])


OFFLINE = """
import socket, sys
from pathlib import Path
def refuse(*_, **__):
    print("network", file=sys.stderr)
    raise OSError("offline")
socket.socket.connect = socket.getaddrinfo = refuse
import pandas as pd
from assay.project.tables.registry import TABLES
from assay.storage import contracts
frame = pd.DataFrame([{"case_id": "refunds-001", "category": "<script>alert(1)</script>", "owner": "payments"}])
empty = pd.DataFrame(columns=["candidate_id", "similarity"])
tables = [(TABLES["cases"].contract, frame), (TABLES["candidates"].contract, empty)]
print(contracts.data_docs(tables, ["refunds"], Path(sys.argv[1])))
"""


def test_data_docs_are_built_offline(tmp_path: Path) -> None:
    """The pages are built without one attempt to reach a host, and show a table's markup as text."""
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", OFFLINE, str(tmp_path)]
    done = subprocess.run(words, env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(tmp_path / "index.html")
    assert "network" not in done.stderr
    pages = [page.read_text() for page in (tmp_path / "validations").rglob("*.html")]
    assert len(pages) == 2
    assert not any("<script>alert(1)" in page for page in pages)
    assert any("&lt;script&gt;alert(1)" in page for page in pages)


@pytest.mark.parametrize("field", ["turns", "reference", "expectations"])
def test_half_a_character_is_no_case(field: str) -> None:
    """A case that no file could hold is refused where it is made, in a sentence."""
    half = "refund \ud83d"
    value: object = {"turns": [half], "reference": half, "expectations": [{"check": "equals", "values": [half]}]}[field]
    with pytest.raises(ValidationError, match="half a character .* write the whole character"):
        case(1, **{field: value})
