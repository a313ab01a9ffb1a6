"""Shards: cut, answered apart and put together again they are the table that one process writes, and nothing twice."""

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from assay.errors import AssayError, BudgetError, ConfigError, DataError, EndpointError
from assay.models.engine import Done, Tally
from assay.models.journal import Journal
from assay.project import files
from assay.project.params import read_params
from assay.project.run_id import begun
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.records.case import Case
from assay.records.response import Response
from assay.stages import execute
from assay.stages.shards import Course, Part, Shard, cut, require, run_shard, shard_size, share
from assay.storage import parquet
from tests.cast import Project, case
from tests.endpoint import DROP, Body, Reply, Served, completion, failure, serving

RUN = begun(datetime(2026, 11, 2, 3, tzinfo=UTC))
PRICE = {"prompt_usd_per_million": 100_000, "completion_usd_per_million": 100_000}
"""With ten tokens an answer: one dollar each."""


def answer(body: Body) -> Reply:
    """Answer every question with itself."""
    return completion(f"Within 14 days. You asked: {body['messages'][-1]['content']}")


def point(project: Project, served: Served, cases: int = 25, **changes: Any) -> None:
    """Let ten cases at a time go to a worker; nothing is tried again, so that the test can count."""
    CASES.write([case(number) for number in range(cases)])
    target = {"name": "support", "model": "support-2", "base_url": served.url}
    common = {"target": target, "runner": "processes", "shard_cases": 10, "max_retries": 0, "concurrency": 4}
    project.params("execute", **common | changes)


def walk(max_cost_usd: float | None = None, work: Callable[[Shard], Part] = run_shard) -> tuple[Tally, list[Done]]:
    """Hand out all shards, as assay/orchestration/distribute.py does, to workers that are this process."""
    course, told = Course(RUN, max_cost_usd), []
    while shard := course.take():
        # What crosses to a worker and back is JSON.
        sent = Shard.model_validate_json(shard.model_dump_json())
        course.back(shard, Part.model_validate_json(work(sent).model_dump_json()), told.append)
    return course.gather(), told


def table() -> bytes:
    """Return the table of responses as it lies on the disk."""
    return RESPONSES.file().read_bytes()


