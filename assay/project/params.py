"""The parameters of a project: params.yaml, an environment's file over it, single values over both."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from pydantic import Field, ValidationError

from assay.errors import ConfigError
from assay.project import files
from assay.records.record import Record
from assay.text import first_fault
from assay.yaml_text import YamlError, parse_yaml

Settings = TypeVar("Settings", bound=Record)


class Overrides(Record):
    """The differences of one run from params.yaml: an environment's file, and single values."""

    env: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9_-]{0,49}$|^$")
    """`staging` reads params.staging.yaml over params.yaml; empty for none."""
    values: tuple[str, ...] = ()
    """Each `section.key=value`, the value as YAML; a later one wins."""

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.env or self.values)

    def said(self) -> str:
        """Return the overrides as they are given on the command line; empty for none."""
        return " ".join([*([f"--env {self.env}"] if self.env else []), *(f"--set {value}" for value in self.values)])


_overrides: ContextVar[Overrides] = ContextVar("_overrides", default=Overrides())  # noqa: B039 - it is immutable


def overrides() -> Overrides:
    """Return the overrides of this run."""
    return _overrides.get()


@contextmanager
def overriding(env: str = "", values: Sequence[str] = ()) -> Iterator[Overrides]:
    """Read every section with these overrides inside the block.

    Raises:
        ConfigError: The environment's name is none, its file is missing, or a value is not `section.key=value`.
    """
    try:
        mine = Overrides(env=env, values=tuple(values))
    except ValidationError as error:
        raise ConfigError(f"--env: {first_fault(error)}; name the environment of a params.<env>.yaml") from error
    token = _overrides.set(mine)
    try:
        read_all()
        yield mine
    finally:
        _overrides.reset(token)


def read_params(section: str, settings: type[Settings]) -> Settings:
    """Return one section of the parameters, validated.

    Raises:
        ConfigError: It is missing or at fault; the text names the first fault.
    """
    whole = read_all()
    if section not in whole:
        raise ConfigError(
            f"params.yaml has no section {section!r}, expected one for the stage of that name: "
            f"add it, `{section}: {{}}` where every default fits"
        )
    written = {} if whole[section] is None else whole[section]
    try:
        return settings.model_validate(written)
    except ValidationError as error:
        raise ConfigError(f"{_where()}: {first_fault(error, section, written)}; correct it") from error


def read_all() -> dict[str, Any]:
    """Return every section as it is in force, not validated.

    Raises:
        ConfigError: A file is no YAML mapping, or an override cannot be applied.
    """
    mine, whole = overrides(), read_file()
    if mine.env:
        name = f"params.{mine.env}.yaml"
        if not files.exists(name):
            raise ConfigError(f"--env {mine.env}: {name} is missing, expected it beside params.yaml: write it first")
        whole = _merged(whole, _mapping(name, may_be_empty=True))
    for assignment in mine.values:
        whole = _merged(whole, _assigned(assignment))
    return whole


def read_file() -> dict[str, Any]:
    """Return every section as params.yaml has it, whatever the overrides of this run.

    Raises:
        ConfigError: It is no YAML mapping, or there is none.
    """
    files.root()
    return _mapping(files.PARAMS)


def _where() -> str:
    mine = overrides().said()
    return f"params.yaml with {mine}" if mine else files.PARAMS


def _mapping(name: str, *, may_be_empty: bool = False) -> dict[str, Any]:
    try:
        value = parse_yaml(files.path(name).read_bytes())
    except YamlError as error:
        raise ConfigError(f"{name} is not YAML: {error}; correct it") from error
    if value is None and may_be_empty:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{name} is {type(value).__name__}, expected one section a stage: correct it")
    return value


def _assigned(assignment: str) -> dict[str, Any]:
    """Return `section.key=value` as a mapping of mappings."""
    path, equals, text = assignment.partition("=")
    keys = path.strip().split(".")
    if not equals or len(keys) < 2 or not all(keys):  # noqa: PLR2004 - a section and a key
        raise ConfigError(
            f"--set {assignment[:80]!r}: expected section.key=value, such as execute.trials=3: correct it"
        )
    try:
        value: Any = parse_yaml(text)
    except YamlError as error:
        raise ConfigError(f"--set {path}: {text[:80]!r} is not YAML ({error}): quote it") from error
    for key in reversed(keys):
        value = {key: value}
    mapping: dict[str, Any] = value
    return mapping


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Return one mapping over another, mappings inside them merged, everything else replaced."""
    merged = dict(below)
    for key, value in above.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged
