"""Judges of before they had a declaration: the head of `prompt.md` said what they are asked.

What `assay upgrade` writes for one of them moves no verdict: its prompt and rubric stay, and so does its fingerprint.
"""

import tomllib
from typing import Any

import yaml

from assay.errors import ConfigError
from assay.judges.declaration import Declaration
from assay.text import one_line

WRITTEN = (
    "# Says what this judge is asked; written by `assay upgrade` from the head of prompt.md, which stays as it was.\n"
)


def declaration_of(prompt: str, where: str) -> str:
    """Return the `judge.yaml` of a judge from its old `prompt.md`.

    Args:
        prompt: The file's text.
        where: What a message calls it.

    Raises:
        ConfigError: It has no head that says question and texts.
    """
    try:
        _, head, _ = prompt.split("+++\n", maxsplit=2)
        asked = tomllib.loads(head)
        question, texts = str(asked["question"]), [str(name) for name in asked["texts"]]
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{where} has no head between two lines of +++ that says question and texts ({one_line(error)}), expected "
            "the one of a judge of before: write a judge.yaml beside it"
        ) from error
    shown = list(dict.fromkeys("response" if name.startswith("response") else name for name in texts))
    fields: dict[str, Any] = {"question": question, "input": shown, "reasoning": "none"}
    required = [name for name in ("reference", "contexts") if name in shown and question != "pairwise"]
    fields |= {"requires": required} if required else {}
    if "contexts" in shown:
        fields |= {"scope": "traces", "model": {"embedded": "lexical-grounding"}}
    if question == "pairwise":
        fields |= {"blocks": False}
    Declaration.model_validate(fields)
    return WRITTEN + yaml.safe_dump(fields, sort_keys=False, default_flow_style=None)
