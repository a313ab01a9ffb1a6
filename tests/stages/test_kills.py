"""A run that is killed again and again loses nothing that was answered, and its tables cannot tell."""

from pathlib import Path

import pytest

from benchmarks import kills

CASES, KILLS, CONCURRENCY = 300, 5, 16


@pytest.mark.slow
def test_killed_at_random_points_a_run_ends_as_if_undisturbed(tmp_path: Path) -> None:
    """Each `kill -9` costs at most the calls in flight; the tables are byte for byte those of an undisturbed run."""
    found = kills.sweep(tmp_path, cases=CASES, kills=KILLS, latency_s=0.05, concurrency=CONCURRENCY, seed=3)
    assert [one["table"] for one in found["kills"]].count("responses") == 1
    for one in found["kills"]:
        assert one["repeated"] <= one["in_flight"] <= 2 * CONCURRENCY
        assert one["cut"] <= one["in_flight"]
    assert found["repeated"] > 0
    assert found["requests"] == found["questions"] + found["repeated"]
    assert found["questions"] == 2 * CASES + 1
    assert found["is_identical"] == {"responses": True, "verdicts": True}
