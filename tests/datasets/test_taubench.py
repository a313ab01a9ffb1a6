"""tau-bench airline, 200 recorded runs of a tool-calling agent: our checks and statistics beside its figures."""

import json
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest

from assay.checks.registry import score
from assay.records.case import Expectation, ToolCall
from assay.records.response import MadeCall, Response
from assay.stats.trials import pass_at_k, pass_hat_k

FOLDER = Path(__file__).parents[2].parent / "shared/datasets/taubench_airline"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recorded runs are not beside the repository")

CHANGING = [
    "book_reservation",
    "cancel_reservation",
    "send_certificate",
    "update_reservation_baggages",
    "update_reservation_flights",
    "update_reservation_passengers",
]
"""The tools that change the airline's data, by its policy; all others look up, compute, think or hand over."""
TRAJECTORY = json.dumps({"mode": "unordered", "tools": CHANGING, "leave_out_failed": True, "exact": True})
Rows = list[dict[str, Any]]


def rows(name: str) -> Rows:
    """Return the rows of one file."""
    return [json.loads(line) for line in (FOLDER / name).read_text(encoding="utf8").splitlines()]


@pytest.fixture(scope="module")
def runs() -> Rows:
    return rows("runs.jsonl")


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, Any]]:
    found = json.loads((FOLDER / "expected.json").read_text(encoding="utf8"))
    return {one["id"].removeprefix("taubench_airline."): one for one in found}


def expectation(task: dict[str, Any]) -> Expectation:
    """Return the state-changing calls of a task, as a trajectory; a task may ask for none."""
    calls = [
        ToolCall(name=action["name"], arguments=json.dumps(action["arguments"]))
        for action in task["expected_actions"]
        if action["name"] in CHANGING
    ]
    return Expectation(check="trajectory", values=[TRAJECTORY], calls=calls)


def response(run: dict[str, Any]) -> Response:
    """Return one recorded run."""
    calls = [
        MadeCall(name=call["name"], arguments=json.dumps(call["arguments"]), failed=call["error"])
        for call in run["tool_calls"]
    ]
    return Response(
        case_id=f"taubench-{run['task_id']}",
        revision="",
        target=run["model"],
        trial=run["trial"],
        epoch="",
        status="ok",
        error_kind="",
        error="",
        text="",
        messages=[],
        tool_calls=calls,
        contexts=[],
        final_state="",
        prompt_tokens=0,
        completion_tokens=0,
        latency_s=0,
    )


def rewards(runs: Rows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return which trials passed, shape (tasks, trials)."""
    tasks = sorted({run["task_id"] for run in runs})
    return np.array([[run["reward"] == 1 for run in runs if run["task_id"] == task] for task in tasks])


def test_the_trajectory_agrees_with_the_reward(runs: Rows, figures: dict[str, dict[str, Any]]) -> None:
    """The successful state-changing calls are exactly the expected ones in 87 runs: the reward in 97.5 %."""
    tasks = {task["task_id"]: expectation(task) for task in rows("tasks.jsonl")}
    found = [score(tasks[run["task_id"]], response(run)) for run in runs]
    assert all(one.decided for one in found)
    assert sum(one.passed for one in found) == figures["write_calls_match"]["value"]
    agreed = 100 * np.mean([one.passed == (run["reward"] == 1) for one, run in zip(found, runs, strict=True)])
    assert agreed >= 97
    assert agreed == pytest.approx(figures["write_calls_match_agrees_with_reward_percent"]["value"])


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_pass_hat_k_is_the_published_one(k: int, runs: Rows, figures: dict[str, dict[str, Any]]) -> None:
    """pass^1 to pass^4 of the leaderboard come out of the rewards, over 50 tasks, with an interval that holds them."""
    found, published = pass_hat_k(rewards(runs), k), figures[f"pass^{k}"]
    assert found.estimate == pytest.approx(published["value"], abs=published["tolerance"])
    assert found.low < published["value"] < found.high
    assert (found.n, found.trials, found.caution) == (50, 200, "")


def test_pass_at_4_is_the_reference(runs: Rows, figures: dict[str, dict[str, Any]]) -> None:
    """The agent succeeds at least once in four trials on 72 % of the tasks."""
    assert pass_at_k(rewards(runs), 4).estimate == pytest.approx(figures["pass@4"]["value"])


def test_the_calls_are_all_there(runs: Rows, figures: dict[str, dict[str, Any]]) -> None:
    """The records carry every call and its failure: 1,164 calls, 73 failed, 5 in the median run, 14 at the 95th."""
    made = [response(run).tool_calls for run in runs]
    counts = [len(calls) for calls in made]
    assert sum(counts) == figures["tool_calls"]["value"]
    assert sum(call.failed for calls in made for call in calls) == figures["tool_calls_with_error"]["value"]
    assert median(counts) == figures["tool_calls_per_run_median"]["value"]
    assert np.percentile(counts, 95) == figures["tool_calls_per_run_p95"]["value"]
