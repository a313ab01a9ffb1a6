"""Code fingerprints: the import closure of a pipeline stage and a digest of each file in it.

A fingerprint changes with the program and with nothing else: layout, comments, docstrings and the version of Python
(3.11 to 3.13) leave it as it is. A module may declare two things that its imports cannot show:

* `RESOURCES = ("prompt.md", "templates/*.html")`: files that it reads, as globs relative to its folder
* `CHILDREN = ("assay.models.embedded.__main__",)`: modules that it starts with `python -m`

Limits: an import whose name is computed at run time is not followed, nor is a compiled extension; a program that reads
its own docstrings (`__doc__`) is not seen to change with them.
"""

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from assay.code.content import content_digest, matching_files
from assay.code.source_scan import (
    PYTHON,
    SourceScan,
    absolute_name,
    module_digest,
    scan_source,
    short_digest,
    unreadable,
)
from assay.errors import CodeError

__all__ = ["Code", "CodeError", "closure", "module_digest"]

CACHE_FORMAT = 1
"""Version of the cache file; raise it with every change of what a scan holds or how a digest is made."""
_RACY_NS = 2_000_000_000
"""Coarsest clock of a file system: a younger file could change again without a new time stamp."""


@dataclass(frozen=True)
class Code:
    """Fingerprint of the code of one stage."""

    files: dict[str, str]
    """Digest of each module (`a.b`) and of each resource (`a.b:prompt.md`), sorted by name."""
    paths: tuple[Path, ...] = field(default=(), compare=False)
    """The files themselves, sorted; where they lie is no part of the fingerprint."""

    @property
    def digest(self) -> str:
        """Digest of all files together, 16 hex digits."""
        return short_digest(json.dumps(sorted(self.files.items())).encode())


def closure(
    modules: Iterable[str],
    folders: Sequence[Path],
    *,
    without: Collection[str] = (),
    only: Collection[str] = (),
    cache: Path | None = None,
) -> Code:
    """Fingerprint of modules and of all that they import, start or read.

    Args:
        modules: Dotted names of the modules to begin with.
        folders: Where modules are looked for, in this order; what is in none of them is a third-party package.
        without: Top-level packages that are not followed, although they are in one of the folders.
        only: Top-level packages that alone are followed, where others lie beside them as in an installation; empty for
            all.
        cache: JSON file of earlier scans; made where it is missing, unreadable or of another format.

    Raises:
        CodeError: A module or resource is missing, unreadable or not Python.
    """
    finder = _Finder(folders, without, only)
    scans = _ScanCache(cache)
    walk = _ImportWalk(finder, scans)
    for name in modules:
        finder.require(name)
        walk.follow(name)
    scans.save()
    return Code(dict(sorted(walk.files.items())), tuple(sorted(walk.paths)))


def source_file(module: str, folder: Path) -> Path | None:
    """Source file of a module in a folder, found as `closure` finds it; None where it has none there."""
    return _Finder([folder], ()).find(module)


