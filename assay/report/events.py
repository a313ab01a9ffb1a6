"""Verdicts as OpenTelemetry logs: one event `gen_ai.evaluation.result` a verdict, as OTLP in JSON.

Source:
    OpenTelemetry semantic conventions for generative AI, events; OTLP/JSON encoding, logs.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from assay.records.verdict import Verdict

EVENT = "gen_ai.evaluation.result"
SCOPE = "assay"


def events(verdicts: Iterable[Verdict], at: datetime, target: str) -> dict[str, Any]:
    """Return the logs of one night as JSON values, ready for a collector's `/v1/logs`.

    Args:
        verdicts: Of tonight's answers; what was said of the baseline and of labelled items is left out.
        at: When the night was published.
        target: Fingerprint of the product.
    """
    nanoseconds = str(int(at.timestamp() * 1_000_000_000))
    records = [
        {"timeUnixNano": nanoseconds, "eventName": EVENT, "attributes": _attributes(_told(one))}
        for one in verdicts
        if one.subject == "target"
    ]
    resource = {"attributes": _attributes({"service.name": "assay", "assay.target": target})}
    return {"resourceLogs": [{"resource": resource, "scopeLogs": [{"scope": {"name": SCOPE}, "logRecords": records}]}]}


def _told(one: Verdict) -> dict[str, str | float]:
    """Return the attributes of one verdict; what is not known is left out, never null."""
    found: dict[str, str | float | None] = {
        "gen_ai.evaluation.name": one.scorer,
        "gen_ai.evaluation.score.label": one.label or one.outcome,
        "gen_ai.evaluation.score.value": one.score,
        "gen_ai.evaluation.explanation": one.rationale or one.detail,
        "error.type": one.status if one.status != "ok" else "",
        "assay.case.id": one.item_id,
        "assay.trial": float(one.trial),
        "assay.run": one.run,
    }
    return {name: value for name, value in found.items() if value not in (None, "")}


def _attributes(values: dict[str, str | float]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": {"doubleValue" if isinstance(value, float) else "stringValue": value}}
        for name, value in values.items()
    ]
