"""Night after night: a changed judge and a changed product are told apart, and luck is neither."""

from datetime import timedelta

import numpy as np
import pytest

from assay.calibration.certificate import AnchorNight
from assay.report.watch import Watch, unheard, watched
from tests.cast import AT, verdict

JUDGED = 300


def night(number: int, flips: int, passed: int, **changes: object) -> AnchorNight:
    """Return one night of 200 anchors and 300 answers."""
    fields = {
        "judge": "correctness",
        "night": f"{AT + timedelta(days=number):%Y-%m-%d}",
        "issued": AT,
        "baseline": "support@1",
        "anchors": 200,
        "flips": flips,
        "judged": JUDGED,
        "passed": passed,
    }
    return AnchorNight.model_validate(fields | changes)


def nights(count: int, *, flip: float = 0.02, rate: float = 0.85, start: int = 0, seed: int = 1) -> list[AnchorNight]:
    """Return seeded nights at these rates."""
    rng = np.random.default_rng(seed + start)
    return [night(start + at, int(rng.binomial(200, flip)), int(rng.binomial(JUDGED, rate))) for at in range(count)]


def word(rows: list[AnchorNight]) -> Watch:
    """Return what is said after these nights."""
    found = watched(rows, "correctness", judges=2)
    assert found
    return found


def test_nothing_is_said_of_a_judge_without_a_night() -> None:
    """Before its first night a judge is not watched, whatever another one's nights say."""
    assert watched(nights(3), "preference", judges=2) is None


def test_judges_share_one_false_alarm() -> None:
    """The more judges are watched, the more it takes: what alarms where one is watched is luck among a hundred."""
    rows = [*nights(14), *(night(14 + at, 12, 255) for at in range(4))]
    alarmed = {count: watched(rows, "correctness", judges=count) for count in (1, 100)}
    states = {count: found.state for count, found in alarmed.items() if found}
    assert states == {1: "judge", 100: "quiet"}


def test_a_fortnight_is_learned_first() -> None:
    """Thirteen nights are no baseline, even with a seventh of the anchors flipped on the last; they are counted."""
    found = word([*nights(12), night(12, 28, 255)])
    assert (found.state, found.flips, found.nights) == ("learning", 28, 13)
    assert "13 of the 14 nights" in found.sentence


@pytest.mark.parametrize(
    ("flips", "usual", "state"), [(100, 0.1, "judge"), (30, 0.1, "learning"), (45, 0.2, "learning")]
)
def test_what_one_night_shows_needs_no_fortnight(flips: int, usual: float, state: str) -> None:
    """Half of the anchors flipped on the second night are a changed judge; as many as it may turn over are none."""
    found = watched([*nights(1), night(1, flips, 255)], "correctness", judges=2, usual=usual)
    assert found
    assert found.state == state


@pytest.mark.parametrize(
    ("without", "known"), [({"anchors": 0, "flips": 0}, 6), ({"judged": 0, "passed": 0}, 6), ({}, 10)]
)
def test_as_many_nights_are_known_as_tell_of_anchors_and_of_the_product(without: dict[str, int], known: int) -> None:
    """Of ten nights four tell nothing of the one, or nothing of the other: six are there of the fourteen."""
    rows = [one.model_copy(update=without) if at in range(2, 6) else one for at, one in enumerate(nights(10))]
    found = word(rows)
    assert found.state == "learning"
    assert found.sentence.endswith(f"; {known} of the 14 nights that tell what is usual are there")


def test_a_renewed_certificate_of_the_same_judge_keeps_what_is_usual() -> None:
    """Fourteen nights under the old certificate teach; under the new one the change is told on its fourth night."""
    later = {"issued": AT + timedelta(days=14), "fingerprint": "f"}
    learnt = [row.model_copy(update={"fingerprint": "f"}) for row in nights(14)]
    moved = [row.model_copy(update=later) for row in nights(4, flip=0.12, start=14)]
    assert word([*learnt, *moved]).state == "judge"
    assert word([*learnt, moved[0]]).nights == 1
    # Of another judge, or where nobody wrote down which it was, all is learnt anew.
    assert word([*nights(14), *moved]).state == "learning"
    # A renewed certificate takes an older alarm back: people have looked at the judge since.
    alarmed = [row.model_copy(update={"fingerprint": "f"}) for row in nights(6, flip=0.12, start=14)]
    calm = [row.model_copy(update=later | {"issued": AT + timedelta(days=20)}) for row in nights(3, start=20)]
    assert word([*learnt, *alarmed, *calm]).state == "quiet"


