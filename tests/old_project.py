"""The project that version 0.2.0 left (`tests/golden/project-0.2.0.tar.xz`), and its product and judges."""

import json
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.endpoint import Body, Reply, Served, completion
from tests.layout import ROOT

OLD = ROOT / "tests/golden/project-0.2.0.tar.xz"
NIGHTS_BEFORE = 15
CASES_THERE, ANCHORS = 20, 120


def unpack(folder: Path) -> Path:
    """Return the project, unpacked in a folder."""
    with tarfile.open(OLD) as packed:
        packed.extractall(folder, filter="data")
    return folder / "old"


def answer(body: Body) -> Reply:
    """Answer as the product and as the judge did when the project was made."""
    if "response_format" in body:
        verdict = "fail" if "are never possible" in json.dumps(body["messages"]) else "pass"
        return completion(json.dumps({"verdict": verdict}), model="judge-2026-11")
    number = int(body["messages"][-1]["content"].split()[3])
    return completion("No. Never." if number == 4 else "Yes, refunds are possible within 14 days.", model="m-1")


def point(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the project's product and judges be here."""
    whole = yaml.safe_load(Path("params.yaml").read_text())
    whole["execute"]["target"]["base_url"] = served.url
    Path("params.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))
    monkeypatch.setenv("OPENAI_BASE_URL", served.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
