"""A month of production traffic for the sample product, answered by the real assistant.

The questions (`traffic.yaml`) and the customers are invented; the answers, the quoted articles and the hand-overs are
what the two versions really gave. Whether a customer writes again follows a stated model: a need for a person that
was not met brings most customers back (`RETURN_UNMET`), an answer that does not quote the right article some
(`RETURN_MISLED`), anything else few (`RETURN_ELSE`). So when a version hands over less often, repeat contacts rise
because of it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from typing import Any, Literal

import numpy as np
import yaml

from assay.records.trace import Trace
from examples.support import world
from examples.support.converse import Outcome, converse

NEW_VERSION_DAYS = 7
"""The last days of a period are served by support-2, all days before by support-1."""
A_DAY = (228, 214, 206, 202, 196, 184, 204)
"""Mean conversations from Monday to Sunday: no box comes on Sunday and Monday, and questions pile up."""
AN_HOUR = np.array([1, 1, 1, 1, 1, 2, 4, 7, 9, 9, 8, 8, 8, 7, 7, 8, 9, 10, 10, 9, 7, 5, 3, 2], dtype=float)
"""How conversations spread over the hours of a day, UTC."""

RETURN_UNMET = 0.62
"""Chance that a customer who needed a person and got none writes again within a day."""
RETURN_MISLED = 0.16
RETURN_ELSE = 0.06
THUMB = {"unmet": (0.34, 0.04), "misled": (0.16, 0.05), "else": (0.03, 0.12)}
"""Chance of a thumb down and of a thumb up, by how the conversation went."""


@dataclass(frozen=True, kw_only=True)
class Topic:
    """Something that customers write about."""

    category: str
    share: float
    article: str
    """Slug of the article that holds the answer; empty when no article does."""
    needs_person: bool
    texts: list[str | list[str]]


def generate(seed: int, days: int, end: datetime) -> list[Trace]:
    """Return the conversations of the `days` before `end`, oldest first; equal arguments give equal traces.

    Raises:
        ValueError: `days` is below 1 or `end` has no time zone.
    """
    if days < 1 or end.tzinfo is None:
        raise ValueError(f"days is {days} and end is {end}; expected at least 1 day and an end with a time zone")
    rng = np.random.default_rng(seed)
    traces = []
    for back in range(days, 0, -1):
        start = end - timedelta(days=back)
        version = "support-2" if back <= NEW_VERSION_DAYS else "support-1"
        times = sorted(start + timedelta(seconds=second) for second in _seconds(rng, A_DAY[start.weekday()]))
        traces += [_trace(rng, f"t-{at:%Y%m%d}-{number:04d}", at, version) for number, at in enumerate(times)]
    return traces


def _seconds(rng: np.random.Generator, mean: float) -> list[float]:
    hours = rng.choice(24, size=rng.poisson(mean), p=AN_HOUR / AN_HOUR.sum())
    return [float(hour * 3600 + rng.uniform(0, 3600)) for hour in hours]


def _trace(rng: np.random.Generator, trace_id: str, at: datetime, version: str) -> Trace:
    topics = _catalogue()["topics"]
    weights = np.array([topic.share for topic in topics])
    topic = topics[int(rng.choice(len(topics), p=weights / weights.sum()))]
    turns = _turns(rng, topic)
    outcome = converse(version, turns)
    feeling = _feeling(topic, outcome)
    words = len(outcome.text.split())
    return Trace(
        trace_id=trace_id,
        at=at,
        version=version,
        category=topic.category,
        question="\n".join(turns),
        answer=outcome.text,
        contexts=outcome.contexts,
        escalated=outcome.is_escalated,
        refused=outcome.is_declined,
        contacted_again=bool(rng.random() < {"unmet": RETURN_UNMET, "misled": RETURN_MISLED}.get(feeling, RETURN_ELSE)),
        thumb=_thumb(rng, feeling),
        latency_s=round(float(0.35 + 0.3 * len(outcome.calls) + 0.004 * words + rng.lognormal(-1.2, 0.6)), 3),
        completion_tokens=round(words * 1.3),
    )


def _feeling(topic: Topic, outcome: Outcome) -> str:
    if topic.needs_person:
        return "else" if outcome.is_escalated else "unmet"
    quoted = any(context.startswith(f"{topic.article}: ") for context in outcome.contexts)
    return "misled" if topic.article and not quoted else "else"


def _thumb(rng: np.random.Generator, feeling: str) -> Literal["up", "down", "none"]:
    down, up = THUMB[feeling]
    draw = rng.random()
    return "down" if draw < down else "up" if draw < down + up else "none"


def _turns(rng: np.random.Generator, topic: Topic) -> list[str]:
    text = topic.texts[int(rng.integers(len(topic.texts)))]
    turns = [text] if isinstance(text, str) else list(text)
    slots = {slot: _pick(rng, values) for slot, values in _slots().items()}
    for slot, value in slots.items():
        turns = [turn.replace(slot, value) for turn in turns]
    turns[0] = _pick(rng, _catalogue()["openings"]) + turns[0]
    turns[-1] += _pick(rng, _catalogue()["closings"])
    return turns


def _pick(rng: np.random.Generator, values: list[str]) -> str:
    return values[int(rng.integers(len(values)))]


@cache
def _slots() -> dict[str, list[str]]:
    orders = world.orders().values()
    return {
        "{order}": [f"order {order['order_id']}" for order in orders if order["status"] == "delivered"],
        "{future}": [f"order {order['order_id']}" for order in orders if order["status"] in {"scheduled", "packed"}],
        "{lost}": [f"order {order['order_id']}" for order in orders if order["status"] == "delayed"],
        "{meal}": [name.lower() for name in world.MEALS],
        "{day}": ["Thursday", "Friday", "Saturday", "next Tuesday"],
    }


@cache
def _catalogue() -> dict[str, Any]:
    text = (resources.files("examples.support") / "traffic.yaml").read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    return {**content, "topics": [Topic(**topic) for topic in content["topics"]]}
