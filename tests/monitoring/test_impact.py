"""Does a change in production cost enough that somebody must act?"""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pytest

from assay.errors import AssayError, ConfigError, DataError, InsufficientDataError
from assay.monitoring.impact import assess
from assay.monitoring.measures import SIGNALS
from assay.monitoring.periods import Sample, compare, dispersion_of
from assay.monitoring.policies import Policy
from assay.records.signal import Signal
from assay.stats.difference import newcombe

END = datetime(2026, 11, 2, tzinfo=UTC)
ESCALATION = Policy(
    signal="escalation-rate",
    direction="up",
    value_per_event_usd=6.0,
    budget_usd_per_week=500.0,
    owner="support-platform",
    description="A person takes over.",
)


def policy(**changes: Any) -> Policy:
    """Return the escalation policy with changes."""
    return Policy(**{**vars(ESCALATION), **changes})


def traffic(now: int, usual: int, *, per_day: int, baseline_days: int = 28, column: str = "escalated") -> pd.DataFrame:
    """Return a week and its baseline with so many flagged conversations of `per_day` on each day."""
    days = np.repeat(np.arange(7 + baseline_days), per_day)
    place = np.tile(np.arange(per_day), 7 + baseline_days)
    return pd.DataFrame(
        {
            "at": pd.Timestamp(END) - pd.to_timedelta(days * 24 + 12, unit="h"),
            "category": np.where(place % 2, "refund-policy", "order-status"),
            "escalated": False,
            "refused": False,
            "contacted_again": False,
            "thumb": "none",
            "grounded": None,
            "latency_s": 1.0 + place / per_day,
            "completion_tokens": 200 + place,
            column: place < np.where(days < 7, now, usual),
        }
    )


def assess_week(frame: pd.DataFrame, *policies: Policy, **periods: Any) -> list[Signal]:
    """Assess the week before END against four weeks."""
    return assess(frame, policies, **{"window_end": END, "window_days": 7, "baseline_days": 28, **periods})


@pytest.mark.parametrize(
    ("frame", "error", "text"),
    [
        (traffic(4, 4, per_day=7), InsufficientDataError, "49 conversations in the window and 196 in the baseline"),
        (traffic(4, 4, per_day=50).iloc[:350], InsufficientDataError, "0 in the baseline"),
        (traffic(4, 4, per_day=50).iloc[:0], InsufficientDataError, "0 conversations in the window"),
        (traffic(4, 4, per_day=50).drop(columns=["escalated"]), DataError, "lack the columns escalated"),
        (traffic(4, 4, per_day=50).assign(escalated=np.nan), DataError, "'escalated' of the traces holds 'nan'"),
        (traffic(4, 4, per_day=50).assign(escalated="no"), DataError, "expected True or False"),
        (traffic(4, 4, per_day=50).assign(at="2026-11-01"), DataError, "expected times with a zone"),
        (traffic(4, 4, per_day=50).assign(at=pd.NaT), DataError, "expected times with a zone"),
        (traffic(4, 4, per_day=50).assign(category=None), DataError, "expected a category in each"),
        (traffic(4, 4, per_day=50).set_index("category", drop=False), DataError, "reset the index"),
    ],
)
def test_refuses_traffic_that_carries_no_claim(frame: pd.DataFrame, error: type[AssayError], text: str) -> None:
    """Too little of it, a missing column, a gap in one: one sentence says what was found and what to do."""
    with pytest.raises(error, match=text):
        assess_week(frame, ESCALATION)


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"signal": "escalations"}, "expected one of escalation-rate, refusal-rate"),
        ({"direction": "sideways"}, "expected the bad one"),
        ({"value_per_event_usd": None}, "declare both or neither"),
        ({"budget_usd_per_week": None}, "declare both or neither"),
        ({"value_per_event_usd": float("nan")}, "amounts in dollars"),
        ({"value_per_event_usd": -6.0}, "amounts in dollars"),
        ({"budget_usd_per_week": -1.0}, "amounts in dollars"),
    ],
)
def test_refuses_a_policy_that_says_nothing(changes: dict[str, Any], text: str) -> None:
    """An unknown signal, half a policy or an amount that is none is a mistake in the parameters."""
    with pytest.raises(ConfigError, match=text):
        assess_week(traffic(4, 4, per_day=50), policy(**changes))


