"""Commits that the tool makes: of its own files alone, whatever a person has staged or changed beside them.

Each is made by `git commit`, so that hooks, identity and signature are a person's own, in an index that begins as HEAD.
The person's index follows afterwards, in these files and no other.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from assay.project import files
from assay.project.programs import git


def commit(paths: Sequence[str], message: str) -> str:
    """Commit files and folders as they lie there; return the hash of the commit.

    `--only` takes everything else, the parent and the value that the branch must still have from one reading of HEAD.

    Raises:
        ConfigError: Git or a hook of it refuses; the person's index is as it was.
    """
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        theirs = Path(files.root(), git("rev-parse", "--git-path", "index"))
        if theirs.is_file():  # it knows which files have not changed, and Git need not read these
            shutil.copyfile(theirs, index)
        git("read-tree", "--reset", "HEAD", index=index)
        git("add", "--", *paths, index=index)
        git("commit", "--quiet", f"--message={message}", "--only", "--", *paths, index=index)
    made = git("rev-parse", "HEAD")
    git("reset", "--quiet", made, "--", *paths)
    return made


def follow(made: str, paths: Sequence[str]) -> None:
    """Have the person's index follow a commit of ours that was killed before it could; do nothing where it has.

    Whatever was staged or committed of these files since stays as it is.
    """
    parents = git("rev-list", "--parents", "--max-count=1", made).split()[1:]
    if not parents:
        return
    committed = _differing("diff-tree", "-r", parents[0], made, "--", *paths)
    staged = _differing("diff-index", "--cached", parents[0], "--", *paths)
    changed_since = _differing("diff-tree", "-r", made, "HEAD", "--", *paths)
    if behind := committed - staged - changed_since:
        git("reset", "--quiet", made, "--", *sorted(behind))


def _differing(command: str, *words: str) -> set[str]:
    """Return the files, by their path in the project, that differ between two trees, or a tree and the index."""
    return set(filter(None, git(command, "--name-only", "--no-renames", "--relative", "-z", *words).split("\0")))
