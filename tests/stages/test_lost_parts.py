"""Publish: what can fail of a report alone, and what the verdict rests on."""

import html
import json
from datetime import datetime

import pytest

from assay.project import failures, files
from assay.project.results import METRICS, REPORT, SLICES
from assay.project.tables.history import HISTORY
from assay.project.tables.signals import SIGNALS
from assay.records.optional import Failure
from assay.records.parts import PARTS
from assay.report import cases
from assay.report.cases import Filed
from assay.stages import publish
from tests.cast import Project
from tests.nights import Night


def broken_part(*_: object, **__: object) -> object:
    """Stand for any computation with a bug."""
    return 1 // 0


SIDE = {
    "corrected": "assay.stages.publish.correction.corrected",
    "change": "assay.stages.publish.judged.change",
    "pairs": "assay.stages.publish.findings.preference",
    "controlled": "assay.stages.publish.judged.at_equal_lengths",
    "steadiness": "assay.stages.publish.steadiness",
    "spent": "assay.stages.publish.costs.spending",
    "answers": "assay.stages.publish.costs.answers",
    "rates": "assay.stages.publish.both_rates",
    "headline": "assay.stages.publish.wording.failures",
    "slices": "assay.stages.publish.metrics.slices_csv",
    "metrics": "assay.stages.publish.metrics.metrics",
    "history": "assay.stages.publish.health.recorded",
}
"""By part of a report: what computes it, and no verdict rests on."""


@pytest.mark.parametrize("part", SIDE)
def test_a_side_statistic_that_fails_is_a_note(
    night: Night, now: datetime, monkeypatch: pytest.MonkeyPatch, part: str
) -> None:
    """Whichever fails, the verdict stands, the page says in its place what failed, and the four files are there."""
    night.write()
    with monkeypatch.context() as patch:
        patch.setattr(SIDE[part], broken_part)
        gate, shown = publish.run(now)
    note = f"{PARTS[part]} could not be computed: ZeroDivisionError: integer division or modulo by zero"
    assert (gate.word, list(shown.failures)) == ("pass", [note])
    assert note[1:] in html.unescape(files.path(REPORT).read_text(encoding="utf8"))
    assert json.loads(files.path(METRICS).read_bytes())["verdict"] == "pass"
    assert files.path(SLICES).read_text().startswith("category,n,")
    assert HISTORY.exists()
    assert failures.read() == [Failure(part=PARTS[part], note=note.removeprefix(f"{PARTS[part]} "))]
    assert "in broken_part" in files.path(failures.where("publish")).read_text()


def test_a_judge_that_could_not_be_watched_passes_nothing(
    night: Night, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the watch fails its certified judges are not believed, the run is incomplete, and the page says why."""
    assert night.publish(now).word == "pass"
    with monkeypatch.context() as patch:
        patch.setattr("assay.stages.publish.watched", broken_part)
        gate, shown = publish.run(now)
    why = "the watch over correctness could not be computed: ZeroDivisionError"
    assert (gate.word, why in gate.reason, len(shown.failures)) == ("incomplete", True, 2)
    assert json.loads(files.path(METRICS).read_bytes())["calibrated"] is False
    assert HISTORY.read()[-1].judge == ""
    page = files.path(REPORT).read_text(encoding="utf8")
    assert f"T{why[1:]}" in page
    assert "CALIBRATED</span>" not in page
    assert publish.run(now)[0].word == "pass"


def test_a_night_whose_anchors_were_not_recorded_passes_nothing(
    night: Night, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where calibration could not make tonight's row of the anchors nobody has watched, so the run is incomplete."""
    with monkeypatch.context() as patch:
        patch.setattr("assay.stages.calibrate.moved", broken_part)
        gate = night.publish(now)
    assert (gate.word, PARTS["anchors"] in gate.reason) == ("incomplete", True)
    assert night.publish(now).word == "pass"


def test_a_regression_by_checks_stands_without_a_watch(
    night: Night, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What checks alone prove needs no judge, so it needs no watch over one."""
    night.lose(12, by="check")
    with monkeypatch.context() as patch:
        patch.setattr("assay.stages.publish.watched", broken_part)
        assert night.publish(now).word == "regression"


LISTS = {
    "newly_failing": "No case newly",
    "standing": "No case fails",
    "unscored": "Every planned",
    "fixed": "No case was",
}
"""By list: how the page says that it is empty."""


@pytest.mark.parametrize("lists", [*LISTS, "failing"])
def test_a_list_of_cases_that_fails_is_a_note(
    night: Night, now: datetime, monkeypatch: pytest.MonkeyPatch, lists: str
) -> None:
    """A list that cannot be made is not said to be empty; the verdict and all other lists stand."""
    night.write()
    real = cases.reported

    def reported(filed: Filed, worse: list[str], groups: tuple[str, ...]) -> object:
        return broken_part() if groups == (lists.replace("_", "-"),) else real(filed, worse, groups)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr("assay.report.cases.reported", reported)
        assert publish.run(now)[0].word == "pass"
    page = files.path(REPORT).read_text(encoding="utf8")
    assert f"{PARTS[lists][1:]} could not be computed" in page
    assert {name for name, said in LISTS.items() if said not in page} == {lists} & set(LISTS)


@pytest.mark.parametrize("damaged", [SIGNALS.path, ".assay/journal.sqlite", HISTORY.path])
def test_a_damaged_side_table_is_a_note(night: Night, project: Project, now: datetime, damaged: str) -> None:
    """Signals, ledger and history that cannot be read cost their own part alone, and are left as they are."""
    night.publish(now)
    files.path(damaged).write_bytes(b"{" * 5000)
    gate, shown = publish.run(now)
    assert (gate.word, len(shown.failures)) == ("pass", 1)
    assert files.path(damaged).read_bytes() == b"{" * 5000