def test_refuses_a_signal_with_two_owners() -> None:
    """Two policies for one signal would page two people with two sums."""
    with pytest.raises(ConfigError, match="drop one"):
        assess_week(traffic(4, 4, per_day=50), ESCALATION, ESCALATION)


@pytest.mark.parametrize(
    "periods",
    [
        {"window_days": 0},
        {"window_days": 8},
        {"baseline_days": 7},
        {"baseline_days": 30},
        {"window_end": END.replace(tzinfo=None)},
    ],
)
def test_refuses_periods_that_do_not_match(periods: dict[str, Any]) -> None:
    """The baseline is whole weeks, so that Saturdays are compared with Saturdays, in UTC."""
    with pytest.raises(ConfigError):
        assess_week(traffic(4, 4, per_day=50), ESCALATION, **periods)


@pytest.mark.parametrize(
    ("column", "bad"),
    [("thumb", "sideways"), ("latency_s", float("nan")), ("latency_s", -1.0), ("completion_tokens", "x")],
)
def test_refuses_columns_that_measure_nothing(column: str, bad: object) -> None:
    """A thumb of an unknown direction or a negative latency is no observation."""
    frame = traffic(4, 4, per_day=50)
    frame[column] = frame[column].astype(object)
    frame.loc[0, column] = bad
    name = {"thumb": "thumbs-down-rate", "latency_s": "latency-exceedance", "completion_tokens": "response-length"}[
        column
    ]
    with pytest.raises(DataError, match=column):
        assess_week(frame, policy(signal=name))


def test_worked_example_of_an_alert() -> None:
    """TV-7.1: 5,880 of 140,000 against 22,400 of 560,000 at $6 is $1,680 a week [706, 2,671]."""
    now = pd.Series(np.repeat([1.0, 0.0], [5_880, 134_120]))
    usual = pd.Series(np.repeat([1.0, 0.0], [22_400, 537_600]))
    change = compare(SIGNALS["escalation-rate"], Sample(now, usual), 0.95)
    weekly_usd = [140_000 * 6 * bound for bound in (change.estimate, change.low, change.high)]
    assert weekly_usd == pytest.approx([1_680, 706, 2_671], abs=1)


def test_worked_example_of_a_mean() -> None:
    """TV-7.1: 220 to 231 tokens with a spread of 180, 20,000 beside 80,000 answers, is 11 [8.21, 13.79] more."""
    unit = np.array([-1.0, 1.0])
    sample = Sample(pd.Series(np.tile(231 + 180 * unit, 10_000)), pd.Series(np.tile(220 + 180 * unit, 40_000)))
    change = compare(SIGNALS["response-length"], sample, 0.95)
    assert (change.estimate, change.low, change.high) == pytest.approx((11, 8.21, 13.79), abs=0.005)


@pytest.mark.parametrize(
    ("now", "budget", "state"), [(6, 100.0, "quiet"), (8, 100.0, "watch"), (12, 100.0, "alert"), (2, 0.0, "quiet")]
)
def test_the_rule(now: int, budget: float, state: str) -> None:
    """From 4 of 100 a day: alert when the lower bound costs more than the budget, watch when only the estimate does."""
    found = assess_week(traffic(now, 4, per_day=100), policy(budget_usd_per_week=budget, value_per_event_usd=5.0))[0]
    assert found.state == state
    assert found.impact_usd == pytest.approx(7 * (now - 4) * 5)
    assert found.impact_low_usd is not None
    assert (found.impact_low_usd > budget) is (state == "alert")


def test_a_rise_is_good_where_down_is_bad() -> None:
    """Fewer grounded answers cost and more save; the sums carry the sign and the sentence the word."""
    declared = policy(signal="grounded-rate", direction="down", value_per_event_usd=2.0, budget_usd_per_week=100.0)
    worse = assess_week(traffic(60, 90, per_day=100, column="grounded"), declared)[0]
    better = assess_week(traffic(90, 60, per_day=100, column="grounded"), declared)[0]
    assert (worse.state, better.state) == ("alert", "quiet")
    assert worse.impact_usd == pytest.approx(420)
    assert better.impact_usd == pytest.approx(-420)
    assert worse.statement.startswith("About 210 fewer grounded answers a week than usual, costing $420 [")
    assert better.statement.startswith("About 210 more grounded answers a week than usual, saving $420 [")


