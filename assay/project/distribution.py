"""The distribution: the name under which the tool is installed, and its version."""

from importlib.metadata import PackageNotFoundError, version

DISTRIBUTION = "assay-pipeline"


def tool_version() -> str:
    """Return the version of the installed tool; `unknown` in a tree that was never installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "unknown"
