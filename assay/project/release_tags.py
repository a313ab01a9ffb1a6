"""Tags of releases, as GTO writes them: where a project lies in a folder of its repository, its tags carry that folder.

The project at the top of a repository has `evalset@v1.4.0`, the one in `evals/support` has
`evals/support=evalset@v1.4.0`. A tag without a folder is of the project whose notes came with the commit that it marks:
so projects in folders made them once, and these stay valid. Reads Git and writes nothing.
"""

import re
from urllib.parse import quote

from assay.evalset.versions import PREFIX, VERSION
from assay.project.programs import git
from assay.project.release_notes import notes_file

SEPARATOR = "="
"""Stands in a tag for the colon of an artifact's name, `evals/support:evalset`, which no tag may hold."""
UNFIT_IN_A_TAG = re.compile(r"~|^-|(?<![^/])\.|(?<=\.)\.|\.(?=lock(?:/|$))")
"""What no tag may hold of that which a quoted folder may still hold."""


def tag_name(release: str, folder: str | None = None) -> str:
    """Return the name of the tag that a release gets.

    Args:
        release: Such as evalset@v1.4.0.
        folder: The project's folder within the repository, empty at the top; None for that of this project.
    """
    return _prefix(_folder() if folder is None else folder) + release


def tag_of(release: str) -> str:
    """Return the tag that a release of this project has; empty where it has none.

    Args:
        release: Such as evalset@v1.4.0, and known to be one.
    """
    return tags(release.removeprefix(PREFIX)).get(release, "")


def tags(version: str = "v*") -> dict[str, str]:
    """Return the tag of each release of this project, and of no other project of the repository.

    Args:
        version: Such as v1.4.0; a pattern of Git.
    """
    folder = _folder()
    with_folder = (
        {release: _prefix(folder) + release for release in _listed(_prefix(folder), version)} if folder else {}
    )
    bare = (release for release in _listed("", version) if release not in with_folder)
    return with_folder | {release: release for release in bare if folder in (owners(release) or {""})}


def owners(tag: str) -> set[str]:
    """Return the folders of the projects whose release a tag without a folder is; empty where it is nobody's.

    Args:
        tag: Such as evalset@v1.4.0; it has to be there.
    """
    notes = notes_file(tag)
    options = ("--root", "-m", "-r", "--no-commit-id", "--name-only", "-z")
    names = git("diff-tree", *options, f"refs/tags/{tag}^{{commit}}", "--", f":(top,glob)**/{notes}")
    return {name.removesuffix(notes).removesuffix("/") for name in names.split("\0") if name}


def _folder() -> str:
    """Return the project's folder within its repository; empty at the top."""
    return git("rev-parse", "--show-prefix").removesuffix("/")


def _prefix(folder: str) -> str:
    """Return what stands before a release in a tag: the folder, with what no tag may hold as %XX."""
    return UNFIT_IN_A_TAG.sub(lambda match: f"%{ord(match[0]):02X}", quote(folder)) + SEPARATOR if folder else ""


def _listed(prefix: str, version: str) -> list[str]:
    """Return the releases that have a tag with a prefix; what is no version, such as GTO's `v1.0.0!`, is none."""
    names = (tag.removeprefix(prefix) for tag in git("tag", "--list", f"{prefix}{PREFIX}{version}").splitlines())
    return [name for name in names if VERSION.fullmatch(name.removeprefix(PREFIX))]
