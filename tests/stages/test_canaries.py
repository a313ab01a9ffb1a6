"""Canaries: keys that an endpoint sends back, in answers and refusals, are found in no file that a run writes."""

import base64
import json
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest

from assay.errors import EndpointError
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE
from assay.project.tables.signals import SIGNALS
from assay.stages import execute, judge, publish, review
from tests.cast import Project
from tests.endpoint import completion
from tests.targets.raw_product import Asked, Says, listening, says

JUDGE_KEY, PRODUCT_KEY = "sk-CANARY-JUDGE-7Qx9/aa", "sk-CANARY-PRODUCT-3Zt1/bb"
SPLIT = 11


def headers_of(asked: Asked) -> str:
    """Return the request's headers as text."""
    return json.dumps(asked.headers)


def streamed(text: str) -> Says:
    """Return an answer in events, each a few characters, so that a key is in none of them."""
    parts = [text[start : start + SPLIT] for start in range(0, len(text), SPLIT)]
    return Says([f"data: {json.dumps({'answer': part})}\n\n".encode() for part in parts])


def echo(asked: Asked, status: int) -> Says:
    """Send the request's headers back: as the answer, as a verdict that is none, or in a refusal."""
    said = headers_of(asked)
    if status != 200:
        return says({"error": {"message": said}}, status)
    if "/ask" in asked.line:
        return streamed(said)
    body = json.loads(completion(f'{{"verdict": "pass", "why": {json.dumps(said)}}}', model=said).body)
    return says(body | {"debug": said})


def found_in(folder: Path) -> list[str]:
    """Return the files that hold a canary, in whatever spelling."""
    canaries = [
        spelling
        for key in (JUDGE_KEY, PRODUCT_KEY)
        for spelling in (
            key.encode(),
            quote(key, safe="").encode(),
            base64.b64encode(key.encode())[4:-4],
            b"CANARY-JUDGE",
            b"CANARY-PRODUCT",
        )
    ]
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [str(file) for file in files if any(canary in file.read_bytes() for canary in canaries)]


@pytest.fixture
def keyed(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose product and judge are asked with keys."""
    LABELS.file().unlink()
    ITEMS.file().unlink()
    BASELINE.file().unlink()
    review.run()
    SIGNALS.write([])
    monkeypatch.setenv("OPENAI_API_KEY", JUDGE_KEY)
    monkeypatch.setenv("PRODUCT_KEY", PRODUCT_KEY)
    return project


def point(project: Project, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let product and judge be asked here, with little patience."""
    bounds = {"max_retries": 0, "deadline_s": 5, "patience_s": 1}
    target = {
        "kind": "http",
        "name": "support",
        "url": f"{url}/ask",
        "headers": {"Authorization": "Bearer ${PRODUCT_KEY}"},
        "body": {"q": "{{turn}}"},
        "answer": {"text": "$.answer"},
        "stream": "sse",
    }
    project.params("execute", target=target, **bounds)
    project.params("judge", **bounds)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{url}/v1")


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_product_that_sends_the_headers_back(
    keyed: Project, now: datetime, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Answers, failed rows, the journal, the report and what is printed hold no key, whatever the product did."""
    said = ""
    with listening(lambda asked: echo(asked, status if "/ask" in asked.line else 200)) as url:
        point(keyed, url, monkeypatch)
        try:
            execute.run(now)
            judge.run(now)
            publish.run(now)
        except EndpointError as error:
            assert status == 401
            said = str(error)
    assert "the key" in (keyed.folder / ".assay/journal.sqlite").read_bytes().decode(errors="replace") or status == 401
    assert found_in(keyed.folder) == []
    assert "CANARY" not in "".join([said, *capsys.readouterr()])


@pytest.mark.parametrize("status", [200, 400, 401, 500])
def test_a_judge_that_sends_the_headers_back(
    keyed: Project, now: datetime, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Verdicts, their details, the judge's name and what is printed hold no key, whatever the judge did."""
    said = ""
    with listening(lambda asked: echo(asked, 200 if "/ask" in asked.line else status)) as url:
        point(keyed, url, monkeypatch)
        execute.run(now)
        try:
            judge.run(now)
            publish.run(now)
        except EndpointError as error:
            assert status != 200
            said = str(error)
    assert found_in(keyed.folder) == []
    assert "CANARY" not in "".join([said, *capsys.readouterr()])
