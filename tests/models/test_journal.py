"""The journal: what was put survives a kill, what was not is not there, and a disk that refuses is heard by all."""

import asyncio
import multiprocessing
import os
import random
import signal
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from assay.errors import ConfigError
from assay.models.journal import Journal, JournaledRun, Refiled
from assay.models.journal_file import checksum, holders
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
        journal._database._connection.set_trace_callback(said.append)
        assert asyncio.run(_put_all(journal, 1000)) == [None] * 1000
        assert said.count("COMMIT") == sum(text.startswith("BEGIN") for text in said) == 1
        assert journal.get("key-999") == "answer 999"


def test_a_refusing_disk_is_heard_by_every_waiter(tmp_path: Path) -> None:
    """When the disk is full each of them is told, none is kept, and with room again the same journal goes on."""
    with Journal(tmp_path / "j.sqlite") as journal:
        journal._database._connection.execute("PRAGMA max_page_count = 8")
        found = asyncio.run(_put_all(journal, 5000))
        assert len(found) == 5000
        assert all(isinstance(one, ConfigError) and "disk is full" in str(one) for one in found)
        assert journal.get("key-0") is None
        journal._database._connection.execute("PRAGMA max_page_count = 100000")
        assert asyncio.run(_put_all(journal, 5000)) == [None] * 5000


def test_a_read_only_journal_says_so(tmp_path: Path) -> None:
    """After a write that the file refused the next is refused in the same words, and with rights again both succeed."""
    with Journal(tmp_path / "j.sqlite") as journal:
        journal._database._connection.execute("PRAGMA query_only = ON")
        for _ in range(2):
            (found,) = asyncio.run(_put_all(journal, 1))
            assert "readonly" in str(found)
        journal._database._connection.execute("PRAGMA query_only = OFF")
        assert asyncio.run(_put_all(journal, 1)) == [None]


@pytest.mark.parametrize("content", [b"this is no database, it is a text of more than a hundred bytes" * 4])
def test_a_file_that_is_no_journal(tmp_path: Path, content: bytes) -> None:
    """A damaged journal is refused with what to do, and left as it is."""
    file = tmp_path / "j.sqlite"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"j.sqlite cannot be read \(file is not a database\).*move it away"):
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
        assert (journal.outcome("k").answer, journal.get("k"), journal.known(["k"])) == ("failed", None, set())
        asyncio.run(journal.put("k", "answer"))
        assert (journal.outcome("k").answer, journal.get("k"), journal.known(["k"])) == ("answer", "answer", {"k"})
        with pytest.raises(ConfigError):
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


def _journal(file: Path, count: int = 40) -> dict[str, str]:
    """Write a journal as a night leaves it; return what it holds."""
    answers = {f"{number:064x}": f'{{"text": "answer {number}", "n": {"9" * number}0}}' for number in range(count)}

    async def put() -> None:
        for key, answer in answers.items():
            await journal.finish(key, answer, is_final=True, run="r", stage="execute", used=Meter(cost_usd=0.25))

    with Journal(file) as journal:
        asyncio.run(put())
        journal.settle()
    return answers


@pytest.mark.parametrize("seed", range(4))
def test_no_flipped_bit_is_another_answer(tmp_path: Path, seed: int) -> None:
    """Of a journal in which a disk has turned a bit each answer is what was written, unknown, or a refusal to read."""
    file, rng = tmp_path / "j.sqlite", random.Random(seed)
    answers = _journal(file)
    sound, fates = file.read_bytes(), Counter[str]()
    for _ in range(50):
        damaged = bytearray(sound)
        place = rng.randrange(len(damaged))
        damaged[place] ^= 1 << rng.randrange(8)
        file.write_bytes(damaged)
        try:
            with Journal(file) as journal:
                said = {key: journal.get(key) for key in answers}
                assert journal.known(list(answers)) <= set(answers)
                spent = journal.ledger("r")
        except ConfigError:
            fates["refused"] += 1
            continue
        assert {key: answer for key, answer in said.items() if answer not in (None, answers[key])} == {}
        assert spent in ([], [Spent("r", "execute", 40, 0, 0, 0, 0, 10.0)])
        fates["asked again" if None in said.values() else "as it was"] += 1
    assert fates["asked again"] > 0


def test_a_failed_call_does_not_become_final(tmp_path: Path) -> None:
    """A row whose finality alone was changed is damaged: a fault is never taken for an answer."""
    file = tmp_path / "j.sqlite"
    with Journal(file) as journal:
        asyncio.run(journal.put("k", "a fault", is_final=False))
        journal._database._connection.execute("UPDATE answers SET is_final = 1")
        assert (journal.get("k"), journal.known(["k"]), journal.damaged()) == (None, set(), 1)


