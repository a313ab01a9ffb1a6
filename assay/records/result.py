"""The result of one case in one trial of a version, wherever it was filed: what versions are compared by."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NONE: Mapping[str, bool | None] = MappingProxyType({})


class TrialResult(NamedTuple):
    """Whether one case passed in one trial; what nobody says of it is empty or None."""

    case_id: str
    passed: bool | None
    """None where it has no outcome: a call failed, or a scorer gave no verdict."""
    category: str = ""
    family: str = ""
    """Cases of one family may share their luck; empty for a case of its own."""
    layer: str = ""
    scorers: Mapping[str, bool | None] = NONE
    """By check and judge, what each of them said."""
    cost_usd: float | None = None
    latency_s: float | None = None
    revision: str = ""
    """Hash of the case's content; where both versions have one, they have to be the same."""


class VersionResults(NamedTuple):
    """The results of one version of a product."""

    name: str
    """As a sentence calls it."""
    source: str
    """Where they come from, for a reader."""
    identity: str
    """What two names of the same results have in common: the id of a run, or the hash of a file."""
    basis: str
    """What the outcomes rest on, such as `raw, checks and judges, certified`."""
    results: list[TrialResult]
    is_certified: bool = True
    """May its judges be believed? True where no judge of ours is behind it."""
    by_checks: list[TrialResult] | None = None
    """The same by checks alone; None where nobody can tell."""
