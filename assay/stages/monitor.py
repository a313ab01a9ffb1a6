"""Monitor: what did production do last week that it did not do before, and what does that cost?

Reads traces and certificates, writes signals. Asks the judges of production about a random sample of answers;
everything else is counted. What a judge without a valid certificate says is charted and can never alert.
"""

import asyncio
import logging
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple

import numpy as np
import orjson
import pandas as pd
from pydantic import Field

from assay.calibration.certificate import standing
from assay.errors import ConfigError, DataError, EndpointError
from assay.judges import prompt, questions
from assay.judges.declaration import lacking
from assay.judges.ensemble import combine
from assay.judges.prompt import JUDGES_FOLDER, JudgePrompt
from assay.judges.questions import Asked, Question, Texts
from assay.models import endpoints
from assay.models.chat import Endpoint
from assay.models.engine import Work, answer_all
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.monitoring.impact import assess
from assay.monitoring.measures import JUDGED, measure_of
from assay.monitoring.periods import WEEK
from assay.monitoring.policies import Policy, require_policies
from assay.project import failures, model_session
from assay.project.certificates import CALIBRATION, read_certificates
from assay.project.journal import has_journal, open_journal
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
from assay.records.verdict import Verdict
from assay.stages import judge_clients
from assay.stages.declaration import Output, Stage
from assay.storage.rows import frame
from assay.text import printable

CHILDREN = ("assay.models.embedded.judges",)
"""Started with `python -m`: of the embedded models, what can move a result of this stage."""
GROUNDED = "grounded"
"""The column of the one judge of production that reads contexts."""
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
    """Answers that each judge of production is asked about in the window, and as many in the baseline."""
    window_days: int = Field(default=7, ge=1, le=7)
    baseline_days: int = Field(default=21, ge=14)
    seed: int = 7
    signals: list[SignalSettings] = Field(default=[])


STAGE = Stage(
    name="monitor",
    doc=__doc__ or "",
    settings=Settings,
    reads=(TAXONOMY, JUDGES_FOLDER, "data/traces", CALIBRATION),
    writes=(Output(path=MEASURED.path),),
    asks="the judges of production, about a sample",
)


def window_end(traces: Sequence[Trace]) -> datetime:
    """Return the midnight after the last trace: a window is made of whole days of traffic, not of the run's clock."""
    last = max(trace.at for trace in traces)
    return datetime.combine(last.date() + timedelta(days=1), time(), tzinfo=UTC)


class Judged(NamedTuple):
    """What one judge of production said of its sample."""

    judge: JudgePrompt
    window: Sequence[Trace]
    usual: Sequence[Trace]
    """The same weekdays before it."""
    verdicts: Mapping[str, Verdict]
    """By trace; an answer that it did not judge is left out."""

    @property
    def fingerprint(self) -> str:
        """Return who judged, as certificates have it."""
        return "+".join(sorted({verdict.fingerprint for verdict in self.verdicts.values()}))


