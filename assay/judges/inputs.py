"""Named values of a case in rubrics: `{{inputs.<name>}}`.

A judge's own rubric is an instruction, the same in every call, so a value never stands in it: the rubric names the
section in which the value is shown as data. A case's rubric is data itself, and has its values filled in.
"""

import re
from collections.abc import Mapping
from typing import Any

from assay.errors import ConfigError
from assay.judges.declaration import INPUTS, Declaration, text_name
from assay.records import named

_HOLE = re.compile(rf"\{{\{{ ?inputs\.({named.KEY}) ?\}}\}}")


def names(rubric: str) -> set[str]:
    """Return the names of the values that a rubric takes."""
    return set(_HOLE.findall(rubric))


def filled(rubric: str, values: Mapping[str, Any]) -> str:
    """Return a case's rubric with its values; a name without a value stays as it is written."""
    return _HOLE.sub(lambda hole: named.shown(values[hole[1]]) if hole[1] in values else hole[0], rubric)


def pointed(rubric: str) -> str:
    """Return a judge's rubric in which the section of a value stands for it."""
    return _HOLE.sub(lambda hole: f"(what stands in <{text_name(INPUTS + hole[1])}>)", rubric)


def require_shown(rubric: str, declared: Declaration, where: str) -> None:
    """Refuse a judge's rubric that takes a value which its prompt does not show.

    Raises:
        ConfigError: The text names it.
    """
    unseen = sorted(name for name in names(rubric) if f"{INPUTS}{name}" not in declared.input)
    if unseen:
        raise ConfigError(
            f"{where} takes {{{{{INPUTS}{unseen[0]}}}}}, which the judge is not shown, expected {INPUTS}{unseen[0]} in "
            "the list `input` of judge.yaml: add it there, or take it out of the rubric"
        )


def lacking(rubric: str, declared: Declaration, values: Mapping[str, Any], own: str) -> list[str]:
    """Return the names that a case's rubric takes, or a judge's takes from every case, and the case does not give.

    Args:
        rubric: Of the judge.
        declared: What it requires is no fault: a case without that is not asked about.
        values: Of the case.
        own: The case's rubric for the judge.
    """
    demanded = {name for name in names(rubric) if f"{INPUTS}{name}" not in declared.requires}
    return sorted((demanded | names(own)) - values.keys())