def test_a_sample_speaks_for_all_traffic() -> None:
    """When only every second conversation was judged, the money is that of all of them."""
    frame = traffic(60, 90, per_day=100, column="grounded")
    frame["grounded"] = frame["grounded"].astype(object).where(frame.index // 2 % 2 == 0, None)
    declared = policy(signal="grounded-rate", direction="down", value_per_event_usd=2.0)
    found, segment, _ = assess_week(frame, declared)
    assert (found.n, found.impact_usd) == (350, pytest.approx(700 * (46 - 30) / 50 * 2))
    assert (segment.segment, segment.n, segment.impact_usd) == ("order-status", 175, pytest.approx(350 * 16 / 50 * 2))


def test_no_value_no_alert() -> None:
    """A signal without a declared value is charted whatever it does, and its sentence says why."""
    found = assess_week(traffic(90, 4, per_day=100), policy(value_per_event_usd=None, budget_usd_per_week=None))
    assert {one.state for one in found} == {"charted"}
    assert (found[0].impact_usd, found[0].impact_low_usd, found[0].impact_high_usd) == (None, None, None)
    assert "no value is declared" in found[0].statement


def test_the_sentence_says_what_to_do() -> None:
    """How many, what they cost, with bounds, and who acts."""
    alert, *_ = assess_week(traffic(12, 4, per_day=100), policy(budget_usd_per_week=100.0, value_per_event_usd=5.0))
    assert alert.statement == (
        f"About 56 more escalations a week than usual, costing $280 "
        f"[${round(alert.impact_low_usd or 0)}, ${round(alert.impact_high_usd or 0)}] a week; "
        "even the lower bound exceeds the budget of $100, so support-platform should act."
    )
    length = policy(signal="response-length", value_per_event_usd=None, budget_usd_per_week=None)
    assert assess_week(traffic(4, 4, per_day=100), length)[0].statement.startswith("About 0.0 more tokens an answer")


def test_few_thumbs_are_charted() -> None:
    """Ten rated conversations are too few to tell; that is said, nobody is paged, and the others go on."""
    frame = traffic(4, 4, per_day=100)
    frame.loc[frame.index[:10], "thumb"] = "down"
    frame.loc[frame.index[-120:], "thumb"] = "up"
    thumbs, *others = assess_week(frame, policy(signal="thumbs-down-rate"), ESCALATION)
    assert (thumbs.n, thumbs.value, thumbs.state, thumbs.impact_usd) == (10, 1, "charted", None)
    assert "10 conversations beside 120 are too few to tell" in thumbs.statement
    assert others[0].state == "quiet"


def test_refuses_a_signal_without_any_traffic() -> None:
    """Not one rated conversation has no rate at all; the message says to take the policy out."""
    with pytest.raises(InsufficientDataError, match="'thumbs-down-rate' has 0 conversations"):
        assess_week(traffic(4, 4, per_day=100), policy(signal="thumbs-down-rate"))


def test_slow_answers_are_counted_beyond_the_usual_tail() -> None:
    """By construction 5 % of the baseline are slower than its 95th percentile; doubled latencies all are."""
    frame = traffic(4, 4, per_day=100)
    recent = frame["at"] > pd.Timestamp(END - timedelta(days=7))
    found = assess_week(
        frame.assign(latency_s=frame["latency_s"] * np.where(recent, 3, 1)), policy(signal="latency-exceedance")
    )
    assert found[0].baseline_value == pytest.approx(0.05, abs=0.011)
    assert (found[0].value, found[0].state) == (1, "alert")


def test_only_the_same_weekdays_are_usual() -> None:
    """A window of one day is compared with that weekday alone: a quiet Sunday's usual level is a Sunday's."""
    frame = traffic(4, 4, per_day=100)
    age = (pd.Timestamp(END) - frame["at"]).dt.days
    place = np.tile(np.arange(100), 35)
    frame["escalated"] = place < np.where(age % 7 == 0, 30, 4)
    found = assess_week(frame, ESCALATION, window_days=1)[0]
    assert (found.n, found.baseline_n, found.value, found.baseline_value) == (100, 400, 0.3, 0.3)
    assert found.state == "quiet"


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (END, (700, 2800)),
        (END + timedelta(days=3), (700, 2800)),
        (END - timedelta(days=7), (701, 2800)),
        (END - timedelta(days=7, microseconds=1), (700, 2801)),
        (END - timedelta(days=35), (700, 2801)),
        (END - timedelta(days=35, microseconds=1), (700, 2800)),
    ],
)
def test_the_edges_of_the_periods(moment: datetime, counts: tuple[int, int]) -> None:
    """Each period holds its first moment and not its last; nothing before or after counts."""
    frame = traffic(4, 4, per_day=100)
    extra = frame.iloc[:1].assign(at=pd.Timestamp(moment))
    found = assess_week(pd.concat([frame, extra], ignore_index=True), ESCALATION)[0]
    assert (found.n, found.baseline_n) == counts
    assert (found.window_start, found.window_end) == (END - timedelta(days=7), END)


