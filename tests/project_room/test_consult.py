"""Consult: the user's model where there is one; otherwise one embedded endpoint for as long as it is wanted."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from assay.models.endpoints import Model
from assay.project.model_session import consulting, embedded_throughout
from assay.project.tables.labels import LABELS
from tests.cast import Project
from tests.judges_made import LABELS_OF_TONE, made

MODEL = Model(hosted="gpt-4.1-mini", embedded="lexical-judge")


@pytest.fixture
def tuned(project: Project) -> Project:
    """The small project with labels that the embedded judge may be fitted on."""
    LABELS.write([one.model_copy(update={"split": "tune"}) for one in LABELS.read()])
    return project


def test_the_user_s_model_starts_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an address of the user's, that is what is asked, inside and outside of a shared block."""
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:8300/v1")
    with embedded_throughout(), consulting(MODEL) as (endpoint, _):
        assert (endpoint.base_url, endpoint.model) == ("http://127.0.0.1:8300/v1", "gpt-4.1-mini")


def test_one_endpoint_serves_a_whole_flow(tuned: Project) -> None:
    """Inside a shared block two stages ask the same address, which is gone after it."""
    with embedded_throughout():
        with consulting(MODEL) as (first, _):
            assert httpx.get(f"{first.base_url}/models").status_code == 200
        with consulting(MODEL) as (second, _):
            assert second == first
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{first.base_url}/models")


def test_a_stage_alone_serves_itself(tuned: Project) -> None:
    """Outside of a shared block the endpoint lives as long as the stage asks."""
    with consulting(MODEL) as (endpoint, journal):
        assert httpx.get(f"{endpoint.base_url}/models").status_code == 200
        assert journal.get("nothing") is None
    assert "OPENAI_BASE_URL" not in os.environ
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{endpoint.base_url}/models")


def test_the_embedded_judge_learns_from_judges_with_a_reference(
    tuned: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge that is shown no reference is not among those whose labels fit it."""
    made(tuned.folder, "tone", **LABELS_OF_TONE)
    started: list[list[str]] = []

    @contextmanager
    def serve(_address: str, command: list[str]) -> Iterator[Callable[[], str]]:
        started.append(command)
        yield lambda: "http://127.0.0.1:9/v1"

    monkeypatch.setattr("assay.models.process.starting", serve)
    with embedded_throughout():
        pass
    assert [word for word in started[0] if word.startswith("--judge")] == ["--judge=correctness", "--judge=preference"]
