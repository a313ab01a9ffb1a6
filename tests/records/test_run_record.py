"""The record of a run: small whatever a run has to say, and of a real id alone."""

import json

import pytest
from pydantic import ValidationError

from assay.records.run import MAX_BYTES, Answers, RunRecord
from tests.archives import a_record, an_id

HASHES = dict.fromkeys(
    ("report.html", "responses.parquet", "verdicts.parquet", "metrics.json", "gate.json", "slices.csv"), "0" * 32
)


@pytest.mark.parametrize(
    "text", ["../../etc/passwd", "", "latest", f"{an_id(1)}/..", an_id(1).upper(), f"{an_id(1)}\n"]
)
def test_only_an_id_is_one(text: str) -> None:
    """What could lead elsewhere as part of a path is no run's id."""
    with pytest.raises(ValidationError, match="run"):
        a_record(1, run=text)


@pytest.mark.parametrize("letter", ["x", '"', "é", "\x00", "\u202e", "\N{GRINNING FACE}"])
def test_a_record_is_small(letter: str) -> None:
    """At most 1.6 kB as UTF-8, however long its texts are, and the hashes stay whole."""
    sources = [an_id(number) for number in range(40)]
    texts = dict.fromkeys(
        ("sentence", "target", "baseline", "overrides", "night", "released", "assay", "evaluation_set", "lost"),
        letter * 5000,
    )
    calls = Answers(asked=10**9, kept=10**9, sources=sources, version=letter * 5000, undeclared=[letter * 160] * 100)
    record = a_record(1, files=HASHES, calls=calls, **texts)
    data = record.encoded()
    assert len(data) <= MAX_BYTES == 1600
    read = RunRecord.model_validate(json.loads(data))
    assert read.files == HASHES
    assert read.sentence.startswith(letter)
    assert read.sentence.endswith("…")


def test_a_record_turns_no_text_around() -> None:
    """What a terminal would obey stands in the file as an escape of JSON, and is read as what it was."""
    record = a_record(1, target="shop@\u202e7\x9b2J\u2066")
    assert record.encoded().decode().replace("\n", "").isprintable()
    assert RunRecord.model_validate(json.loads(record.encoded())) == record


def test_a_usual_record_is_whole() -> None:
    """Nothing is cut from what fits."""
    record = a_record(1, files=HASHES, calls=Answers(asked=1, kept=2, sources=[an_id(0)]))
    assert RunRecord.model_validate(json.loads(record.encoded())) == record