class _Finder:
    """Search for modules in folders, by Python's rules; names count by case on every file system."""

    def __init__(self, folders: Sequence[Path], without: Collection[str], only: Collection[str] = ()) -> None:
        """Prepare the search.

        Args:
            folders: Where to look, in this order.
            without: Top-level packages that count as absent.
            only: Top-level packages beside which all others count as absent; empty for none.
        """
        self._folders = [Path(os.path.abspath(folder)) for folder in folders]  # noqa: PTH100 - links stay as they are
        self._without, self._only = frozenset(without), frozenset(only)
        self._listings: dict[Path, frozenset[str]] = {}

    def is_excluded(self, name: str) -> bool:
        """Whether a module belongs to a package that is not followed."""
        top = name.partition(".")[0]
        return top in self._without or bool(self._only and top not in self._only)

    def find(self, name: str) -> Path | None:
        """Source file of a module; None where it has none, or is a third-party or an excluded one."""
        file: Path | None = None
        folders = [] if self.is_excluded(name) else self._folders
        for part in name.split("."):
            file, folders = self._member(part, folders)
        return file

    def require(self, name: str) -> None:
        """Raise unless a module that was asked for has a source file.

        Raises:
            CodeError: It has none.
        """
        if self.is_excluded(name):
            raise CodeError(
                f"the module {name!r} is to be fingerprinted and belongs to a package that is left out, expected one "
                "or the other: take it out of the modules, or the package out of `without`"
            )
        if self.find(name) is None:
            where = ", ".join(map(str, self._folders)) or "no folder"
            path = name.replace(".", "/")
            raise CodeError(
                f"the module {name!r} is not in {where}, expected {path}.py or {path}/__init__.py there: "
                "fix the name or add its folder, then run again"
            )

    def _member(self, part: str, folders: list[Path]) -> tuple[Path | None, list[Path]]:
        """Source file of one member of a package, and the folders that hold its own members."""
        portions = []
        for folder in folders:
            package = folder / part
            if part in self._names(folder) and "__init__.py" in self._names(package):
                return package / "__init__.py", [package]
            if f"{part}.py" in self._names(folder):
                return folder / f"{part}.py", []
            if part in self._names(folder):
                portions.append(package)
        return None, portions

    def _names(self, folder: Path) -> frozenset[str]:
        """Names in a folder; none where there is no such folder to read, as Python's own search has it."""
        if folder not in self._listings:
            try:
                self._listings[folder] = frozenset(os.listdir(folder))  # noqa: PTH208 - names, not paths
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                self._listings[folder] = frozenset()
        return self._listings[folder]


class _ImportWalk:
    """Walk along imports, children and resources; `files` holds the digests so far, `paths` what was read."""

    def __init__(self, finder: _Finder, scans: "_ScanCache") -> None:
        """Begin with no file.

        Args:
            finder: Tells where modules are.
            scans: Tells what is in them.
        """
        self.files: dict[str, str] = {}
        self.paths: set[Path] = set()
        self._finder = finder
        self._scans = scans
        self._visited: set[str] = set()

    def follow(self, root: str) -> None:
        """Add a module, its parent packages and all that they lead to."""
        pending = [root]
        while pending:
            for name in _with_parents(pending.pop()):
                if name not in self._visited:
                    self._visited.add(name)
                    pending += self._visit(name)

    def _visit(self, name: str) -> Iterator[str]:
        """Add one module and its resources; names of the modules that it leads to."""
        file = self._finder.find(name)
        if file is None:
            return
        scan = self._scans.scan(file)
        self.files[name] = scan.digest
        self.paths.add(file)
        for resource in _resources(file, scan.resources):
            path = file.parent / resource
            self.files[f"{name}:{resource}"] = content_digest(path)
            self.paths.add(path)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        for target in scan.imports:
            absolute = absolute_name(target, package)
            if absolute is not None:
                yield from self._starred(absolute)
        for child in scan.children:
            yield from self._child(child, file)

    def _starred(self, target: str) -> Iterator[str]:
        """Modules that one import names: itself, and for `package.*` the members that `__all__` lists."""
        package, _, member = target.rpartition(".")
        file = self._finder.find(package) if member == "*" else None
        yield target
        if file is not None and file.name == "__init__.py":
            yield from (f"{package}.{export}" for export in self._scans.scan(file).exports)

    def _child(self, child: str, file: Path) -> Iterator[str]:
        """Modules that `python -m child` runs: the module, or the package and its `__main__`.

        Raises:
            CodeError: There is no such module.
        """
        main = f"{child}.__main__"
        if not self._finder.is_excluded(child) and not (self._finder.find(child) or self._finder.find(main)):
            raise CodeError(
                f"{file}: CHILDREN names {child!r}, which is in none of the folders, expected a module that "
                "`python -m` can start: fix the name, then run again"
            )
        yield from (child, main)


def _with_parents(name: str) -> Iterator[str]:
    """Dotted name and the packages above it, outermost first."""
    parts = name.split(".")
    return (".".join(parts[: length + 1]) for length in range(len(parts)))


