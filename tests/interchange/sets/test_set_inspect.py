"""inspect_ai: logs, packed or not, and data sets; one case a sample."""

import io
import json
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from assay.errors import ConfigError, DataError
from assay.interchange.sets import inspect_log
from tests.interchange.sets.shop import taken


def sample(number: int, epoch: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a sample as inspect writes it."""
    fields = {
        "id": number,
        "epoch": epoch,
        "input": f"May I send order {number} back?",
        "target": ["Yes", "Yes, within 14 days"],
        "messages": [{"role": "user", "content": "x", "source": "input"}],
        "output": {"model": "mockllm/model", "choices": [], "completion": "Yes"},
        "scores": {"match": {"value": "C", "answer": "Yes"}},
        "metadata": {"category": "Refunds", "difficulty": "easy"},
        "store": {},
        "events": [{"event": "sample_init"}],
        "model_usage": {},
        "attachments": {},
    }
    return fields | changes


def log(*samples: dict[str, Any]) -> dict[str, Any]:
    """Return a log as inspect writes it."""
    return {"version": 2, "status": "success", "eval": {"task": "support"}, "plan": {}, "samples": list(samples)}


def packed(*samples: dict[str, Any], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return an archive as inspect writes it."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        archive.writestr("_journal/start.json", json.dumps({"version": 2, "eval": {}}))
        for one in samples:
            archive.writestr(f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one))
        archive.writestr("header.json", json.dumps({"version": 2, "status": "success"}))
    return sink.getvalue()


def zstandard(name: str, data: bytes, *, frames: int = 1, checksum: int | None = None) -> bytes:
    """Return an archive with one member packed with Zstandard, as inspect writes it by now."""
    step = -(-len(data) // frames)
    codec = pa.Codec("zstd")
    body = b"".join(codec.compress(data[at : at + step], asbytes=True) for at in range(0, len(data), step))
    crc = zlib.crc32(data) if checksum is None else checksum
    shared = struct.pack("<HHHHHIIIHH", 63, 0, 93, 0, 33, crc, len(body), len(data), len(name), 0)
    local = b"PK\x03\x04" + shared + name.encode()
    central = b"PK\x01\x02\x3f\x03" + shared + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name.encode()
    start = len(local) + len(body)
    return local + body + central + b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(central), start, 0)


@pytest.mark.parametrize("name", ["log.json", "log.eval"])
def test_a_log(tmp_path: Path, name: str) -> None:
    """A log gives one case a sample, whatever the epochs, and tells of its run."""
    samples = [sample(1), sample(2, target="No"), sample(1, epoch=2)]
    found = taken(tmp_path, name, packed(*samples) if name.endswith("eval") else log(*samples))
    assert [(one.case_id, one.turns[0], one.reference) for one in found.cases] == [
        ("1", "May I send order 1 back?", "Yes"),
        ("2", "May I send order 2 back?", "No"),
    ]
    assert found.cases[0].category == "refunds"
    assert [one.references for one in found.cases] == [["Yes, within 14 days"], []]
    told = "\n".join(found.not_understood)
    for line in ("1 epoch of a sample that was met before", "`metadata.difficulty`"):
        assert line in told
    assert "parts of a run, outside any case" in told
    assert "of other parts of the log" in told


def test_an_archive_of_today(tmp_path: Path) -> None:
    """An archive packed with Zstandard, in one frame or in several, is read."""
    for frames in (1, 3):
        data = zstandard("samples/1_epoch_1.json", json.dumps(sample(1)).encode(), frames=frames)
        assert taken(tmp_path, "log.eval", data).cases[0].reference == "Yes"


def test_messages_choices_and_not_a_number(tmp_path: Path) -> None:
    """Messages are turns, choices stand below the question, and NaN among the scores hurts nobody."""
    messages = [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi"},
        {"role": "user", "content": "Which one?"},
    ]
    one = sample(1, input=messages, choices=["tea", "coffee"], target="B", scores={"x": {"value": float("nan")}})
    found = taken(tmp_path, "log.json", log(one))
    assert found.cases[0].turns == ["Hi", "Which one?\n\nA) tea\nB) coffee"]
    assert found.cases[0].reference == "B) coffee"
    assert any("message of the role `system`" in line for line in found.not_understood)


def test_a_data_set(tmp_path: Path) -> None:
    """Rows of a data set are recognised by input and target."""
    rows = [{"input": "Hi", "target": "Hello", "id": "a", "sandbox": "docker"}]
    found = taken(tmp_path, "set.jsonl", rows)
    assert (found.cases[0].reference, found.not_understood) == ("Hello", ["1 field `sandbox`, in row 1"])
    with pytest.raises(DataError, match="the id 'a' is that of row 1 too"):
        taken(tmp_path, "set.jsonl", rows + rows)


def test_one_id_with_two_inputs(tmp_path: Path) -> None:
    """Epochs of one id that ask different things are refused."""
    with pytest.raises(DataError, match="the sample '1' has another input than before"):
        taken(tmp_path, "log.json", log(sample(1), sample(1, 2, input="Other")))


def many(name: str, count: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as archive:
        for _ in range(count):
            archive.writestr(zipfile.ZipInfo(name), "{}")
    return sink.getvalue()


def bomb(size: int) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("samples/1.json", "w") as member:
        for _ in range(size // 1_000_000):
            member.write(b" " * 1_000_000)
    return sink.getvalue()


def locked() -> bytes:
    data = bytearray(packed(sample(1)))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = 0
        while (start := data.find(mark, start)) >= 0:
            data[start + at] |= 1
            start += 4
    return bytes(data)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (lambda: bomb(inspect_log.MEMBER + 2_000_000), "unpacks to more than 64,000,000 bytes"),
        (lambda: zstandard("samples/1.json", b" " * (inspect_log.MEMBER + 5)), "unpacks to more than 64,000,000 bytes"),
        (lambda: zstandard("samples/1.json", b"{}", checksum=1), "does not have the checksum"),
        (lambda: zstandard("samples/1.json", b"{}" * 50)[:60], "cannot be unpacked"),
        (lambda: zstandard("samples/1.json", b"{}" * 50).replace(b"\x28\xb5\x2f\xfd", b"XXXX"), "is damaged"),
        (lambda: packed(sample(1))[:-30], "cannot be unpacked"),
        (lambda: packed(sample(1), method=zipfile.ZIP_STORED).replace(b"May I", b"Can I"), "cannot be unpacked"),
        (locked, "is encrypted"),
        (lambda: many("samples/1.json", 2), "has 2 files of 1 names"),
        (lambda: many("samples/1.json", 1), "holds no case"),
        (lambda: many("other.json", 1), "holds no case"),
        (lambda: zstandard("samples/1.json", b"[1]"), "expected a sample"),
        (lambda: zstandard("samples/1.json", b"\xff"), "cannot be unpacked"),
        (lambda: zstandard("samples/1.json", b'{"id": 1'), "expected JSON"),
    ],
)
def test_archives_that_are_hostile_or_damaged(tmp_path: Path, data: Any, why: str) -> None:
    """An archive that unpacks without end, is damaged, locked or holds something else is refused in one sentence."""
    with pytest.raises((DataError, ConfigError), match=why):
        taken(tmp_path, "log.eval", data())
