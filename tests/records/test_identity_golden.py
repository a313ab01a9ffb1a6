"""No hash that is on file ever changes: not those of the golden file, and not those of the project's own data."""

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from assay.evalset import versions
from assay.evalset.admission import outcome
from assay.evalset.notes import Release
from assay.records.case import Case
from assay.records.decision import Decision
from assay.records.label import Item, Label
from assay.stages.review import manifest
from assay.storage import hash_chain
from assay.storage.rows import parse_rows
from tests.identity_hashes import EACH, HASHED, KINDS, LOGS, fields_of, golden, judge_files
from tests.layout import ROOT

FILE = ROOT / "tests/golden/identity-1.json"
GOLDEN: dict[str, list[Any]] = json.loads(FILE.read_text(encoding="utf8"))
DECISIONS = ROOT / "data/decisions/decisions.jsonl"


@pytest.fixture
def judges(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The judges that the golden questions are put to, as the current folder's."""
    for name, text in judge_files().items():
        file = tmp_path / "data/judges" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf8")
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("judges")
@pytest.mark.parametrize("kind", KINDS)
def test_records_of_the_golden_file_have_their_hashes(kind: str) -> None:
    """Twenty records of each kind, read as they were written when the law began, have the hashes of then."""
    rows = GOLDEN[kind]
    assert (len(rows), len({digest for _, digest in rows})) == (EACH, EACH)
    assert [KINDS[kind][1](fields) for fields, _ in rows] == [digest for _, digest in rows]


@pytest.mark.usefixtures("judges")
def test_the_golden_file_is_what_its_generator_makes() -> None:
    """The golden file is made by code that anybody can read, and is the file of the day on which the law began."""
    known = {kind: rows for kind, rows in json.loads(golden()).items() if kind != "fields"}
    assert known == {kind: rows for kind, rows in GOLDEN.items() if kind != "fields"}
    assert (
        hashlib.sha256(FILE.read_bytes()).hexdigest()
        == "31eef4088b189f03f46d97574f653e85621247ea8001fb5710283bd2e0e05d84"
    )


@pytest.mark.parametrize("name", LOGS)
def test_logs_of_the_golden_file_are_read(name: str, tmp_path: Path) -> None:
    """Each log that was signed before rows had a schema verifies, and its rows are read."""
    (tmp_path / "log").write_text("\n".join(GOLDEN[f"log of {name}"]) + "\n", encoding="utf8")
    lines = list(hash_chain.follow(hash_chain.lines(tmp_path / "log", name), name))
    record, make = LOGS[name]
    rows = [row.model_copy(update={"chain": ""}) for row in parse_rows(record, lines, name)]
    assert rows == [record.model_validate(make(number)) for number in range(EACH)]


@pytest.mark.parametrize("record", HASHED)
def test_fields_enter_hashes_as_they_did(record: type[Any]) -> None:
    """A field of then is hashed always, or unless it has its default, which never changes; later ones have defaults."""
    then, now = dict(GOLDEN["fields"])[record.__name__], fields_of(record)
    today = {record.old_names.get(name, (name,))[0]: how for name, how in now.items()}
    assert {name: today.get(name) for name in then} == then
    assert [name for name in today.keys() - then.keys() if not today[name].startswith("unless")] == []


def test_the_manifest_names_the_set_by_its_content() -> None:
    """The decisions of the repository's own log come to the content that its manifest names, case by case."""
    known = json.loads((ROOT / "data/evalset/manifest.json").read_text(encoding="utf8"))
    made = manifest(_set(log=str(known["log"])), [], str(known["log"]), 0)
    assert (made["content"], made["revisions"]) == (known["content"], known["revisions"])


@pytest.mark.parametrize("file", sorted((ROOT / "data/releases").glob("*.json")), ids=lambda file: file.name)
def test_the_notes_of_a_release_name_its_content(file: Path) -> None:
    """Whatever was released has the revisions and digests that its notes say, computed anew from the log."""
    notes = Release.model_validate_json(file.read_text(encoding="utf8"))
    made = versions.content(_set(log=notes.log, until=notes.released), [])
    assert made.revisions == notes.revisions
    assert made.digests == (notes.digests or made.digests)


@pytest.mark.parametrize(("name", "record"), [("items", Item), ("labels", Label)])
def test_the_labels_of_the_repository_are_read(name: str, record: type[Item] | type[Label]) -> None:
    """Rows of labels that were written without a schema are read, and none is lost."""
    lines = (ROOT / f"data/labels/{name}.jsonl").read_bytes().splitlines()
    assert len(list(parse_rows(record, lines, name))) == len(lines) > 0


def _set(*, log: str, until: str = "") -> list[Case]:
    """Return the set that the log comes to, up to a row, or to a moment where notes were written before they had it."""
    rows = list(parse_rows(Decision, hash_chain.follow(hash_chain.lines(DECISIONS, "the log"), "the log"), "the log"))
    if log:
        last = next(number for number, row in enumerate(rows, 1) if row.chain == log)
        return outcome(rows[:last], [], {}).cases
    return outcome([row for row in rows if row.decided_at <= datetime.fromisoformat(until)], [], {}).cases
