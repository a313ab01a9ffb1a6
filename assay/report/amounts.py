"""Amounts as a person reads them: points, dollars, coefficients, moments."""

from datetime import UTC, datetime

from assay.calibration.certificate import Figure, Slice
from assay.monitoring.measures import measure_of
from assay.records.signal import Signal
from assay.report.costs import Latency
from assay.report.figures import Alone, alone
from assay.report.findings import Rate
from assay.report.wording import percent

SMALLEST_P = 0.001
SHARES = frozenset(
    {
        *("tpr", "tnr", "accuracy", "accuracy-unscored-wrong", "human-pass-rate", "conflict", "decided"),
        *("flips", "injected", "alternative-test", "accuracy-scale", "within-one", "agrees-with-one"),
        *("macro-precision", "macro-recall", "macro-f1"),
    }
)
"""Figures of a certificate that are shares; all others are coefficients."""
NAMES = {
    "tpr": "Right where people say pass (TPR)",
    "tnr": "Right where people say fail (TNR)",
    "youden": "TPR + TNR - 1 (Youden's J)",
    "accuracy": "Agrees with people",
    "kappa": "Cohen's kappa",
    "kappa-linear": "Kappa, linear weights",
    "kappa-scale": "Kappa on the judge's own scale",
    "ac1": "Gwet's AC1",
    "human-pass-rate": "People say pass",
    "conflict": "The order of showing decided",
    "direction": "Leans to what it reads first",
    "decided": "Neither said tie",
    "kappa-over-human": "Kappa above people's own",
    "accuracy-unscored-wrong": "The same, no verdict counted as wrong",
    "longer-over-human": "Prefers the longer more than people do",
    "alpha-human": "Krippendorff's alpha of people",
    "alpha-panel": "Krippendorff's alpha of the panel",
    "alternative-test": "Annotators it could replace",
    "self-preference": "Prefers its own more than people do",
    "self-preference-tpr": "Its own good answers, TPR above others'",
    "self-preference-tnr": "Its own bad answers, TNR above others'",
    "flips": "Says otherwise when asked again",
    "injected": "Moved by what a response says of itself",
    "kappa-quadratic": "Kappa, quadratic weights",
    "accuracy-scale": "Agrees with people on its own scale",
    "within-one": "At most one apart from people",
    "macro-precision": "Precision, mean of the classes",
    "macro-recall": "Recall, mean of the classes",
    "macro-f1": "F1, mean of the classes",
    "spearman": "Spearman's rank correlation",
    "mae": "Mean absolute error",
    "brier": "Brier score against people's shares",
    "agrees-with-one": "Agrees with an annotator at random",
    "drift": "Accuracy since the last certificate",
}


def seconds(found: Latency) -> str:
    """Return a latency with its 95 % interval as far as it has one, such as `1.20 s (1.05 to 1.40)`."""
    bounds = ["open" if bound is None else f"{bound:.2f}" for bound in (found.low_s, found.high_s)]
    interval = "" if found.low_s is None and found.high_s is None else f" ({' to '.join(bounds)})"
    return f"{found.value_s:.2f} s{interval}"


def bounds(found: Rate) -> str:
    """Return the 95 % interval of a share alone, such as `79.2 to 88.7`."""
    return f"{100 * found.low:.1f} to {100 * found.high:.1f}"


def points(found: Rate) -> str:
    """Return a change of a rate in percentage points, such as `-5.6 points (-9.1 to -2.1)`."""
    return _points(found.estimate, found.low, found.high)


def p_value(value: float | None) -> str:
    """Return a p-value with three decimals; empty where there is none."""
    if value is None:
        return ""
    return f"< {SMALLEST_P}" if value < SMALLEST_P else f"{value:.3f}"


def figure_name(found: Figure) -> str:
    """Return what a figure of a certificate says, in words; one that is not known keeps its own name."""
    return NAMES.get(found.name, found.name)


def figure(found: Figure) -> str:
    """Return a figure of a certificate with its interval, as a share or as a coefficient."""
    if found.estimate is None:
        return "not estimated"
    is_share = found.name in SHARES
    text = percent(found.estimate) if is_share else _signed(f"{found.estimate:z.3f}")
    if found.low is None or found.high is None:
        return text
    if is_share:
        return f"{text} ({100 * found.low:.1f} to {100 * found.high:.1f})"
    return _signed(f"{text} ({found.low:z.3f} to {found.high:z.3f})")


def coefficient(value: float | None) -> str:
    """Return a coefficient with three decimals, or that there is none."""
    return "none" if value is None else _signed(f"{value:z.3f}")


def plotted(found: Figure) -> Alone | None:
    """Return where a figure and its interval lie on its axis; None where it has no interval."""
    if found.estimate is None or found.low is None or found.high is None:
        return None
    return alone(found.estimate, found.low, found.high, is_share=found.name in SHARES)


def part_plotted(part: Slice) -> Alone:
    """Return where the agreement on a part of the labels lies, from 0 to 1."""
    return alone(part.agree / part.n, part.low, part.high, is_share=True)


def level(signal: Signal, *, of_baseline: bool = False) -> str:
    """Return a signal's level in its window, or in its baseline, as a share or as a mean."""
    value = signal.baseline_value if of_baseline else signal.value
    return f"{value:,.1f}" if _is_mean(signal) else percent(value)


def change(signal: Signal) -> str:
    """Return a signal's change against its baseline with its 95 % interval."""
    estimate = signal.value - signal.baseline_value
    if _is_mean(signal):
        return _signed(f"{estimate:+z,.1f} ({signal.low:+z,.1f} to {signal.high:+z,.1f})")
    return _points(estimate, signal.low, signal.high)


def impact(signal: Signal) -> str:
    """Return a signal's weekly cost with its bounds, below 0 a saving; empty where no value is declared."""
    if signal.impact_usd is None or signal.impact_low_usd is None or signal.impact_high_usd is None:
        return ""
    cost, low, high = (_dollars(part) for part in (signal.impact_usd, signal.impact_low_usd, signal.impact_high_usd))
    return f"{cost} ({low} to {high})"


def moment(at: datetime) -> str:
    """Return a moment in UTC to the minute."""
    return f"{at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _points(estimate: float, low: float, high: float) -> str:
    return _signed(f"{100 * estimate:+z.1f} points ({100 * low:+z.1f} to {100 * high:+z.1f})")


def _dollars(amount: float) -> str:
    rounded = round(amount)
    return _signed(f"-${-rounded:,}" if rounded < 0 else f"${rounded:,}")


def _signed(text: str) -> str:
    return text.replace("-", "\N{MINUS SIGN}")


def _is_mean(signal: Signal) -> bool:
    measure = measure_of(signal.signal)
    return measure is not None and measure.kind == "mean"
