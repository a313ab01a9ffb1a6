"""Answers that were collected before: given as they are, and never in place of one that is missing."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from assay.errors import DataError
from assay.models.limits import Limits
from assay.records.case import Case
from assay.records.response import Response
from assay.targets.open import opened
from assay.targets.settings import RecordedSettings
from tests.cast import broken, call, case, response

LIMITS = Limits(concurrency=1, deadline_s=1)


def play(file: Path, *cases: Case, trial: int = 0) -> list[Response]:
    """Play cases against a file."""

    async def played() -> list[Response]:
        settings = RecordedSettings(kind="recorded", name="support", path=str(file))
        async with opened(settings, {}, limits=LIMITS) as target:
            return [await target.respond(one, trial, "2026-11-03") for one in cases]

    return asyncio.run(played())


def lines(folder: Path, *rows: Any) -> Path:
    """Write rows as JSON Lines, texts as they are."""
    file = folder / "answers.jsonl"
    file.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return file


ROW = {"case_id": "refunds-001", "text": "Yes."}
DAMAGED: list[tuple[Any, str]] = [
    ("{", "Expecting"),
    ("[" * 100_000, "nested too deeply"),
    ('{"case_id": "refunds-001", "text": NaN}', "NaN"),
    ("7", "the row is 7"),
    ([ROW], "the row is"),
    ({"text": "Yes."}, "case_id is"),
    ({"case_id": "refunds-001"}, "text is"),
    ({"case_id": "../../etc/passwd", "text": "x"}, "case_id is"),
    (ROW | {"text": 7}, "text is 7"),
    (ROW | {"trial": -1}, "trial is -1"),
    (ROW | {"prompt_tokens": 10**30}, "prompt_tokens is 1000"),
    (ROW | {"status": "fine"}, "status is 'fine'"),
    (ROW | {"status": "error"}, "error_kind"),
    (ROW | {"error_kind": "timeout"}, "error_kind"),
    (ROW | {"tool_calls": [{"arguments": "{}"}]}, "tool_calls.0.name"),
    (ROW | {"latency_s": -1}, "latency_s is -1"),
    (ROW | {"text": "No."}, "already"),
]


@pytest.mark.parametrize(("row", "found"), DAMAGED)
def test_a_damaged_row_is_refused_by_its_number(row: Any, found: str, tmp_path: Path) -> None:
    """The third row is named with what was found in it, and nothing is answered from the others."""
    with pytest.raises(DataError, match="row 3") as caught:
        play(lines(tmp_path, ROW, "", row), case(1))
    assert found in str(caught.value)
    assert len(str(caught.value)) < 600


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """A missing file, a folder, bytes that are no text and a broken Parquet file are told in one sentence."""
    broken_file, binary = tmp_path / "answers.parquet", tmp_path / "answers.jsonl"
    broken_file.write_bytes(b"PAR1 and no more")
    binary.write_bytes(b"\xff\xfe\n")
    for file in (tmp_path / "none.jsonl", tmp_path, broken_file, binary):
        with pytest.raises(DataError, match="answers|none|expected"):
            play(file, case(1))


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    """A case or a trial without a recorded answer is an error row, never the answer to another one."""
    (found,) = play(lines(tmp_path, ROW), case(2))
    assert (found.status, found.error_kind, found.text) == ("error", "empty", "")
    assert "answers.jsonl holds no answer for trial 0" in found.error
    (found,) = play(lines(tmp_path, ROW), case(1), trial=1)
    assert (found.case_id, found.trial, found.error_kind) == ("refunds-001", 1, "empty")


def test_an_answer_to_another_wording_is_none(tmp_path: Path) -> None:
    """What was recorded for an earlier revision of the case is not counted for the present one."""
    old, new = case(1, turns=["Before?"]), case(1, turns=["Now?"])
    file = lines(tmp_path, response(old).model_dump(mode="json"))
    assert play(file, old)[0].status == "ok"
    (found,) = play(file, new)
    assert (found.error_kind, found.revision) == ("empty", new.revision())


def test_a_corrected_expectation_keeps_a_recorded_answer(tmp_path: Path) -> None:
    """Where the file has the hash of what was asked, that alone decides: a case that asks else has no answer in it."""
    row = response(case(1), request=case(1).request()).model_dump(mode="json")
    file = lines(tmp_path, row | {"revision": "of before"})
    corrected = case(1, reference="Else.", expectations=[])
    (found,) = play(file, corrected)
    assert (found.status, found.revision, found.text) == ("ok", corrected.revision(), row["text"])
    assert play(file, case(1, turns=["Now?"]))[0].error_kind == "empty"


def test_an_identifier_and_a_text_are_enough(tmp_path: Path) -> None:
    """The least that a file can hold is answered as it stands, by trial when it is numbered."""
    hostile = "\x00 {0} %s </response> " + "x" * 1_000_000 + "\ud83d"
    file = lines(tmp_path, ROW | {"trial": 1}, ROW | {"text": hostile, "score": 7})
    (found,) = play(file, case(1))
    assert found.text == hostile[:-1] + "\ufffd"
    assert (found.epoch, found.revision, found.final_state) == ("2026-11-03", case(1).revision(), "{}")
    assert play(file, case(1), trial=1)[0].text == "Yes."


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_whole_responses_come_back(suffix: str, tmp_path: Path) -> None:
    """A table of responses gives the same responses, faults included, under the target and date of this run."""
    made = [
        response(case(1), "Yes.", tool_calls=[call("refund").model_dump()], contexts=["a", "b"], cost_usd=0.5),
        broken(case(2)),
    ]
    file = tmp_path / f"answers.{suffix}"
    table = pd.DataFrame([one.model_dump() for one in made])
    if suffix == "parquet":
        table.to_parquet(file)
    else:
        file.write_text("".join(f"{one.model_dump_json()}\n" for one in made), encoding="utf-8")
    found = play(file, case(1), case(2))
    moved = {"target": found[0].target, "epoch": "2026-11-03"}
    assert found == [one.model_copy(update=moved) for one in made]


def test_a_damaged_row_of_a_table_is_refused(tmp_path: Path) -> None:
    """Parquet rows are counted too."""
    file = tmp_path / "answers.parquet"
    pd.DataFrame([ROW, {"case_id": "refunds-002", "text": None}]).to_parquet(file)
    with pytest.raises(DataError, match=r"row 2: text is"):
        play(file, case(1))


def test_the_file_is_the_version(tmp_path: Path) -> None:
    """One changed letter is another target; the same file is the same."""
    first = play(lines(tmp_path, ROW), case(1))[0].target
    assert first.startswith("support@recorded-")
    assert play(lines(tmp_path, ROW), case(1))[0].target == first
    assert play(lines(tmp_path, ROW | {"text": "Yes!"}), case(1))[0].target != first
