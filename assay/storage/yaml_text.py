"""YAML that a person wrote: any fault of it is one error with one line of text."""

from typing import Any

import yaml

from assay.errors import DataError
from assay.text import one_line


class YamlError(DataError):
    """The text is no YAML; the caller says which file, and what to do."""


def parse_yaml(text: str | bytes) -> Any:  # noqa: ANN401 - any YAML value
    """Return the value of a YAML text in UTF-8.

    Raises:
        YamlError: It is none, nested too deeply, or holds a number or date that cannot be.
    """
    try:
        return yaml.safe_load(text.decode() if isinstance(text, bytes) else text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise YamlError(one_line(error)) from error
