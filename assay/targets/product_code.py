"""The version of a Python product: its function's modules, and the data files that it declares.

A module under the product's folder counts with all that it imports from there, a module of an installed package by the
version of its distribution. A comment or a docstring is no other version.
"""

import glob
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from assay.code.content import content_digest, matching_files
from assay.code.fingerprint import closure, source_file
from assay.errors import CodeError, ConfigError
from assay.records.record import digest
from assay.targets.settings import PythonSettings, RecordedSettings, TargetSettings

TOOL = "assay"
"""Package that is no part of a product, also where both lie in one folder."""
EDITABLE = re.compile(r'"editable"\s*:\s*true')
"""What pip writes into direct_url.json of an editable installation (PEP 610)."""
FOLDER = "/**"
"""How a glob ends that means a folder with all that it holds."""


@dataclass(frozen=True)
class ProductCode:
    """What a function is made of."""

    digest: str
    files: tuple[str, ...]
    """Its modules and data, as seen from the product's folder, sorted."""
    is_known: bool
    """Does the digest move with everything that was declared? Not so for a module that no version is known of."""


class ProductSource:
    """Where a function and its data lie."""

    def __init__(self, function: str, root: str, data: Sequence[str] = (), *, cache: Path | None = None) -> None:
        """Describe the product; nothing is read yet.

        Args:
            function: `module:name`.
            root: The folder that the module is imported from.
            data: Globs of the files that it reads, as seen from the folder.
            cache: As for `closure`.
        """
        self.function, self.root, self._data, self._cache = function, root, data, cache

    def read(self) -> ProductCode:
        """Return what the function is made of now.

        Raises:
            ConfigError: A module is no Python, or a glob matches no file.
        """
        root, module = Path(os.path.abspath(self.root)), self.function.partition(":")[0]  # noqa: PTH100 - links stay
        data = data_files(self.root, self._data)
        try:
            contents = {name: content_digest(root / name) for name in data}
            if not source_file(module, root):
                version = installed_version(module)
                return ProductCode(digest([version, contents]), tuple(data), is_known=bool(version))
            code = closure([module], [root], without=(TOOL,), cache=self._cache)
        except CodeError as error:
            raise ConfigError(f"the code of execute.target: {error}") from error
        names = {os.path.relpath(path, root) for path in code.paths}
        return ProductCode(digest([code.digest, contents]), tuple(sorted(names | set(data))), is_known=True)


def data_files(root: str, data: Sequence[str]) -> list[str]:
    """Return the data files of a Python product, as seen from its folder, sorted.

    Args:
        root: The product's folder.
        data: Globs, as seen from there.

    Raises:
        ConfigError: A glob matches no file.
    """
    names: set[str] = set()
    for pattern in data:
        matches = matching_files(pattern, Path(root))
        if not matches:
            raise ConfigError(
                f"execute.target.data names {pattern!r}, which matches no file in {root!r}, the product's folder "
                "(execute.target.root), expected at least one: correct it, or take it out"
            )
        names.update(matches)
    return sorted(names)


def product_inputs(settings: TargetSettings) -> tuple[str, ...]:
    """Return the files and folders of a product that decide its answers, as seen from the project, sorted.

    A glob for a whole folder gives the folder; one that matches nothing gives nothing, and is refused where it is read.
    """
    match settings:
        case RecordedSettings():
            return (settings.path,)
        case PythonSettings():
            names = {name for pattern in settings.data for name in _inputs(pattern, settings.root)}
            return tuple(sorted(os.path.normpath(Path(settings.root) / name) for name in names))
        case _:
            return ()


def _inputs(pattern: str, root: str) -> list[str]:
    folder = pattern.removesuffix(FOLDER)
    is_whole = folder != pattern and not glob.has_magic(folder) and (Path(root) / folder).is_dir()
    return [folder] if is_whole else matching_files(pattern, Path(root))


def installed_version(module: str) -> str:
    """Return `name==version` of the distribution that a module is installed from; empty where no version is known.

    The version of an editable installation stays while its code changes, so it tells nothing.
    """
    names = sorted(set(metadata.packages_distributions().get(module.partition(".")[0], [])))
    distributions = [metadata.distribution(name) for name in names]
    if any(EDITABLE.search(one.read_text("direct_url.json") or "") for one in distributions):
        return ""
    return " ".join(f"{one.name}=={one.version}" for one in distributions)
