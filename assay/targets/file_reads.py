"""Files that a Python product reads without declaring them, noticed in its own process by an audit hook.

What a compiled library opens by itself (SQLite, say) and what another process reads is not seen.
"""

import importlib.util
import os
import sys
from collections import deque
from collections.abc import Collection
from pathlib import Path
from typing import Any

import assay

MOST_FILES = 20
"""Undeclared files that are told of; one is enough to know that the version is not known."""
MOST_SETTLED = 10_000
"""Paths that are remembered as looked at."""
LONGEST_NAME = 160
"""Characters of a name that are told."""
_FRESH = os.O_CREAT | os.O_TRUNC
"""Ways to open for reading and writing that make the file, or empty it: what is read there the process wrote itself."""


class FileReads:
    """Reads of files under the product's folder that are not among the declared ones, each told once."""

    def __init__(self, root: str, declared: Collection[str]) -> None:
        """Prepare; nothing is watched yet.

        Args:
            root: The product's folder, absolute.
            declared: Its modules and data files, as seen from there.
        """
        self._root = str(Path(root) / "_").removesuffix("_")
        self._met = set(declared)
        self._left = MOST_FILES
        self._new: deque[str] = deque()
        self._settled: set[str | bytes] = set()
        """Paths as they were opened that need not be looked at again."""
        elsewhere = {sys.prefix, sys.base_prefix, sys.exec_prefix, str(Path(assay.__file__).parent)}
        # An environment in the product's folder is no part of it; a product in the environment's (/usr/src) is.
        self._elsewhere = tuple(f"{folder}{os.sep}" for folder in elsewhere if folder.startswith(self._root))

    def watch(self) -> None:
        """Notice reads from now on; a hook stays for as long as the process."""
        sys.addaudithook(self._hook)

    def take(self) -> list[str]:
        """Return the files that were read since the last call, as seen from the product's folder."""
        return [self._new.popleft() for _ in range(len(self._new))]

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not isinstance(path, int) and path not in self._settled and self._left > 0:
                self._look(path, flags)
        elif event == "os.chdir":
            self._settled.clear()  # the same words name other files from now on

    def _look(self, path: str | bytes, flags: int) -> None:
        if flags & os.O_ACCMODE == os.O_WRONLY or (flags & os.O_RDWR and flags & _FRESH):
            return
        try:
            is_settled = self._is_settled(os.path.abspath(os.fsdecode(path)))  # noqa: PTH100 - links stay, and it is faster
        except (OSError, TypeError, ValueError):  # a name that no file has: the call itself will say so
            return
        if is_settled and len(self._settled) < MOST_SETTLED:
            self._settled.add(path)

    def _is_settled(self, path: str) -> bool:
        """Take down an undeclared file; return whether it need not be looked at again."""
        if not path.startswith(self._root) or path.startswith(self._elsewhere):
            return True
        if path.endswith(".pyc"):
            path = _module_file(path)
        name = path[len(self._root) :]
        if name in self._met:
            return True
        if not os.path.isfile(path):  # noqa: PTH113 - one call a file that is opened
            return False
        self._met.add(name)
        self._left -= 1
        self._new.append(os.fsencode(name).decode("utf8", "replace")[:LONGEST_NAME])
        return True


def _module_file(path: str) -> str:
    """Return the source file of byte code, or the byte code itself where it has none."""
    try:
        source = importlib.util.source_from_cache(path)
    except ValueError:
        return path
    return source if Path(source).is_file() else path
