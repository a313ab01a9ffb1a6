"""The notes of the evaluation set's releases, as they lie in data/releases."""

from typing import Any

from assay.evalset.versions import PREFIX
from assay.project import files

RELEASES = "data/releases"


def notes_file(release: str) -> str:
    """Return where the record of a release lies, such as evalset@v1.4.0."""
    return f"{RELEASES}/evalset-{release.removeprefix(PREFIX)}.json"


def page_file(release: str) -> str:
    """Return where the page of a release lies."""
    return notes_file(release).removesuffix(".json") + ".md"


def read_notes() -> list[dict[str, Any]]:
    """Return the notes of every release of the evaluation set."""
    there = sorted((files.root() / RELEASES).glob("*.json"))
    return [files.read_json(f"{RELEASES}/{file.name}", "restore it from Git") for file in there]


def released(evaluation_set: str) -> str:
    """Return the releases whose content has this hash, such as `evalset@v1.0.0`; empty when there is none."""
    return ", ".join(note["release"] for note in read_notes() if note["content"] == evaluation_set)
