"""The sample project itself: its parameters are valid, and every case that people admitted can be scored."""

import pytest

from assay.checks import registry
from assay.commands.validate import read_settings, validate
from assay.project.tables.decisions import DECISIONS
from assay.stages import batches
from tests.layout import ROOT, STAGES


@pytest.fixture(autouse=True)
def sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample's folder as the current one."""
    monkeypatch.chdir(ROOT)


def test_the_project_is_valid() -> None:
    """Parameters, judges, taxonomy, dvc.yaml and traces pass what a run demands before it asks anybody."""
    validate(())
    assert list(read_settings()) == [*STAGES, "release"]


def test_every_case_can_be_scored() -> None:
    """Each admitted case has a reference or a check, and every check of it is well formed."""
    cases = batches.fold(DECISIONS.read()).cases
    for case in cases:
        assert case.reference or case.expectations
        for expectation in case.expectations:
            registry.validate(expectation)
    assert len(cases) == 242
