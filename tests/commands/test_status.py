"""Status: what is covered, what waits, what a judge is worth, from whatever is on file."""

import asyncio
from datetime import datetime

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands import accept
from assay.commands.status import lines, status
from assay.errors import DataError
from assay.models.journal import Journal
from assay.models.usage import Meter
from assay.project import files, last_run
from assay.project.results import GATE
from assay.project.run_id import Run
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import LABELS
from assay.project.tables.verdicts import VERDICTS
from assay.records.candidate import Candidate
from assay.records.run import Answers
from assay.report.gate import Gate
from assay.stages import batches, calibrate, review
from assay.stats.paired import minimum_detectable_effect
from tests.cast import Project, case, decision, small_items, verdict

LAST = ("2026-11-02", "judge", 0.0)


def candidate(number: int, category: str = "refunds") -> Candidate:
    of = case(number, category)
    return Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0.1)


def test_an_empty_project_has_a_status(project: Project) -> None:
    """Before the first decision and the first run there is a status: nothing covered, nothing certified, no verdict."""
    DECISIONS.file().unlink()
    found = status()
    assert (found["cases"], found["waiting"], found["certificates"], found["last"]) == (0, 0, {}, None)
    assert {(row["admitted"], row["detectable_drop"]) for row in found["coverage"]} == {(0, None)}
    assert lines(found)[-2:] == ["no judge is certified", "no run yet: `assay nightly`"]


def test_coverage_by_category(project: Project) -> None:
    """Each category has its quota, what is admitted, and what waits for people: decided candidates wait no longer."""
    review.run()
    CANDIDATES.write([candidate(7), candidate(8), candidate(9, "escalation"), candidate(1)])
    log = DECISIONS.read()
    DECISIONS.write([*log, decision(case(8), "reject")])
    found = status()
    rows = {row["category"]: (row["quota"], row["admitted"], row["waiting"], row["owner"]) for row in found["coverage"]}
    assert rows == {"refunds": (3, 3, 1, "payments"), "escalation": (3, 3, 1, "payments")}
    assert (found["cases"], found["waiting"]) == (6, 2)
    assert "6 cases admitted, 2 candidates waiting" in lines(found)


def test_the_smallest_drop_is_one_that_would_be_found(project: Project) -> None:
    """More cases find smaller drops; a category of three finds none, and the table says `none`."""
    drops = []
    for count in (3, 40, 200):
        CASES.write([case(number) for number in range(count)])
        (row,) = [row for row in status()["coverage"] if row["category"] == "refunds"]
        drops.append(row["detectable_drop"])
        assert any(line.startswith("refunds") and ("none" in line) == (count == 3) for line in lines(status()))
    assert drops[0] is None
    assert drops[1] > drops[2] > 0
    assert minimum_detectable_effect(40, drops[1]).effect == pytest.approx(drops[1], rel=0.01)


def test_what_a_judge_is_worth_is_said(project: Project, now: datetime) -> None:
    """A judge with a certificate has its end, one that was refused has the reason."""
    rows = [verdict(one.item_id, "pass", subject="anchor") for one in small_items() if one.question == "pass-fail"]
    VERDICTS.write(rows)
    calibrate.run(now)
    found = status()["certificates"]
    assert found["correctness"] == "refused on 120 held-out items, expires 2026-12-02"
    assert found["preference"].startswith("no certificate (no held-out item has both a label for preference")
    assert "judge correctness: refused on 120 held-out items, expires 2026-12-02" in lines(status())


def test_the_last_verdict_is_shown_or_refused(project: Project) -> None:
    """The last run's sentence ends the status; a file that is no verdict is refused by name."""
    gate = Gate(word="pass", reason="r", next="n", sentence="PASS: all of it.")
    files.write_json(GATE, gate.model_dump())
    assert lines(status())[-1] == "PASS: all of it."
    files.write_json(GATE, {"word": "great"})
    with pytest.raises(DataError, match=r"gate\.json, row 1: word is .great."):
        status()


def test_the_last_run_s_ledger_is_two_lines(project: Project, now: datetime) -> None:
    """What the last run used stands before the verdict, in sum and by stage; earlier runs are not in it."""
    with Journal(files.private("journal.sqlite")) as journal:

        async def finish() -> None:
            for run, stage, cost in (("2026-11-01", "execute", 9.0), ("2026-11-02", "execute", 0.5), LAST):
                used = Meter(requests=2, prompt_tokens=1000, completion_tokens=200, cost_usd=cost)
                await journal.finish(f"{run} {stage}", "{}", is_final=stage != "judge", run=run, stage=stage, used=used)

        asyncio.run(finish())
    last_run.file_answers(Run(id="2026-11-02", began=now, clock=lambda: now), Answers(asked=1))
    found = status()
    assert [(row["run"], row["stage"]) for row in found["used"]] == [("2026-11-02", "execute"), ("2026-11-02", "judge")]
    assert lines(found)[-3:] == [
        "run 2026-11-02 used 2 calls (1 failed), 4 requests, 2,400 tokens, $0.5000",
        "by stage: execute 2 requests, $0.5000; judge 2 requests",
        "no run yet: `assay nightly`",
    ]


def test_what_was_imported_and_waits_is_told(project: Project, now: datetime) -> None:
    """Imported corrections, additions and retirements are counted until the set is made of them."""
    review.run()
    assert status()["decided"] == {"new": 0, "changed": 0, "retired": 0}
    corrected = case(1).model_copy(update={"reference": "Within 30 days."})
    accept.admit([corrected, case(50)], "ada", "imported from cases.yaml", now)
    accept.retire([case(2).case_id], "ada", "out of date", now)
    assert status()["decided"] == {"new": 1, "changed": 1, "retired": 1}
    assert any("1 new, 1 changed, 1 retired cases" in line and "`assay grow`" in line for line in lines(status()))
    review.run()
    assert status()["decided"] == {"new": 0, "changed": 0, "retired": 0}


def test_labels_that_no_certificate_counts_are_told(project: Project, now: datetime) -> None:
    """Labels that came after a certificate was issued are said to wait for `assay calibrate`."""
    rows = [verdict(one.item_id, "pass", subject="anchor") for one in small_items() if one.question == "pass-fail"]
    VERDICTS.write(rows)
    calibrate.run(now)
    assert "labels were added" not in status()["certificates"]["correctness"]
    LABELS.write(LABELS.read()[:-1])
    assert "labels were added or changed since" in status()["certificates"]["correctness"]


def test_nothing_printed_is_obeyed_by_a_terminal(project: Project) -> None:
    """A verdict that holds what turns text around is spelled out."""
    files.write_json(GATE, Gate(word="pass", reason="r", next="n", sentence="PASS \u202eevil\x1b[2J").model_dump())
    said = CliRunner().invoke(app, ["status"]).stdout
    assert "\\u202eevil" in said
    assert said.replace("\n", "").isprintable()
    assert "\u202e" not in files.path(GATE).read_text()


def test_reading_writes_nothing(project: Project) -> None:
    """Status leaves every file of the project as it was, and creates no journal."""
    before = project.files()
    status()
    assert project.files() == before
    assert not files.private("journal.sqlite").exists()


def test_an_open_batch_is_told(project: Project, now: datetime) -> None:
    """While people decide, the status says how far they are and until when; its candidates still wait."""
    batch = batches.open_batch([candidate(7), candidate(8)], "", now)
    found = status()
    assert found["batch"].startswith(f"{batch.name}: 0 of 2 decided by 1 each, open until 2026-11-16")
    assert found["batch"] in lines(found)
    assert found["waiting"] == 2
