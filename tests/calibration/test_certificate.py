"""The certificate: what it is worth at a moment, to the second."""

from datetime import timedelta

import pytest
from pydantic import ValidationError

from assay.calibration.certificate import AnchorNight, Certificate, Figure, Floor, standing
from tests.cast import AT


def certificate(*, met: bool = True, fingerprint: str = "judge-1") -> Certificate:
    """Return a certificate of 30 days with one floor that is met and one that may not be."""
    floors = [Floor(figure=name, demand="x", found="y", met=name == "tpr" or met) for name in ("tpr", "tnr")]
    return Certificate(
        judge="correctness",
        question="pass-fail",
        fingerprint=fingerprint,
        labels="0",
        split="heldout",
        items=100,
        unscored=0,
        frame="",
        looks=1,
        undecided=0,
        annotators=["ada"],
        figures=[Figure(name="tpr", estimate=0.9, low=0.8, high=0.95, n=100, method="wilson")],
        confusion=[[1, 0], [0, 1]],
        slices=[],
        trivial=[],
        floors=floors,
        issued=AT,
        expires=AT + timedelta(days=30),
    )


def test_without_a_certificate_there_is_none() -> None:
    """A judge that was never calibrated is worth nothing."""
    assert standing(None, "judge-1", "", AT) == "none"


@pytest.mark.parametrize("met", [True, False])
def test_it_holds_for_one_judge_alone(*, met: bool) -> None:
    """A certificate says nothing of another judge, be it met or refused."""
    assert standing(certificate(met=met), "judge-2", "", AT) == "judge-changed"
    assert standing(certificate(met=met), "", "", AT) == "judge-changed"


def test_one_floor_missed_is_a_refusal() -> None:
    """A single missed floor refuses the judge, also after the certificate expired."""
    assert standing(certificate(met=False), "judge-1", "", AT) == "failed"
    assert standing(certificate(met=False), "judge-1", "", AT + timedelta(days=90)) == "failed"


def test_it_expires_at_the_moment_it_names() -> None:
    """A microsecond before its end a certificate is valid, at its end it has expired."""
    end = certificate().expires
    assert standing(certificate(), "judge-1", "", end - timedelta(microseconds=1)) == "valid"
    assert standing(certificate(), "judge-1", "", end) == "expired"


@pytest.mark.parametrize(
    ("issued_for", "now", "word"), [("tone@1", "tone@2", "judge-changed"), ("", "tone@2", "valid")]
)
def test_it_holds_for_one_version_of_the_folder(issued_for: str, now: str, word: str) -> None:
    """A certificate of another version of the judge's folder is worth nothing; one of before versions still holds."""
    held = certificate().model_copy(update={"version": issued_for})
    assert standing(held, "judge-1", now, AT) == word


def anchors(**counts: int) -> AnchorNight:
    """Return a night in which nothing happened but this."""
    fields = {"anchors": 0, "flips": 0, "judged": 0, "passed": 0} | counts
    return AnchorNight.model_validate(
        {"judge": "correctness", "night": "2026-11-02", "issued": AT, "baseline": "", **fields}
    )


@pytest.mark.parametrize("name", ["anchors", "flips", "judged", "passed"])
def test_a_night_without_any_is_a_night(name: str) -> None:
    """Each count of a night may be 0, such as a night without a flip, and none is negative."""
    assert getattr(anchors(), name) == 0
    with pytest.raises(ValidationError):
        anchors(**{name: -1})
