"""The history that `publish` keeps: a row a run, also where a date has several."""

from datetime import datetime

from assay.project.tables.history import HISTORY
from tests.nights import Night


def test_runs_of_one_date_stand_beside_each_other(night: Night, now: datetime) -> None:
    """Each run has its row, named by its responses; one that is published again replaces its own and no other."""
    for run in ("run-1", "run-2", "run-1"):
        night.responses = [row.model_copy(update={"run": run}) for row in night.responses]
        night.publish(now)
    rows = HISTORY.read()
    assert [row.run for row in rows] == ["run-1", "run-2"]
    assert len({row.night for row in rows}) == 1
