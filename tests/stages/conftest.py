"""A good night in a project whose judges are certified."""

import shutil
from contextlib import chdir
from pathlib import Path

import pytest

from assay.stages import calibrate
from tests.cast import Project
from tests.conftest import NOW
from tests.nights import Night, good_night


@pytest.fixture(scope="session")
def calibrated(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project after a good night, its judges certified: made once."""
    folder = tmp_path_factory.mktemp("calibrated")
    shutil.copytree(small, folder, dirs_exist_ok=True)
    with chdir(folder):
        good_night().write()
        calibrate.run(NOW)
    return folder


@pytest.fixture
def night(calibrated: Path, project: Project) -> Night:
    """A good night in the small project, on whose items neither ROUGE-L nor the longer text is a perfect judge."""
    shutil.copytree(calibrated, project.folder, dirs_exist_ok=True)
    return Night()
