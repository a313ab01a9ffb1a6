"""Versions of the set: which number follows from which change."""

from typing import Any

import pytest

from assay.errors import ConfigError, DataError
from assay.evalset.versions import Asked, Changes, changes, choose, content, demanded, following, number
from assay.records.case import Case
from assay.records.category import Category
from tests.cast import case

CASES = [case(1), case(2)]
CATEGORY = Category(
    category="refunds", definition="d", examples=["e"], severity="low", quota=1, owner="payments", layer="unit"
)
NOTHING: dict[str, list[str]] = {"added": [], "retired": [], "changed": [], "relabelled": [], "taxonomy": []}
BEFORE = content(CASES, [CATEGORY])


def since(cases: list[Case], *taxonomy: Category) -> Changes:
    return changes(BEFORE, content(cases, list(taxonomy) or [CATEGORY]))


@pytest.mark.parametrize("version", ["1.0.0", "v1.0", "v01.0.0", "v1.0.0; rm -rf", "v1.0.0\n", "", "v1.0.0-rc1"])
def test_a_version_is_a_version(version: str) -> None:
    """Anything but vMAJOR.MINOR.PATCH is refused."""
    with pytest.raises(ConfigError, match="expected one such as v1.4.0"):
        number(version)


@pytest.mark.parametrize(
    ("cases", "taxonomy", "kind", "names", "step", "version"),
    [
        ([case(1)], CATEGORY, "retired", ["refunds-002"], "major", "v2.0.0"),
        ([case(1), case(2, turns=["Other?"])], CATEGORY, "changed", ["refunds-002"], "major", "v2.0.0"),
        ([case(1), case(2, expectations=[])], CATEGORY, "changed", ["refunds-002"], "major", "v2.0.0"),
        ([*CASES, case(3)], CATEGORY, "added", ["refunds-003"], "minor", "v1.4.0"),
        ([case(1), case(2, owner="ben")], CATEGORY, "relabelled", ["refunds-002"], "patch", "v1.3.8"),
        ([case(1), case(2, provenance="production")], CATEGORY, "relabelled", ["refunds-002"], "patch", "v1.3.8"),
        (CASES, CATEGORY.model_copy(update={"definition": "n"}), "taxonomy", ["refunds"], "patch", "v1.3.8"),
    ],
)
def test_the_rule(cases: list[Case], taxonomy: Category, kind: str, names: list[str], step: str, version: str) -> None:
    """Each kind of change is found as such, and demands its step after v1.3.7."""
    found = since(cases, taxonomy)
    assert found.model_dump() == NOTHING | {kind: names}
    choice = choose("auto", "evalset@v1.3.7", found)
    assert (choice.bump, choice.version) == (step, version)
    assert names[0] in choice.why


def test_the_greatest_change_decides() -> None:
    """A set that gained a case, lost one and changed an owner is a major version."""
    assert demanded(since([case(1, owner="ben"), case(3)])) == ("major", "1 retired (refunds-002)")


@pytest.mark.parametrize(("count", "shown"), [(5, "refunds-007)"), (6, "refunds-007, ...)")])
def test_five_cases_are_named(count: int, shown: str) -> None:
    """Of many cases that demand a version the first five are named, and a sign says that there are more."""
    step = demanded(since([*CASES, *(case(number) for number in range(3, 3 + count))]))
    assert step
    assert step[1] == f"{count} added (refunds-003, refunds-004, refunds-005, refunds-006, {shown}"


def test_nothing_is_no_release() -> None:
    """A set that is as it was has nothing to release."""
    with pytest.raises(DataError, match=r"the same as in evalset@v1.3.7.*nothing to release"):
        choose("auto", "evalset@v1.3.7", since(CASES))


@pytest.mark.parametrize("asked", ["patch", "minor"])
def test_less_than_the_rule_demands_is_refused(asked: Asked) -> None:
    """Asking for less is refused with the reason."""
    with pytest.raises(ConfigError, match=rf"--bump is {asked}, expected major, since 1 retired \(refunds-002\)"):
        choose(asked, "evalset@v1.3.7", since([case(1)]))


def test_more_than_the_rule_demands_is_allowed() -> None:
    """Asking for more is done, and the notes say that it was asked for."""
    choice = choose("major", "evalset@v1.3.7", since([*CASES, case(3)]))
    assert (choice.version, choice.why) == ("v2.0.0", "asked for; the rule demands minor, since 1 added (refunds-003)")


@pytest.mark.parametrize("asked", ["auto", "patch", "major"])
def test_the_first_release(asked: Asked) -> None:
    """The first version is v1.0.0, whatever is asked for."""
    assert choose(asked, "", changes(None, BEFORE)).version == "v1.0.0"


def test_what_was_not_recorded_counts_for_nothing() -> None:
    """Notes of before digests were kept tell of no change that they cannot know of."""
    old = BEFORE.model_copy(update={"digests": {}, "taxonomy": {}})
    changed: Any = changes(old, content([case(1, owner="ben"), case(2)], []))
    assert demanded(changed) is None


def test_versions_are_numbers() -> None:
    """After v1.9.0 comes v1.10.0, which is above it."""
    assert following("evalset@v1.9.0", "minor") == "v1.10.0"
    assert number("v1.10.0") > number("v1.9.0")
