"""The taxonomy of a project: one YAML file a category in data/taxonomy."""

from pathlib import Path

from assay.errors import DataError
from assay.project import files
from assay.records.category import Category
from assay.storage.rows import parse_row
from assay.yaml_text import YamlError, parse_yaml

TAXONOMY = "data/taxonomy"


def read_taxonomy() -> list[Category]:
    """Return the categories of expected failures, by name.

    Raises:
        DataError: There is none, or one is malformed.
    """
    categories = [
        parse_row(Category, _yaml(file), f"{TAXONOMY}/{file.name}", 1)
        for file in sorted((files.root() / TAXONOMY).glob("*.yaml"))
    ]
    if not categories:
        raise DataError(f"{TAXONOMY} has no *.yaml, expected one file a category: write the first one")
    return categories


def _yaml(file: Path) -> object:
    try:
        return parse_yaml(file.read_bytes())
    except YamlError as error:
        raise DataError(f"{TAXONOMY}/{file.name} is not YAML: {error}; correct it") from error
