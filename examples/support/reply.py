"""What the assistant gives back: a text, or tool calls for its caller to execute."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An answer, or one tool call that has to be executed before there is an answer."""

    text: str = ""
    tool: str = ""
    arguments: dict[str, Any] = field(default_factory=dict)
    contexts: tuple[str, ...] = ()
    """The handbook articles that the text quotes, as `slug: text`."""


def call(tool: str, **arguments: Any) -> Reply:  # noqa: ANN401 - any JSON value
    """Return a reply that asks the caller to execute one tool."""
    return Reply(tool=tool, arguments=arguments)
