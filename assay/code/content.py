"""Files that a program reads beside its modules: found by globs, known by their bytes."""

import glob
import hashlib
import os
from pathlib import Path

from assay.code.source_scan import DIGITS, unreadable


def matching_files(pattern: str, folder: Path) -> list[str]:
    """Names of the files that a glob matches, as seen from the folder, with `/` on every system.

    By one rule in every Python (`Path.glob` reads `**` differently since 3.13).
    """
    names = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - see above
    files = [name for name in names if "__pycache__" not in Path(name).parts and (folder / name).is_file()]
    return [os.path.normpath(name).replace(os.sep, "/") for name in files]


def content_digest(file: Path) -> str:
    """Digest of the bytes of a file, 16 hex digits.

    Raises:
        CodeError: The file cannot be read.
    """
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        raise unreadable(file, error) from error
