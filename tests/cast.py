"""The cast: Cleo writes to Pantry Lane. One small project that every test of a stage plays with."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from assay.project import code_lock, scaffold
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.responses import BASELINE
from assay.project.tables.traces import TRACES
from assay.records.case import Case, Expectation, ToolCall
from assay.records.decision import Decision
from assay.records.history import CaseNight
from assay.records.label import Item, Label
from assay.records.record import digest
from assay.records.response import Response
from assay.records.trace import Trace
from assay.records.verdict import Verdict
from tests.layout import ROOT

AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
CATEGORIES = ("refunds", "escalation")


@dataclass
class Project:
    """A project's folder with handles for what a test changes."""

    folder: Path

    def params(self, section: str, **changes: Any) -> None:
        """Change values of one section of params.yaml."""
        file = self.folder / "params.yaml"
        whole = yaml.safe_load(file.read_text())
        whole[section] |= changes
        file.write_text(yaml.safe_dump(whole, sort_keys=False))

    def open_doors(self) -> None:
        """Give the project its flows and tasks, so that `python -m tasks.<stage>` runs in it."""
        scaffold.write(self.folder, scaffold.shared_files())
        code_lock.refresh()

    def files(self) -> dict[str, bytes]:
        """Return every file under data/ with its bytes, to see that nothing was written."""
        return {str(file): file.read_bytes() for file in sorted((self.folder / "data").rglob("*")) if file.is_file()}


def case(number: int, category: str = "refunds", **changes: Any) -> Case:
    """Return one of Cleo's questions."""
    fields = {
        "case_id": f"{category}-{number:03}",
        "layer": "unit",
        "category": category,
        "turns": [f"Cleo asks question {number} about {category}. Is it within 14 days?"],
        "reference": f"Yes, answer {number}: refunds are possible within 14 days of delivery.",
        "expectations": [Expectation(check="icontains-any", values=["14 days"])],
        "provenance": "written",
        "parent": "",
        "owner": "payments",
    }
    return Case.model_validate(fields | changes)


def response(of: Case, text: str = "Yes, refunds are possible within 14 days.", **changes: Any) -> Response:
    """Return an answer to a case."""
    fields = {
        "case_id": of.case_id,
        "revision": of.revision(),
        "target": "support@2",
        "trial": 0,
        "epoch": "2026-11-02",
        "status": "ok",
        "error_kind": "",
        "error": "",
        "text": text,
        "messages": [],
        "tool_calls": [],
        "contexts": [],
        "final_state": "{}",
        "prompt_tokens": 10,
        "completion_tokens": 9,
        "latency_s": 0.1,
    }
    return Response.model_validate(fields | changes)


def broken(of: Case, kind: str = "timeout") -> Response:
    """Return a call that failed on the wire."""
    return response(of, "", status="error", error_kind=kind, error="no answer within 30 s")


def verdict(item_id: str, outcome: str, **changes: Any) -> Verdict:
    """Return a judge's word on the target's answer."""
    fields = {
        "item_id": item_id,
        "subject": "target",
        "trial": 0,
        "scorer": "correctness",
        "fingerprint": "judge-1",
        "outcome": outcome,
        "status": "ok" if outcome != "unscored" else "error",
        "score": None,
        "as_is": None,
        "swapped": None,
        "detail": "",
    }
    return Verdict.model_validate(fields | changes)


def item(number: int, text: str, question: str = "pass-fail", other: str = "", **changes: Any) -> Item:
    """Return an answer, or a pair, that people have labelled."""
    of = case(number)
    fields = {
        "item_id": f"{question}.{number:03}",
        "question": question,
        "case_id": of.case_id,
        "category": of.category,
        "slice": "natural",
        "turns": of.turns,
        "reference": of.reference,
        "response_a": text,
        "response_b": other,
    }
    return Item.model_validate(fields | changes)


def label(item_id: str, outcome: str, annotator: str = "ada", **changes: Any) -> Label:
    """Return one annotator's word on one item."""
    fields = {
        "item_id": item_id,
        "annotator": annotator,
        "outcome": outcome,
        "split": "heldout",
        "sampling_frame": "support@2",
        "stratum": "all",
        "inclusion_probability": 0.5,
        "rubric_version": "1",
        "labelled_at": AT,
    }
    return Label.model_validate(fields | changes)


def decision(of: Case, word: str = "admit", **changes: Any) -> Decision:
    """Return a reviewer's word on a candidate with this case."""
    fields = {
        "candidate_id": of.case_id,
        "digest": of.digest(),
        "decision": word,
        "reviewer": "ada",
        "reason": "",
        "decided_at": AT,
        "case": None if word == "reject" else of,
    }
    return Decision.model_validate(fields | changes)


