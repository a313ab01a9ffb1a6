"""A product's own code for tests of stages: an environment with one tool, and a function that answers."""

import json
from typing import Any


class Environment:
    """A library in which everything can be looked up."""

    def __init__(self) -> None:
        """Start with nothing looked up."""
        self._looked_up: list[str] = []

    tools: list[dict[str, Any]] = [  # noqa: RUF012 - part of the protocol
        {
            "type": "function",
            "function": {
                "name": "look_up",
                "parameters": {"type": "object", "properties": {"text": {"type": "string"}}},
            },
        }
    ]

    def call(self, name: str, arguments: str) -> str:
        """Look something up."""
        self._looked_up.append(json.loads(arguments)["text"])
        return json.dumps({"found": name})

    def state(self) -> dict[str, Any]:
        """Return what was looked up."""
        return {"looked_up": self._looked_up}


def answer(messages: list[dict[str, str]]) -> str:
    """Answer every question with itself."""
    return f"Within 14 days. You asked: {messages[-1]['content']}"
