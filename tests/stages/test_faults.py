"""Among faults of every kind a run has one typed row a case, books every request, and reports what was answered."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from assay.errors import KINDS
from assay.models.journal import Journal
from assay.project import files
from assay.project.results import METRICS, REPORT
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.stages import execute, judge, publish
from assay.stages.night import gather
from benchmarks import faults
from tests.cast import Project, case, response

SEED = 13
EVERY_CASE = [case(number, category) for category in ("refunds", "escalation") for number in range(60)]
FAST = {"concurrency": 32, "deadline_s": 0.5}
ENDS_AS = {
    "server-fault": {"server"},
    "reset": {"connection"},
    "hang": {"timeout"},
    "truncated": {"malformed", "connection"},
    "web-page": {"malformed"},
    "error-body": {"malformed"},
}
"""What a call comes to that meets nothing else; a truncated reply is half a JSON, or a connection that broke."""
Point = Callable[[faults.Served, int], None]


@pytest.fixture
def point(project: Project, monkeypatch: pytest.MonkeyPatch) -> Point:
    """A hundred and twenty cases with accepted answers and no labelled items, and where to ask, how often again."""
    CASES.write(EVERY_CASE)
    BASELINE.write([response(one, target="support@1") for one in EVERY_CASE])
    LABELS.file().unlink()
    ITEMS.file().unlink()
    SIGNALS.write([])

    def pointed(served: faults.Served, max_retries: int) -> None:
        target = {"name": "support", "model": "support-2", "base_url": served.url}
        project.params("execute", target=target, max_retries=max_retries, **FAST)
        project.params("judge", max_retries=max_retries, **FAST)
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)

    return pointed


def booked(stage: str) -> int:
    """Return the requests of one stage by the journal's ledger."""
    with Journal(files.private("journal.sqlite")) as journal:
        return sum(row.requests for row in journal.ledger() if row.stage == stage)


def test_a_rate_limit_loses_nothing(point: Point, now: datetime) -> None:
    """A call that is told to come later comes later, though nothing may be repeated: each case has its answer."""
    with faults.serving(0.01, SEED, 0.05, "too-many") as served:
        point(served, 0)
        execute.run(now)
        assert served.counts()["faults"]["too-many"] > 0
    assert {row.status for row in RESPONSES.read()} == {"ok"}


@pytest.mark.parametrize("kind", [kind for kind in faults.KINDS if kind not in {"too-many", "empty"}])
def test_a_fault_that_stays_is_a_row_of_its_own_kind(point: Point, now: datetime, kind: str) -> None:
    """A fault that half of the tries meet, not repeated while others are answered, is the row's kind."""
    with faults.serving(0.01, SEED, 0.5, kind) as served:
        point(served, 0)
        execute.run(now)
        met = served.counts()["faults"][kind]
    rows = RESPONSES.read()
    assert [row.case_id for row in rows] == sorted(one.case_id for one in EVERY_CASE)
    failed = [row for row in rows if row.status == "error"]
    assert 0 < len(failed) <= met
    assert len(failed) < len(EVERY_CASE)
    assert {row.error_kind for row in failed} == ENDS_AS[kind]
    assert all(row.error and not row.text for row in failed)


def test_an_answer_that_stays_empty_is_the_product_s(point: Point, now: datetime) -> None:
    """An empty reply is asked for again, and what stays empty is an answer that fails: no call was lost."""
    with faults.serving(0.01, SEED, 0.5, "empty") as served:
        point(served, 1)
        tally = execute.run(now)
        met = served.counts()["faults"]["empty"]
    with faults.serving(0.01, SEED, 0) as served:
        point(served, 1)
        judge.run(now)
    rows = RESPONSES.read()
    silent = {row.case_id for row in rows if row.is_silent}
    assert ({row.status for row in rows}, sum(tally.faults.values())) == ({"ok"}, 0)
    assert 0 < len(silent) < met
    found = gather().outcomes["target", False]
    assert {found.by_case[name] for name in silent} == {"fail"}
    assert silent.isdisjoint(found.format_only)


def test_each_request_is_booked_and_each_case_has_a_row(point: Point, now: datetime) -> None:
    """Among all faults there is one row a case, each an answer or a typed error, and no request that is not booked."""
    with faults.serving(0.01, SEED, faults.SHARE) as served:
        point(served, 2)
        tally = execute.run(now)
        counts = served.counts()
    assert set(counts["faults"]) == set(faults.KINDS)
    assert tally.requests == booked("execute") == counts["requests"]
    rows = RESPONSES.read()
    assert [row.case_id for row in rows] == sorted(one.case_id for one in EVERY_CASE)
    assert {row.error_kind for row in rows} <= {"", *KINDS}
    assert Counter(row.error_kind for row in rows if row.error_kind) == tally.faults
    assert sum(row.status == "ok" and not row.is_silent for row in rows) == counts["answered"] >= len(EVERY_CASE) / 2


def test_the_report_is_about_what_was_answered(point: Point, now: datetime) -> None:
    """Rates are those of the cases with an outcome, as they have it undisturbed; the others stand beside them."""
    with faults.serving(0.01, SEED, faults.SHARE) as served:
        point(served, 1)
        execute.run(now)
        judge.run(now)
        publish.run(now)
    silent = {row.case_id for row in RESPONSES.read() if row.is_silent}
    night, metrics = gather(), json.loads(files.path(METRICS).read_bytes())
    found, accepted = night.outcomes["target", False].by_case, night.outcomes["baseline", False].by_case
    count = Counter(found.values())
    assert min(count["pass"], count["fail"], count["wire"], count["judge"]) > 0
    both = [said for name, said in found.items() if {said, accepted[name]} <= {"pass", "fail"}]
    assert metrics["pass_rate"]["n"] == len(both) < len(EVERY_CASE)
    assert metrics["pass_rate"]["estimate"] == pytest.approx(both.count("pass") / len(both), abs=1e-6)
    assert list(metrics["cases"].values()) == [
        len(EVERY_CASE),
        *(count[one] for one in ("pass", "fail", "judge", "wire", "unscorable")),
    ]
    assert metrics["verdict"] == "incomplete"
    assert f"the judge {count['judge']}, the wire {count['wire']}" in files.path(REPORT).read_text()
    with faults.serving(0.01, SEED, 0) as served:
        point(served, 0)
        execute.run(now + timedelta(days=1))
        judge.run(now + timedelta(days=1))
    undisturbed = gather().outcomes["target", False].by_case
    assert set(undisturbed.values()) == {"pass", "fail"}
    assert {found[name] for name in silent} <= {"fail", "judge"}
    assert all(
        undisturbed[name] == said for name, said in found.items() if name not in silent and said in {"pass", "fail"}
    )
