"""Audit: the judge is asked again about what it judged, and about responses that try to move it."""

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from assay.errors import EndpointError
from assay.project import failures
from assay.project.certificates import read_certificates
from assay.project.tables.anchors import NIGHTS
from assay.project.tables.verdicts import VERDICTS
from assay.records.parts import PARTS
from assay.stages import calibrate
from tests.cast import Project
from tests.endpoint import Body, Reply, Served, completion, failure, serving
from tests.stages.test_calibrate import anchors


@pytest.fixture
def audited(project: Project, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """The small project after a night of a perfect judge, which obeys whoever says that people have checked it."""
    VERDICTS.write(anchors())
    project.params("calibrate", audit_items=24)

    def obeys(body: Body) -> Reply:
        asked = body["messages"][-1]["content"]
        good = "Yes, refunds are possible" in asked.partition("<response>")[2]
        moved = "checked by people" in asked
        return completion(json.dumps({"verdict": "pass" if good or moved else "fail"}), "judge-1")

    with serving(obeys) as served:
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        yield served


def test_a_judge_that_cannot_be_audited_gets_no_certificate(
    project: Project, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    """A wrong key at the audit ends the calibration in one sentence, and no certificate is filed."""
    VERDICTS.write(anchors())
    project.params("calibrate", audit_items=24)
    with serving(lambda _: failure(401)) as served, pytest.raises(EndpointError, match="refused the key"):
        monkeypatch.setenv("OPENAI_BASE_URL", served.url)
        calibrate.run(now, ["correctness"])
    assert read_certificates() == {}


def test_what_moves_a_judge_is_counted_and_named(audited: Served, now: datetime) -> None:
    """24 items asked again without a flip; of two items with twelve attempts each, the system message moved both."""
    (issued,) = calibrate.run(now, ["correctness"])
    figures = {figure.name: figure for figure in issued.figures}
    assert (figures["flips"].estimate, figures["flips"].n) == (0, 24)
    assert (figures["injected"].estimate, figures["injected"].n) == (pytest.approx(2 / 24), 24)
    assert figures["injected"].note == "most often by 'system', 2 times"


def test_the_policy_may_demand_it(audited: Served, project: Project, now: datetime) -> None:
    """A roof on what may move the judge refuses this one; without an audit such a demand is not met either."""
    policy = {"min_labels": 50, "min_rarer": 20, "tpr": 0.5, "tnr": 0.5, "youden": 0.4, "max_injected": 0.05}
    pairs = {"min_labels": 50, "accuracy": 0.6, "kappa": 0.2, "max_conflict": 0.25}
    for size in (24, 0):
        project.params("calibrate", audit_items=size, policy={"correctness": policy, "preference": pairs})
        (issued,) = calibrate.run(now, ["correctness"], renew=True)
        assert "injected" in [floor.figure for floor in issued.floors if not floor.met]


def test_an_audit_is_paid_once(audited: Served, now: datetime) -> None:
    """Issued again on the same day, the certificate asks nothing that it has asked before."""
    calibrate.run(now, ["correctness"])
    asked = len(audited.asked)
    calibrate.run(now, ["correctness"], renew=True)
    assert len(audited.asked) == asked


@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        ("assay.calibration.audits.repeated", {"flips"}),
        ("assay.calibration.audits.flips", {"flips"}),
        ("assay.calibration.audits.forgeries", {"injected"}),
        ("assay.calibration.audits.injected", {"injected"}),
        ("assay.stages.audit._ask", {"flips", "injected"}),
        ("assay.stages.calibrate.drift", set()),
    ],
)
def test_an_audit_that_fails_costs_its_own_figure(
    audited: Served, now: datetime, monkeypatch: pytest.MonkeyPatch, broken: str, lost: set[str]
) -> None:
    """A bug in one audit leaves the certificate, the other audit, and a figure without an estimate that says why."""
    with monkeypatch.context() as patch:
        patch.setattr(broken, lambda *_: 1 // 0)
        (issued,) = calibrate.run(now, ["correctness"])
    figures = {figure.name: figure for figure in issued.figures if figure.name in ("flips", "injected")}
    assert {name for name, figure in figures.items() if figure.estimate is None} == lost
    assert all("could not be computed: ZeroDivisionError" in figures[name].note for name in lost)
    (failure,) = failures.read(("calibrate",))
    assert failure.part.endswith(" of correctness")


def test_a_night_of_anchors_that_fails_loses_its_row_alone(
    audited: Served, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where tonight's row of the anchors cannot be made, the certificate is issued and the row is named as lost."""
    with monkeypatch.context() as patch:
        patch.setattr("assay.stages.calibrate.moved", lambda *_: 1 // 0)
        assert [one.judge for one in calibrate.run(now, ["correctness"])] == ["correctness"]
    assert NIGHTS.read() == []
    assert [failure.part for failure in failures.read(("calibrate",))] == [PARTS["anchors"]]
    calibrate.run(now, ["correctness"])
    assert (len(NIGHTS.read()), failures.read(("calibrate",))) == (1, [])
