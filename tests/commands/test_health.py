"""Health: publish remembers each night, and `assay health` proposes from what is remembered."""

import json
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.health import at, lines
from assay.project.tables.history import HISTORY
from assay.records.history import CaseNight
from assay.stages import publish, review
from tests.cast import AT, CATEGORIES, Project, case, case_night
from tests.nights import EVERY_CASE, Night, good_night

SIX = [case(number, category) for category in CATEGORIES for number in (1, 2, 3)]


def history() -> list[CaseNight]:
    return HISTORY.read()


def test_a_night_is_remembered_case_by_case(project: Project, now: datetime) -> None:
    """What failed, what had no outcome and what told the versions apart stand in the night's row, by id."""
    night = good_night()
    night.lose(2)
    night.outcomes["target", "refunds-007"] = "unscored"
    night.outcomes |= {(subject, "refunds-009"): "fail" for subject in ("target", "baseline")}
    night.publish(now)
    (row,) = history()
    assert (row.night, row.target, row.judge, row.cases) == ("2026-11-02", "support@2", "judge-1", len(EVERY_CASE))
    assert row.failed == ["refunds-000", "refunds-001", "refunds-009"]
    assert row.unscored == ["refunds-007"]
    assert row.differing == ["refunds-000", "refunds-001"]
    assert row.revisions == {one.case_id: one.revision() for one in EVERY_CASE}


def test_without_a_believed_judge_only_checks_count(project: Project, now: datetime) -> None:
    """A judge without certificate makes no history: the row names none, and its fails are not in it."""
    night = Night()
    night.lose(2)
    night.lose(1, "escalation", by="check")
    night.publish(now, is_certified=False)
    (row,) = history()
    assert (row.judge, row.failed) == ("", ["escalation-000"])


def test_a_night_is_remembered_once(project: Project, now: datetime) -> None:
    """Publishing a night again, an hour later, leaves the same bytes."""
    Night().publish(now)
    before = HISTORY.file().read_bytes()
    publish.run(now + timedelta(hours=1))
    assert HISTORY.file().read_bytes() == before


def test_proposals_reach_the_terminal(project: Project) -> None:
    """Thirty nights that every case passed propose each, with its reason, owner and quota, also as JSON."""
    review.run()
    nights = [case_night(f"2026-10-{1 + day:02}", SIX, target=f"support@{day // 10}") for day in range(30)]
    HISTORY.write(nights)
    shown = CliRunner().invoke(app, ["health"]).output.splitlines()
    assert shown[0] == (
        "escalation-001: saturated: passed in each of the last 30 nights with an outcome, by 3 versions of the target; "
        "owner payments; escalation would have 2 of 3, 1 below quota: write another one first"
    )
    assert shown[-1] == "6 proposals from 30 nights on record, 30 needed: people decide."
    told = json.loads(CliRunner().invoke(app, ["health", "--json"]).output)
    assert {one["kind"] for one in told["proposals"]} == {"saturated"}


def test_without_history_only_age_can_be_told(project: Project, now: datetime) -> None:
    """Before the first night nothing but age is told, from the day of admission on."""
    review.run()
    assert list(lines(at(now))) == ["no proposals from 0 nights on record, 30 needed: people decide."]
    assert {one.kind for one in at(AT + timedelta(days=366)).proposals} == {"stale"}


@pytest.mark.parametrize("nights", [1, 91])
def test_a_rule_that_no_history_could_meet_is_refused(project: Project, nights: int) -> None:
    """Fewer than 30 nights prove little, and more than 90 are not kept, so params.yaml may ask for neither."""
    project.params("publish", health={"nights": nights})
    done = CliRunner().invoke(app, ["health"])
    assert (done.exit_code, "publish.health.nights" in done.output) == (2, True)
