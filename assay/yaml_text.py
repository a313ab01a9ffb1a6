"""YAML that a person wrote: any fault of it is one error with one line of text."""

from typing import Any

import yaml

from assay.errors import DataError
from assay.text import one_line

MOST_BYTES = 100_000
"""Of one text; a file that a person wrote is a tenth of that."""
MAX_NAME = 80


class YamlError(DataError):
    """The text is no YAML; the caller says which file, and what to do."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which refuses a mapping that has a name twice instead of taking the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        """Return a mapping."""
        seen: set[tuple[str, str]] = set()
        for key, _ in node.value:
            name = (key.tag, key.value) if isinstance(key, yaml.ScalarNode) else None
            if name and name in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"the name {name[1][:MAX_NAME]!r} stands there twice, expected each once",
                    problem_mark=key.start_mark,
                )
            if name:
                seen.add(name)
        return super().construct_mapping(node, deep=deep)


def parse_yaml(text: str | bytes) -> Any:  # noqa: ANN401 - any YAML value
    """Return the value of a YAML text in UTF-8.

    Raises:
        YamlError: It is none, longer than `MOST_BYTES`, nested too deeply, has a name twice in one mapping, or holds a
            number or date that cannot be.
    """
    data = text.encode(errors="replace") if isinstance(text, str) else text
    if len(data) > MOST_BYTES:
        raise YamlError(f"it has {len(data):,} bytes, expected at most {MOST_BYTES:,}")
    try:
        return yaml.load(text.decode() if isinstance(text, bytes) else text, Loader=_Loader)  # noqa: S506 - a safe one
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(one_line(error)) from error