def sample(judge: JudgePrompt, traces: Sequence[Trace], settings: Settings) -> tuple[list[Trace], list[Trace]]:
    """Return the answers to ask a judge about, as many at random from the window as from its baseline.

    The baseline is the one that the signals are compared with: the same weekdays of the days declared, no trace before.
    """
    end, first = window_end(traces), settings.window_days
    asked = [trace for trace in traces if not lacking(judge.declared, questions.of_trace(judge, trace).shown[0])]
    days = [(trace, -((trace.at - end) // DAY) - 1) for trace in asked]
    window = [trace for trace, day in days if day < first]
    usual = [trace for trace, day in days if first <= day < first + settings.baseline_days and day % WEEK < first]
    rng = np.random.default_rng(settings.seed)
    return _draw(window, settings.grounding_sample, rng), _draw(usual, settings.grounding_sample, rng)


def _draw(part: Sequence[Trace], size: int, rng: np.random.Generator) -> list[Trace]:
    picks = rng.choice(len(part), size=min(size, len(part)), replace=False)
    return [part[index] for index in sorted(picks.tolist())]


async def judged(
    settings: Settings, judge: JudgePrompt, endpoint: Endpoint, chosen: Sequence[Trace], journal: Journal, run: str
) -> dict[str, Verdict]:
    """Return a judge's verdicts by trace; an answer it did not judge is left out."""
    work = Work(run, "monitor", settings.conversations, journal.purse(run, None))
    async with judge_clients.connected(_manner(settings), [judge], endpoint, journal, key=_key) as bench:
        asked = {trace.trace_id: questions.of_trace(judge, trace) for trace in chosen}
        calls = [call for question in asked.values() for call in bench.calls(question)]
        with progress("monitor", len({call.key for call in calls})) as step:
            await answer_all(calls, journal, work, progress=step)
        said = {trace_id: bench.verdict(question, journal) for trace_id, question in asked.items()}
    return {trace_id: verdict for trace_id, verdict in said.items() if verdict.status == "ok"}


def _manner(settings: Settings) -> judge_clients.Settings:
    """Return how a judge of production is asked."""
    limits = settings.model_dump(include=set(Limits.model_fields))
    return judge_clients.Settings.model_validate(
        {**limits, "model": settings.model, "log_probabilities": False, "ask_again": 0}
    )


def _key(question: Question, texts: Texts, asked: Asked) -> str:
    """Return the key of a call in the journal: an answer that was judged once is not judged again."""
    judge = prompt.load(question.judge)
    return digest(["monitor", asked.model, judge.prompt_hash, judge.render(**texts)])


def known(settings: Settings, judge: JudgePrompt, traces: Sequence[Trace]) -> list[tuple[Trace, Verdict]]:
    """Return the sampled traces that a judge of production has judged, each with its verdict; nobody is asked.

    Args:
        settings: Of this stage.
        judge: One of production.
        traces: All of production.
    """
    if not traces or not has_journal():
        return []
    nowhere = Endpoint(base_url="", model="", api_key="")
    asked = [who for _, who in judge_clients.members(_manner(settings), judge, nowhere, os.environ)]
    with open_journal() as journal:
        chosen = [trace for part in sample(judge, traces, settings) for trace in part]
        verdicts = [(trace, _kept(journal, questions.of_trace(judge, trace), asked)) for trace in chosen]
    return [(trace, verdict) for trace, verdict in verdicts if verdict is not None and verdict.status == "ok"]


def _kept(journal: Journal, question: Question, asked: Sequence[Asked]) -> Verdict | None:
    """Return what all who are asked have said of a question; None where one of them never was."""
    replies = [journal.get(_key(question, question.shown[0], who)) for who in asked]
    votes = [
        questions.verdict(question, [orjson.loads(reply)], who)
        for reply, who in zip(replies, asked, strict=True)
        if reply is not None
    ]
    return combine(votes) if len(votes) == len(asked) else None


def columns(traces: Sequence[Trace], found: Sequence[Judged]) -> pd.DataFrame:
    """Return the traces as columns, with one a judge of production where it gave a verdict."""
    judged_by: dict[str, pd.Series[bool]] = {}
    for one in found:
        passed = {trace_id: verdict.outcome == "pass" for trace_id, verdict in one.verdicts.items()}
        column = pd.Series([passed.get(trace.trace_id) for trace in traces], dtype=object)
        judged_by |= {f"{JUDGED}{one.judge.name}": column}
        judged_by |= {GROUNDED: column} if _is_grounding(one.judge) else {}
    return frame(traces, Trace).assign(**judged_by)


def _is_grounding(judge: JudgePrompt) -> bool:
    return "contexts" in judge.declared.requires


def judges_of(declared: Sequence[Policy]) -> list[JudgePrompt]:
    """Return the judges of production that the declared signals need.

    Raises:
        ConfigError: A signal names no judge of production, or there is more than one that it could mean.
    """
    there = {judge.name: judge for judge in prompt.load_all() if judge.declared.scope == "traces"}
    found: dict[str, JudgePrompt] = {}
    for policy in declared:
        if not _is_sampled(policy):
            continue
        wanted = _meant(policy, there.values())
        if len(wanted) != 1:
            raise ConfigError(
                f"params.yaml: monitor.signals has {policy.signal!r}, which could mean {len(wanted)} judges of "
                f"production, expected one (`scope: traces` in its judge.yaml; there are: "
                f"{', '.join(there) or 'none'}): name it as {JUDGED}<judge>"
            )
        found[wanted[0].name] = wanted[0]
    return list(found.values())


def _meant(policy: Policy, judges: Iterable[JudgePrompt]) -> list[JudgePrompt]:
    """Return the judges that a sampled signal could mean: the one that it names, else those that read contexts."""
    if policy.signal.startswith(JUDGED):
        return [judge for judge in judges if judge.name == policy.signal.removeprefix(JUDGED)]
    return [judge for judge in judges if _is_grounding(judge)]


def _is_sampled(policy: Policy) -> bool:
    measure = measure_of(policy.signal)
    return measure is not None and measure.is_sampled


def policies(settings: Settings) -> list[Policy]:
    """Return the declared signals.

    Raises:
        ConfigError: A signal is unknown, declared twice or by halves, or a judge's signal is to alert.
    """
    declared = [Policy(**signal.model_dump()) for signal in settings.signals]
    require_policies(declared)
    judges_of(declared)
    return declared


def measurable(declared: Sequence[Policy], found: Sequence[Judged], now: datetime) -> list[Policy]:
    """Return the signals that can be measured: a judge's needs verdicts in both periods, any other only traffic.

    A signal of a judge without a valid certificate keeps no value, so that it is charted.
    """
    held, kept = read_certificates(), list[Policy]()
    for policy in declared:
        if not _is_sampled(policy):
            kept.append(policy)
            continue
        meant = _meant(policy, [one.judge for one in found])
        one = next((one for one in found if one.judge in meant), None)
        if one is None or not _has_verdicts(policy, one):
            continue
        worth = standing(held.get(one.judge.name), one.fingerprint, one.judge.version, now)
        if worth != "valid" and policy.value_per_event_usd is not None:
            LOG.warning(
                "%s is charted and cannot alert: the certificate of %s is %s", policy.signal, one.judge.name, worth
            )
            policy = replace(policy, value_per_event_usd=None, budget_usd_per_week=None)  # noqa: PLW2901 - what is kept
        kept.append(policy)
    return kept


def _has_verdicts(policy: Policy, one: Judged) -> bool:
    """Tell whether a judge gave verdicts in both periods; say so where it did not."""
    counts = [sum(trace.trace_id in one.verdicts for trace in part) for part in (one.window, one.usual)]
    if not all(counts):
        LOG.warning(
            "%s left out: the judge %s gave a verdict on %d of %d answers in the window and %d of %d before it",
            *(policy.signal, one.judge.name, counts[0], len(one.window), counts[1], len(one.usual)),
        )
    return all(counts)


def ask(settings: Settings, judge: JudgePrompt, chosen: Sequence[Trace], run: str) -> dict[str, Verdict]:
    """Return a judge's verdicts by trace; none when it cannot be asked: no outage may silence an alert."""
    try:
        with model_session.consulting(settings.model) as (endpoint, journal):
            return asyncio.run(judged(settings, judge, endpoint, chosen, journal, run))
    except EndpointError as error:
        LOG.warning("the judge %s cannot be asked: %s", judge.name, printable(error))
        return {}


def measure(settings: Settings, traces: Sequence[Trace], run: str, now: datetime) -> list[Signal]:
    """Return every signal that can be measured; none for a product without any traffic yet."""
    declared, window = policies(settings), settings.model_dump(include={"window_days", "baseline_days"})
    if not traces:
        return []
    found = []
    for judge in judges_of(declared):
        parts = sample(judge, traces, settings)
        said = ask(settings, judge, [*parts[0], *parts[1]], run) if any(parts) else {}
        found.append(Judged(judge, *parts, said))
    kept = measurable(declared, found, now)
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
    signals = measure(read_params("monitor", Settings), read_traces(guard), begun(now).id, now)
    MEASURED.write(signals)
    failures.keep(STAGE.name, guard)
    return sum(signal.state == "alert" for signal in signals)
