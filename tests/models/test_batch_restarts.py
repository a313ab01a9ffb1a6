"""BatchChat, when it dies: what was paid for once is waited for, found and handed out, and never paid for again."""

from pathlib import Path

import pytest

from assay.errors import EndpointError
from tests.batch_runs import Crash, Dies, DyingJournal, Naps, echo, numbered, run, why
from tests.batches import Service, always, once
from tests.endpoint import failure


def test_a_restart_while_waiting_sends_nothing_again(tmp_path: Path) -> None:
    """A run that dies while it waits is followed by one that waits for the same batch, and no other is made."""
    service = Service(echo, polls=3)
    with pytest.raises(Crash):
        run(service, tmp_path, {"a": ["Hello"], "b": ["Bye"]}, sleep=Naps(last=2))
    assert run(service, tmp_path, {"b": ["Bye"], "c": ["New"]}) == {"b": ["Bye/1"], "c": ["New/1"]}
    assert "GET /batches" not in service.seen
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}
    assert [len(service.files[batch["input_file_id"]].splitlines()) for batch in service.batches.values()] == [2, 1]


def test_a_crash_between_making_and_noting_a_batch(tmp_path: Path) -> None:
    """A batch whose id was never noted is found by its mark, among many others, though other requests are asked now."""
    service = Service(echo, page=1)
    with pytest.raises(Crash):
        run(service, tmp_path, {"a": ["Hello"], "b": ["Bye"]}, kind=DyingJournal)
    run(service, tmp_path, {"other": ["x"]})
    run(service, tmp_path, {"another": ["y"]})
    assert run(service, tmp_path, {"b": ["Bye"]}) == {"b": ["Bye/1"]}
    assert len(service.batches) == 3


def test_a_crash_while_the_same_is_asked_once_more(tmp_path: Path) -> None:
    """A second batch of the very same requests, after one in which all failed, is no less waited for."""
    service = Service(lambda _: failure(500))
    run(service, tmp_path, {"a": ["Hello"]})
    service.script, service.polls = echo, 2
    with pytest.raises(Crash):
        run(service, tmp_path, {"a": ["Hello"]}, sleep=Naps(last=1))
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}
    assert len(service.batches) == 2


def test_a_crash_before_a_batch_is_made(tmp_path: Path) -> None:
    """A batch that was announced and never made is made by the next run."""
    service = Service(echo, fault=always("POST", "/files"))
    with pytest.raises(Crash):
        run(service, tmp_path, {"a": ["Hello"]}, sleep=Naps(last=1))
    service.fault = lambda *_: None
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["Hello/1"]}
    assert len(service.batches) == 1


def test_a_crash_while_replies_are_kept(tmp_path: Path) -> None:
    """A run that dies over the results reads them again, and pays for nothing twice."""

    class Dying(DyingJournal):
        fatal = "batch:done:"

    service = Service(numbered())
    with pytest.raises(Crash):
        run(service, tmp_path, {"a": ["Hello"]}, kind=Dying)
    assert run(service, tmp_path, {"a": ["Hello"]}) == {"a": ["answer 1"]}
    assert len(service.batches) == 1


def test_conversations_of_three_turns(tmp_path: Path) -> None:
    """Many conversations of several turns take a batch a turn, and a restart goes on where they were."""
    calls = {str(number): [f"{number} one", f"{number} two", f"{number} three"] for number in range(30)}
    expected = {key: [f"{first}/1", f"{second}/3", f"{third}/5"] for key, (first, second, third) in calls.items()}
    service = Service(echo)
    with pytest.raises(Crash):
        run(service, tmp_path, calls, progress=Dies(after=2))
    assert run(service, tmp_path, calls) == expected
    assert len(service.batches) == 3
    assert len(service.requests()) == 90


def test_two_trials_have_an_answer_each(tmp_path: Path) -> None:
    """Equal requests of two calls are two requests, in one run and the next; within one call they are one."""
    service = Service(numbered())
    calls = {"case-1 trial 0": ["Hello"], "case-1 trial 1": ["Hello"]}
    said = run(service, tmp_path, calls)
    assert sorted(map(str, said.values())) == ["['answer 1']", "['answer 2']"]
    assert run(service, tmp_path, calls) == said
    assert len(service.requests()) == 2


def test_a_lost_batch_is_sent_again(tmp_path: Path) -> None:
    """A batch that its service no longer knows is sent again; a service that loses every batch is given up."""
    assert run(Service(echo, fault=once("GET", "/batches/", failure(404))), tmp_path, {"a": ["Hi"]}) == {"a": ["Hi/1"]}
    service = Service(echo, fault=always("GET", "/batches/", failure(404)))
    raised = why(service, tmp_path)
    assert isinstance(raised, EndpointError)
    assert "lost 3 batches" in str(raised)
    assert len(service.batches) == 3
