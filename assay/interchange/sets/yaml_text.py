"""YAML as strangers write it, as JSON values: read into a graph first, which is measured before anything unfolds.

Plain words mean what YAML 1.2 says, as in the JavaScript tools that write such files: `yes`, `on` and 2026-11-30 are
texts. PyYAML's loaders follow YAML 1.1, where they are no texts, so the graph is turned into values here, and no
constructor of PyYAML ever runs.
"""

import re
from typing import Any

import yaml

from assay.errors import DataError
from assay.interchange.sets.builder import one_line, quoted, shown
from assay.records.record import LONE

MOST_LETTERS = 5_000_000
"""Characters of a file at most."""
DEPTH = 100
"""Levels of mappings and sequences."""
UNFOLDED = 1_000_000
"""Nodes at most when each alias is replaced by what it names."""
MERGE = "<<"
TAGS = {f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map", "merge")}
NULL = ("", "~", "null", "Null", "NULL")
TRUTH = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
WHOLE = re.compile(r"[-+]?[0-9]{1,100}")
NUMBER = re.compile(r"[-+]?(\.[0-9]{1,100}|[0-9]{1,100}(\.[0-9]{0,100})?)([eE][-+]?[0-9]{1,3})?")
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def value(text: str, where: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return the JSON value of one YAML document.

    Raises:
        DataError: It is no YAML, too large or deep, unfolds to too much, holds a tag, or has a name twice in a mapping.
    """
    if len(text) > MOST_LETTERS:
        raise DataError(f"{where} has {len(text):,} characters, expected YAML of at most {MOST_LETTERS:,}: split it")
    try:
        _require_shallow(text, where)
        root = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, ValueError) as error:
        raise DataError(f"{where} is no YAML ({one_line(str(error))}), expected one document: correct it") from error
    if root is None:
        return None
    _require_finite(root, where)
    return _Values(where).of(root)


def _require_shallow(text: str, where: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > DEPTH:
            raise DataError(f"{where} is nested deeper than {DEPTH} levels, expected fewer: flatten it")


def _require_finite(root: yaml.Node, where: str) -> None:
    """Refuse aliases that lead back to where they stand, or unfold to too much or too deep."""
    size: dict[int, int] = {}
    height: dict[int, int] = {}
    open_: set[int] = set()
    stack = [root]
    while stack:
        node = stack[-1]
        below = _below(node)
        waiting = [child for child in below if id(child) not in size]
        if id(node) not in size and waiting:
            open_.add(id(node))
            if any(id(child) in open_ for child in waiting):
                raise DataError(f"{where} has an alias of what it stands in, expected a finite value: write it out")
            stack += waiting
            continue
        stack.pop()
        open_.discard(id(node))
        size[id(node)] = min(1 + sum(size[id(child)] for child in below), UNFOLDED + 1)
        height[id(node)] = 1 + max((height[id(child)] for child in below), default=0)
    if height[id(root)] > DEPTH + 1:
        raise DataError(f"{where} is nested deeper than {DEPTH} levels, expected fewer: flatten it")
    if size[id(root)] > UNFOLDED:
        raise DataError(f"{where} unfolds to more than {UNFOLDED:,} values, expected fewer: use fewer aliases")


def _below(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


class _Values:
    """Turns the nodes of a finite graph into values."""

    def __init__(self, where: str) -> None:
        self._where = where

    def of(self, node: yaml.Node) -> Any:  # noqa: ANN401 - any JSON value
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in TAGS:
            raise self._fault(node, f"the tag {quoted(node.tag)}", "plain values: write it out")
        if isinstance(node, yaml.SequenceNode):
            return [self.of(child) for child in node.value]
        return self._mapping(node)

    def _mapping(self, node: yaml.Node) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise self._fault(key, "a name that is no text", "a text: correct it")
            if key.value == MERGE and not key.style:
                for part in child.value if isinstance(child, yaml.SequenceNode) else [child]:
                    if not isinstance(part, yaml.MappingNode):
                        raise self._fault(part, "a merge of what is no mapping", "an alias of one: correct it")
                    merged = self._mapping(part) | merged
                continue
            if key.value in own:
                raise self._fault(key, f"the name {quoted(key.value)} twice", "each once: rename one of them")
            own[key.value] = self.of(child)
        return merged | own

    def _scalar(self, node: yaml.ScalarNode) -> Any:  # noqa: ANN401 - text, number, truth or null
        text = node.value
        if node.tag not in TAGS and not node.tag.endswith((":timestamp", ":value")):
            raise self._fault(node, f"the tag {quoted(node.tag)}", "plain values: write it out")
        if not text.isascii() and LONE.search(text):
            raise self._fault(node, "half a character (a lone surrogate)", "whole ones: mend it")
        if node.style:
            return text
        if text in NULL:
            return None
        if text in TRUTH:
            return TRUTH[text]
        if WHOLE.fullmatch(text):
            return int(text)
        return float(text) if NUMBER.fullmatch(text) else text

    def _fault(self, node: yaml.Node, found: str, expected: str) -> DataError:
        line = node.start_mark.line + 1
        return DataError(f"{self._where}, line {line} has {shown(found)}, expected {expected}")