def forget(project: Project, *what: str) -> None:
    """Lose the journal, the parts, or both."""
    for name in what:
        for file in project.folder.glob(f".assay/{name}*"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()


@given(some.integers(0, 300), some.integers(1, 120))
def test_shards_cover_every_row_once(total: int, size: int) -> None:
    """However the set is cut, each row is in one shard, in order, and none is empty or too large."""
    shards = cut(total, size)
    assert [row for first, last in shards for row in range(first, last)] == list(range(total))
    assert all(0 < last - first <= size for first, last in shards)


@given(some.integers(0, 300_000), some.integers(1, 64))
def test_each_worker_has_a_few_shards(total: int, workers: int) -> None:
    """Where nobody says how large, there are at most four shards a worker, and none is too small to be worth it."""
    size = shard_size(total, workers)
    assert size >= 500
    assert len(cut(total, size)) <= 4 * workers


@pytest.mark.parametrize("parts", ["", "{}/parts", "file://{}/parts", "memory://shards"])
def test_the_table_is_that_of_one_process(project: Project, now: datetime, parts: str) -> None:
    """Wherever parts are kept, the bytes are those that `execute` writes of the same answers."""
    with serving(answer) as served:
        point(project, served, trials=2, parts=parts.format(project.folder / "elsewhere"))
        tally, told = walk()
        apart = table()
        assert (tally.asked, tally.requests, len(served.asked)) == (50, 50, 50)
        assert told == [Done(is_known=False)] * 50
        assert execute.run(now).known == 50
        assert table() == apart
        assert len(served.asked) == 50


@pytest.mark.parametrize(("lost", "parts"), [("journal", "here"), ("parts", "here"), ("journal", "elsewhere")])
def test_nothing_is_asked_twice(project: Project, lost: str, parts: str) -> None:
    """Parts alone, or the journal alone, are enough to answer a run again, byte for byte."""
    with serving(answer) as served:
        point(project, served, parts="" if parts == "here" else str(project.folder / parts))
        walk()
        first = table()
        forget(project, lost)
        tally, told = walk()
        assert (tally.asked, tally.known, len(served.asked)) == (0, 25, 25)
        assert told == [Done(is_known=True)] * 25
    assert table() == first


def test_a_run_that_stopped_goes_on(project: Project) -> None:
    """Shards that came back are not asked again, even where no journal knows them; the others are."""
    with serving(answer) as served:
        point(project, served)
        course = Course(RUN, None)
        shard = course.take()
        assert shard
        run_shard(shard)
        forget(project, "journal")
        tally, _ = walk()
        assert (tally.asked, tally.known, len(served.asked)) == (15, 10, 25)


@pytest.mark.parametrize("lost", ["", "journal"])
def test_failed_calls_are_asked_again(project: Project, lost: str) -> None:
    """A shard with failed calls is opened again for these calls alone, on this machine and on any other."""
    is_down = True

    def script(body: Body) -> Reply:
        return (
            failure(500, x_should_retry="false")
            if is_down and "question 1" in body["messages"][-1]["content"]
            else answer(body)
        )

    with serving(script) as served:
        point(project, served)
        tally, told = walk()
        assert tally.faults == {"server": 11}
        assert Counter(one.fault for one in told) == {"": 14, "server": 11}
        is_down = False
        forget(project, *filter(None, [lost]))
        tally, _ = walk()
        assert (tally.asked, tally.known, tally.faults) == (11, 14, {})
        assert len(served.asked) == 36
    assert {one.status for one in RESPONSES.read()} == {"ok"}


def test_a_damaged_part_is_made_again(project: Project) -> None:
    """A part that lost a bit is written anew from the journal: nothing is asked, and the table is the same."""
    with serving(answer) as served:
        point(project, served)
        walk()
        first = table()
        parts = sorted(project.folder.glob(".assay/parts/*.parquet"))
        assert len(parts) == 3
        data = bytearray(parts[1].read_bytes())
        data[len(data) // 2] ^= 1
        parts[1].write_bytes(data)
        assert walk()[0].asked == 0
        assert len(served.asked) == 25
    assert table() == first
    assert parts[1].read_bytes() != data


def test_a_part_that_is_damaged_before_it_is_gathered_ends_the_run(project: Project) -> None:
    """Between the worker and the table the hash is compared once more, and the table before stays."""

    def work(shard: Shard) -> Part:
        part = run_shard(shard)
        (project.folder / f".assay/parts/{part.content}.parquet").write_bytes(b"")
        return part

    with serving(answer) as served:
        point(project, served)
        with pytest.raises(DataError, match="was changed after it was written"):
            walk(work=work)
    assert not RESPONSES.exists()


def test_another_shard_s_part_is_not_taken(project: Project) -> None:
    """A pointer that names the rows of other calls is passed over: what counts is whose answers they are."""
    with serving(answer) as served:
        point(project, served)
        walk()
        first, parts = table(), project.folder / ".assay/parts"
        pointers = sorted(parts.glob("*.json"))
        pointers[0].write_bytes(pointers[1].read_bytes())
        walk()
    assert table() == first


def test_answers_of_another_machine_are_known_here_afterwards(project: Project, now: datetime) -> None:
    """What workers elsewhere asked and spent is in the journal of the one who handed it out, booked once."""
    elsewhere, here = project.folder / "there.sqlite", project.folder / ".assay/journal.sqlite"

    def work(shard: Shard) -> Part:
        shutil.move(here, elsewhere)
        part = run_shard(shard).model_copy(update={"journal": "there"})
        here.unlink()
        shutil.move(elsewhere, here)
        return part

    with serving(answer) as served:
        point(project, served, price=PRICE)
        with Journal(here) as journal:
            journal.settle()
        walk(work=work)
        walk(work=work)
        with Journal(here) as journal:
            (spent,) = journal.ledger(RUN.id)
        assert (spent.stage, spent.calls, spent.cost_usd) == ("execute", 25, pytest.approx(25))
        assert execute.run(now).known == 25
        assert len(served.asked) == 25


def test_workers_together_keep_within_the_limits(project: Project) -> None:
    """Each of four workers has a quarter of the concurrency and of the rates; no rate stays no rate."""
    with serving(answer) as served:
        point(project, served, workers=4, concurrency=18, requests_per_minute=90)
        found = share(read_params("execute", execute.Settings))
    assert (found.concurrency, found.requests_per_minute, found.tokens_per_minute) == (4, 22.5, None)


def test_no_more_is_spent_than_was_allowed(project: Project) -> None:
    """Two workers share what is left; the sentence says how to go on, and going on pays for the rest alone."""
    with serving(answer) as served:
        point(project, served, price=PRICE, concurrency=2)
        with pytest.raises(BudgetError, match="one of 2 workers has spent its share.*higher --max-cost"):
            walk(12)
        assert 6 <= len(served.asked) <= 7
        tally, _ = walk(200)
        assert (tally.asked + tally.known, len(served.asked)) == (25, 25)
        with Journal(files.private("journal.sqlite")) as journal:
            assert journal.purse(RUN.id, None).spent_usd == pytest.approx(25)
        walk(1)
        assert len(served.asked) == 25


def test_workers_have_equal_shares_and_pay_from_them(project: Project) -> None:
    """Shares add up to what was allowed at every moment, and a shard that cost nothing gives its share on."""
    with serving(answer) as served:
        point(project, served, price=PRICE)
        course = Course(RUN, 30)
        one, two = course.take(), course.take()
        assert one
        assert two
        assert (one.share_usd, two.share_usd, course.take()) == (15, 15, None)
        course.back(one, run_shard(one), lambda _: None)
        three = course.take()
        assert three
        assert three.share_usd == pytest.approx(5)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"runner": "threads", "runner_address": "tcp://head:8786"}, "'threads' needs none"),
        ({"runner": "processes", "runner_address": "tcp://head:8786", "parts": "s3://b"}, "'processes' needs none"),
        ({"runner": "dask", "runner_address": "tcp://head:8786"}, "without execute.parts.*s3://"),
        ({"runner": "ray", "mode": "batch"}, "mode is 'batch' with runner 'ray'.*choose runner threads"),
        ({"runner": "processes", "workers": 8}, "concurrency is 4 for 8 workers.*raise it"),
        ({"runner": "slurm"}, "execute.runner is 'slurm'"),
        ({"workers": 0}, "execute.workers is 0"),
        ({"shard_cases": 0}, "execute.shard_cases is 0"),
        ({"parts": "nowhere://parts"}, "parts are kept at 'nowhere://parts'"),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(project: Project, changes: dict[str, Any], found: str) -> None:
    """One sentence names what was found and what to do, before anything is asked."""
    with serving(answer) as served:
        point(project, served, **changes)
        with pytest.raises(ConfigError, match=found):
            walk()
        assert served.asked == []


