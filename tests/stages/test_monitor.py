"""Monitor: what moved and what it costs, with or without a judge that answers."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.errors import ConfigError, DataError
from assay.judges import prompt
from assay.project import entrypoint, failures
from assay.project.params import read_params
from assay.project.tables.labels import LABELS
from assay.project.tables.signals import SIGNALS
from assay.project.tables.traces import TRACES
from assay.records.parts import PARTS
from assay.records.signal import Signal
from assay.stages import monitor
from assay.stages.monitor import Settings, sample, window_end
from tests.cast import AT, Project, trace
from tests.endpoint import Body, Reply, Served, completion, failure, refusing, serving

REPEAT = {"signal": "repeat-contact-rate", "direction": "up", "owner": "support", "description": "x"}
ESCALATED = {"signal": "escalation-rate", "direction": "down", "owner": "support", "description": "x"}
GROUNDED = {"signal": "grounded-rate", "direction": "down", "owner": "content", "description": "x"}


def declare(project: Project, *signals: dict[str, Any], **changes: Any) -> None:
    """Declare these signals, with a judge that is asked about few answers."""
    project.params("monitor", signals=list(signals), **({"grounding_sample": 12} | changes))


def more_repeats(every: int) -> None:
    """In the last week one conversation in `every` is a repeat contact, before it one in twelve, in both categories."""
    rows = TRACES.read()
    start = window_end(rows) - timedelta(days=7)
    ordered = sorted(rows, key=lambda row: row.at)
    TRACES.write(
        [
            row.model_copy(update={"contacted_again": number // 2 % (every if row.at >= start else 12) == 0})
            for number, row in enumerate(ordered)
        ],
    )


def two_answers() -> None:
    """In the last week every answer is `New.`, before it `Old.`."""
    rows = TRACES.read()
    start = window_end(rows) - timedelta(days=7)
    TRACES.write([row.model_copy(update={"answer": "New." if row.at >= start else "Old."}) for row in rows])


def overall() -> dict[str, Signal]:
    """Return the filed signals over all traffic, by name."""
    return {row.signal: row for row in SIGNALS.read() if row.segment == "all"}


@contextmanager
def judge(monkeypatch: pytest.MonkeyPatch, script: Any) -> Iterator[Served]:
    """Serve a grounding judge at the address that the project asks."""
    with serving(script) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        yield served


def passes(_: Body) -> Reply:
    return completion(json.dumps({"verdict": "pass"}), model="judge")


@pytest.mark.parametrize(
    ("every", "budget", "state"), [(3, 150.0, "alert"), (8, 60.0, "watch"), (12, 150.0, "quiet"), (3, None, "charted")]
)
def test_a_signal_s_state_reaches_the_table(
    project: Project, now: datetime, every: int, budget: float | None, state: str
) -> None:
    """More repeat contacts alert when the lower bound of their cost breaks the budget; without a value never."""
    value = {"value_per_event_usd": 6.0, "budget_usd_per_week": budget} if budget else {}
    declare(project, REPEAT | value)
    more_repeats(every)
    alerts = monitor.run(now)
    found = SIGNALS.read()
    assert overall()["repeat-contact-rate"].state == state
    assert alerts == sum(row.state == "alert" for row in found)
    assert (state == "alert") == (alerts > 0)


def test_the_judge_s_word_is_counted_on_a_sample(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve answers of either period are judged once; the signal has their share and is charted."""
    declare(project, GROUNDED, ESCALATED)
    two_answers()

    def script(body: Body) -> Reply:
        verdict = "fail" if "New." in body["messages"][-1]["content"] else "pass"
        return completion(json.dumps({"verdict": verdict}), model="judge")

    with judge(monkeypatch, script) as served:
        monitor.run(now)
        assert len(served.asked) == 24
        first = SIGNALS.file().read_bytes()
        monitor.run(now + timedelta(days=1))
        assert len(served.asked) == 24
        assert SIGNALS.file().read_bytes() == first
    found = overall()["grounded-rate"]
    assert (found.value, found.n, found.baseline_value, found.baseline_n, found.state) == (0, 12, 1, 12, "charted")


