"""The reference of checks, made from their forms and docstrings: docs/checks.md, and its JSON Schema beside it.

`python -m assay.checks.reference` prints the page, with `--schema` the schema; a test holds the files against them.
"""

import inspect
import json
import sys
from collections.abc import Iterator
from functools import reduce
from operator import or_
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from assay.checks.form import Form
from assay.checks.registry import KINDS

HEAD = """\
# Checks

Made by `python -m assay.checks.reference`. An expectation of a case names a `check` and says the rest in fields of its
own; an editor completes them by the [JSON Schema](checks.schema.json). `not-` before a check asks for the opposite. A
field of another name or type is refused wherever cases come in, with one sentence: where, what was found, what was
expected. Paths are JSONPath ([paths](execute.md#checks)).

```yaml
expectations:
  - {check: icontains-any, values: ["14 days", fourteen]}
  - {check: numeric, equals: 14, absolute: 0, path: $.days}
  - {check: not-tool-call, calls: [{name: issue_refund}]}
```

A case on file keeps each as one record: texts as `values`, options as the text of one JSON object in them, amounts in
plain digits, calls with their arguments as JSON text. Whoever writes that form is understood for ever.
"""


def union() -> Any:  # noqa: ANN401 - a type that is only known at run time
    """Return the type of an expectation as it is written: one of the forms, told apart by `check`."""
    forms = dict.fromkeys(check.FORM for check in KINDS.values())
    return Annotated[reduce(or_, forms), Field(discriminator="check")]


def schema() -> dict[str, Any]:
    """Return the JSON Schema of an expectation as it is written."""
    return {"title": "Expectation"} | TypeAdapter(union()).json_schema(by_alias=True)


def render() -> str:
    """Return the page as Markdown."""
    return "\n".join([HEAD, *(line for kinds in _by_form() for line in _section(kinds))])


def _by_form() -> list[list[str]]:
    """Return the kinds, those of one form and one module together, in the order of the registry."""
    forms: dict[type[Form], list[str]] = {}
    for kind, check in KINDS.items():
        forms.setdefault(check.FORM, []).append(kind)
    return list(forms.values())


def _section(kinds: list[str]) -> Iterator[str]:
    form = KINDS[kinds[0]].FORM
    yield f"## {', '.join(f'`{kind}`' for kind in kinds)}\n"
    module = inspect.getmodule(form)
    alone = sum(check.FORM.__module__ == form.__module__ for check in KINDS.values()) == len(kinds)
    yield f"{inspect.getdoc(module if alone else form)}\n"
    fields = {field.alias or name: field for name, field in form.model_fields.items() if name != "check"}
    if fields:
        yield "| field | type | default | |"
        yield "|---|---|---|---|"
        described = form.model_json_schema(by_alias=True)
        for name, field in fields.items():
            yield f"| `{name}` | {_type(described['properties'][name])} | {_default(field)} | {_note(field)} |"
        yield ""


def _type(schema: dict[str, Any]) -> str:
    """Return the type of a field as a person calls it."""
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "anyOf" in schema:
        several = dict.fromkeys(_type(one) for one in schema["anyOf"] if one.get("type") != "null")
        return "number" if several.keys() == {"whole number", "number"} else " or ".join(several)
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2].lower()
    named = str(schema.get("type", "any JSON"))
    return {"string": "text", "boolean": "yes or no", "integer": "whole number"}.get(named, named)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "required"
    return "" if field.default in (None, []) else f"`{json.dumps(field.default)}`"


def _note(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2, sort_keys=True) + "\n" if "--schema" in sys.argv else render())
