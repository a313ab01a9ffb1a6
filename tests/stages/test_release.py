"""Release, on real Git and DVC: whole or absent, once, the same bytes, and nothing of anybody else's in it."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.errors import ConfigError, DataError
from assay.project import releases
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS, LABELS
from assay.stages import release
from assay.stages.release import Plan, plan
from tests import repository
from tests.cast import Project, case, item, label
from tests.layout import ROOT
from tests.repository import dvc, forget_remote, git, recorded, reviewed, say

pytestmark = pytest.mark.slow
NOTES = "data/releases/evalset-v1.0.0.json"
PAGE = "data/releases/evalset-v1.0.0.md"
DRIVER = """
import os, signal, sys
from assay.evalset.notes import Release
from assay.stages.release import Plan, carried_out
finish, make = (Release.model_validate_json(text) if text else None for text in sys.argv[2:4])
planned = Plan(finish=finish, make=make, is_begun=False, abandoned=[], breaches=[])
for number, done in enumerate(carried_out(planned), 1):
    if number == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_after(step: int, planned: Plan) -> None:
    """Carry a plan out in another process that dies right after a step."""
    texts = [one.model_dump_json() if one else "" for one in (planned.finish, planned.make)]
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(step), *texts],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def files() -> Iterator[bytes]:
    """Yield the bytes of the two notes."""
    yield from (Path(name).read_bytes() for name in (NOTES, PAGE))


def test_a_release_is_whole(place: Project, now: datetime) -> None:
    """The tag holds notes, manifest, logs and lock; the remote holds the set; what others had staged stays staged."""
    Path("mine.txt").write_text("not yet")
    git("add", "mine.txt")
    Path("data/taxonomy/refunds.yaml").write_text(Path("data/taxonomy/refunds.yaml").read_text() + "# changed\n")
    said = release.run("auto", "The first set.", now)
    assert "The data is in the DVC remote local." in said
    assert said[-1] == "evalset@v1.0.0 is tagged: 6 cases. Push it with `git push --follow-tags`."
    assert git("show", "--name-only", "--format=", "evalset@v1.0.0^{commit}").splitlines() == [
        NOTES,
        PAGE,
        "data/taxonomy/refunds.yaml",
    ]
    assert git("cat-file", "-t", "evalset@v1.0.0") == "tag"
    assert git("status", "--short") == "A  mine.txt"
    kept = CASES.file().read_bytes()
    shutil.rmtree(".dvc/cache")
    dvc("get", ".", "data/evalset/cases.parquet", "--rev", "evalset@v1.0.0", "-o", "fetched.parquet")
    assert Path("fetched.parquet").read_bytes() == kept
    with pytest.raises(DataError, match="nothing to release"):
        release.run("auto", "Again.", now)


def test_killed_after_each_step(place: Project, now: datetime) -> None:
    """Killed after every single step and called again later with other words: one commit, one tag, the first bytes."""
    killed_after(1, plan("auto", "The first set.", now))
    first = Path(NOTES).read_bytes()
    assert not Path(PAGE).exists()
    for step in (2, 3, 4):
        planned = plan("auto", "Other words.", now + timedelta(hours=step))
        assert planned.is_begun
        assert git("tag") == ""
        killed_after(step, planned)
        assert Path(NOTES).read_bytes() == first
    both = list(files())
    planned = plan("auto", "Other words.", now + timedelta(days=1))
    assert planned.make is None
    assert planned.finish
    killed_after(1, planned)
    assert git("tag") == "evalset@v1.0.0"
    assert git("log", "--format=%s").splitlines() == ["Release evalset@v1.0.0: The first set.", "The set"]
    assert list(files()) == both
    assert [Path(name).read_text() for name in (NOTES, PAGE)] == [
        git("show", f"evalset@v1.0.0:{name}") + "\n" for name in (NOTES, PAGE)
    ]
    assert json.loads(first)["released"] == now.isoformat()


def test_a_remote_that_is_gone(place: Project, now: datetime) -> None:
    """Where the remote cannot be written there is one sentence, no commit and no tag; mended, the release completes."""
    remote = place.folder.parent / "remote"
    remote.write_text("a file where a folder was")
    with pytest.raises(ConfigError, match=r"`dvc push` failed \(ERROR: .*Not a directory"):
        release.run("auto", "The first set.", now)
    before = list(files())
    assert (git("tag"), git("log", "--format=%s")) == ("", "The set")
    remote.unlink()
    release.run("auto", "The first set.", now + timedelta(hours=1))
    assert git("tag") == "evalset@v1.0.0"
    assert list(files()) == before


def test_data_that_dvc_lost(place: Project, now: datetime) -> None:
    """DVC pushes nothing and is content when its cache is gone; a release is not."""
    shutil.rmtree(".dvc/cache")
    with pytest.raises(ConfigError, match=r"the DVC cache has lost data/evalset/cases.parquet"):
        release.run("auto", "The first set.", now)
    assert git("tag") == ""


