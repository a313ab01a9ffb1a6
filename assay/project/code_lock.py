"""The code lock: assay.lock holds the tool's version and one fingerprint of the code of each stage.

DVC depends on the fingerprints, so that a stage runs again when its code has changed, and never otherwise. Every
command of `assay` that runs or records a stage refreshes the file; a stage that DVC starts refuses a stale one.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

import assay
from assay.code.fingerprint import closure, source_file
from assay.errors import CodeError, ConfigError
from assay.project import files, params
from assay.project.distribution import tool_version
from assay.records.record import Record, digest
from assay.text import first_fault, one_line
from assay.yaml_text import YamlError, parse_yaml

LOCK = "assay.lock"
CACHE = "code.json"
STAGES = ("generate", "review", "execute", "judge", "calibrate", "monitor", "publish")
"""The stages that DVC knows; a release tags the commit that holds what they made."""
HEAD = "# Written by `assay`: its version, and a fingerprint of the code of each stage. Commit it; never edit it.\n"
FIX = "run `assay lock` (or any run of `assay`), then do the same again"


class CodeLock(Record):
    """The content of assay.lock."""

    assay: str
    code: dict[str, str]


def compute() -> CodeLock:
    """Return the lock as it should be now.

    Raises:
        ConfigError: A file of the code is no Python, or what it declares is missing.
    """
    return CodeLock(assay=tool_version(), code={stage: fingerprint(stage) for stage in STAGES})


def fingerprint(stage: str) -> str:
    """Return the fingerprint of all code that a stage runs: of the tool, of the project, of the product.

    Raises:
        ConfigError: A file of the code is no Python, or what it declares is missing.
    """
    root, cache = files.root(), files.private(CACHE)
    tool = Path(assay.__file__).parent.parent
    parts = [(f"tasks.{stage}", root)] if (root / f"tasks/{stage}.py").is_file() else []
    # A module of an installed package is not looked at: it is its version's business. So is all that lies beside the
    # tool where that is installed.
    parts += [(module, folder) for module, folder in _product(stage) if source_file(module, folder)]
    try:
        own = closure([f"assay.stages.{stage}"], [tool], only=("assay",), cache=cache)
        others = [closure([module], [folder], without=("assay",), cache=cache) for module, folder in parts]
        return digest([code.digest for code in (own, *others)])
    except CodeError as error:
        raise ConfigError(f"the code of {stage}: {error}") from error


def read() -> CodeLock | None:
    """Return the lock on file; None where there is none yet.

    Raises:
        ConfigError: It is no lock.
    """
    if not files.exists(LOCK):
        return None
    try:
        return CodeLock.model_validate(parse_yaml(files.path(LOCK).read_bytes()))
    except (YamlError, ValidationError) as error:
        fault = first_fault(error) if isinstance(error, ValidationError) else one_line(error)
        raise ConfigError(
            f"{LOCK} is no lock ({fault}), expected what `assay lock` writes: delete it and {FIX}"
        ) from error


def changes() -> list[str]:
    """Return what differs between the lock on file and the code; empty where it is fresh."""
    return _differences(read(), compute())


def _differences(known: CodeLock | None, now: CodeLock) -> list[str]:
    if known is None:
        return [f"{LOCK} is missing"]
    moved = [stage for stage in STAGES if known.code.get(stage) != now.code[stage]]
    differences = [f"the code of {', '.join(moved)} changed"] if moved else []
    if known.assay != now.assay:
        differences.append(f"assay is {now.assay}, was {known.assay}")
    return differences


def refresh() -> list[str]:
    """Write the lock where it is stale, and say in a line on stderr what changed; return what did."""
    is_new, differences = not files.exists(LOCK), write()
    if differences and not is_new:
        sys.stderr.write(f"assay: {'; '.join(differences)}: {LOCK} says so now, commit it with your change\n")
    return differences


def write() -> list[str]:
    """Write the lock where it is stale; return what changed, for whoever says it."""
    known, now = read(), compute()
    if differences := _differences(known, now):
        text = HEAD + yaml.safe_dump(now.model_dump(), sort_keys=False)
        files.write_bytes(LOCK, text.encode())
    return differences


def require_fresh(stage: str) -> None:
    """Refuse a lock that does not know the code of a stage as it is.

    Raises:
        ConfigError: The lock is missing or stale.
    """
    known = read()
    if known is None or known.code.get(stage) != fingerprint(stage):
        what = "is missing" if known is None else f"is of other code of {stage} than is here"
        raise ConfigError(f"{LOCK} {what}, expected the fingerprint of this code: {FIX}")


def _product(stage: str) -> list[tuple[str, Path]]:
    """Return the modules of product and project that a stage runs, each with the folder that it is imported from."""
    whole = params.read_file()
    if stage == "judge":
        named = _section(whole, stage).get("check_modules")
        return [(str(module), files.root()) for module in named] if isinstance(named, list) else []
    owner = _section(whole, stage) if stage == "generate" else _section(_section(whole, "execute"), "target")
    modules = [str(owner.get("function") or "").partition(":")[0], str(owner.get("environment") or "")]
    folder = (files.root() / str(owner.get("root") or ".")).resolve()
    return [(module, folder) for module in modules if module] if stage in ("generate", "execute") else []


def _section(whole: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = whole.get(name)
    return section if isinstance(section, Mapping) else {}
