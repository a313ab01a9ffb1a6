"""What is measured on production traffic: each signal reads columns of traces and yields one value a conversation.

The columns are those of `assay.records.Trace`, and one for each judge of production, which the caller adds: True or
False where it looked, missing where it did not; it must have looked at a random sample. `grounded` is that of the one
judge which reads contexts.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

import pandas as pd

from assay.errors import DataError

JUDGED = "judge:"
"""Begins the name of a signal that is the share of answers a judge of production passes, and the name of its column."""
TAIL = 0.95
"""The quantile of the baseline that `latency-exceedance` counts beyond."""
Values: TypeAlias = "pd.Series[float]"
Frame: TypeAlias = pd.DataFrame


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One signal: how it is read, and how it is spoken of."""

    columns: tuple[str, ...]
    read: Callable[[Frame, Frame], Values]
    """From all traces and those of the baseline: one value a conversation that counts, 0 or 1 for a rate."""
    kind: Literal["rate", "mean"]
    noun: str
    """What one event is called, in the plural; for a mean, what is averaged."""
    is_sampled: bool = False
    """Read on a random sample of the conversations, so that a change applies to all of them."""


def read_flags(frame: Frame, column: str) -> Values:
    """Return a column of True and False as 1 and 0.

    Raises:
        DataError: A value is missing or anything else.
    """
    values = frame[column]
    wrong = values[~values.isin([True, False])]
    if len(wrong):
        raise DataError(
            f"column {column!r} of the traces holds {str(wrong.iloc[0])[:40]!r}; expected True or False in every row"
        )
    return values.astype(float)


def read_numbers(frame: Frame, column: str) -> Values:
    """Return a column of durations or counts.

    Raises:
        DataError: A value is missing, infinite or below 0.
    """
    values = pd.to_numeric(frame[column], errors="coerce").astype(float)
    wrong = frame[column][~((values >= 0) & (values < float("inf")))]
    if len(wrong):
        raise DataError(
            f"column {column!r} of the traces holds {str(wrong.iloc[0])[:40]!r}; expected a number of 0 or more"
        )
    return values


def _flag(column: str) -> Callable[[Frame, Frame], Values]:
    return lambda frame, _: read_flags(frame, column)


def _thumbs_down(frame: Frame, _baseline: Frame) -> Values:
    """Return 1 for a thumb down and 0 for one up; a conversation without a thumb does not count."""
    wrong = frame["thumb"][~frame["thumb"].isin(["up", "down", "none"])]
    if len(wrong):
        raise DataError(
            f"column 'thumb' of the traces holds {str(wrong.iloc[0])[:40]!r}; expected up, down or none in every row"
        )
    rated = frame["thumb"][frame["thumb"] != "none"]
    return (rated == "down").astype(float)


def _judged(column: str) -> Callable[[Frame, Frame], Values]:
    """Return what reads 1 or 0 for the conversations that a judge looked at."""
    return lambda frame, _: read_flags(frame[frame[column].notna()], column)


def _slow(frame: Frame, baseline: Frame) -> Values:
    """Return 1 for a conversation slower than 95 % of the baseline: a tail made a rate."""
    usual = float(read_numbers(baseline, "latency_s").quantile(TAIL))
    return (read_numbers(frame, "latency_s") > usual).astype(float)


def _length(frame: Frame, _baseline: Frame) -> Values:
    return read_numbers(frame, "completion_tokens")


SIGNALS: MappingProxyType[str, Measure] = MappingProxyType(
    {
        "escalation-rate": Measure(columns=("escalated",), read=_flag("escalated"), kind="rate", noun="escalations"),
        "refusal-rate": Measure(columns=("refused",), read=_flag("refused"), kind="rate", noun="refusals"),
        "repeat-contact-rate": Measure(
            columns=("contacted_again",), read=_flag("contacted_again"), kind="rate", noun="repeat contacts"
        ),
        "thumbs-down-rate": Measure(columns=("thumb",), read=_thumbs_down, kind="rate", noun="thumbs down"),
        "grounded-rate": Measure(
            columns=("grounded",), read=_judged("grounded"), kind="rate", noun="grounded answers", is_sampled=True
        ),
        "latency-exceedance": Measure(columns=("latency_s",), read=_slow, kind="rate", noun="slow answers"),
        "response-length": Measure(columns=("completion_tokens",), read=_length, kind="mean", noun="tokens"),
    }
)


def measure_of(signal: str) -> Measure | None:
    """Return how a signal is measured: one of `SIGNALS`, or `judge:<name>`; None for any other name."""
    if not signal.startswith(JUDGED):
        return SIGNALS.get(signal)
    noun = f"answers that {signal.removeprefix(JUDGED)} passes"
    return Measure(columns=(signal,), read=_judged(signal), kind="rate", noun=noun, is_sampled=True)


def known(signal: str) -> Measure:
    """Return how a signal of a policy is measured; policies are checked before."""
    found = measure_of(signal)
    if found is None:
        raise KeyError(signal)
    return found