def case_night(night: str, cases: Sequence[Case] = (), **changes: Any) -> CaseNight:
    """Return what came of these cases in one night: all passed."""
    revisions = {one.case_id: one.revision() for one in cases}
    fields = {
        "night": night,
        "target": "support@2",
        "judge": "judge-1",
        "evaluation_set": digest(revisions),
        "cases": len(cases),
        "failed": [],
        "unscored": [],
        "differing": [],
        "revisions": revisions,
    }
    return CaseNight.model_validate(fields | changes)


def trace(number: int, at: datetime, **changes: Any) -> Trace:
    """Return one conversation of production."""
    fields = {
        "trace_id": f"trace-{number:05}",
        "at": at,
        "version": "support-1",
        "category": CATEGORIES[number % 2],
        "question": f"Cleo writes message {number}",
        "answer": "Refunds are possible within 14 days.",
        "contexts": ["refunds: Refunds are possible within 14 days."],
        "escalated": number % 10 == 0,
        "refused": False,
        "contacted_again": number % 12 == 0,
        "thumb": ("up", "down", "none")[number % 3],
        "latency_s": 0.5,
        "completion_tokens": 12,
    }
    return Trace.model_validate(fields | changes)


def call(name: str, arguments: str = "{}") -> ToolCall:
    """Return one tool call."""
    return ToolCall(name=name, arguments=arguments)


PARAMS: dict[str, Any] = {
    "generate": {"documents": "", "ways": ["category", "production"]},
    "review": {},
    "execute": {"target": {"kind": "recorded", "name": "support", "path": "answers.jsonl"}},
    "judge": {},
    "calibrate": {
        "audit_items": 0,
        "policy": {
            "correctness": {"tpr": 0.75, "tnr": 0.5, "youden": 0.4, "max_flips": None, "max_injected": None},
            "preference": {"max_flips": None, "max_injected": None},
        },
    },
    "monitor": {
        "signals": [
            {
                "signal": "escalation-rate",
                "direction": "down",
                "owner": "care",
                "description": "conversations handed over",
            },
            {
                "signal": "repeat-contact-rate",
                "direction": "up",
                "value_per_event_usd": 6.0,
                "budget_usd_per_week": 150.0,
            }
            | {"owner": "care", "description": "customers who wrote again"},
            {"signal": "grounded-rate", "direction": "down", "owner": "content", "description": "supported answers"},
        ]
    },
    "publish": {},
    "release": {},
}
"""Of the cast's project: no audits, and floors that the embedded judge can reach."""


def small_project(folder: Path) -> Project:
    """Write the cast's project: parameters, judges, taxonomy, decisions, items, labels, baseline, traces."""
    (folder / "params.yaml").write_text(yaml.safe_dump(PARAMS, sort_keys=False))
    shutil.copytree(ROOT / "data/judges", folder / "data/judges")
    (folder / "data/taxonomy").mkdir(parents=True)
    for name in CATEGORIES:
        category = {
            "category": name,
            "definition": f"Wrong about {name}.",
            "examples": ["An example."],
            "severity": "high",
            "quota": 3,
            "owner": "payments",
            "layer": "unit",
        }
        (folder / f"data/taxonomy/{name}.yaml").write_text(yaml.safe_dump(category))
    cases = [case(number, category) for category in CATEGORIES for number in (1, 2, 3)]
    DECISIONS.write([decision(one) for one in cases])
    BASELINE.write([response(one, target="support@1") for one in cases])
    ITEMS.write(small_items())
    LABELS.write([label(one.item_id, _truth(one), who) for one in small_items() for who in ("ada", "ben")])
    days = [AT - timedelta(hours=hour / 2) for hour in range(28 * 48)]
    TRACES.write([trace(number, at) for number, at in enumerate(days)])
    return Project(folder)


def small_items() -> list[Item]:
    """Return 120 labelled answers, two in three right, and 60 pairs of a right and a wrong one."""
    right, wrong = "Yes, refunds are possible within 14 days.", "I am sorry, gift cards never expire."
    singles = [item(number, right if number % 3 else wrong) for number in range(120)]
    pairs = [item(number, *(right, "pairwise", wrong)[:: 1 if number % 2 else -1]) for number in range(60)]
    return [*singles, *pairs]


def _truth(one: Item) -> str:
    if one.question == "pass-fail":
        return "pass" if one.response_a.startswith("Yes") else "fail"
    return "a" if one.response_a.startswith("Yes") else "b"