def test_days_that_differ_widen_the_interval() -> None:
    """Baseline days of 0 and 40 of 100 in turn vary far beyond chance; days alike do not, and 1 is the least."""
    days = pd.Series(np.repeat(np.arange(28), 100))
    place = np.tile(np.arange(100), 28)
    measure = SIGNALS["escalation-rate"]
    assert dispersion_of(pd.Series((place < 20).astype(float)), days, measure) == 1
    uneven = pd.Series((place < np.where(days // 7 % 2, 40, 0)).astype(float))
    assert dispersion_of(uneven, days, measure) == pytest.approx(28 * 100 * 0.2**2 / (0.2 * 0.8) / 21)


def test_uneven_days_reach_bounds_and_selection() -> None:
    """The published interval and the test that selects categories both pay for days that differ."""
    frame = traffic(30, 20, per_day=100).assign(category="all-of-it")
    days = (pd.Timestamp(END) - frame["at"]).dt.days.to_numpy()
    frame["escalated"] = np.tile(np.arange(100), 35) < np.where(days < 7, 30, np.where(days // 7 % 2, 40, 0))
    found, segment = assess_week(frame, policy(budget_usd_per_week=0.0))
    plain = newcombe(210, 700, 560, 2800)
    assert found.high - found.low > 2 * (plain.high - plain.low)
    # Without the spread the same counts would be beyond doubt: z = 5.7, and the category would be selected.
    assert (segment.state, found.state) == ("watch", "watch")
    assert (segment.impact_low_usd, segment.impact_high_usd) == (found.impact_low_usd, found.impact_high_usd)


def test_overdispersed_days_rarely_alarm() -> None:
    """Quiet traffic whose daily rate wanders by 3 points around 10 %: a zero budget alerts in at most 6 of 100 runs."""
    rng = np.random.default_rng(12)
    alerts = 0
    for _ in range(100):
        frame = traffic(4, 4, per_day=200).assign(category="all-of-it")
        rates = np.clip(rng.normal(0.1, 0.03, 35), 0.01, 0.3)
        frame["escalated"] = rng.random(len(frame)) < np.repeat(rates, 200)
        alerts += assess_week(frame, policy(budget_usd_per_week=0.0))[0].state == "alert"
    assert alerts <= 6


def test_many_categories_rarely_cry_wolf() -> None:
    """20 quiet categories and a zero budget: in at most a fifth of 60 runs does any of them alert."""
    rng = np.random.default_rng(14)
    runs = 0
    for _ in range(60):
        frame = traffic(4, 4, per_day=400)
        frame["category"] = [f"category-{index:02}" for index in rng.integers(0, 20, len(frame))]
        frame["escalated"] = rng.random(len(frame)) < 0.1
        found = assess_week(frame, policy(budget_usd_per_week=0.0))
        assert len(found) == 21
        runs += any(one.state == "alert" for one in found if one.segment != "all")
    assert runs / 60 <= 0.2


def test_the_bad_category_is_named() -> None:
    """When one category alone escalates, it alerts by name, the calm one stays quiet, and a thin one is left out."""
    frame = traffic(0, 0, per_day=200)
    recent = frame["at"] > pd.Timestamp(END - timedelta(days=7))
    frame["escalated"] = (frame["category"] == "refund-policy") & recent & (np.tile(np.arange(200), 35) < 60)
    frame.loc[frame.index[:3], "category"] = "allergens"
    found = assess_week(frame, policy(budget_usd_per_week=50.0))
    assert {one.segment: one.state for one in found} == {
        "all": "alert",
        "order-status": "quiet",
        "refund-policy": "alert",
    }
    assert "than usual in refund-policy, costing" in found[2].statement


def test_order_of_the_rows_does_not_matter() -> None:
    """Shuffled traces give the same signals."""
    frame = traffic(9, 4, per_day=100)
    shuffled = frame.sample(frac=1, random_state=3)
    assert assess_week(frame, ESCALATION) == assess_week(shuffled, ESCALATION)
