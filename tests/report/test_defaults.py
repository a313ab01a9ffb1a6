"""What a record of the report, or a certificate, does not say: those of before have less, and are read as such."""

from typing import Any

import pytest
from pydantic import ValidationError
from sample_report import certificate

from assay.calibration.certificate import AnchorNight, Certificate, Figure, Slice, Trivial
from assay.calibration.policy import PAIRED, SINGLE, Policy
from assay.judges.declaration import Declaration
from assay.records.record import Record
from assay.report.cases import CaseVerdict, ReportedCase
from assay.report.comparison import Comparison, Look, SliceRow
from assay.report.content import Judge
from assay.report.correction import Corrected
from assay.report.findings import Accounting, Rate
from assay.report.gate import Gate
from assay.report.judged import Change


def unsaid(record: type[Record]) -> dict[str, Any]:
    """Return what a record is read as where it says nothing."""
    return {
        name: field.get_default(call_default_factory=True)
        for name, field in record.model_fields.items()
        if not field.is_required()
    }


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (ReportedCase, {"inputs": {}, "contexts": [], "references": [], "attachments": []}),
        (CaseVerdict, {"label": "", "rationale": ""}),
        (SliceRow, {"stands": False}),
        (Comparison, {"trials": "", "look": 1, "suspected": [], "over_nights": ""}),
        (Corrected, {"split": 0, "void": 0}),
        (Rate, {"level": 0.95}),
        (Accounting, {"unscorable": 0}),
        (Gate, {"run": "", "began": None, "ended": None, "answers": ""}),
        (Change, {"changed": 0}),
        (Figure, {"note": ""}),
        (Slice, {"kappa": None, "kappa_low": None, "kappa_high": None}),
        (Trivial, {"beaten_by": None}),
        (AnchorNight, {"run": "", "fingerprint": ""}),
    ],
)
def test_what_is_not_said_is_nothing(record: type[Record], expected: dict[str, Any]) -> None:
    """No trial beside the one, no earlier look, nothing lost, no bound and no note."""
    assert unsaid(record) == expected


def test_a_judge_of_which_little_is_said_blocks_and_spoke() -> None:
    """It judges single answers, every case was asked about, and there is no figure of it."""
    said = unsaid(Judge)
    assert (said["question"], said["blocks"], said["spoke"], said["unasked"], said["said"]) == (
        *("pass-fail", True, True, 0, {}),
    )
    figures = ("corrected", "change", "pairs", "controlled", "watch")
    assert [said[name] for name in figures] == [None] * len(figures)


def test_the_first_look_is_at_a_new_version() -> None:
    """Where nobody counted there was one look, and nothing was found worse before."""
    assert Look() == (1, frozenset(), True)


def test_a_certificate_of_before_holds_for_any_version() -> None:
    """It was issued by the default policy, excepts nothing, and people may be a tenth better."""
    said = unsaid(Certificate)
    assert (said["policy"], said["version"], said["excepted"], said["epsilon"]) == ("default", "", [], 0.1)
    assert (said["run"], said["note"], said["by_class"], said["by_annotator"]) == ("", "", [], [])
    held = certificate()
    assert (held.policy, held.epsilon, held.excepted, held.run) == ("default", 0.1, [], "")
    with pytest.raises(ValidationError):
        Certificate.model_validate(held.model_dump() | {"looks": 0})


def test_a_policy_that_says_nothing_more_demands_no_audit() -> None:
    """Beyond its own floors: only to be better than a judge without a thought at all."""
    bare = {"max_flips": None, "max_injected": None, "beyond_trivial": 0, "like_people": False}
    assert unsaid(Policy) == bare
    for presets in (SINGLE, PAIRED):
        assert [one.like_people for one in presets.values()] == [False] * 3
        assert [one.beyond_trivial for one in presets.values()] == [0, 0, -0.1]
        assert [(one.max_flips, one.max_injected) for one in presets.values()] == [(0.05,) * 2, (0.1,) * 2, (0.2,) * 2]


def test_a_judge_is_of_single_answers_and_says_why_unless_it_declares_otherwise() -> None:
    """It is shown question and answer of every case, blocks, and is held to the default policy."""
    bare = Declaration()
    assert (bare.question, bare.input, bare.requires, bare.scope) == (
        "pass-fail",
        ("question", "response"),
        (),
        "cases",
    )
    assert (bare.reasoning, bare.blocks, bare.policy, bare.examples) == ("rationale-first", True, "default", "")
    assert (bare.applies_to.category, bare.applies_to.layer, bare.applies_to.tag, bare.panel) == ((), (), (), ())
    assert (bare.model.api, bare.model.temperature, bare.model.structured, bare.model.parameters) == (
        *("chat", None, None, {}),
    )
