"""Execute: one row a case and trial whatever happens, each call paid for once, and no run where there is no product."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta
from typing import Any

import pytest
import yaml

from assay.errors import DataError
from assay.models.engine import Tally
from assay.project import entrypoint, files
from assay.project.run_id import begun
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.stages import execute, review, shards
from tests.cast import Project, case
from tests.endpoint import DROP, HTML, Body, Reply, completion, failure, refusing, serving
from tests.layout import ROOT

ONCE = {"x_should_retry": "false"}
"""Spares the test the openai package's patience."""


def point(project: Project, url: str, **changes: Any) -> None:
    """Let the parameters name a product that runs already."""
    target = {"name": "support", "model": "support-2", "base_url": url, "api_key_env": "SUPPORT_API_KEY"}
    project.params("execute", target=target, **{"max_retries": 0, **changes})


def answer(body: Body) -> Reply:
    """Answer every question with itself."""
    return completion(f"Within 14 days. You asked: {body['messages'][-1]['content']}")


def counted(tally: Tally) -> tuple[int, int]:
    """Return how many calls were asked, and how many were known before."""
    return tally.asked, tally.known


def rows() -> list[dict[str, Any]]:
    """Return the responses on file without what a clock measured."""
    return [one.model_dump(exclude={"latency_s", "answered_at"}) for one in RESPONSES.read()]


def fill(count: int) -> None:
    """Make an evaluation set of some size."""
    CASES.write([case(number) for number in range(count)])


def test_one_row_a_case_whatever_happens(project: Project, now: datetime) -> None:
    """Under a mix of faults each case and trial has exactly one row, with the kind of its own fault or its answer."""
    faults: dict[int, tuple[str, Reply]] = {
        0: ("", completion("yes")),
        1: ("server", failure(500, **ONCE)),
        2: ("rate-limit", failure(429, **ONCE)),
        3: ("refused-request", failure(400)),
        4: ("malformed", HTML),
        5: ("", completion(None)),
        6: ("timeout", Reply(delay_s=30)),
        7: ("connection", DROP),
    }
    fill(40)

    def script(body: Body) -> Reply:
        return faults[int(body["messages"][-1]["content"].split()[3]) % 8][1]

    with serving(script) as served:
        point(project, served.url, trials=2, deadline_s=3)
        assert counted(execute.run(now)) == (80, 0)
    found = RESPONSES.read()
    assert Counter((one.case_id, one.trial) for one in found) == {
        (case(number).case_id, trial): 1 for number in range(40) for trial in range(2)
    }
    for one in found:
        kind = faults[int(one.case_id[-3:]) % 8][0]
        assert (one.status, one.error_kind) == ("error" if kind else "ok", kind)
        assert bool(one.error) == bool(kind)


def test_only_failed_calls_are_asked_again(project: Project, now: datetime) -> None:
    """Of one run what failed is asked again, and nothing else is; another run asks everything."""
    review.run()
    is_down = True

    def script(body: Body) -> Reply:
        return failure(500, **ONCE) if is_down and "escalation" in body["messages"][-1]["content"] else answer(body)

    with serving(script) as served:
        point(project, served.url)
        assert counted(execute.run(now)) == (6, 0)
        is_down = False
        assert counted(execute.run(now)) == (3, 3)
        whole = project.files()
        assert counted(execute.run(now)) == (0, 6)
        assert project.files() == whole
        assert len(served.asked) == 9
        assert counted(execute.run(now + timedelta(days=1))) == (6, 0)
    assert {one["epoch"] for one in rows()} == {"2026-11-03"}
    assert {(one["run"], one["source_run"]) for one in rows()} == {(begun(now + timedelta(days=1)).id,) * 2}


def test_what_changed_is_asked_again(project: Project, now: datetime) -> None:
    """An edited case, another model and one more trial are new calls; the rest is known."""
    review.run()
    with serving(answer) as served:
        point(project, served.url)
        execute.run(now)
        cases = CASES.read()
        CASES.write([cases[0].model_copy(update={"turns": ["Another question"]}), *cases[1:]])
        assert counted(execute.run(now)) == (1, 5)
        project.params("execute", trials=2)
        assert counted(execute.run(now)) == (6, 6)
        target = {"name": "support", "model": "support-3", "base_url": served.url}
        project.params("execute", target=target)
        assert counted(execute.run(now)) == (12, 0)


RUN = "from datetime import *; from assay.stages import execute; execute.run(datetime(2026, 11, 2, 3, tzinfo=UTC))"


