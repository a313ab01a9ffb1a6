"""Batch mode: the same stages through the Batch API, with the same rows; what is waited for survives a restart."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from typing import Any

import pytest

from assay.errors import ConfigError
from assay.project import files
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.verdict import Verdict
from assay.stages import execute, judge
from tests.batches import Service, serving_batches
from tests.cast import Project, case, item, response
from tests.endpoint import Body, Reply, completion, tool_call
from tests.layout import ROOT

QUICK = {"gather_s": 0.3, "poll_s": 0.2, "max_retries": 0}


def product(body: Body) -> Reply:
    """Use a tool once, answer every question with itself, and judge everything fairly."""
    if "response_format" in body:
        return completion(json.dumps({"verdict": "B" if "<response_a>" in body["messages"][-1]["content"] else "pass"}))
    last = body["messages"][-1]
    if body.get("tools") and last["role"] == "user":
        return completion(None, tool_calls=[tool_call("look_up", json.dumps({"text": last["content"][:20]}))])
    return completion(f"Within 14 days. You asked: {last['content']}")


def fill(project: Project, url: str, mode: str) -> None:
    """Make six cases, half of them of two turns, and let the parameters ask this service."""
    turns = [[f"Question {number}", "And then?"][: 1 + number % 2] for number in range(6)]
    cases = [case(number, turns=said) for number, said in enumerate(turns)]
    CASES.write(cases)
    BASELINE.write([response(one) for one in cases])
    LABELS.file().unlink(missing_ok=True)
    ITEMS.write([item(1, "Gift cards never expire.")])
    target = {"name": "support", "model": "support-2", "base_url": url, "environment": "tests.stages.reading_room"}
    project.params("execute", target=target, trials=2, mode=mode, **QUICK)
    project.params("judge", mode=mode, **QUICK)


def tables() -> tuple[list[dict[str, Any]], list[Verdict]]:
    """Return both tables, without what a clock measured."""
    responses = [one.model_dump(exclude={"latency_s", "answered_at"}) for one in RESPONSES.read()]
    return responses, VERDICTS.read()


def test_the_tables_are_those_of_interactive_mode(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two trials of conversations with tools and several turns give the same rows, through batches alone."""
    found = {}
    for mode in ("interactive", "batch"):
        service = Service(product)
        with serving_batches(service) as served:
            fill(project, served, mode)
            monkeypatch.setenv("OPENAI_BASE_URL", served)
            execute.run(now)
            judge.run(now)
        found[mode] = tables()
        for file in files.private("journal.sqlite").parent.glob("journal.sqlite*"):
            file.unlink()
    assert found["batch"] == found["interactive"]
    assert len(service.direct) == 1, "only the judge's probe is asked directly"
    assert len(service.batches) == 5, "four rounds of the longest conversation, one of the judge"
    assert {call.failed for row in RESPONSES.read() for call in row.tool_calls} == {False}


def test_only_a_chat_endpoint_has_a_batch_api(project: Project, now: datetime) -> None:
    """Another kind of target in batch mode is refused in one sentence."""
    CASES.write([case(1)])
    project.params(
        "execute", target={"kind": "python", "name": "s", "function": "tests.stages.reading_room:answer"}, mode="batch"
    )
    with pytest.raises(ConfigError, match=r"execute.mode is 'batch', but a target of kind 'python' has no Batch API"):
        execute.run(now)


def stage(project: Project) -> subprocess.Popen[bytes]:
    """Start the stage as DVC does."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("OPENAI_")}
    project.open_doors()
    command = [sys.executable, "-m", "tasks.execute"]
    return subprocess.Popen(command, cwd=project.folder, env=environment | {"PYTHONPATH": str(ROOT)})


def test_a_killed_run_waits_on_for_what_it_has_sent(project: Project) -> None:
    """Killed while a batch is worked on, the next run takes up that very batch and sends none of it again."""
    service = Service(product, polls=10**9)
    with serving_batches(service) as served:
        fill(project, served, "batch")
        first = stage(project)
        deadline = time.monotonic() + 60
        while not service.batches and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        first.send_signal(signal.SIGKILL)
        first.wait()
        service.polls = 1
        assert stage(project).wait(60) == 0
    sent = [line["custom_id"] for line in service.requests()]
    assert len(sent) == len(set(sent))
    assert [one.status for one in RESPONSES.read()] == ["ok"] * 12
