"""Monitor: what did production do last week that it did not do before, and what does that cost?

Reads traces, writes signals. Asks the grounding judge about a random sample of answers; everything else is counted.
The grounding judge has no certificate, so what it says is charted and can never alert.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import Field

from assay.errors import ConfigError, DataError, EndpointError
from assay.judges import prompt
from assay.judges.prompt import JUDGES_FOLDER
from assay.judges.reply import parse
from assay.models import endpoints
from assay.models.cached_reply import said
from assay.models.chat import Chat, Endpoint
from assay.models.engine import Call, Work, answer_all
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.monitoring.impact import assess
from assay.monitoring.measures import SIGNALS
from assay.monitoring.periods import WEEK
from assay.monitoring.policies import Policy, require_policies
from assay.project import failures, model_session
from assay.project.params import read_params
from assay.project.progress import progress
from assay.project.run_id import begun
from assay.project.tables.signals import SIGNALS as MEASURED
from assay.project.tables.traces import TRACES
from assay.project.taxonomy import TAXONOMY
from assay.records.optional import Guard
from assay.records.parts import PARTS
from assay.records.record import Record, digest
from assay.records.signal import Signal
from assay.records.trace import Trace
from assay.stages.declaration import Output, Stage
from assay.storage.rows import frame
from assay.text import printable

CHILDREN = ("assay.models.embedded.judges",)
"""Started with `python -m`: of the embedded models, what can move a result of this stage."""
PARAMETERS = {"temperature": 0}
DAY = timedelta(days=1)
NAMED = 5
"""Rows that are named of those left out."""
LOG = logging.getLogger(__name__)


class SignalSettings(Record):
    """One signal as its owner declares it; without a value it is charted and never alerts."""

    signal: str
    direction: Literal["up", "down"]
    """Which way is bad."""
    value_per_event_usd: float | None = None
    budget_usd_per_week: float | None = None
    owner: str
    description: str


class Settings(Limits):
    """The section `monitor` of params.yaml."""

    model: endpoints.Model = endpoints.Model(hosted="gpt-4.1-mini", embedded="lexical-grounding")
    grounding_sample: int = Field(default=150, ge=1)
    """Answers judged in the window, and as many in the baseline."""
    window_days: int = Field(default=7, ge=1, le=7)
    baseline_days: int = Field(default=21, ge=14)
    seed: int = 7
    signals: list[SignalSettings] = Field(default=[])


STAGE = Stage(
    name="monitor",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, JUDGES_FOLDER, "data/traces"),
    writes=(Output(path=MEASURED.path),),
    asks="the grounding judge, about a sample",
)


def window_end(traces: Sequence[Trace]) -> datetime:
    """Return the midnight after the last trace: a window is made of whole days of traffic, not of the run's clock."""
    last = max(trace.at for trace in traces)
    return datetime.combine(last.date() + timedelta(days=1), time(), tzinfo=UTC)


