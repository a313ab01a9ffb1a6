"""Amounts read as a person says them."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sample_report as sample

from assay.calibration.certificate import Figure, Slice
from assay.report import amounts
from assay.report.costs import Latency
from assay.report.figures import alone

MINUS = "\N{MINUS SIGN}"


def figure(name: str, estimate: float | None, low: float | None = None, high: float | None = None) -> Figure:
    return Figure(name=name, estimate=estimate, low=low, high=high, n=50, method="wilson")


def test_points_have_signs() -> None:
    """A change is in points with a sign on every number; what rounds to nothing has no minus."""
    assert amounts.points(sample.rate(-0.056, -0.091, 0.021)) == f"{MINUS}5.6 points ({MINUS}9.1 to +2.1)"
    assert amounts.points(sample.rate(-0.0001, -0.0001, 0.0)) == "+0.0 points (+0.0 to +0.0)"


@pytest.mark.parametrize(("value", "text"), [(None, ""), (0.0, "< 0.001"), (0.00099, "< 0.001"), (0.04, "0.040")])
def test_p_value(value: float | None, text: str) -> None:
    """A p-value has three decimals, is never 0, and is empty where there is none."""
    assert amounts.p_value(value) == text


def test_a_figure_without_an_estimate_says_so() -> None:
    """No number stands in for a figure that the labels could not carry."""
    assert amounts.figure(figure("kappa-over-human", None)) == "not estimated"


def test_shares_and_coefficients_differ() -> None:
    """A share is in per cent and a coefficient is not; without bounds there is no bracket."""
    assert amounts.figure(figure("tpr", 0.952, 0.883, 0.981)) == "95.2 % (88.3 to 98.1)"
    assert amounts.figure(figure("direction", -0.017, -0.066, 0.033)) == f"{MINUS}0.017 ({MINUS}0.066 to 0.033)"
    assert amounts.figure(figure("ac1", 0.832)) == "0.832"


def test_unknown_figure_keeps_its_name() -> None:
    """A figure that has no words yet is shown under its own name."""
    assert amounts.figure_name(figure("unheard-of", 0.1)) == "unheard-of"


def test_impact_has_bounds() -> None:
    """A cost has its bounds, a saving a minus, and a signal without a value no amount at all."""
    signal = sample.signal(impact_usd=-1234.4, impact_low_usd=-2000.0, impact_high_usd=10.0)
    assert amounts.impact(signal) == f"{MINUS}$1,234 ({MINUS}$2,000 to $10)"
    assert amounts.impact(sample.signal(impact_usd=None)) == ""


def test_a_mean_is_no_share() -> None:
    """The length of an answer is in tokens, a rate is in per cent."""
    length = sample.signal("response-length", value=74.25, baseline_value=71.0, low=-0.5, high=7.0)
    assert (amounts.level(length), amounts.level(length, of_baseline=True)) == ("74.2", "71.0")
    assert amounts.change(length) == f"+3.2 ({MINUS}0.5 to +7.0)"
    assert amounts.level(sample.signal()) == "12.0 %"


@pytest.fixture
def tokyo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Set the machine's clock to another time of day than UTC."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "JST-9")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("tokyo")
def test_moments_are_in_utc() -> None:
    """A moment with another offset is shown in UTC; one without is UTC already, whatever the machine thinks."""
    east = datetime(2026, 11, 2, 5, tzinfo=timezone(timedelta(hours=2)))
    assert amounts.moment(east) == amounts.moment(datetime(2026, 11, 2, 3, tzinfo=UTC)) == "2026-11-02 03:00 UTC"
    assert amounts.moment(datetime.fromisoformat("2026-11-02T03:00")) == "2026-11-02 03:00 UTC"


def test_bounds_alone_are_in_per_cent() -> None:
    """The interval of a share alone has one decimal and no bracket."""
    assert amounts.bounds(sample.rate(0.85, 0.7921, 0.8869)) == "79.2 to 88.7"


@pytest.mark.parametrize(
    "name",
    [
        *("tpr", "tnr", "youden", "accuracy", "accuracy-unscored-wrong", "kappa", "kappa-linear", "kappa-scale", "ac1"),
        *("human-pass-rate", "kappa-over-human", "alpha-human", "alpha-panel", "alternative-test", "conflict"),
        *("direction", "decided", "longer-over-human", "self-preference", "self-preference-tpr", "self-preference-tnr"),
        *("flips", "injected", "drift", "kappa-quadratic", "accuracy-scale", "within-one", "macro-precision"),
        *("macro-recall", "macro-f1", "spearman", "mae", "brier", "agrees-with-one"),
    ],
)
def test_each_figure_of_a_certificate_has_words(name: str) -> None:
    """Whatever calibration measures is told in words of its own."""
    words = amounts.figure_name(figure(name, 0.1))
    assert words != name
    assert list(amounts.NAMES.values()).count(words) == 1


def test_which_figures_are_shares() -> None:
    """Rates are in per cent; kappas, differences, correlations and errors are numbers."""
    shares = {name for name in amounts.NAMES if amounts.figure(figure(name, 0.5)).endswith("%")}
    assert shares == {
        *("tpr", "tnr", "accuracy", "human-pass-rate", "conflict", "decided", "accuracy-unscored-wrong"),
        *("alternative-test", "flips", "injected", "accuracy-scale", "within-one", "agrees-with-one"),
        *("macro-precision", "macro-recall", "macro-f1"),
    }


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, "1.20 s"),
        (1.0, 1.4, "1.20 s (1.00 to 1.40)"),
        (1.0, None, "1.20 s (1.00 to open)"),
        (None, 1.4, "1.20 s (open to 1.40)"),
    ],
)
def test_a_latency_has_its_interval_as_far_as_there_is_one(low: float | None, high: float | None, text: str) -> None:
    """A bound that nobody can know is open; without both there is no bracket."""
    assert amounts.seconds(Latency(value_s=1.2, low_s=low, high_s=high, n=9)) == text


@pytest.mark.parametrize(("low", "high"), [(None, 0.9), (0.1, None), (None, None)])
def test_what_has_no_interval_is_not_drawn(low: float | None, high: float | None) -> None:
    """A figure without both bounds has neither a bracket nor a place on an axis; one with them has both."""
    assert amounts.plotted(figure("tpr", 0.5, low, high)) is None
    assert amounts.figure(figure("tpr", 0.5, low, high)) == "50.0 %"
    assert amounts.plotted(figure("tpr", None, 0.1, 0.9)) is None
    drawn = amounts.plotted(figure("tpr", 0.5, 0.1, 0.9))
    assert drawn == alone(0.5, 0.1, 0.9, is_share=True)
    assert amounts.plotted(figure("kappa", 0.5, 0.1, 0.9)) == alone(0.5, 0.1, 0.9, is_share=False)


def test_a_part_is_drawn_as_a_share() -> None:
    """The agreement on a part of the labels lies between 0 and 1 with its bounds."""
    part = Slice(kind="category", name="x", n=20, agree=5, low=0.1, high=0.5)
    assert amounts.part_plotted(part) == alone(0.25, 0.1, 0.5, is_share=True)


@pytest.mark.parametrize("missing", ["impact_usd", "impact_low_usd", "impact_high_usd"])
def test_a_cost_needs_both_bounds(missing: str) -> None:
    """Without the cost or one of its bounds there is no amount; what rounds to nothing has no minus."""
    whole = {"impact_usd": 0.4, "impact_low_usd": -0.4, "impact_high_usd": 1999.6}
    assert amounts.impact(sample.signal(**whole)) == "$0 ($0 to $2,000)"
    assert amounts.impact(sample.signal(**whole | {missing: None})) == ""


@pytest.mark.parametrize(("value", "text"), [(None, "none"), (-0.0001, "0.000"), (-0.5, f"{MINUS}0.500")])
def test_a_coefficient_has_three_decimals(value: float | None, text: str) -> None:
    """What is none is said to be none, and what rounds to nothing has no minus."""
    assert amounts.coefficient(value) == text


def test_a_change_of_a_rate_is_in_points() -> None:
    """The change of a signal is its value less its baseline's, with the bounds that it has."""
    found = sample.signal(value=0.12, baseline_value=0.1, low=-0.01, high=0.05)
    assert amounts.change(found) == f"+2.0 points ({MINUS}1.0 to +5.0)"
    assert amounts.level(found, of_baseline=True) == "10.0 %"