def test_a_killed_run_repeats_only_what_was_in_flight(project: Project, now: datetime) -> None:
    """Killed in the middle and run again it repeats at most what was in flight; the table is that of a whole run."""
    fill(80)

    def script(body: Body) -> Reply:
        return Reply(body=answer(body).body, delay_s=0.03)

    with serving(script) as served:
        point(project, served.url, concurrency=4)
        environ = os.environ | {"PYTHONPATH": str(ROOT)}
        with subprocess.Popen([sys.executable, "-c", RUN], env=environ, stderr=subprocess.DEVNULL) as run:
            deadline = time.monotonic() + 60
            while len(served.asked) < 30 and time.monotonic() < deadline:
                time.sleep(0.005)
            run.send_signal(signal.SIGKILL)
        assert 30 <= len(served.asked) < 80
        assert not RESPONSES.exists()
        tally = execute.run(now)
        assert tally.known >= 26
        repeated = sum(count - 1 for count in Counter(served.said()).values())
        assert repeated <= 4
        assert len(served.asked) == 80 + repeated
        resumed = rows()
        files.private("journal.sqlite").unlink()
        execute.run(now)
    assert resumed == rows()


def refused(project: Project, now: datetime, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command, which must refuse: exit code 2, one sentence, nothing written. Return the sentence."""
    before = project.files()
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(lambda: execute.run(now))
    assert ended.value.code == 2
    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("execute: ")]
    assert project.files() == before
    assert "Traceback" not in sentence
    return sentence


def test_the_door_refuses_without_cases(project: Project, now: datetime, capsys: pytest.CaptureFixture[str]) -> None:
    """Without an evaluation set the sentence says what makes one."""
    assert "data/evalset/cases.parquet is missing" in refused(project, now, capsys)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"concurrency": "many"}, "execute.concurrency is 'many'"),
        ({"trials": 0}, "execute.trials is 0"),
        ({"speed": 9}, "execute.speed is 9"),
        ({"deadline_s": float("nan")}, "execute.deadline_s is nan"),
        ({"target": "support"}, "is 'support', expected"),
    ],
)
def test_the_door_refuses_wrong_parameters(
    project: Project, now: datetime, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], found: str
) -> None:
    """A parameter of the wrong type or name is named with what was found."""
    review.run()
    project.params("execute", **changes)
    assert found in refused(project, now, capsys)


@pytest.mark.parametrize(
    ("product", "found"),
    [
        (lambda: serving(lambda _: failure(401, "no such key: sk-cleo")), "refused the key"),
        (lambda: serving(lambda _: failure(404, "the model does not exist")), "does not know this model"),
        (lambda: serving(lambda _: DROP), "dropped all 6 calls"),
        (refusing, "cannot be reached"),
        (lambda: nullcontext("nonsense"), "base_url is 'nonsense'"),
    ],
)
def test_the_door_refuses_a_product_that_cannot_be_asked(
    project: Project,
    now: datetime,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    product: Callable[[], AbstractContextManager[Any]],
    found: str,
) -> None:
    """A wrong key, an unknown model, an address where nothing answers: the run ends in one sentence without the key."""
    review.run()
    monkeypatch.setenv("SUPPORT_API_KEY", "sk-cleo")
    with product() as served:
        point(project, getattr(served, "url", served))
        sentence = refused(project, now, capsys)
    assert found in sentence
    assert "sk-cleo" not in sentence


def test_a_case_without_a_value_is_refused_before_anybody_is_asked(project: Project, now: datetime) -> None:
    """A template that takes a value which a case lacks is refused with the case, and nothing is asked."""
    review.run()
    CASES.write([case(1, inputs={"language": "de"}), case(2, inputs={"limit": 1})])
    with serving(answer) as served:
        point(project, served.url)
        execute.run(now)
        asked = len(served.asked)
        messages = [{"role": "user", "content": "{{turn}} in {{inputs.language}}"}]
        target = {"name": "support", "model": "m", "base_url": served.url, "messages": messages}
        project.params("execute", target=target)
        with pytest.raises(DataError, match="case refunds-002 has no input 'language'"):
            execute.run(now)
        project.params("execute", runner="processes", concurrency=4)
        with pytest.raises(DataError, match="case refunds-002 has no input 'language'"):
            shards.Course(begun(now), None)
        assert len(served.asked) == asked == 2


def test_one_answer_makes_a_run(project: Project, now: datetime) -> None:
    """When a single call was answered the dropped ones are rows: the product is there, and the gate decides."""
    review.run()

    def script(body: Body) -> Reply:
        return answer(body) if "question 1 about refunds" in body["messages"][-1]["content"] else DROP

    with serving(script) as served:
        point(project, served.url)
        execute.run(now)
    assert Counter(one["error_kind"] for one in rows()) == {"connection": 5, "": 1}


def test_the_sample_product_answers(project: Project, now: datetime) -> None:
    """With the parameters as they are shipped the sample product is started, asked with its tools, and stopped."""
    shipped = yaml.safe_load((ROOT / "params.yaml").read_text(encoding="utf8"))["execute"]["target"]
    project.params("execute", target=shipped | {"root": str(ROOT)})
    review.run()
    execute.run(now)
    found = RESPONSES.read()
    assert {one.status for one in found} == {"ok"}
    assert {one.target.split("-")[0] for one in found} == {"support"}
    assert all(one.text and one.final_state != "{}" for one in found)
