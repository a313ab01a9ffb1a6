"""The journal of a project: where the finished calls of all its stages are."""

from assay.models.journal import Journal
from assay.project import files

JOURNAL = "journal.sqlite"


def open_journal() -> Journal:
    """Open the journal, creating it when absent; it is a context manager that closes it.

    Raises:
        ConfigError: It is none, or cannot be opened.
    """
    return Journal(files.private(JOURNAL))


def has_journal() -> bool:
    """Tell whether anything was ever asked here; in a fresh clone nothing was."""
    return files.exists(f"{files.PRIVATE}/{JOURNAL}")
