"""Accept: what one person decides by themselves is signed, and refused whole where a part of it makes no sense."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.accept import accept, below_quota, retire
from assay.errors import AssayError, BusyError, ConfigError
from assay.models.journal import JournaledRun
from assay.project import results, run_lock
from assay.project.journal import open_journal
from assay.project.results import finishing
from assay.project.run_id import new_run
from assay.project.tables.evalset import CASES
from assay.project.tables.excluded import PAST
from assay.project.tables.history import HISTORY
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.records.history import CaseNight
from assay.stages import review
from tests.cast import Project, broken, case, response

EARLIER = "01930000-0000-7000-8000-000000000001"


def test_only_answers_become_a_baseline(project: Project, now: datetime) -> None:
    """A failed call is never accepted as a good answer; of several trials every answer is."""
    RESPONSES.write([response(case(1)), broken(case(2)), response(case(3), trial=0), response(case(3), trial=1)])
    assert accept(now).answers == 3
    assert [(one.case_id, one.trial) for one in BASELINE.read()] == [
        ("refunds-001", 0),
        ("refunds-003", 0),
        ("refunds-003", 1),
    ]


def test_nothing_to_accept(project: Project, now: datetime) -> None:
    """Without a run there is nothing to accept, and the old baseline stays."""
    before = project.files()
    with pytest.raises(AssayError, match="responses.parquet is missing"):
        accept(now)
    assert project.files() == before


def test_while_a_night_is_on_nothing_is_accepted(project: Project, now: datetime) -> None:
    """Neither while a night has begun nor while another command holds the project; nobody would know whose answers."""
    RESPONSES.write([response(case(1), run=EARLIER)])
    before = project.files()
    with finishing(new_run(lambda: now, bytes)), pytest.raises(BusyError, match="nothing was accepted"):
        accept(now)
    with run_lock.exclusive("repro", now):
        done = CliRunner().invoke(app, ["accept"])
    assert (done.exit_code, "repro (process" in done.output) == (2, True), done.output
    assert project.files() == before


def test_a_run_that_did_not_end_lets_nothing_be_accepted(project: Project, now: datetime) -> None:
    """After a night that was killed, or a run that asked and has no end, the answers on file are of the run before."""
    RESPONSES.write([response(case(1), run=EARLIER)])
    before = project.files()
    with suppress(KeyboardInterrupt), finishing(new_run(lambda: now, bytes)):
        raise KeyboardInterrupt
    with pytest.raises(ConfigError, match="did not end.*`assay nightly`.*nothing was accepted"):
        accept(now)
    results.end_interrupted(new_run(lambda: now, bytes).id)
    later = new_run(lambda: now, bytes).id
    with open_journal() as journal:
        journal.note(JournaledRun(later, int(now.timestamp()), 0, "shop@7", is_version_known=True, has_asked=True))
    with pytest.raises(ConfigError, match=f"{later[:13]} asked the product.*of run {EARLIER[:13]}"):
        accept(now)
    assert project.files() == before
    RESPONSES.write([response(case(1), run=later)])
    assert accept(now) == (1, later, "support@2", "", 0)


def tried(run: str, passed: int, now: datetime, **changes: object) -> CaseNight:
    """Return the row of a fresh run of another version than the accepted one."""
    common = {"cases": 50, "failed": [], "unscored": [], "differing": [], "revisions": {}, "judge": "", "asked": 50}
    about = {"night": str(now.date()), "target": f"support@{run}", "evaluation_set": "s", "of": 50, "passed": passed}
    return CaseNight.model_validate({**common, **about, "run": run, **changes})


@pytest.mark.parametrize(
    ("others", "best_of"),
    [
        ([{"passed": 39}, {"passed": 38}], 3),
        ([{"passed": 39}], 0),
        ([{"passed": 39}, {"passed": 40}], 0),
        ([{"passed": 39}, {"passed": 38, "kept": 1}], 0),
        ([{"passed": 39}, {"passed": 38, "evaluation_set": "t"}], 0),
        ([{"passed": 39}, {"passed": 38, "accepted": "before"}], 0),
        ([{"passed": 39}, {"passed": 38, "target": "support@2"}], 0),
    ],
)
def test_the_best_of_several_runs_is_called_that(
    project: Project, now: datetime, others: list[dict[str, object]], best_of: int
) -> None:
    """Of three fresh runs on one set against one baseline the best is told; what cannot be held against it is not."""
    rows = [tried(f"other-{number}", **{"now": now, **other}) for number, other in enumerate(others)]  # type: ignore[arg-type]
    BASELINE.write([response(case(1), target="support@2")])
    RESPONSES.write([response(case(1), run=EARLIER, target="support@3")])
    HISTORY.write(sorted([*rows, tried(EARLIER, 40, now)], key=lambda row: row.run))
    accepted = accept(now)
    assert accepted.best_of == best_of
    assert ("nightly --fresh" in accepted.sentence()) is bool(best_of)


def test_a_run_that_was_found_worse_is_accepted_aloud(project: Project, now: datetime) -> None:
    """Whoever accepts a run whose verdict is a regression is told where, and how to take it back."""
    RESPONSES.write([response(case(1), run=EARLIER)])
    HISTORY.write([tried(EARLIER, 40, now, worse=["refunds"])])
    assert "REGRESSION in refunds" in accept(now).sentence()
    HISTORY.write([tried(EARLIER, 40, now)])
    assert "REGRESSION" not in accept(now).sentence()


def test_a_case_is_retired_with_a_reason(project: Project, now: datetime) -> None:
    """A retirement is a signed word on the case as it stands, and the next fold leaves it out and remembers it."""
    assert retire(["refunds-001"], "ada", "never fails", now) == 1
    review.run()
    assert "refunds-001" not in {one.case_id for one in CASES.read()}
    (gone,) = PAST.read()
    assert (gone.candidate_id, gone.why) == ("refunds-001", "retired")


def test_a_retirement_below_the_quota_is_told(project: Project, now: datetime) -> None:
    """Whoever retires a case of a category at its quota hears that no release will take the set, and what to do."""
    review.run()
    assert below_quota(["refunds-001"]) == []
    retire(["refunds-001"], "ada", "never fails", now)
    (line,) = below_quota(["refunds-001"])
    assert line.startswith("refunds is below its quota then, 2 of 3 cases")
    assert below_quota(["escalation-001"]) == []
    assert project.folder.is_dir()


@pytest.mark.parametrize(("names", "reason"), [(["refunds-001", "none"], "old"), (["refunds-001"], " ")])
def test_a_retirement_that_makes_no_sense_is_refused(
    project: Project, now: datetime, names: list[str], reason: str
) -> None:
    """An unknown case or an empty reason retires nothing, not even the others."""
    before = project.files()
    with pytest.raises(ConfigError, match="nothing was retired"):
        retire(names, "ada", reason, now)
    assert project.files() == before


def test_a_case_is_retired_once(project: Project, now: datetime) -> None:
    """Of several who retire a case at the same moment one does, and the log can be read afterwards."""

    def refused(who: str) -> bool:
        try:
            retire(["refunds-001"], who, "never fails", now)
        except ConfigError as error:
            return "is not in the evaluation set" in str(error)
        return False

    with ThreadPoolExecutor(8) as room:
        assert sum(room.map(refused, [f"person-{number}" for number in range(8)])) == 7
    assert review.run() == 5