@pytest.mark.parametrize("fault", ["down", "unreadable", "only before", "errors"])
def test_without_the_judge_the_other_signals_are_measured(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    """A judge that gives no verdict in one of the periods costs its own signal alone, and the log says why."""
    declare(project, GROUNDED, ESCALATED, grounding_sample=2)
    two_answers()

    def script(body: Body) -> Reply:
        if fault == "only before" and "Old." in body["messages"][-1]["content"]:
            return passes(body)
        return failure(500, retry_after_ms="1") if fault == "errors" else completion("I cannot say.")

    if fault == "down":
        with refusing() as url:
            monkeypatch.setenv("OPENAI_BASE_URL", url)
            monitor.run(now)
    else:
        with judge(monkeypatch, script):
            monitor.run(now)
    assert list(overall()) == ["escalation-rate"]
    assert "grounded-rate left out: the judge grounding gave a verdict on 0 of 2 answers in the window" in caplog.text


def test_nobody_is_asked_for_what_is_not_declared(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a signal that needs the judge, the judge is not asked and not paid."""
    declare(project, ESCALATED)
    with judge(monkeypatch, passes) as served:
        monitor.run(now)
    assert served.asked == []
    assert list(overall()) == ["escalation-rate"]


@pytest.mark.parametrize(
    ("signals", "said"),
    [
        ([GROUNDED | {"signal": "judge:tone"}], "could mean 0 judges of production"),
        ([GROUNDED | {"signal": "judge:correctness"}], "there are: grounding"),
        ([REPEAT, REPEAT], "twice"),
        ([REPEAT | {"signal": "mood"}], "the signal 'mood' is unknown"),
    ],
)
def test_a_wrong_declaration_stops_before_anybody_is_asked(
    project: Project, now: datetime, monkeypatch: pytest.MonkeyPatch, signals: list[dict[str, Any]], said: str
) -> None:
    """An unknown signal, one named twice, or one of a judge that is none of production is refused before any call."""
    declare(project, *signals)
    with judge(monkeypatch, passes) as served, pytest.raises(ConfigError, match=said):
        monitor.run(now)
    assert served.asked == []


def test_too_little_traffic_says_what_is_wanting(
    project: Project, now: datetime, capsys: pytest.CaptureFixture[str]
) -> None:
    """Forty conversations in the window end the command with exit code 2 and what to wait for; nothing is written."""
    declare(project, ESCALATED)
    TRACES.write([trace(number, AT - timedelta(hours=4 * number)) for number in range(28 * 6)])
    before = project.files()
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(lambda: monitor.run(now))
    assert ended.value.code == 2
    assert "40 conversations in the window and 126 in the baseline; expected at least 50" in capsys.readouterr().err
    assert project.files() == before


def spoil(*rows: dict[str, Any]) -> None:
    """Change the first rows of the log as no writer of ours would, one by one."""
    table = pq.read_table(TRACES.file())
    values = table.to_pylist()
    for number, changes in enumerate(rows):
        values[number] |= changes
    nullable = pa.schema([field.with_nullable(True) for field in table.schema])
    pq.write_table(table.from_pylist(values, schema=nullable), TRACES.file())


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"answer": None}, "answer is None"),
        ({"latency_s": float("nan")}, "latency_s is nan"),
        ({"latency_s": -1.0}, "latency_s is -1.0"),
        ({"thumb": "sideways"}, "thumb is 'sideways'"),
        ({"trace_id": "../../etc"}, "trace_id is '../../etc'"),
        ({"trace_id": "trace-00000"}, "trace_id 'trace-00000' occurs again"),
        ({"category": "invented"}, "category is 'invented'"),
        ({"version": ""}, "version is empty"),
        ({"thumb": "\x1b[2J\u202e"}, r"thumb is '\x1b[2J\u202e'"),
    ],
)
def test_a_row_that_breaks_its_contract_is_left_out(
    project: Project, now: datetime, row: dict[str, Any], said: str
) -> None:
    """One bad row of the log costs itself alone: it is counted and named, with its place, and the rest is measured."""
    declare(project, ESCALATED)
    spoil(row)
    monitor.run(now)
    assert overall()["escalation-rate"].n > 0
    (failure,) = failures.read(("monitor",))
    assert failure.part == PARTS["traffic"]
    assert failure.note.startswith("is read without 1 of 1344 conversations")
    assert f"data/traces/traces.parquet, row {1344 if '00000' in said else 1}: {said}" in failure.note
    assert failure.note.isprintable()


def test_bad_rows_beyond_five_are_counted(project: Project, now: datetime) -> None:
    """Of seven bad rows five are named; the next run without any forgets them."""
    declare(project, ESCALATED)
    before = TRACES.file().read_bytes()
    spoil(*[{"answer": None}] * 7)
    monitor.run(now)
    (failure,) = failures.read(("monitor",))
    assert (failure.note.count(", row "), failure.note.startswith("is read without 7 of 1344")) == (5, True)
    TRACES.file().write_bytes(before)
    monitor.run(now)
    assert failures.read(("monitor",)) == []


def test_a_log_without_a_sound_row_is_refused(project: Project, now: datetime) -> None:
    """Where every row is at fault nothing is measured, and the first fault is named."""
    declare(project, ESCALATED)
    spoil(*[{"answer": None}] * 1344)
    with pytest.raises(DataError, match="row 1: answer is None"):
        monitor.run(now)


def test_a_product_without_traffic_has_no_signals(project: Project, now: datetime) -> None:
    """Before the first trace is exported the table is there and empty, and nobody is asked."""
    TRACES.file().unlink()
    assert monitor.run(now) == 0
    assert SIGNALS.read() == []


@pytest.mark.parametrize("window_days", [7, 2])
def test_only_what_is_compared_is_judged(project: Project, window_days: int) -> None:
    """Of a year of traffic the judge sees the window and the same weekdays of the declared weeks, and nothing older."""
    declare(project, GROUNDED, window_days=window_days, grounding_sample=60)
    rows = [trace(number, AT - timedelta(hours=2 * number)) for number in range(365 * 12)]
    window, usual = sample(prompt.load("grounding"), rows, read_params("monitor", Settings))
    end = window_end(rows)
    assert {(end - row.at) <= timedelta(days=window_days) for row in window} == {True}
    ages = [(end - row.at) / timedelta(days=1) for row in usual]
    assert window_days < min(ages)
    assert max(ages) <= window_days + 21
    assert all(age % 7 <= window_days for age in ages)
    assert len(usual) == 60


def test_answers_without_contexts_are_not_judged(project: Project) -> None:
    """An answer that nothing was retrieved for cannot be grounded, so it is not in the sample."""
    rows = [trace(number, AT - timedelta(hours=number), contexts=[]) for number in range(500)]
    assert sample(prompt.load("grounding"), rows, read_params("monitor", Settings)) == ([], [])


@pytest.mark.slow
def test_the_embedded_judge_for_real(project: Project, now: datetime) -> None:
    """Without key or address the embedded endpoint is started and judges both periods."""
    rows = LABELS.read()
    LABELS.write([row.model_copy(update={"split": "tune"}) for row in rows])
    declare(project, GROUNDED, grounding_sample=30)
    monitor.run(now)
    found = overall()["grounded-rate"]
    assert (found.value, found.baseline_value, found.n) == (1, 1, 30)
