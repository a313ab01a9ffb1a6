"""The written evaluation set of the sample product: `cases/<category>.yaml`.

A file holds the fields that its cases share, and the cases; what a case says itself goes before what is shared.
"""

from importlib import resources
from typing import Any

import yaml
from pydantic import ValidationError

from assay.errors import DataError
from assay.records import Case


def load_cases() -> list[Case]:
    """Return all written cases, by id.

    Raises:
        DataError: A file is not as described, a case breaks its record, or two cases have one id.
    """
    folder = resources.files("examples.support") / "cases"
    cases = [
        case
        for file in folder.iterdir()
        if file.name.endswith(".yaml")
        for case in parse(file.name, file.read_text("utf-8"))
    ]
    seen: set[str] = set()
    for case in cases:
        if case.case_id in seen:
            raise DataError(f"cases: {case.case_id!r} occurs twice; case ids must be unique, rename one")
        seen.add(case.case_id)
    return sorted(cases, key=lambda case: case.case_id)


def parse(name: str, text: str) -> list[Case]:
    """Read the cases of one file; `name` is for the error messages."""
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise DataError(f"{name}: the text is not YAML ({error}); correct the file") from error
    if not isinstance(content, dict) or set(content) != {"shared", "cases"} or not isinstance(content["cases"], list):
        raise DataError(f"{name}: expected the two fields `shared` and `cases` (a list); correct the file")
    return [_case(name, content["shared"], own) for own in content["cases"]]


def _case(name: str, shared: Any, own: Any) -> Case:  # noqa: ANN401 - any YAML value
    if not isinstance(shared, dict) or not isinstance(own, dict):
        raise DataError(f"{name}: `shared` and each case must be mappings of fields; correct the file")
    try:
        case = Case.model_validate({**shared, **own})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise DataError(f"{name}: case {own.get('case_id')!r}: {where}: {first['msg']}; correct the case") from error
    if not case.reference and not case.expectations:
        raise DataError(f"{name}: case {case.case_id!r} has neither a reference nor an expectation; add one")
    return case
