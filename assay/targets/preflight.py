"""Preflight of a product: what would keep it from being opened, as far as that shows without starting or asking it."""

import ast
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from assay.code.fingerprint import source_file
from assay.errors import ConfigError, DataError
from assay.records.case import Case
from assay.storage import attachments
from assay.targets.open import header_secrets, no_batch
from assay.targets.product_code import data_files
from assay.targets.recorded import RecordedTarget
from assay.targets.settings import (
    FILES,
    ChatSettings,
    HttpSettings,
    PythonSettings,
    RecordedSettings,
    TargetSettings,
    input_names,
)


def require_openable(settings: TargetSettings, environ: Mapping[str, str], *, mode: str) -> None:
    """Refuse a product that could not be opened.

    Args:
        settings: The section `execute.target` of params.yaml.
        environ: Where the keys are.
        mode: How it will be asked.

    Raises:
        ConfigError: The mode, a variable, a function or a data file that the parameters name is not there.
        DataError: Recorded answers are damaged.
    """
    if mode == "batch" and not isinstance(settings, ChatSettings):
        raise no_batch(settings.kind)
    match settings:
        case HttpSettings():
            header_secrets(settings, environ)
        case PythonSettings():
            _require_function(settings)
            data_files(settings.root, settings.data)
        case RecordedSettings():
            RecordedTarget(settings.name, Path(settings.path))


def require_given(settings: TargetSettings, cases: Iterable[Case]) -> None:
    """Refuse cases that do not give what the product's request takes, or whose files it could not be given.

    Args:
        settings: The section `execute.target` of params.yaml.
        cases: The evaluation set.

    Raises:
        DataError: The text names the first one, and how many lack a value.
        ConfigError: The request has no place for files.
    """
    wanted, lacks = input_names(settings), list[tuple[str, set[str]]]()
    for case in cases:
        if case.attachments:
            _require_files(settings, case)
        if wanted and (lacking := wanted - case.values().keys()):
            lacks.append((case.case_id, lacking))
    if lacks:
        (first, names), more = lacks[0], f" ({len(lacks)} cases lack a value)" if len(lacks) > 1 else ""
        raise DataError(
            f"case {first} has no input {min(names)!r}, expected a value of every case, since execute.target asks with "
            f"{{{{inputs.{min(names)}}}}}{more}: give it one in `inputs`, or take the placeholder out of params.yaml"
        )


def _require_files(settings: TargetSettings, case: Case) -> None:
    """Refuse a case whose files are not there, or would not reach the product."""
    for one in case.attachments:
        if not attachments.is_kept(one):
            raise DataError(f"case {case.case_id}: {attachments.missing(one)}")
    if isinstance(settings, HttpSettings) and not settings.holds() & {*FILES}:
        raise ConfigError(
            f"case {case.case_id} has attachments and the request of execute.target holds none of "
            f"{', '.join(f'{{{{{name}}}}}' for name in FILES)}, so the product would not be given them: add one to body"
        )


def _require_function(settings: PythonSettings) -> None:
    """Refuse a function that its module's file does not define; a module of an installed package is not looked at."""
    module, _, function = settings.function.partition(":")
    where = f"execute.target.function is {settings.function}"
    file = source_file(module, Path(settings.root))
    if file is None:
        if find_spec(module.split(".", maxsplit=1)[0]) is None:
            raise ConfigError(
                f"{where}, but there is no {module} in {settings.root!r}, the product's folder (execute.target.root), "
                "and none is installed: correct one of them"
            )
        return
    try:
        names = _names(ast.parse(file.read_bytes()))
    except (SyntaxError, ValueError) as error:
        raise ConfigError(f"{where}, but {file} is no Python ({error}): fix it") from error
    if function not in names and not names & {"*", "__getattr__"}:
        raise ConfigError(f"{where}, but {file} has no {function}, expected module:name of a function: correct it")


def _names(tree: ast.Module) -> set[str]:
    """Return every name that a module binds or mentions, so that no unusual way to define one is refused."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Name(id=name):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add(other or name.split(".", maxsplit=1)[0])
    return names
