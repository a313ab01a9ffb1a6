"""Merge of dvc.lock: the tables of a night are those of the run whose verdict counts, so its entries follow that run.

Reads both sides from Git; writes nothing.
"""

from typing import Any

import yaml

from assay.errors import DataError
from assay.project.programs import content
from assay.project.results import GATE
from assay.text import one_line
from assay.yaml_text import YamlError, parse_yaml

DVC_LOCK = "dvc.lock"
NIGHT = ("execute", "judge", "calibrate", "monitor", "publish")
"""The stages of a night, whose entries are taken together."""
STAGES = {"ours": 2, "theirs": 3}
"""As Git's index numbers the sides of a conflict."""
HEADS = {"ours": "HEAD", "theirs": "MERGE_HEAD"}
"""Where a side's file is read that Git has merged."""


def side_of_verdict(later: str) -> str:
    """Return the side whose verdict the merge has.

    Args:
        later: The side whose run is later; it counts where gate.json is in conflict.
    """
    merged = content(":0", GATE)
    if merged is None:
        return later
    return next((side for side in (later, "ours", "theirs") if content(HEADS[side], GATE) == merged), later)


def joined_lock(side: str) -> bytes | None:
    """Return dvc.lock with the entries of a night as one side has them, and all others as they are on our branch.

    Entries that Git has merged by itself stay as it merged them.

    Args:
        side: Whose night counts.

    Returns:
        The file; None where it is that already, or one of the branches has none.

    Raises:
        DataError: A side is no lock file of DVC.
    """
    data = {name: _side(name) for name in STAGES}
    if data["ours"] is None or data["theirs"] is None:
        return None
    merged = content(":0", DVC_LOCK)
    rest, night = _stages(merged or data["ours"], "ours"), _stages(data[side] or b"", side)
    names = dict.fromkeys([*rest["stages"], *night["stages"]])
    sources = {name: (night if name in NIGHT else rest)["stages"] for name in names}
    stages = {name: source[name] for name, source in sources.items() if name in source}
    if merged and stages == rest["stages"]:
        return None
    return yaml.safe_dump(rest | {"stages": stages}, sort_keys=False, allow_unicode=True, width=float("inf")).encode()


def _side(side: str) -> bytes | None:
    data = content(f":{STAGES[side]}", DVC_LOCK)
    return content(HEADS[side], DVC_LOCK) if data is None else data


def _stages(data: bytes, side: str) -> dict[str, Any]:
    """Return a lock file that has a mapping of stages."""
    try:
        found = parse_yaml(data)
    except YamlError as error:
        raise _no_lock(side, one_line(error)) from error
    if not isinstance(found, dict) or not isinstance(found.setdefault("stages", {}), dict):
        raise _no_lock(side, "it has no stages")
    return found


def _no_lock(side: str, why: str) -> DataError:
    branch = "our branch" if side == "ours" else "their branch"
    return DataError(f"{DVC_LOCK} on {branch} cannot be read ({why}), expected DVC's lock file: restore it there")
