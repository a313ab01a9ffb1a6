"""The private folder: what it holds is its owner's alone."""

import os
import stat

import pytest

from assay.errors import ConfigError
from assay.models.journal import Journal
from assay.project import files
from tests.cast import Project


def mode(name: str) -> int:
    """Return who may do what with a file of the private folder."""
    return stat.S_IMODE((files.root() / files.PRIVATE / name).stat().st_mode)


def test_the_folder_is_its_owner_s_alone(project: Project) -> None:
    """A new private folder is open to nobody else, whatever the user's mask says."""
    before = os.umask(0)
    try:
        files.private("note")
    finally:
        os.umask(before)
    assert mode(".") == 0o700


def test_what_was_open_is_closed(project: Project) -> None:
    """A folder and a file that an earlier version left open to others are closed when they are next used."""
    with Journal(files.private("journal.sqlite")):
        pass
    folder = project.folder / files.PRIVATE
    folder.chmod(0o755)
    (folder / "journal.sqlite").chmod(0o644)
    (folder / "parts").mkdir(mode=0o755)
    files.private("journal.sqlite")
    files.private("parts")
    assert (mode("."), mode("journal.sqlite"), mode("parts")) == (0o700, 0o600, 0o700)


def test_another_user_s_folder_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system does not let us close it, one sentence says whose it is and what to do."""
    folder = project.folder / files.PRIVATE
    folder.mkdir(exist_ok=True)
    folder.chmod(0o777)

    def refused(path: object, *_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(os, "chmod", refused)
    with pytest.raises(ConfigError, match=r"\.assay belongs to another user, .*: work in a clone of your own"):
        files.private("note")
