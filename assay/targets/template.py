"""Templates of requests: `{{name}}` stands for a value, and a value is never read again: no text becomes template.

`{{inputs.name}}` stands for one of a case's named values. There are no expressions and loops: nothing that a product or
a user wrote can be executed.
"""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

from assay.records import named

Template = TypeVar("Template")
INPUTS, CONTEXTS = "inputs", "contexts"
KEYED = f"{INPUTS}."
"""What the placeholder of one of a case's named values begins with."""
_PLACEHOLDER = re.compile(rf"\{{\{{ ?([a-z_]{{1,40}}|{INPUTS}\.{named.KEY}) ?\}}\}}")


def fill(template: Any, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return the template with every placeholder replaced, in texts at any depth.

    Args:
        template: A JSON value. A text that is one placeholder and nothing else becomes the value itself, whatever its
            type; inside a longer text a value that is no text is written as JSON. Keys are left as they are.
        values: One for each placeholder.

    Raises:
        KeyError: A placeholder has no value; `unknown` finds it beforehand.
    """
    match template:
        case str():
            whole = _PLACEHOLDER.fullmatch(template)
            return _value(whole[1], values) if whole else fill_text(template, values)
        case Mapping():
            return {key: fill(part, values) for key, part in template.items()}
        case list() | tuple():
            return [fill(part, values) for part in template]
        case _:
            return template


def fill_text(template: str, values: Mapping[str, Any]) -> str:
    """Return a text with every placeholder replaced; a value that is no text is written as JSON."""
    return _PLACEHOLDER.sub(lambda found: named.shown(_value(found[1], values)), template)


def placeholders(template: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    """Return the names of all placeholders of a template."""
    match template:
        case str():
            return set(_PLACEHOLDER.findall(template))
        case Mapping():
            return placeholders(list(template.values()))
        case list() | tuple():
            return set().union(*map(placeholders, template))
        case _:
            return set()


def input_names(template: Any) -> set[str]:  # noqa: ANN401 - any JSON value
    """Return the names of the case's named values that a template takes one by one."""
    return {name.removeprefix(KEYED) for name in placeholders(template) if name.startswith(KEYED)}


def checked(template: Template, known: frozenset[str]) -> Template:
    """Return the template as it is.

    Args:
        template: A JSON value.
        known: Names of placeholders; `inputs.` is that of any named value of the case.

    Raises:
        ValueError: It names a placeholder that is not known; pydantic adds the parameter's name.
    """
    unknown = {name for name in placeholders(template) if name not in known and _kind(name) not in known}
    if unknown:
        listed = [f"{{{{{name}<name>}}}}" if name == KEYED else f"{{{{{name}}}}}" for name in sorted(known)]
        raise ValueError(
            f"found the placeholder {{{{{min(unknown)}}}}}, expected one of {', '.join(listed) or 'none'}: "
            "correct params.yaml"
        )
    return template


def _kind(name: str) -> str:
    return KEYED if name.startswith(KEYED) else name


def _value(name: str, values: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    return values[INPUTS][name.removeprefix(KEYED)] if name.startswith(KEYED) else values[name]
