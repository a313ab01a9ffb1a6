"""Release: a version says exactly what is in it, and a tag comes last."""

import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from assay.errors import ConfigError, DataError
from tasks import store
from tasks.release import notes, number, release
from tasks.review import manifest, review
from tests.cast import CATEGORIES, Project, case

FULL = [case(number, category) for category in CATEGORIES for number in (1, 2, 3)]


@pytest.mark.parametrize("version", ["1.0.0", "v1.0", "v01.0.0", "v1.0.0; rm -rf", "v1.0.0\n", ""])
def test_a_version_is_a_version(version: str) -> None:
    """Anything but vMAJOR.MINOR.PATCH is refused."""
    with pytest.raises(ConfigError, match="expected one such as v1.4.0"):
        number(version)


def test_below_quota_is_no_release(project: Project, now: datetime) -> None:
    """A set with a category below its quota is refused, and the category named."""
    thin = manifest(FULL[:-1], store.taxonomy())
    with pytest.raises(DataError, match="below quota in escalation"):
        notes("v1.0.0", "first", thin, None, now)


def test_versions_rise_and_say_something(project: Project, now: datetime) -> None:
    """A release must be above the last one and differ from it."""
    first = notes("v1.1.0", "first", manifest(FULL, store.taxonomy()), None, now)
    with pytest.raises(ConfigError, match="expected one above evalset@v1.1.0"):
        notes("v1.0.9", "older", manifest(FULL, store.taxonomy()), first, now)
    with pytest.raises(DataError, match="nothing to release"):
        notes("v1.2.0", "same", manifest(FULL, store.taxonomy()), first, now)


def test_notes_tell_what_changed(project: Project, now: datetime) -> None:
    """The notes list what was added, changed and retired since the last release."""
    first = notes("v1.0.0", "first", manifest(FULL, store.taxonomy()), None, now)
    after = [*FULL[:-1], case(3, "escalation", turns=["Changed?"]), case(4), case(5)]
    second = notes("v1.1.0", "second", manifest(after, store.taxonomy()), first, now)
    assert (second["added"], second["changed"], second["retired"]) == (
        ["refunds-004", "refunds-005"],
        ["escalation-003"],
        [],
    )


@pytest.mark.slow
def test_a_release_can_be_fetched_by_its_version(project: Project, now: datetime) -> None:
    """On real Git and DVC: the tag holds the notes, the data is in the remote, and `dvc get` brings it back."""
    git = ["git", "-c", "user.name=ada", "-c", "user.email=ada@example.org"]
    for words in (["init", "-q"], ["config", "user.name", "ada"], ["config", "user.email", "ada@example.org"]):
        subprocess.run(["git", *words], check=True)
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "-q"], check=True)
    subprocess.run([*dvc, "remote", "add", "-q", "-d", "local", str(project.folder.parent / "remote")], check=True)
    Path("dvc.yaml").write_text("stages: {review: {cmd: none, outs: [data/evalset/cases.parquet]}}\n")
    review.fn()
    subprocess.run([*dvc, "commit", "-q", "-f", "review"], check=True)
    Path(".gitignore").write_text(".assay/\n")
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-q", "-m", "set"], check=True)
    said = release.fn("v1.0.0", "The first set.", now)
    assert said.startswith("evalset@v1.0.0: 6 cases. Pushed 1 files")
    with pytest.raises((ConfigError, DataError)):
        release.fn("v1.0.0", "Again.", now)
    kept = store.path("cases").read_bytes()
    fetched = ["get", ".", "data/evalset/cases.parquet", "--rev", "evalset@v1.0.0", "-o", "fetched.parquet"]
    subprocess.run([*dvc, *fetched], check=True, capture_output=True)
    assert Path("fetched.parquet").read_bytes() == kept
