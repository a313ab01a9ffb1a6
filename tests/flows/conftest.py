"""One night of the sample, run once for all tests that look at what it left."""

import pytest

from tests.flows.sample import Sample, can_cut_network, clone


@pytest.fixture(scope="session")
def night(tmp_path_factory: pytest.TempPathFactory) -> tuple[Sample, str]:
    """The sample after its first night, run without network where the machine allows that, and what it said."""
    sample = clone(tmp_path_factory.mktemp("sample"))
    done = sample.run("assay.cli.main", "nightly", offline=can_cut_network())
    return sample, done.stdout
