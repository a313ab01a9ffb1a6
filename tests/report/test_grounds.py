"""What the gate takes from judges: assumed, tested by labels on both versions, or labelled."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from assay.calibration.certificate import Certificate, Figure
from assay.report import transfer
from assay.report.comparison import Comparison, compare
from assay.report.content import Judge
from assay.report.findings import CaseOutcome, Outcomes, Rate
from assay.report.grounds import Grounds
from assay.report.joint import Joint
from assay.report.judged import Change, Difference
from tests.report import sample_report as sample

NAMES = [f"c{at:03}" for at in range(200)]


def rates(tpr: float = 0.95, tnr: float = 0.9, half: float = 0.03) -> Certificate:
    """Return a certificate with these rates."""
    figures = [
        Figure(name=name, estimate=rate, low=rate - half, high=rate + half, n=100, method="wilson")
        for name, rate in (("tpr", tpr), ("tnr", tnr))
    ]
    return sample.certificate(figures=figures)


def judge(name: str = "tone", *, change: Change | None = None, held: Certificate | None = None) -> Judge:
    """Return a certified judge."""
    return Judge(name=name, standing="valid", certificate=held or rates(), note="", change=change)


def versions(lost: int) -> tuple[Outcomes, Outcomes]:
    """Return outcomes of which so many are lost."""
    before: dict[str, CaseOutcome] = {name: "pass" if at % 10 else "fail" for at, name in enumerate(NAMES)}
    passing = [name for name in NAMES if before[name] == "pass"]
    return Outcomes(before | dict.fromkeys(passing[:lost], "fail"), Counter()), Outcomes(before, Counter())


def compared(lost: int) -> Comparison:
    return compare("all", dict.fromkeys(NAMES, "x"), *versions(lost))


def assumed(lost: int, *judges: Judge, max_drop: float = 0.05, basis: Comparison | None = None) -> Grounds:
    """Return what is taken from judges that decide every case."""
    now, before = versions(lost)
    none = Outcomes({}, Counter())
    both: dict[Any, Outcomes] = {("target", False): now, ("baseline", False): before}
    both |= {("target", True): none, ("baseline", True): none}
    return transfer.assumed(
        basis or compared(lost),
        judges or (judge(),),
        both,
        set(NAMES),
        {},
        max_drop=max_drop,
        rng=np.random.default_rng(1),
        draws=4000,
    )


def rate(estimate: float, low: float, high: float) -> Rate:
    return Rate(estimate=estimate, low=low, high=high, n=100, method="newcombe")


def test_grounds_that_say_nothing_rest_on_nothing() -> None:
    """No label, no laxness that would do, no place, nothing wanting and nothing suspected."""
    bare = Grounds(kind="assumed", worse=[], change=None, sentence="")
    assert (bare.laxer, bare.stricter, bare.places, bare.labels) == (0, 0, {}, 0)
    assert (bare.wanting, bare.suspected) == ("", [])


def test_a_certificate_without_rates_lets_nothing_pass() -> None:
    """Who does not say how much of a drop the judge hides cannot exclude one."""
    found = assumed(0, judge(held=sample.certificate(figures=[])))
    assert found.change is None
    assert found.wanting


def test_a_quiet_night_says_until_where_it_holds() -> None:
    """The drop is scaled by J, and the sentence has the laxness that would hide the tolerated one."""
    found = assumed(0)
    assert found.change
    assert -0.05 < found.change.low < compared(0).change.low
    assert 0 < found.laxer < 1
    assert f"{100 * found.laxer:.1f} points laxer" in found.sentence


def test_a_proved_drop_says_how_strict_the_judge_would_have_to_be() -> None:
    """Forty of 180 are lost: a judge would have to lose so much of what people pass."""
    found = assumed(40)
    assert found.worse == ["x"]
    assert 0.05 < found.stricter < 40 / 180
    assert "points stricter" in found.sentence


@pytest.mark.parametrize(("update", "where"), [({}, " in x"), ({"slices": [], "is_worse": True}, "")])
def test_a_sentence_names_the_place_that_holds_longest(update: dict[str, Any], where: str) -> None:
    """A category that is worse by its name; over all cases nothing needs to be named."""
    found = assumed(40, basis=compared(40).model_copy(update=update))
    assert list(found.places) == (["x"] if where else ["overall"])
    stricter = max(found.places.values())
    assert f", and holds{where} unless the judge is {100 * stricter:.1f} points stricter there" in found.sentence


def test_two_judges_hide_more_than_one() -> None:
    """What each of them loses adds up, and the one that finds least finds what is wrong in one thing alone."""
    one, two = assumed(0), assumed(0, judge(), judge("depth", held=rates(tnr=0.85)))
    assert one.change
    assert two.change
    assert two.change.low < one.change.low
    assert "tone and depth" in two.sentence


@pytest.mark.parametrize(("laxer", "wanting"), [(0.02, False), (0.5, True), (None, True)])
def test_labels_on_both_versions_must_bound_the_laxness(laxer: float | None, *, wanting: bool) -> None:
    """Below the tipping point it may pass; above it, or with nobody knowing, labels are wanting."""
    bound = None if laxer is None else rate(0.0, -0.02, laxer)
    found = transfer.tested(
        assumed(0), {"tone": Difference(laxer=bound, stricter=rate(0, -0.01, 0.01), labels=(40, 50))}
    )
    assert found.kind == "tested"
    assert bool(found.wanting) == wanting
    assert "40 labelled answers against 50" in found.sentence
    assert (" of each" in found.wanting) == wanting


@pytest.mark.parametrize(("stricter", "worse"), [(0.01, ["x"]), (0.5, [])])
def test_a_drop_that_the_judge_may_have_made_is_suspected(stricter: float, worse: list[str]) -> None:
    """Where labels do not exclude that the judge grew so strict, the product is not said to be worse."""
    known = Difference(laxer=rate(0, -0.01, 0.01), stricter=rate(0, -0.01, stricter), labels=(90, 90))
    found = transfer.tested(assumed(40), {"tone": known})
    assert (found.worse, found.suspected) == (worse, [] if worse else ["x"])


def change(estimate: float, low: float, high: float) -> Change:
    return Change(raw=0, judged=200, changed=100, rate=rate(estimate, low, high), labels=80, note="")


def test_labelled_the_judges_name_nothing_and_hide_nothing() -> None:
    """What they find worse is suspected; people's change is what counts, up and down."""
    quiet = transfer.labelled(compared(40), None, [judge(change=change(0, -0.03, 0.03))])
    assert (quiet.worse, quiet.suspected) == ([], ["x", "overall"])
    assert quiet.change
    assert quiet.change.low == -0.03
    fallen = transfer.labelled(compared(0), None, [judge(change=change(-0.08, -0.11, -0.05))])
    assert (fallen.worse, fallen.suspected) == (["overall"], [])


