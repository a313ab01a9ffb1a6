"""Files of results in the shapes in which tools write them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def promptfoo(outcomes: Sequence[bool | None], **changes: Any) -> dict[str, Any]:
    """Return results of promptfoo 0.123; None is a provider that did not answer."""
    rows = [_promptfoo_row(number, passed=passed) | changes for number, passed in enumerate(outcomes)]
    return {
        "evalId": "eval-Xq1-2026-11-30T09:00:00",
        "results": {
            "version": 3,
            "timestamp": "2026-11-30T09:00:00.000Z",
            "prompts": [{"raw": "{{question}}", "label": "{{question}}", "provider": "openai:gpt-4.1-mini"}],
            "results": rows,
            "stats": {"successes": outcomes.count(True), "failures": outcomes.count(False), "errors": 0},
        },
        "config": {"description": "Support"},
        "shareableUrl": None,
        "metadata": {"promptfooVersion": "0.123.1"},
    }


def _promptfoo_row(number: int, *, passed: bool | None) -> dict[str, Any]:
    variables = {"question": f"May I send order {number} back?", "sessionId": f"s-{number}"}
    component = {
        "pass": passed is True,
        "score": float(passed is True),
        "reason": "Assertion",
        "assertion": {"type": "icontains", "value": "14 days"},
    }
    judged = {
        **component,
        "assertion": {"type": "llm-rubric", "value": "is polite", "metric": "politeness"},
        "pass": True,
    }
    grading = {
        "pass": passed is True,
        "score": 1.0,
        "reason": "All assertions passed",
        "componentResults": [component, judged],
    }
    return {
        "id": f"0f9c-{number}",
        "cost": 0.0001,
        "error": "API error: 500" if passed is None else None,
        "failureReason": 2 if passed is None else 0 if passed else 1,
        "gradingResult": None if passed is None else grading,
        "latencyMs": 1200 + number,
        "namedScores": {},
        "prompt": {"raw": "May I?", "label": "{{question}}"},
        "promptId": "5b1",
        "promptIdx": 0,
        "provider": {"id": "openai:gpt-4.1-mini", "label": ""},
        "response": {"output": "Yes, within 14 days."},
        "score": float(passed is True),
        "success": passed is True,
        "testCase": {"vars": variables, "assert": [], "options": {}, "metadata": {"category": "refunds"}},
        "testIdx": number,
        "vars": variables,
    }


def inspect(outcomes: Sequence[object], *, epochs: int = 1) -> dict[str, Any]:
    """Return a log of inspect_ai, version 2."""
    samples = [
        {
            "id": number + 1,
            "epoch": epoch + 1,
            "input": [{"id": f"m{epoch}{number}", "content": f"May I send order {number} back?", "role": "user"}],
            "target": "Yes",
            "messages": [],
            "output": {"model": "openai/gpt-4.1-mini", "choices": [], "completion": "Yes"},
            "scores": {"match": {"value": value, "answer": "Yes", "explanation": "", "metadata": {}}},
            "metadata": {"category": "refunds"},
            "store": {},
            "events": [],
            "model_usage": {"openai/gpt-4.1-mini": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}},
            "total_time": 1.5,
            "working_time": 1.2,
            "uuid": f"u{number}{epoch}",
            "error_retries": [],
            "attachments": {},
        }
        for epoch in range(epochs)
        for number, value in enumerate(outcomes)
    ]
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": "support", "model": "openai/gpt-4.1-mini", "created": "2026-11-30T09:00:00+00:00"},
        "plan": {"name": "plan", "steps": []},
        "results": {"total_samples": len(samples), "scores": []},
        "stats": {},
        "samples": samples,
    }


def deepeval(outcomes: Sequence[bool | None]) -> dict[str, Any]:
    """Return DeepEval's `.deepeval/.latest_test_run.json`; None is a metric that ended in an error."""
    cases = [
        {
            "name": f"test_case_{number}",
            "input": f"May I send order {number} back?",
            "actualOutput": "Yes, within 14 days.",
            "expectedOutput": "Yes.",
            "success": passed is True,
            "metricsData": [
                {
                    "name": "Answer Relevancy",
                    "threshold": 0.5,
                    "success": passed is True,
                    "score": 0.9 if passed else 0.2,
                    "reason": "It answers.",
                    "strictMode": False,
                    "evaluationModel": "gpt-4.1",
                    "error": "the judge timed out" if passed is None else None,
                    "evaluationCost": 0.0012,
                },
                {"name": "Toxicity", "threshold": 0.5, "success": True, "score": 0.0, "evaluationModel": "gpt-4.1"},
            ],
            "runDuration": 2.3,
            "evaluationCost": 0.0024,
            "completionTime": 0.8,
            "tokenCost": 0.0002,
            "order": number,
            "additionalMetadata": {"category": "refunds"},
        }
        for number, passed in enumerate(outcomes)
    ]
    run = {"testFile": "test_support.py", "testCases": cases, "conversationalTestCases": [], "metricsScores": []}
    return {"testRunData": run | {"testPassed": outcomes.count(True), "testFailed": 0, "runDuration": 9.0}}


def lm_eval(outcomes: Sequence[float], *filters: str, metric: str = "exact_match") -> list[dict[str, Any]]:
    """Return the lines of lm-evaluation-harness' `samples_*.jsonl`; the second filter finds half of the answers."""
    return [
        {
            "doc_id": number,
            "doc": {"question": f"What is {number} + {number}?", "answer": f"#### {2 * number}"},
            "target": f"#### {2 * number}",
            "arguments": {"gen_args_0": {"arg_0": "Q", "arg_1": {"until": ["Q:"]}}},
            "resps": [["The answer is 4."]],
            "filtered_resps": ["4"],
            "filter": name,
            "metrics": [metric],
            "doc_hash": f"doc{number}",
            "prompt_hash": "p",
            "target_hash": "t",
            metric: value if at == 0 else value * (number % 2),
        }
        for at, name in enumerate(filters or ("none",))
        for number, value in enumerate(outcomes)
    ]


def written(file: Path, found: Any) -> Path:
    """Write a file, as lines where it is one of lines."""
    lines = [json.dumps(row) for row in found] if file.suffix == ".jsonl" else [json.dumps(found)]
    file.write_text("\n".join(lines) + "\n", encoding="utf8")
    return file