def _resources(file: Path, patterns: Iterable[str]) -> Iterator[str]:
    """Names of the files that a module declares, as seen from its folder.

    Raises:
        CodeError: A pattern is absolute or matches no file.
    """
    for pattern in patterns:
        matches = [] if Path(pattern).is_absolute() else matching_files(pattern, file.parent)
        if not matches:
            raise CodeError(
                f"{file}: RESOURCES names {pattern!r}, which matches no file, expected at least one, relative to "
                f"{file.parent}: fix the pattern or restore the file, then run again"
            )
        yield from matches


class _Entry(NamedTuple):
    """Scan of a file together with the state of the file that was scanned."""

    stamp: tuple[int, ...]
    scan: SourceScan


class _ScanCache:
    """Scans by file, remembered in a JSON file for as long as the source file stays as it is."""

    def __init__(self, file: Path | None) -> None:
        """Load the cache.

        Args:
            file: Where the cache is, or None to remember nothing beyond this object.
        """
        self._file = file
        self._entries = {} if file is None else _load(file)
        self._scans: dict[Path, SourceScan] = {}
        self._is_changed = False

    def scan(self, file: Path) -> SourceScan:
        """Scan of a source file, from the cache where it is unchanged.

        Raises:
            CodeError: The file cannot be read or parsed, or a declaration in it is not a literal.
        """
        if file not in self._scans:
            try:
                status = file.stat()  # before the content is read: a write in between makes the entry stale, not wrong
            except OSError as error:
                raise unreadable(file, error) from error
            self._scans[file] = self._looked_up(file, status)
        return self._scans[file]

    def _looked_up(self, file: Path, status: os.stat_result) -> SourceScan:
        """Scan of a source file in a certain state; remembered unless the file is too young to tell its states apart.

        The time of the inode's change and its number are part of the state, as a copy may restore time and size.
        """
        stamp = (status.st_mtime_ns, status.st_size, status.st_ctime_ns, status.st_ino)
        entry = self._entries.get(str(file))
        if entry is not None and entry.stamp == stamp:
            return entry.scan
        age_ns = time.time_ns() - status.st_mtime_ns
        scan = scan_source(file)
        if age_ns > _RACY_NS:
            self._entries[str(file)] = _Entry(stamp, scan)
            self._is_changed = True
        return scan

    def save(self) -> None:
        """Replace the cache file where there is something new; entries of deleted files are dropped.

        A cache that cannot be written (a read-only checkout) costs time only, so that is no error.
        """
        if self._file is None or not self._is_changed:
            return
        rows = {
            path: {"stamp": entry.stamp, **entry.scan._asdict()}
            for path, entry in sorted(self._entries.items())
            if Path(path).exists()
        }
        content = json.dumps({"format": CACHE_FORMAT, "python": PYTHON, "files": rows}, indent=1)
        with contextlib.suppress(OSError):
            _replace(self._file, content)


def _load(file: Path) -> dict[str, _Entry]:
    """Entries of a cache file; none where it is missing, damaged or of another format or Python."""
    try:
        content = json.loads(file.read_bytes())
        if (content["format"], content["python"]) != (CACHE_FORMAT, PYTHON):
            return {}
        return {path: _entry(row) for path, row in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _entry(row: dict[str, object]) -> _Entry:
    """Entry of a cache file, checked.

    Raises:
        TypeError: A value is of another type than was written.
        KeyError: A value is missing.
    """
    digest, stamp = row["digest"], row["stamp"]
    if not isinstance(digest, str) or not isinstance(stamp, list):
        raise TypeError(f"the entry has digest {digest!r} and stamp {stamp!r}, expected a string and a list")
    names = [_names_of(row[field]) for field in ("imports", "resources", "children", "exports")]
    return _Entry(tuple(stamp), SourceScan(digest, *names))


def _names_of(value: object) -> tuple[str, ...]:
    """Strings of a JSON list.

    Raises:
        TypeError: It is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"the entry has {value!r}, expected a list of strings")
    return tuple(value)


def _replace(file: Path, content: str) -> None:
    """Write a file in one step: readers see the old content or the new.

    Raises:
        OSError: The folder cannot be written; the old file stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with open(descriptor, "w", encoding="utf8") as target:  # noqa: PTH123 - a descriptor
            target.write(content)
        os.replace(name, file)  # noqa: PTH105 - the name is a string
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise
