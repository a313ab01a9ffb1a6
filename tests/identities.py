"""Twenty records of each kind that is hashed, made from their numbers; tests/identity_hashes.py hashes them."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

EACH = 20
"""Records of each kind."""
Fields = dict[str, Any]


def case(number: int) -> Fields:
    """Return a case; every second one has a tool call, every third one a simulated user, every fourth a parent."""
    calls = [{"name": f"tool_{number}", "arguments": '{"order":1}'}, {"name": "end", "arguments": "{}"}]
    user = {"goal": f"a refund of {number} ü", "persona": "", "stop": "it is refunded", "max_turns": 1 + number}
    return {
        "case_id": f"refunds-{number:03}",
        "layer": ("unit", "task", "production")[number % 3],
        "category": "refunds",
        "turns": [f"May I return order {number}? — “yes”?", "And if it is open?"][: 1 + number % 2],
        "reference": f"Yes, within {number} days.",
        "expectations": [
            {"check": "icontains-any", "values": [f"{number} days", "ja"], "calls": []},
            {"check": "tool-call", "values": [], "calls": calls},
        ][: 1 + number % 2],
        "provenance": ("written", "generated", "production")[number % 3],
        "parent": "" if number % 4 else "refunds-000",
        "owner": "payments",
        "user": None if number % 3 else user,
    }


def candidate(number: int) -> Fields:
    """Return a candidate; every second one rests on a document."""
    return {
        "candidate_id": f"refunds-{number:03}",
        "case": case(number),
        "generator": "g-1",
        "seed": number,
        "nearest": "" if number % 2 else "refunds-000",
        "similarity": number / 40,
        "may_repeat": "" if number % 5 else "refunds-001",
        "made": "" if number % 3 else "document",
        "sources": [] if number % 2 else [{"document": "policy.md", "quote": f"within {number} days"}],
    }


def item(number: int) -> Fields:
    """Return a labelled item; every second one is a pair."""
    return {
        "item_id": f"natural.{number:03}",
        "question": ("pass-fail", "pairwise")[number % 2],
        "case_id": f"refunds-{number:03}",
        "category": "refunds",
        "slice": ("natural", "gross", "minimal-edit")[number % 3],
        "turns": [f"May I return order {number}?"],
        "reference": "Yes.",
        "response_a": f"Yes, within {number} days.",
        "response_b": "No." if number % 2 else "",
    }


def label(number: int) -> Fields:
    """Return a label; every third one marks a fault, every second one is of a constructed item."""
    return {
        "item_id": f"natural.{number:03}",
        "annotator": "cleo",
        "outcome": ("pass", "a")[number % 2],
        "split": ("tune", "heldout")[number % 2],
        "sampling_frame": "nightly",
        "stratum": "pass",
        "inclusion_probability": None if number % 2 else 1 / (1 + number),
        "rubric_version": "1",
        "labelled_at": f"2026-11-01T12:00:{number:02}Z",
        "spans": [] if number % 3 else [{"start": number, "end": number + 2}],
    }


def category(number: int) -> Fields:
    """Return a category of the taxonomy."""
    return {
        "category": f"refunds-{number}",
        "definition": "Money goes back — or not.",
        "examples": [f"example {number}"],
        "severity": ("low", "medium", "high", "critical")[number % 4],
        "quota": 1 + number,
        "owner": "payments",
        "layer": ("unit", "task", "production")[number % 3],
    }


def chat(number: int) -> Fields:
    """Return a product behind a chat endpoint; some have a prompt, tools and a version."""
    prompt = [{"role": "system", "content": f"Be kind {number}."}, {"role": "user", "content": "{{turn}}"}]
    return {
        "name": "support",
        "model": f"model-{number}",
        "base_url": "http://127.0.0.1:1/v1",
        "messages": prompt if number % 2 else [],
        "parameters": {"temperature": 0, "seed": number} if number % 3 else {},
        "tools": [{"type": "function", "function": {"name": f"tool_{number}"}}] if number % 4 else [],
        "version": "" if number % 5 else f"{number}.0",
    }


def http(number: int) -> Fields:
    """Return a product behind an endpoint of its own shape; every second one leaves all that it can to the defaults."""
    more = {
        "method": "PUT",
        "headers": {"X-Trial": f"{number}"},
        "answer": {"text": "$.reply", "tool_calls": "$.calls", "version": "$.version"},
        "stream": "sse",
        "version": f"{number}.0",
    }
    known = {"kind": "http", "name": "support", "url": f"http://127.0.0.1:1/chat/{number}", "body": {"q": "{{turn}}"}}
    return known | (more if number % 2 else {})


def python(number: int) -> Fields:
    """Return a product that is a function, with what its processes told of it."""
    settings = {"kind": "python", "name": "support", "function": f"product_{number}:answer"}
    return {"settings": settings, "version": "" if number % 2 else f"{number}", "source": f"{number:016x}"}


def judge(number: int) -> Fields:
    """Return what makes a judge."""
    return {
        "name": "correctness",
        "prompt_hash": f"{number:016x}",
        "rubric_version": f"{number}",
        "model": "model",
        "reported": f"model-{number}",
        "parameters": {"temperature": 0} if number % 2 else {"logprobs": True, "top_logprobs": 5},
    }


def question(number: int) -> Fields:
    """Return a question to a judge about an anchor, a pair or an answer, as the night puts it."""
    manner = [["json-schema", True, 0], ["json-object", False, None], ["none", True, 1.0]][number % 3]
    night = "" if number % 4 else "2026-11-02"
    return {"item": item(number), "night": night, "model": "model", "reported": f"model-{number}", "manner": manner}


def completed(number: int) -> Fields:
    """Return a request to an embedded model."""
    request = {"model": "embedded", "messages": [{"role": "user", "content": f"What of order {number}?"}]}
    return request | ({"logprobs": True, "top_logprobs": 5, "seed": number} if number % 2 else {})


def decision(number: int) -> Fields:
    """Return a row of the log of decisions; some are of a batch, admit a case, or come from an adjudicator."""
    return {
        "candidate_id": f"refunds-{number:03}",
        "digest": f"{number:016x}",
        "decision": ("admit", "edit", "reject", "retire")[number % 4],
        "reviewer": "cleo",
        "reason": f"— ü {number}",
        "decided_at": f"2026-11-01T12:00:{number:02}Z",
        "case": None if number % 4 in (2, 3) else case(number),
        "batch": "" if number % 3 else "batch-1",
        "role": ("reviewer", "adjudicator")[number % 2],
        "seconds": None if number % 5 else number / 4,
    }


def event(number: int) -> Fields:
    """Return a row of the log of batches."""
    kind = ("open", "extend", "close", "abandon")[number % 4]
    return {
        "batch": f"batch-{number // 4}",
        "event": kind,
        "who": "assay",
        "at": f"2026-11-01T12:00:{number:02}Z",
        "note": f"note {number}",
        "deadline": f"2026-11-15T12:00:{number:02}Z" if kind in {"open", "extend"} else None,
        "reviewers": 2 if kind == "open" else 1,
        "quorum": 0.5 if kind == "open" else 1.0,
        "run": "",
        "candidates": {f"refunds-{number:03}": f"{number:016x}"} if kind == "open" else {},
    }


def answer(number: int) -> Fields:
    """Return a row of the log of the desk's answers."""
    return {
        "item_id": f"natural.{number:03}",
        "annotator": "cleo",
        "outcome": ("pass", "fail", "a", "b", "tie", "withdraw")[number % 6],
        "shown": f"{number:016x}",
        "is_swapped": bool(number % 2),
        "spans": [] if number % 3 else [{"start": number, "end": number + 1}],
        "note": f"— {number}",
        "seconds": number / 4,
        "answered_at": f"2026-11-01T12:00:{number:02}Z",
    }


def log(make: Callable[[int], Fields], has_schema: Callable[[int], bool] = lambda _: False) -> list[str]:
    """Return a chained log as its file has it, row by row; `has_schema` tells of a row's number whether it has one."""
    rows, chain = [], ""
    for number in range(EACH):
        fields = ({"schema": 1} if has_schema(number) else {}) | make(number) | {"chain": ""}
        body = json.dumps(fields, ensure_ascii=False, separators=(",", ":")).removesuffix('"}')
        chain = hashlib.sha256((chain + body).encode()).hexdigest()
        rows.append(f'{body}{chain}"}}')
    return rows