def test_labelled_every_judge_counts_and_so_do_checks() -> None:
    """The lowest bound is taken; what checks prove is proved; a judge without labels lets nothing pass."""
    both = [judge(change=change(0, -0.03, 0.03)), judge("depth", change=change(-0.01, -0.06, 0.04))]
    found = transfer.labelled(compared(0), compared(40), both)
    assert found.worse == ["x"]
    assert found.change
    assert found.change.low == min(-0.06, compared(40).change.low)
    missing = transfer.labelled(compared(0), None, [both[0], judge("depth")])
    assert missing.change is None
    assert missing.wanting.startswith("depth: ")


def test_labelled_people_s_word_on_whole_cases_goes_before_each_judge_s() -> None:
    """What people say by all judges' questions together decides, up and down; without it each judge does."""
    both = [judge(change=change(0, -0.03, 0.03)), judge("depth", change=change(-0.08, -0.11, -0.05))]
    raw = rate(0.9, 0.85, 0.95)
    about = {"judges": ["correctness", "depth"], "raw": raw, "rate": None, "labels": 80, "note": ""}
    quiet = Joint(**about, change=change(0.01, -0.02, 0.04))
    found = transfer.labelled(compared(40), None, both, quiet)
    assert (found.worse, found.suspected, found.change) == ([], ["x", "overall"], rate(0.01, -0.02, 0.04))
    fallen = transfer.labelled(compared(0), compared(40), both, Joint(**about, change=change(-0.1, -0.2, -0.01)))
    assert fallen.worse == ["overall", "x"]
    unknown = Joint(**about, change=change(0, 0, 0).model_copy(update={"rate": None}))
    assert transfer.labelled(compared(0), None, both, unknown).worse == ["overall"]


