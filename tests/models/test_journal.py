"""The journal: what was put survives a kill, what was not is not there, and a disk that refuses is heard by all."""

import asyncio
import multiprocessing
import os
import signal
from pathlib import Path

import pytest

from assay.errors import ConfigError
from assay.models.journal import Journal
from assay.models.usage import Meter
from assay.records.ledger import Spent


def _put_then_die(file: Path) -> None:
    async def put() -> None:
        journal = Journal(file)
        await journal.put("finished", "14 days")
        unfinished = asyncio.ensure_future(journal.put("unfinished", "never"))
        os.kill(os.getpid(), signal.SIGKILL)
        await unfinished

    asyncio.run(put())


def test_a_finished_call_survives_a_kill(tmp_path: Path) -> None:
    """Killed right after `put` returned, the answer is there, ten times of ten; one still waiting is not."""
    for number in range(10):
        file = tmp_path / f"{number}.sqlite"
        child = multiprocessing.get_context("fork").Process(target=_put_then_die, args=(file,))
        child.start()
        child.join(30)
        assert child.exitcode == -signal.SIGKILL
        with Journal(file) as journal:
            assert journal.get("finished") == "14 days"
            assert journal.get("unfinished") is None


async def _put_all(journal: Journal, count: int) -> list[BaseException | None]:
    puts = [journal.put(f"key-{number}", f"answer {number}") for number in range(count)]
    return await asyncio.gather(*puts, return_exceptions=True)


def test_one_turn_shares_one_commit(tmp_path: Path) -> None:
    """A thousand calls that finish in one turn of the loop cost one transaction."""
    with Journal(tmp_path / "j.sqlite") as journal:
        said: list[str] = []
        journal._connection.set_trace_callback(said.append)
        assert asyncio.run(_put_all(journal, 1000)) == [None] * 1000
        assert said.count("COMMIT") == sum(text.startswith("BEGIN") for text in said) == 1
        assert journal.get("key-999") == "answer 999"


def test_a_refusing_disk_is_heard_by_every_waiter(tmp_path: Path) -> None:
    """When the disk is full each of them is told, none is kept, and with room again the same journal goes on."""
    with Journal(tmp_path / "j.sqlite") as journal:
        journal._connection.execute("PRAGMA max_page_count = 8")
        found = asyncio.run(_put_all(journal, 5000))
        assert len(found) == 5000
        assert all(isinstance(one, ConfigError) and "disk is full" in str(one) for one in found)
        assert journal.get("key-0") is None
        journal._connection.execute("PRAGMA max_page_count = 100000")
        assert asyncio.run(_put_all(journal, 5000)) == [None] * 5000


def test_a_read_only_journal_says_so(tmp_path: Path) -> None:
    """After a write that the file refused the next is refused in the same words, and with rights again both succeed."""
    with Journal(tmp_path / "j.sqlite") as journal:
        journal._connection.execute("PRAGMA query_only = ON")
        for _ in range(2):
            (found,) = asyncio.run(_put_all(journal, 1))
            assert "readonly" in str(found)
        journal._connection.execute("PRAGMA query_only = OFF")
        assert asyncio.run(_put_all(journal, 1)) == [None]


@pytest.mark.parametrize("content", [b"this is no database, it is a text of more than a hundred bytes" * 4])
def test_a_file_that_is_no_journal(tmp_path: Path, content: bytes) -> None:
    """A damaged journal is refused with what to do, and left as it is."""
    file = tmp_path / "j.sqlite"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"j.sqlite cannot be opened \(file is not a database\).*move it away"):
        Journal(file)
    assert file.read_bytes() == content


@pytest.mark.parametrize("answer", ["1 MB " * 200_000, "\U0001f600 and \x00", ""])
def test_any_answer_comes_back_as_it_was(tmp_path: Path, answer: str) -> None:
    """A megabyte, an odd character and nothing at all are read as they were put."""
    with Journal(tmp_path / "j.sqlite") as journal:
        asyncio.run(journal.put("k", answer))
        assert journal.get("k") == answer


def test_half_a_character_harms_only_its_own_call(tmp_path: Path) -> None:
    """An answer that no file can hold is refused at once; what finishes in the same turn is kept."""

    async def put(journal: Journal) -> list[BaseException | None]:
        puts = [journal.put("half", "\ud800"), journal.put("whole", "yes")]
        return await asyncio.gather(*puts, return_exceptions=True)

    with Journal(tmp_path / "j.sqlite") as journal:
        half, whole = asyncio.run(put(journal))
        assert isinstance(half, UnicodeEncodeError)
        assert whole is None
        assert (journal.get("half"), journal.get("whole")) == (None, "yes")


def test_a_failed_call_has_an_outcome_and_no_answer(tmp_path: Path) -> None:
    """What failed can be read as what became of the call, is not known as answered, and gives way to an answer."""
    with Journal(tmp_path / "j.sqlite") as journal:
        asyncio.run(journal.put("k", "failed", is_final=False))
        assert (journal.outcome("k"), journal.get("k"), journal.known(["k"])) == ("failed", None, set())
        asyncio.run(journal.put("k", "answer"))
        assert (journal.outcome("k"), journal.get("k"), journal.known(["k"])) == ("answer", "answer", {"k"})
        with pytest.raises(KeyError):
            journal.outcome("never asked")


def test_the_ledger_adds_up_by_run_and_stage(tmp_path: Path) -> None:
    """Calls, failures, requests, tokens and dollars of each stage of each run, over every process that booked."""

    async def book(journal: Journal) -> None:
        for number, (run, stage, fault) in enumerate(
            [("n1", "judge", ""), ("n1", "judge", "x"), ("n2", "execute", "")]
        ):
            used = Meter(requests=2, prompt_tokens=10, completion_tokens=5, cost_usd=0.25)
            await journal.finish(str(number), "a", is_final=not fault, run=run, stage=stage, used=used)

    for _ in range(2):
        with Journal(tmp_path / "j.sqlite") as journal:
            asyncio.run(book(journal))
    with Journal(tmp_path / "j.sqlite") as journal:
        assert journal.ledger() == [
            Spent("n1", "judge", 4, 2, 8, 40, 20, 1.0),
            Spent("n2", "execute", 2, 0, 4, 20, 10, 0.5),
        ]
        assert journal.ledger("n2") == [Spent("n2", "execute", 2, 0, 4, 20, 10, 0.5)]