def test_threads_need_no_share(project: Project) -> None:
    """The default runner goes with any concurrency and with the Batch API."""
    for changes in ({"concurrency": 1, "workers": 2}, {"mode": "batch"}):
        project.params("execute", **changes)
        require(read_params("execute", execute.Settings))


@pytest.mark.parametrize("what", ["cases", "params", "no-cases"])
def test_a_worker_with_another_project_is_refused(project: Project, what: str) -> None:
    """A machine whose evaluation set or parameters are not the run's answers nothing."""

    def work(shard: Shard) -> Part:
        if what == "cases":
            CASES.write([case(number) for number in range(26)])
        elif what == "params":
            project.params("execute", trials=2)
        else:
            CASES.file().unlink()
        return run_shard(shard)

    with serving(answer) as served:
        point(project, served)
        with pytest.raises(DataError, match="another evaluation set or other parameters.*`git pull` and `dvc pull`"):
            walk(work=work)
        assert served.asked == []


def test_a_product_that_moves_under_the_run_is_noticed(project: Project) -> None:
    """Two versions of the product in one run are refused: such a table would be of neither."""

    def work(shard: Shard) -> Part:
        part = run_shard(shard)
        return part.model_copy(update={"target": "support@3"}) if shard.first else part

    with serving(answer) as served:
        point(project, served)
        with pytest.raises(DataError, match="became another one during the run.*support@3"):
            walk(work=work)
    assert not RESPONSES.exists()


@pytest.mark.parametrize(
    ("reply", "error", "found"),
    [
        (failure(401, "no such key: sk-cleo"), EndpointError, "refused the key"),
        (failure(404, "the model does not exist"), EndpointError, "does not know this model"),
        (DROP, EndpointError, "dropped all 25 calls"),
    ],
)
def test_a_product_that_cannot_be_asked_ends_the_run(
    project: Project, reply: Reply, error: type[AssayError], found: str
) -> None:
    """A wrong key, an unknown model, a dead connection: what one process would say, and no table."""
    with serving(lambda _: reply) as served:
        point(project, served)
        with pytest.raises(error, match=found):
            walk()
    assert not RESPONSES.exists()


def test_without_an_evaluation_set_nothing_is_handed_out(project: Project) -> None:
    """A set that is missing, unreadable or against its contract is refused before any worker sees it."""
    project.params("execute", runner="processes")
    with pytest.raises(DataError, match="data/evalset/cases.parquet is missing"):
        Course(RUN, None)
    Path(CASES.file()).write_bytes(b"no table")
    with pytest.raises(DataError, match="cannot be read"):
        Course(RUN, None)
    with CASES.file().open("wb") as file, parquet.Writer(file, Case, (), "") as writer:
        writer.add(case(1, "weather"))
    with pytest.raises(DataError, match="weather"):
        Course(RUN, None)


def test_a_key_of_a_row_is_the_key_of_its_call(project: Project) -> None:
    """Whose answer a row is can be told from the row alone, so a part needs no list of its calls."""
    with serving(answer) as served:
        point(project, served, trials=2)
        walk()
    cases = {one.case_id: one for one in CASES.read()}
    with Journal(files.private("journal.sqlite")) as journal:
        for row in RESPONSES.read():
            asked = cases[row.case_id].request()
            assert row.request == asked
            key = execute.call_key(row.case_id, asked, row.target, row.trial, row.source_run)
            assert Response.model_validate_json(journal.get(key) or "").text == row.text
