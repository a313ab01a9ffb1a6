"""promptfoo's tests as a table: a column is a variable, and columns with two underscores say the rest of a test."""

import re
from collections.abc import Mapping
from typing import Any

from assay.interchange.sets import model_graded, promptfoo_assertions

EXPECTED = "__expected"
_COLUMN = re.compile(r"__expected\d*")
_CONFIG = re.compile(r"__config:(__expected\d*):(\w+)")
_THRESHOLD = re.compile(r"\((\d+(?:\.\d+)?)\)")
_SCRIPTS = {"javascript": ("javascript:", "fn:", "eval:"), "python": ("python:",), "llm-rubric": ("grade:",)}
KNOWN = sorted(
    {
        *promptfoo_assertions.READERS,
        *model_graded.RUBRICS,
        *model_graded.REFERENCES,
        *model_graded.TO_DO,
        *model_graded.WITHOUT,
    },
    key=len,
    reverse=True,
)
"""Types of assertions, the longest first, so that none is taken for the beginning of another."""
_LISTS = ("contains-all", "contains-any", "icontains-all", "icontains-any")


def is_table(names: frozenset[str]) -> bool:
    """Tell whether columns are those of promptfoo."""
    return any(_COLUMN.fullmatch(name) for name in names)


def test(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as a test of promptfoo's."""
    variables = {name: cell for name, cell in row.items() if not name.startswith("__")}
    metadata = {name.removeprefix("__metadata:"): row[name] for name in row if name.startswith("__metadata:")}
    options = {name: row[f"__{name}"] for name in ("prefix", "suffix") if row.get(f"__{name}")}
    asserted = {name: assertion(row[name]) for name in row if _COLUMN.fullmatch(name) and row[name].strip()}
    used = {"__description", "__prefix", "__suffix", *asserted, *(f"__metadata:{name}" for name in metadata)}
    for name in row:
        config = _CONFIG.fullmatch(name)
        if config and config[1] in asserted and row[name]:
            asserted[config[1]][config[2]] = _number(row[name])
            used.add(name)
    rest = {name: cell for name, cell in row.items() if name.startswith("__") and name not in used}
    return {
        "vars": variables,
        "assert": list(asserted.values()),
        "description": row.get("__description", ""),
        "metadata": {name.removesuffix("[]"): cell for name, cell in metadata.items() if cell},
        "options": options,
        **rest,
    }


def assertion(text: str) -> dict[str, Any]:
    """Return the assertion that a cell spells, such as `latency(1000)`; any other text is what the answer equals."""
    plain = text.strip()
    for kind, heads in _SCRIPTS.items():
        for head in heads:
            if plain.startswith(head):
                return {"type": kind, "value": plain.removeprefix(head).strip()}
    if plain.startswith("file:"):
        return {"type": "python" if plain.partition(".py")[1] else "javascript", "value": plain}
    negated = "not-" if plain.startswith("not-") else ""
    bare = plain.removeprefix(negated)
    for kind in KNOWN:
        if bare.startswith(kind) and (found := _parts(bare.removeprefix(kind))) is not None:
            value, threshold = found
            several = [part.strip() for part in value.split(",")] if kind in _LISTS else value
            return {"type": f"{negated}{kind}", **({"value": several} if value else {}), **threshold}
    return {"type": "equals", "value": text}


def _parts(rest: str) -> tuple[str, dict[str, float]] | None:
    """Return the value and the threshold behind a type; None where the text goes on otherwise."""
    bound = _THRESHOLD.match(rest)
    after = rest[bound.end() :] if bound else rest
    if after and not after.startswith(":"):
        return None
    return after[1:].strip(), {"threshold": float(bound[1])} if bound else {}


def _number(text: str) -> Any:  # noqa: ANN401 - a number where it is one
    try:
        return float(text)
    except ValueError:
        return text
