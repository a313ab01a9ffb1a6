"""A project's own flows, loaded from its folder; the options that every flow has."""

import importlib
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import click

PROJECT = ("flows", "tasks")
"""Top-level packages of a project."""


def load(name: str) -> ModuleType:
    """Return a module of the project's flows, such as `nightly`.

    Raises:
        ConfigError: The current folder is no project, or has no such flow.
    """
    from assay.errors import AssayError, ConfigError
    from assay.project import files
    from assay.text import one_line

    root = files.root()
    if not (root / f"flows/{name}.py").is_file():
        raise ConfigError(
            f"{root} has no flows/{name}.py, expected the project's own flow: restore it from Git, or run "
            "`assay upgrade`, which writes what is missing"
        )
    _prefer(root)
    try:
        return importlib.import_module(f"flows.{name}")
    except AssayError:
        raise
    except Exception as error:  # the project's own code: whatever it raises is its fault, and told
        raise ConfigError(
            f"flows/{name}.py cannot be loaded ({type(error).__name__}: {one_line(error)}), expected the project's own "
            "flow: fix it, or delete the file at fault, and `assay upgrade` writes it again"
        ) from error


def _prefer(root: Path) -> None:
    """Let `flows` and `tasks` be the project's, whatever else bears these names or was loaded before."""
    if str(root) in sys.path:
        sys.path.remove(str(root))
    sys.path.insert(0, str(root))
    for name in [name for name in sys.modules if name.split(".", 1)[0] in PROJECT]:
        file = getattr(sys.modules[name], "__file__", None)
        if file is None or not Path(file).is_relative_to(root):
            del sys.modules[name]


def overridable(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options --env and --set, as every flow has them."""
    named = click.option("--env", default="", metavar="ENV", help="Read params.ENV.yaml over params.yaml.")
    single = click.option(
        "--set", "overrides", multiple=True, metavar="SECTION.KEY=VALUE", help="Another value for this run; repeat it."
    )
    return named(single(command))
