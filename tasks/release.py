"""Release: which evaluation set is this, and what changed since the last one?

Reads the evaluation set's manifest and earlier releases, writes release notes, commits and tags them in Git, and pushes
the data to the DVC remote when there is one. A release is whole or absent: the tag comes last.
"""

import re
import subprocess
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prefect import task

from assay.errors import ConfigError, DataError
from tasks import store

VERSION = re.compile(r"v(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")


def number(version: str) -> tuple[int, int, int]:
    """Return a version such as v1.4.0 as numbers."""
    match = VERSION.fullmatch(version)
    if match is None:
        raise ConfigError(f"the version is {version[:40]!r}, expected one such as v1.4.0: choose it again")
    major, minor, patch = match.groups()
    return int(major), int(minor), int(patch)


def notes(
    version: str, note: str, manifest: Mapping[str, Any], last: Mapping[str, Any] | None, now: datetime
) -> dict[str, Any]:
    """Return the release notes: the content and what was added, changed and retired since the last release.

    Raises:
        ConfigError: The version is no version, or not above the last one.
        DataError: A category is below its quota, or nothing has changed.
    """
    if last and number(version) <= number(str(last["release"]).partition("@")[2]):
        raise ConfigError(f"the version is {version}, expected one above {last['release']}: choose a higher one")
    number(version)
    thin = [name for name, row in manifest["coverage"].items() if row["admitted"] < row["quota"]]
    if thin:
        raise DataError(f"data/evalset is below quota in {', '.join(thin)}: admit more cases with `assay grow`")
    before, after = (last or {}).get("revisions", {}), manifest["revisions"]
    if before == after:
        raise DataError(f"data/evalset is the same as in {(last or {}).get('release')}: there is nothing to release")
    return {
        "release": f"evalset@{version}",
        "note": note,
        "released": now.isoformat(timespec="seconds"),
        "content": manifest["content"],
        "cases": manifest["cases"],
        "layers": manifest["layers"],
        "added": sorted(after.keys() - before.keys()),
        "retired": sorted(before.keys() - after.keys()),
        "changed": sorted(name for name in after.keys() & before.keys() if after[name] != before[name]),
        "coverage": manifest["coverage"],
        "revisions": after,
    }


@task
def release(version: str, note: str, now: datetime) -> str:
    """Write the notes, commit them, tag the commit, push the data; return what was done in a sentence."""
    last = max(store.releases(), key=lambda found: number(found["release"].partition("@")[2]), default=None)
    manifest = store.read_json("data/evalset/manifest.json", "run `dvc repro review`")
    written = notes(version, note, manifest, last, now)
    tag = f"evalset@{version}"
    if _git("tag", "--list", tag):
        raise ConfigError(f"the tag {tag} exists already, expected a new version: choose a higher one")
    name = f"{store.RELEASES}/evalset-{version}.json"
    store.write_json(name, written)
    _git("add", "--", name)
    _git("commit", "--quiet", "--message", f"Release {tag}: {note}", "--", name)
    _git("tag", "--annotate", tag, "--message", note)
    return f"{tag}: {written['cases']} cases. {_push()}"


def _push() -> str:
    """Push the released set to the default DVC remote."""
    from dvc.exceptions import DvcException
    from dvc.repo import Repo

    with Repo(str(store.root())) as repository:
        if not repository.config["core"].get("remote"):
            return "No DVC remote is configured, so the data stays here: `dvc remote add -d NAME URL`, then `dvc push`."
        try:
            pushed = repository.push(targets=["review"])
        except DvcException as error:
            raise ConfigError(
                f"the tag is set, but DVC cannot push ({error}): mend the remote, then `dvc push`"
            ) from error
    return f"Pushed {pushed} files to the DVC remote; push the tag with `git push --follow-tags`."


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=store.root(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigError(
            f"git {words[0]} failed ({done.stderr.strip()[:300]}): mend the repository, then release again"
        )
    return done.stdout.strip()
