"""Pruning of the archive: how many runs keep their files, and what goes with those that do not.

The small record of a run stays in Git. An object of DVC's cache goes only where nothing here refers to it any more.
"""

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from assay.errors import ConfigError
from assay.evalset.versions import PREFIX
from assay.project import archive, files
from assay.project.archive import RUNS
from assay.project.programs import content, git
from assay.project.tables.responses import BASELINE
from assay.records.run import RunRecord

CACHE = ".dvc/cache/files/md5"
"""Where DVC keeps objects unless it was told otherwise: a cache that others share is never pruned."""
HASH = re.compile(r"\b[0-9a-f]{32}(?:\.dir)?\b")
"""An object as dvc.lock and .dvc files name it; `.dir` is a list of others."""
LOCK = "dvc.lock"


def prune(keep: int, filed: str, now: datetime) -> list[str]:
    """Give up the files of all runs but the newest ones and the accepted baseline's; return the ids of those.

    The files of a run whose record is damaged stay: nobody knows whether it is the accepted one.

    Args:
        keep: How many runs keep their files.
        filed: Id of the run that has just been filed: it keeps them too, however old it is, unless none does.
        now: The moment; runs that are dated later count as the oldest.

    Raises:
        DataError: The baseline is damaged.
    """
    archived = [
        run for run in archive.ids(now) if archive.state(run) != "pruned" or (files.root() / RUNS / run).exists()
    ]
    old = [run for run in archived[keep:] if run != filed or not keep]
    if not old:
        return []
    accepted = _accepted()
    records = {run: record for run in old if (record := archive.known(run))}
    pruned = [run for run, record in records.items() if not _is_accepted(record, accepted)]
    for run in pruned:
        files.path(f"{RUNS}/{run}.dvc").unlink(missing_ok=True)
        shutil.rmtree(files.root() / RUNS / run, ignore_errors=True)
    _forget({md5 for run in pruned for md5 in records[run].files.values()})
    return pruned


def _accepted() -> set[tuple[str, ...]]:
    """Return the runs that the rows of the baseline are of: by id, or by target and date for rows of before ids."""
    rows = BASELINE.read(may_be_absent=True)
    return {(row.run,) if row.run else (row.target, row.epoch) for row in rows}


def _is_accepted(record: RunRecord, accepted: set[tuple[str, ...]]) -> bool:
    return (record.run,) in accepted or (record.target, record.night) in accepted


def _forget(hashes: set[str]) -> None:
    """Delete objects from the project's own DVC cache, but for those that something here still refers to."""
    cache = files.root() / CACHE
    if not cache.resolve().is_relative_to(files.root().resolve() / ".dvc"):
        return
    try:
        needed = set(_referred(cache))
    except ConfigError:  # without Git nobody knows what is needed
        return
    for md5 in hashes - needed:
        with suppress(FileNotFoundError):
            (cache / md5[:2] / md5[2:]).unlink()


def _referred(cache: Path) -> Iterator[str]:
    """Yield each object that a .dvc file, dvc.lock, a branch's or a release's dvc.lock names, alone or in a folder."""
    for text in _tracked():
        for name in HASH.findall(text):
            if not name.endswith(".dir"):
                yield name
                continue
            with suppress(OSError, ValueError):
                yield from (entry["md5"] for entry in json.loads((cache / name[:2] / name[2:]).read_bytes()))


def _tracked() -> Iterator[str]:
    """Yield the text of every file that names objects: those in the workspace, then those of branches and releases."""
    here = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", "*.dvc", "dvc.lock", "*/dvc.lock")
    for name in filter(None, git(*here).split("\0")):
        with suppress(OSError):
            yield (files.root() / name).read_text(encoding="utf8", errors="replace")
    for revision in _revisions():
        yield (content(revision, LOCK) or b"").decode(errors="replace")


def _revisions() -> Sequence[str]:
    named = git("for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags").split()
    return [name for name in named if name.startswith("refs/heads/") or PREFIX in name]