def test_each_place_holds_by_its_own_bound() -> None:
    """Of a large drop and a small one that labels do not bound the large one stays proved, the small is suspected."""
    found = assumed(40).model_copy(update={"worse": ["large", "small"], "places": {"large": 0.3, "small": 0.05}})
    known = Difference(laxer=rate(0, -0.1, 0.1), stricter=rate(0, -0.1, 0.1), labels=(60, 60))
    told = transfer.tested(found, {"tone": known})
    assert (told.worse, told.suspected) == (["large"], ["small"])


def test_of_several_trials_the_step_is_the_shorter_version_s() -> None:
    """A case with three trials now and one before moves by whole ones: the bounds are as wide as those of one trial."""
    now, before = versions(0)
    thrice = Outcomes(now.by_case, Counter(), trials={name: (now.by_case[name] == "pass",) * 3 for name in NAMES})
    none = Outcomes({}, Counter())
    common: dict[Any, Outcomes] = {("baseline", False): before, ("target", True): none, ("baseline", True): none}
    once, mixed = (
        transfer.assumed(
            compared(0),
            [judge()],
            common | {("target", False): of},
            set(NAMES),
            {},
            max_drop=0.05,
            rng=np.random.default_rng(1),
            draws=2000,
        ).change
        for of in (now, thrice)
    )
    assert once == mixed


def test_a_judge_whose_labels_carry_no_change_says_why() -> None:
    """Of a judge with too few labels the note is what is wanting; one that compared nothing is said to have nothing."""
    few = Change(raw=0, judged=200, changed=100, rate=None, labels=8, note="label 2 more")
    found = transfer.labelled(compared(0), None, [judge(change=few), judge("depth")])
    assert found.wanting == "tone: label 2 more; depth: no case has a verdict on both versions"
    assert (found.change, found.labels, found.sentence, found.worse) == (None, 0, "", [])


def test_a_drop_that_is_neither_proved_nor_excluded_holds_until_nowhere() -> None:
    """Four of 180 are lost and one point is tolerated: the sentence says what is assumed, and nothing of a bound."""
    found = assumed(4, max_drop=0.01)
    assert found.change
    assert found.change.low < -0.01
    assert (found.worse, found.places) == ([], {})
    assert found.sentence == "This assumes that tone errs on this version as on the labelled answers."


def test_what_no_judge_decided_is_the_checks_own() -> None:
    """Where checks decide every case their change is taken as it is, and it rests on no judged case."""
    now, before = versions(40)
    both: dict[Any, Outcomes] = {
        (of, alone): found for of, found in (("target", now), ("baseline", before)) for alone in (True, False)
    }
    rng = np.random.default_rng(1)
    found = transfer.assumed(compared(40), [judge()], both, set(), {}, max_drop=0.05, rng=rng, draws=4000)
    plain = compared(40).change
    assert found.change
    assert found.change.n == 0
    assert (found.change.estimate, found.change.low) == pytest.approx((plain.estimate, plain.low), abs=0.01)