def sample(traces: Sequence[Trace], settings: Settings) -> tuple[list[Trace], list[Trace]]:
    """Return the answers to ask the grounding judge about, as many at random from the window as from its baseline.

    The baseline is the one that the signals are compared with: the same weekdays of the days declared, no trace before.
    """
    end, first = window_end(traces), settings.window_days
    days = [(trace, -((trace.at - end) // DAY) - 1) for trace in traces if trace.contexts]
    window = [trace for trace, day in days if day < first]
    usual = [trace for trace, day in days if first <= day < first + settings.baseline_days and day % WEEK < first]
    rng = np.random.default_rng(settings.seed)
    return _draw(window, settings.grounding_sample, rng), _draw(usual, settings.grounding_sample, rng)


def _draw(part: Sequence[Trace], size: int, rng: np.random.Generator) -> list[Trace]:
    picks = rng.choice(len(part), size=min(size, len(part)), replace=False)
    return [part[index] for index in sorted(picks.tolist())]


async def grounded(
    settings: Settings, endpoint: Endpoint, chosen: Sequence[Trace], journal: Journal, run: str
) -> dict[str, bool]:
    """Return, by trace, whether the judge found the answer supported; an answer it did not judge is left out."""
    judge = prompt.load("grounding")
    work = Work(run, "monitor", settings.conversations, journal.purse(run, None))
    async with Chat(endpoint, settings) as chat:

        def call(trace: Trace) -> Call:
            messages = judge.render(question=trace.question, contexts=trace.contexts, response=trace.answer)
            key = digest(["monitor", endpoint.model, judge.prompt_hash, messages])
            request = {"messages": messages, "response_format": judge.response_format(), **PARAMETERS}
            return Call(key, lambda: said(chat, is_readable=lambda reply: _outcome(reply) != "unscored", **request))

        calls = {trace.trace_id: call(trace) for trace in chosen}
        with progress("monitor", len({call.key for call in calls.values()})) as step:
            await answer_all(calls.values(), journal, work, progress=step)
    outcomes = {trace_id: _outcome(json.loads(journal.outcome(call.key).answer)) for trace_id, call in calls.items()}
    return {trace_id: outcome == "pass" for trace_id, outcome in outcomes.items() if outcome != "unscored"}


def _outcome(said: Mapping[str, str | None]) -> str:
    if "error" in said:
        return "unscored"
    return parse("pass-fail", said["content"], said["refusal"], said["finish_reason"], None).outcome


def columns(traces: Sequence[Trace], found: Mapping[str, bool]) -> pd.DataFrame:
    """Return the traces as columns, with `grounded` where the judge gave a verdict."""
    return frame(traces, Trace).assign(
        grounded=pd.Series([found.get(trace.trace_id) for trace in traces], dtype=object)
    )


def policies(settings: Settings) -> list[Policy]:
    """Return the declared signals.

    Raises:
        ConfigError: A signal is unknown, declared twice or by halves, or a judge's signal is to alert.
    """
    declared = [Policy(**signal.model_dump()) for signal in settings.signals]
    require_policies(declared)
    for policy in declared:
        if SIGNALS[policy.signal].is_sampled and policy.value_per_event_usd is not None:
            raise ConfigError(
                f"params.yaml: {policy.signal} has a value of {policy.value_per_event_usd} USD, but its judge has no "
                "certificate, so it can be charted and never alert: take value and budget out"
            )
    return declared


def measurable(declared: Sequence[Policy], parts: Sequence[Sequence[Trace]], found: Mapping[str, bool]) -> list[Policy]:
    """Return the signals that can be measured: a judge's needs verdicts in both periods, any other only traffic."""
    judged = [sum(trace.trace_id in found for trace in part) for part in parts]
    if all(judged):
        return list(declared)
    lost = [policy.signal for policy in declared if SIGNALS[policy.signal].is_sampled]
    if lost:
        LOG.warning(
            "%s left out: the grounding judge gave a verdict on %d of %d answers in the window and %d of %d before it",
            ", ".join(lost),
            *(count for pair in zip(judged, map(len, parts), strict=True) for count in pair),
        )
    return [policy for policy in declared if policy.signal not in lost]


def ask(settings: Settings, chosen: Sequence[Trace], run: str) -> dict[str, bool]:
    """Return the grounding judge's verdicts by trace; none when it cannot be asked: no outage may silence an alert."""
    try:
        with model_session.consulting(settings.model) as (endpoint, journal):
            return asyncio.run(grounded(settings, endpoint, chosen, journal, run))
    except EndpointError as error:
        LOG.warning("the grounding judge cannot be asked: %s", printable(error))
        return {}


def measure(settings: Settings, traces: Sequence[Trace], run: str) -> list[Signal]:
    """Return every signal that can be measured; none for a product without any traffic yet."""
    declared, window = policies(settings), settings.model_dump(include={"window_days", "baseline_days"})
    if not traces:
        return []
    is_judged = any(SIGNALS[policy.signal].is_sampled for policy in declared)
    parts = sample(traces, settings) if is_judged else ([], [])
    found = ask(settings, [*parts[0], *parts[1]], run) if any(parts) else {}
    kept = measurable(declared, parts, found)
    return assess(columns(traces, found), kept, window_end=window_end(traces), **window)


def read_traces(guard: Guard) -> list[Trace]:
    """Return the traces; rows that break their contract are left out, counted and named.

    Raises:
        DataError: The file is damaged as a whole, or no row of it can be read.
    """
    try:
        return TRACES.read(may_be_absent=True)
    except DataError:
        rows, faults = TRACES.sift()
        if not (rows and faults):
            raise
        shown = "; ".join(faults[:NAMED]) + ("; ..." if len(faults) > NAMED else "")
        count = f"{len(faults)} of {len(faults) + len(rows)} conversations, which break their contract"
        guard.note(PARTS["traffic"], printable(f"is read without {count}: {shown}"))
        return rows


def run(now: datetime) -> int:
    """Measure the signals of the last window and file them; return how many alert."""
    guard = Guard()
    signals = measure(read_params("monitor", Settings), read_traces(guard), begun(now).id)
    MEASURED.write(signals)
    failures.keep(STAGE.name, guard)
    return sum(signal.state == "alert" for signal in signals)