def test_git_refuses(place: Project, now: datetime) -> None:
    """A commit that a hook refuses is one sentence and no tag; without the hook the same notes go out."""
    forget_remote()
    hook = Path(".git/hooks/pre-commit")
    hook.write_text("#!/bin/sh\necho 'fatal: not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    with pytest.raises(ConfigError, match=r"`git commit` failed \(fatal: not on a Friday\)"):
        release.run("auto", "The first set.", now)
    before = list(files())
    hook.unlink()
    said = release.run("auto", "The first set.", now + timedelta(hours=1))
    assert said[2].startswith("No DVC remote is configured, so the data stays here")
    assert list(files()) == before


def test_a_set_that_moved_meanwhile(place: Project, now: datetime) -> None:
    """Notes of an attempt whose set is gone are dropped, and the release is of the set as it is."""
    forget_remote()
    release.run("auto", "The first set.", now)
    say(case(4))
    recorded()
    killed_after(2, plan("auto", "One more.", now))
    git("add", "data/releases/evalset-v1.1.0.json")
    say(case(4), "retire", "asked twice")
    say(case(1), "retire", "too easy")
    say(case(5))
    recorded()
    planned = plan("auto", "One more, one less.", now)
    assert planned.abandoned == ["data/releases/evalset-v1.1.0.json", "data/releases/evalset-v1.1.0.md"]
    release.run("auto", "One more, one less.", now)
    assert git("tag").splitlines() == ["evalset@v1.0.0", "evalset@v2.0.0"]
    assert sorted(file.name for file in Path("data/releases").iterdir()) == [
        "evalset-v1.0.0.json",
        "evalset-v1.0.0.md",
        "evalset-v2.0.0.json",
        "evalset-v2.0.0.md",
    ]
    assert "- retired, 1: `refunds-001`: too easy (ada)" in Path("data/releases/evalset-v2.0.0.md").read_text()
    assert git("status", "--short") == "M .dvc/config"


def test_a_release_that_lacks_only_its_tag_comes_first(place: Project, now: datetime) -> None:
    """A release that was committed and not tagged gets its tag at its own commit before the next one is made."""
    forget_remote()
    killed_after(4, plan("auto", "The first set.", now))
    at = git("rev-parse", "HEAD")
    say(case(4))
    reviewed("More")
    assert git("rev-parse", "HEAD") != at
    release.run("minor", "One more.", now)
    assert git("rev-parse", "evalset@v1.0.0^{commit}") == at
    assert git("tag").splitlines() == ["evalset@v1.0.0", "evalset@v1.1.0"]


def test_tags_and_notes_that_contradict_each_other(place: Project, now: datetime) -> None:
    """A foreign tag, notes changed after their release, and a rewritten log are refused, each in a sentence."""
    forget_remote()
    git("tag", "evalset@v1.0.0")
    with pytest.raises(ConfigError, match=r"the tag evalset@v1.0.0 is there, but not its notes"):
        plan("auto", "First.", now)
    git("tag", "-d", "evalset@v1.0.0")
    release.run("auto", "First.", now)
    say(case(4))
    recorded()
    kept = Path(NOTES).read_bytes()
    Path(NOTES).write_bytes(kept.replace(b"First.", b"Forged"))
    with pytest.raises(ConfigError, match="is not what was committed at evalset@v1.0.0"):
        plan("auto", "Second.", now)
    Path(NOTES).write_bytes(kept)
    log = repository.words()
    DECISIONS.write([log[0].model_copy(update={"reason": "never said"}), *log[1:]])
    recorded()
    with pytest.raises(DataError, match=r"has no row [0-9a-f]{16}, with which it ended at evalset@v1.0.0"):
        plan("auto", "Second.", now)


def test_a_set_that_is_not_what_people_admitted(place: Project, now: datetime) -> None:
    """A set that is behind its log, or that DVC has not recorded, is no set to release."""
    say(case(4))
    with pytest.raises(DataError, match="is not what the logs in data/decisions come to"):
        plan("auto", "First.", now)
    from assay.stages import review

    review.run()
    with pytest.raises(DataError, match=r"dvc.lock does not hold data/evalset/cases.parquet as it is"):
        plan("auto", "First.", now)


def test_a_broken_contract_writes_nothing(place: Project, now: datetime) -> None:
    """A breach names rule and cases; nothing is written, whether it was a rehearsal or not."""
    ITEMS.write([item(77, "Yes.", turns=case(1).turns), item(78, "No.", turns=case(1).turns)])
    LABELS.write([label("pass-fail.077", "pass"), label("pass-fail.078", "fail", split="tune")])
    say(case(9, turns=["I am cleo@gmail.com"]))
    recorded()
    before, status = place.files(), git("status", "--short")
    with pytest.raises(DataError, match=r"e-mail address refunds-009.*no personal data.*pass-fail.077 pass-fail.078"):
        release.run("auto", "First.", now)
    done = CliRunner().invoke(app, ["release", "--dry-run", "--notes", "First."])
    assert (done.exit_code, "no personal data" in done.output) == (2, True)
    assert (place.files(), git("status", "--short"), git("tag")) == (before, status, "")


def test_a_label_to_tune_on_that_asks_what_a_held_out_one_asks_has_a_way_out(place: Project, now: datetime) -> None:
    """What the refusal says to write is enough: with the split written as held out the set is released."""
    ITEMS.write([item(77, "Yes.", turns=case(1).turns), item(78, "No.", turns=case(1).turns)])
    LABELS.write([label("pass-fail.077", "pass"), label("pass-fail.078", "fail", split="tune")])
    recorded()
    with pytest.raises(DataError, match=r"write `heldout` as the split of these there"):
        release.run("auto", "First.", now)
    file = LABELS.file()
    file.write_text(file.read_text().replace('"split":"tune"', '"split":"heldout"'))
    assert release.run("auto", "First.", now)


def test_a_rehearsal_changes_nothing(place: Project) -> None:
    """`--dry-run` tells version, reason, steps and notes, as JSON on request, and touches no file, index or tag."""
    before = place.files()
    shown = CliRunner().invoke(app, ["release", "--dry-run", "--notes", "The first set."]).output
    told = json.loads(CliRunner().invoke(app, ["release", "--dry-run", "--notes", "The first set.", "--json"]).output)
    assert shown.startswith("evalset@v1.0.0, a major version: the first release.")
    assert "> The first set." in shown
    assert (told["release"]["release"], told["contract"], len(told["steps"])) == ("evalset@v1.0.0", "kept", 4)
    assert (place.files(), git("status", "--short"), git("tag")) == (before, "", "")


@pytest.mark.parametrize("note", ["", "  ", "a" * 5_000, "half\0"])
def test_notes_are_words(place: Project, now: datetime, note: str) -> None:
    """Empty, endless or unprintable notes are refused."""
    with pytest.raises(ConfigError, match="expected a sentence or more"):
        plan("auto", note, now)


def test_past_releases_are_read_and_compared(place: Project, now: datetime, tmp_path: Path) -> None:
    """A release's cases come by DVC, or from the log where DVC has lost them; two releases differ as people decided."""
    release.run("auto", "First.", now)
    say(case(4))
    say(case(2, turns=["Cleo asks something else. Is it within 14 days?"]), "edit", "too easy")
    recorded()
    assert git("tag") == "evalset@v1.0.0"
    changed = releases.compare(None, None)
    assert (changed.before, changed.after) == ("evalset@v1.0.0", "the working set")
    done = CliRunner().invoke(app, ["release", "--notes", "Second.", "--json"])
    assert json.loads(done.output)["release"] == "evalset@v2.0.0"
    shown = CliRunner().invoke(app, ["diff", "v1.0.0", "evalset@v2.0.0"])
    assert shown.exit_code == 0
    assert shown.output.startswith("evalset@v1.0.0 to evalset@v2.0.0: 1 added, 0 retired, 1 changed, 0 relabelled")
    assert "turns: Cleo asks [-question-]{+something+} " in shown.output
    by_dvc = tmp_path / "by-dvc.jsonl"
    assert CliRunner().invoke(app, ["export", str(by_dvc), "--set", "evalset@v1.0.0"]).exit_code == 0
    shutil.rmtree(".dvc/cache")
    shutil.rmtree(place.folder.parent / "remote")
    releases.export(tmp_path / "by-log.jsonl", "v1.0.0")
    assert by_dvc.read_bytes() == (tmp_path / "by-log.jsonl").read_bytes()
    assert len(by_dvc.read_bytes().splitlines()) == 6


def test_a_release_that_cannot_be_read(place: Project, now: datetime) -> None:
    """An unknown version names the known ones; one that neither DVC nor its log has says what to do."""
    forget_remote()
    release.run("auto", "First.", now)
    with pytest.raises(ConfigError, match=r"evalset@v9.0.0 is no release here, expected one of: evalset@v1.0.0"):
        releases.cases("v9.0.0")
    with pytest.raises(ConfigError, match="expected one such as"):
        releases.cases("--upload-pack=evil")
    git("tag", "evalset@v1.1.0")
    shutil.rmtree(".dvc/cache")
    git("rm", "-q", "-r", "--cached", "data/decisions")
    git("commit", "-q", "-m", "lost")
    git("tag", "-f", "evalset@v1.1.0")
    with pytest.raises(DataError, match=r"cannot be read by DVC .* nor from its log .*dvc pull review"):
        releases.cases("v1.1.0")