def test_a_journal_of_an_older_version_is_read(tmp_path: Path) -> None:
    """Rows that were written without a checksum get one when the journal is opened, and count from then on."""
    file = tmp_path / "j.sqlite"
    old = sqlite3.connect(file)
    old.execute("CREATE TABLE answers (key TEXT PRIMARY KEY, answer TEXT NOT NULL, is_final INTEGER NOT NULL)")
    old.execute(
        "CREATE TABLE ledger (run TEXT, stage TEXT, calls INTEGER, failed INTEGER, requests INTEGER, "
        "prompt_tokens INTEGER, completion_tokens INTEGER, cost_usd REAL, PRIMARY KEY (run, stage))"
    )
    old.execute("INSERT INTO answers VALUES ('k', 'paid for', 1)")
    old.execute("INSERT INTO ledger VALUES ('r', 'judge', 1, 0, 1, 2, 3, 0.5)")
    old.commit()
    old.close()
    for _ in range(2):
        with Journal(file) as journal:
            assert (journal.get("k"), journal.damaged()) == ("paid for", 0)
            assert journal.ledger() == [Spent("r", "judge", 1, 0, 1, 2, 3, 0.5)]


def test_answers_without_a_run_are_filed_under_one(tmp_path: Path) -> None:
    """Finished ones that begin so are found, however many, and are another run's and moment's under another key."""
    many = {f"k{number:04}": f'{{"a":{number}}}' for number in range(2_500)}

    async def put(journal: Journal) -> None:
        await asyncio.gather(*(journal.put(key, text) for key, text in many.items()))
        await journal.put("other", '{"b":1}')
        await journal.put("failed", '{"a":1}', is_final=False)
        await journal.put("has-run", '{"a":1}', run="r2")
        await journal.put("damaged", '{"a":1}')

    with Journal(tmp_path / "j.sqlite", clock=lambda: 9_000.0) as journal:
        asyncio.run(put(journal))
        journal._database._connection.execute("UPDATE answers SET answer = '{\"a\":2}' WHERE key = 'damaged'")
        assert dict(journal.without_run('{"a":')) == many
        run = JournaledRun("r1", 5, 5, "shop@7", is_version_known=True, has_asked=True)
        journal.refile([run], [Refiled(key, f"new-{key}", "r1", 5) for key in (*many, "has-run", "damaged", "absent")])
        assert journal.runs() == [run]
        assert journal.outcome("new-k0007") == ('{"a":7}', True, "r1", 5)
        assert journal.known(["k0007", "new-has-run", "new-damaged", "new-absent"]) == set()
        assert journal.known(["other", "has-run"]) == {"other", "has-run"}
        assert (list(journal.without_run('{"a":')), journal.damaged()) == ([], 1)
        journal.prune(8_999, ["r2"])
        assert journal.known(["new-k0007", "other"]) == {"new-k0007", "other"}, (
            "both count as used when they were filed"
        )
        journal.prune(9_001, ["r2"])
        assert journal.known(["new-k0007", "other", "has-run"]) == {"has-run"}


def test_answers_are_filed_under_a_run_all_or_none(tmp_path: Path) -> None:
    """A disk that fills up meanwhile leaves every answer where it was, and no run that has none."""
    with Journal(tmp_path / "j.sqlite") as journal:
        found = asyncio.run(_put_all(journal, 2000))
        assert found == [None] * 2000
        pages = journal._database._connection.execute("PRAGMA page_count").fetchone()[0]
        journal._database._connection.execute(f"PRAGMA max_page_count = {pages + 2}")
        run = JournaledRun("r1", 5, 5, "shop@7", is_version_known=True, has_asked=True)
        refiled = [Refiled(f"key-{number}", f"{number}-{'new' * 100}", "r1", 5) for number in range(2000)]
        with pytest.raises(ConfigError, match="disk is full"):
            journal.refile([run], refiled)
        assert journal.runs() == []
        assert dict(journal.without_run("answer")) == {f"key-{number}": f"answer {number}" for number in range(2000)}