def test_a_night_without_anchors_teaches_nothing() -> None:
    """A night on which the judge was down is left out: it is neither quiet nor alarming."""
    found = word([*nights(13), night(13, 0, 0, anchors=0, judged=0)])
    assert found.state == "learning"
    assert "13 of the 14 nights" in found.sentence


def test_quiet_nights_stay_quiet() -> None:
    """Sixty nights at the usual rates, five times over, raise no alarm."""
    assert [word(nights(60, seed=seed)).state for seed in range(5)] == ["quiet"] * 5


def test_a_changed_judge_is_named() -> None:
    """When a fifth of the anchors flips the judge is named, with the night, although the pass rate dropped as well."""
    found = word([*nights(20), *nights(4, flip=0.2, rate=0.7, start=20)])
    assert found.state == "judge"
    assert "the judge has changed: since 2026-11-2" in found.sentence


def test_a_changed_product_is_named_after_the_guard() -> None:
    """A drop of 15 points is undecided for three nights, then it is the product: no anchor has moved."""
    rows = [*nights(20), *nights(6, rate=0.7, start=20)]
    states = [word(rows[:count]).state for count in range(20, 27)]
    assert states[0] == "quiet"
    assert states[-1] == "product"
    assert states.index("product") - states.index("undecided") == 3


@pytest.mark.parametrize("changes", [{"issued": AT + timedelta(days=20)}, {"baseline": "support@2"}])
def test_a_new_certificate_or_baseline_begins_anew(changes: dict[str, object]) -> None:
    """After a renewal, or when another version was accepted, a lower rate is not held against the old one."""
    rows = [*nights(20), *[row.model_copy(update=changes) for row in nights(6, rate=0.7, start=20)]]
    assert word(rows).state == "learning"


def test_a_date_that_was_run_often_is_one_night_of_the_watch() -> None:
    """Of each date the last run that asked the judge counts, once: a busy day teaches no more than a quiet one."""
    once = nights(20)
    often = [row.model_copy(update={"run": f"run-{at}"}) for at in (1, 2, 3) for row in once]
    noisy = [row.model_copy(update={"flips": row.anchors}) if row.run < "run-3" else row for row in often]
    silent = [row.model_copy(update={"run": "run-4", "anchors": 0, "flips": 0}) for row in once[:5]]
    expected = word(once)
    assert word(often) == word(noisy) == expected
    assert (word([*often, *silent]).nights, expected.nights) == (20, 20)


def test_without_what_is_usual_of_the_anchors_a_drop_is_undecided() -> None:
    """Anchors that all flip each night tell nothing of what is usual: whose the drop is cannot be told."""
    rows = [night(at, 200, 255 if at < 20 else 190) for at in range(24)]
    found = watched(rows, "correctness", judges=2, usual=1.0)
    assert found
    assert (found.state, found.flips) == ("undecided", 200)
    assert "before 14 nights of anchors" in found.sentence


@pytest.mark.parametrize(("silent", "is_heard"), [(0, True), (5, True), (6, False), (100, False)])
def test_a_judge_that_says_too_little_of_its_anchors_is_not_watched(silent: int, *, is_heard: bool) -> None:
    """Five of a hundred anchors may be without a verdict; what it does not say of the answers does not count."""
    rows = [verdict(f"a{at}", "unscored" if at < silent else "pass", subject="anchor") for at in range(100)]
    rows += [verdict(f"c{at}", "unscored") for at in range(100)]
    found = unheard("tone", rows)
    assert found == ([] if is_heard else [found[0]])
    assert is_heard or (found[0].startswith("tone ") and f" {silent} of 100 anchors" in found[0])
    assert unheard("tone", []) == []
