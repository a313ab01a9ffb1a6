"""Templates of requests: `{{name}}` stands for a value, and a value is never read again: no text becomes template.

There are no expressions, loops or attributes: nothing that a product or a user wrote can be executed.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

Template = TypeVar("Template")
_PLACEHOLDER = re.compile(r"\{\{ ?([a-z_]{1,40}) ?\}\}")


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
            return values[whole[1]] if whole else fill_text(template, values)
        case Mapping():
            return {key: fill(part, values) for key, part in template.items()}
        case list() | tuple():
            return [fill(part, values) for part in template]
        case _:
            return template


def fill_text(template: str, values: Mapping[str, Any]) -> str:
    """Return a text with every placeholder replaced; a value that is no text is written as JSON."""
    return _PLACEHOLDER.sub(lambda found: _text(values[found[1]]), template)


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


def checked(template: Template, known: frozenset[str]) -> Template:
    """Return the template as it is.

    Raises:
        ValueError: It names a placeholder that is not known; pydantic adds the parameter's name.
    """
    unknown = placeholders(template) - known
    if unknown:
        raise ValueError(
            f"found the placeholder {{{{{min(unknown)}}}}}, expected one of "
            f"{', '.join(f'{{{{{name}}}}}' for name in sorted(known)) or 'none'}: correct params.yaml"
        )
    return template


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON value
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