def test_runs_of_before_are_known(tmp_path: Path) -> None:
    """A journal that does not say which runs were fresh is given that: sound rows stay, a damaged one stays damaged."""
    file = tmp_path / "j.sqlite"
    with sqlite3.connect(file) as old:
        old.execute(
            "CREATE TABLE runs (run TEXT PRIMARY KEY, began INTEGER NOT NULL, ended INTEGER NOT NULL DEFAULT 0, "
            "target TEXT NOT NULL, is_version_known INTEGER NOT NULL, has_asked INTEGER NOT NULL, checksum INTEGER)"
        )
        for run, mark in (("r1", checksum("r1", 5, 0, "shop@7", 1, 1)), ("r2", 7)):
            old.execute("INSERT INTO runs VALUES (?, 5, 0, 'shop@7', 1, 1, ?)", (run, mark))
    before = JournaledRun("r1", 5, 0, "shop@7", is_version_known=True, has_asked=True)
    fresh = before._replace(run="r3", is_fresh=True)
    for _ in range(2):
        with Journal(file) as journal:
            assert [run for run in journal.runs() if run.run != "r3"] == [before]
            journal.note(fresh)
            assert journal.runs() == [before, fresh]


def test_a_power_cut_costs_a_second(tmp_path: Path) -> None:
    """What was committed is written to the disk itself within a second, without anybody waiting for it."""
    synced: list[int] = []

    async def put() -> None:
        await journal.put("first", "1")
        await asyncio.sleep(0.2)
        assert len(synced) == 1
        await journal.put("second", "2")
        assert len(synced) == 1
        await asyncio.sleep(1.1)
        await journal.put("third", "3")
        await asyncio.sleep(0.2)

    with Journal(tmp_path / "j.sqlite", fsync=synced.append) as journal:
        asyncio.run(put())
    assert len(synced) == 2


def test_a_disk_that_cannot_be_synced_is_heard(tmp_path: Path) -> None:
    """A commit that never reached the disk is not passed over: the next call is told."""

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    async def put() -> None:
        await journal.put("first", "1")
        await asyncio.sleep(0.2)
        with pytest.raises(ConfigError, match=r"Input/output error.*repair it"):
            await journal.put("second", "2")

    with Journal(tmp_path / "j.sqlite", fsync=fail) as journal:
        asyncio.run(put())


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        (sqlite3.SQLITE_READONLY, "give write permission"),
        (sqlite3.SQLITE_CANTOPEN, "give write permission"),
        (sqlite3.SQLITE_READONLY | 1 << 8, "give write permission"),
        (sqlite3.SQLITE_BUSY, "locked by another process"),
        (sqlite3.SQLITE_LOCKED, "locked by another process"),
    ],
)
def test_a_sound_journal_that_is_withheld_is_not_moved_away(tmp_path: Path, code: int, advice: str) -> None:
    """Without a permission, or while another process holds it, the cure is that, and no answer is paid for again."""
    error = sqlite3.OperationalError("refused")
    error.sqlite_errorcode = code
    with Journal(tmp_path / "j.sqlite") as journal:
        for refusal in (journal._database.unreadable(error), journal._database.unwritable(error)):
            assert advice in str(refusal)
            assert "move it away" not in str(refusal)
            assert "disk" not in str(refusal)


def test_a_folder_that_cannot_be_written_is_a_missing_permission(tmp_path: Path) -> None:
    """A journal that SQLite cannot open, here because a folder has its name, is no damaged one."""
    (tmp_path / "j.sqlite").mkdir()
    with pytest.raises(ConfigError, match="give write permission"):
        Journal(tmp_path / "j.sqlite")


def test_who_holds_a_lock_is_named(tmp_path: Path) -> None:
    """The system's list of locks names the process, but not this one, nor those of other files or a list of none."""
    file, locks = tmp_path / "j.sqlite", tmp_path / "locks"
    file.write_bytes(b"")
    inode = file.stat().st_ino
    rows = [(4711, inode), (os.getpid(), inode), (4712, inode + 1), (-1, inode)]
    lines = [f"{n}: POSIX  ADVISORY  WRITE {pid} 08:01:{of} 0 EOF" for n, (pid, of) in enumerate(rows)]
    locks.write_text("\n".join([*lines, "odd", ""]))
    assert holders(file, locks) == " (process 4711)"
    assert holders(file, tmp_path / "none") == ""


def test_two_that_book_at_once_lose_nothing(tmp_path: Path) -> None:
    """What a stage has used is added up within one transaction, however many processes book on it."""

    def book(name: str) -> None:
        async def finish(journal: Journal) -> None:
            for number in range(150):
                used = Meter(requests=1)
                await journal.finish(f"{name}-{number}", "{}", is_final=True, run="r", stage="execute", used=used)

        with Journal(tmp_path / "journal.sqlite") as journal:
            asyncio.run(finish(journal))

    with Journal(tmp_path / "journal.sqlite"), ThreadPoolExecutor(4) as threads:
        list(threads.map(book, "abcd"))
    with Journal(tmp_path / "journal.sqlite") as journal:
        assert [(spent.calls, spent.requests) for spent in journal.ledger("r")] == [(600, 600)]
