"""Kept answers: a product that was fixed between two runs never shows its old answers in silence."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest

from assay.models.journal import Journal
from assay.project import continuation, files, last_run, run_id
from assay.project.answers import sentence
from assay.project.journal import open_journal
from assay.project.run_id import Run, new_run
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.records.case import Expectation
from assay.records.run import Answers
from assay.stages import execute
from tests.cast import Project, case
from tests.endpoint import Body, Reply, completion, failure, serving

NINE = datetime(2026, 11, 2, 9, tzinfo=UTC)
FUNCTION = """
from pathlib import Path

def answer(messages):
    with open({calls!r}, "a") as calls:
        calls.write("x")
    return Path("prompt.md").read_text()
"""


@dataclass
class Shop:
    """A product of any kind that can be fixed, and counts how often it was asked."""

    fix: Callable[[], object]
    asked: Callable[[], int]


Kind = Literal["chat", "http", "python"]


@contextmanager
def shop(project: Project, kind: Kind, **target: Any) -> Iterator[Shop]:
    """Serve a product whose first answer is wrong, and let the parameters name it."""
    CASES.write([case(number) for number in range(6)])
    if kind == "python":
        calls, prompt = project.folder.parent / "calls", project.folder / "prompt.md"
        calls.write_text("")
        prompt.write_text("No refunds.")
        (project.folder / "shop.py").write_text(FUNCTION.format(calls=str(calls)))
        whole = {"kind": "python", "name": "shop", "function": "shop:answer", "processes": 1}
        project.params("execute", target=whole | target, concurrency=1)
        yield Shop(lambda: prompt.write_text("Within 14 days."), lambda: len(calls.read_text()))
        return
    said = ["No refunds."]
    with serving(lambda _: completion(said[0])) as served:
        whole = {"kind": kind, "name": "shop"}
        if kind == "chat":
            whole |= {"model": "shop-1", "base_url": served.url}
        else:
            body = {"messages": "{{messages}}"}
            whole |= {"url": f"{served.url}/chat/completions", "body": body}
            whole["answer"] = {"text": "$.choices[0].message.content"}
        project.params("execute", target=whole | target)
        yield Shop(lambda: said.__setitem__(0, "Within 14 days."), lambda: len(served.asked))


def run_at(moment: datetime, *, is_fresh: bool = False) -> tuple[set[str], str]:
    """Run the stage in a run of its own; return the texts on file and what the last line says of them."""
    mine = new_run(lambda: moment, lambda size: bytes([moment.hour] * size), is_fresh=is_fresh)
    with run_id.being(mine):
        execute.run(moment)
    last = last_run.read()
    assert last
    assert last.answers
    assert last.run == mine.id
    assert {row.run for row in RESPONSES.read()} == {mine.id}
    return {row.text for row in RESPONSES.read()}, sentence(last.run, last.answers)


@pytest.mark.parametrize("kind", ["chat", "http"])
def test_without_a_version_every_run_asks(project: Project, kind: Kind) -> None:
    """A product that tells no version is asked anew on the same day, and the last line says why nothing is kept."""
    with shop(project, kind) as product:
        assert run_at(NINE)[0] == {"No refunds."}
        product.fix()
        texts, line = run_at(NINE + timedelta(hours=1))
        assert (texts, product.asked()) == ({"Within 14 days."}, 12)
        assert line.startswith("all 6 asked by this run")
        assert "no version" in line


@pytest.mark.parametrize("kind", ["chat", "http"])
def test_with_the_same_version_answers_are_kept_and_it_is_said(project: Project, kind: Kind) -> None:
    """A declared version that was not raised keeps its answers: the line says how many, whence, and the way out."""
    with shop(project, kind, version="7") as product:
        run_at(NINE)
        product.fix()
        texts, line = run_at(NINE + timedelta(hours=1))
        assert (texts, product.asked()) == ({"No refunds."}, 6)
        assert line.startswith(f"6 of 6 answers kept from run {run_id.run_id(NINE, bytes([9] * 10))[:13]} of ")
        assert "of the same version (7), 0 asked" in line
        assert "raise execute.target.version" in line
        assert "`assay nightly --fresh`" in line
        texts, line = run_at(NINE + timedelta(hours=2), is_fresh=True)
        assert (texts, product.asked()) == ({"Within 14 days."}, 12)
        assert line == "all 6 asked by this run"


def test_the_cure_fits_who_says_the_version() -> None:
    """Nobody can raise a version that the product tells: it has to tell another one; several runs are runs."""
    told = Answers(asked=0, kept=6, sources=["a" * 13, "b" * 13], is_version_known=True, is_version_told=True)
    line = sentence("c" * 13, told)
    assert f"kept from runs {'a' * 13}, {'b' * 13} of " in line
    assert "raise execute.target.version" not in line
    assert "which execute.target.version asks for" in line
    assert "`assay nightly --fresh`" in line


@pytest.mark.parametrize("kind", ["chat", "http"])
def test_another_version_is_asked(project: Project, kind: Kind) -> None:
    """A version that was raised with the fix has answers of its own."""
    with shop(project, kind, version="7") as product:
        run_at(NINE)
    with shop(project, kind, version="8") as product:
        product.fix()
        assert run_at(NINE + timedelta(hours=1))[0] == {"Within 14 days."}
        assert product.asked() == 6


def test_a_prompt_file_that_is_declared_is_the_version(project: Project) -> None:
    """A Python product whose declared prompt changed is asked, and one that did not change is not."""
    with shop(project, "python", data=["prompt.md"]) as product:
        run_at(NINE)
        assert "6 of 6 answers kept" in run_at(NINE + timedelta(hours=1))[1]
        assert product.asked() == 6
        product.fix()
        assert run_at(NINE + timedelta(hours=2))[0] == {"Within 14 days."}
        assert product.asked() == 12


def test_a_prompt_file_that_nobody_declared_keeps_nothing(project: Project) -> None:
    """A Python product that was seen to read an undeclared file is asked anew, and the line names the file."""
    with shop(project, "python") as product:
        run_at(NINE)
        product.fix()
        texts, line = run_at(NINE + timedelta(hours=1))
        assert (texts, product.asked()) == ({"Within 14 days."}, 12)
        assert "prompt.md" in line
        assert "execute.target.data" in line


@pytest.mark.parametrize(("reuse", "asked"), [("same-night", 12), ("same-version", 6), ("none", 18)])
def test_how_long_answers_are_kept(project: Project, reuse: str, asked: int) -> None:
    """The same night, any night, or never: `reuse` says which answers of a known version count."""
    with shop(project, "chat", version="7") as product:
        project.params("execute", reuse=reuse)
        for moment in (NINE, NINE + timedelta(hours=1), NINE + timedelta(days=1)):
            run_at(moment)
        assert product.asked() == asked


def test_a_run_that_kept_everything_passes_the_answers_on(project: Project) -> None:
    """Ten nights of one version ask once: the source is the run that asked, however many runs have kept it."""
    with shop(project, "chat", version="7") as product:
        project.params("execute", reuse="same-version")
        lines = [run_at(NINE + timedelta(days=number))[1] for number in range(10)]
        assert product.asked() == 6
        first = run_id.run_id(NINE, bytes([9] * 10))
        assert all(f"kept from run {first[:13]} of " in line for line in lines[1:])
        assert {row.source_run for row in RESPONSES.read()} == {first}
        with Journal(files.private("journal.sqlite")) as journal:
            assert [noted.has_asked for noted in journal.runs()] == [True, *[False] * 9]


def test_a_failed_call_is_asked_by_the_next_run(project: Project) -> None:
    """Of a version whose answers are kept only what failed is asked, and the line counts both."""
    is_down = [True]

    def script(body: Body) -> Reply:
        text = body["messages"][-1]["content"]
        return failure(400) if is_down[0] and "question 3" in text else completion("Within 14 days.")

    with shop(project, "chat", version="7"), serving(script) as served:
        target = {"name": "shop", "model": "shop-1", "base_url": served.url, "version": "7"}
        project.params("execute", target=target)
        run_at(NINE)
        is_down[0] = False
        assert "5 of 6 answers kept" in run_at(NINE + timedelta(hours=1))[1]
        assert len(served.asked) == 7
    assert {row.status for row in RESPONSES.read()} == {"ok"}


def test_what_is_expected_is_not_asked(project: Project) -> None:
    """A case whose expectation was corrected keeps its answer, under its new revision; one that asks else does not."""
    with shop(project, "chat", version="7") as product:
        run_at(NINE)
        first, second, *rest = CASES.read()
        stricter = [Expectation(check="contains", values=["14"])]
        changed = [first.model_copy(update={"expectations": stricter}), second.model_copy(update={"turns": ["Else?"]})]
        CASES.write([*changed, *rest])
        assert "5 of 6 answers kept" in run_at(NINE + timedelta(hours=1))[1]
        assert product.asked() == 7
        revisions = {one.case_id: one.revision() for one in CASES.read()}
        assert {row.case_id: row.revision for row in RESPONSES.read()} == revisions


def beginning(moment: datetime, *, is_fresh: bool = False) -> Run:
    """Return the run that would begin at a moment."""
    return new_run(lambda: moment, bytes, is_fresh=is_fresh)


def interrupted(project: Project) -> Run:
    """Leave a run of the present behind that asked and did not end."""
    began = datetime.now(UTC)
    mine = new_run(lambda: began, bytes)
    with shop(project, "chat"), run_id.being(mine):
        execute.run(began)
    return mine


def test_an_interrupted_run_is_continued(project: Project) -> None:
    """The next run goes on under the same id and begin, for as long as it is the same night."""
    before = interrupted(project)
    run = continuation.resumed(beginning(before.began + timedelta(hours=3)))
    assert (run.id, run.began, run.night) == (before.id, run_id.began(before.id), before.night)


def test_a_fresh_run_stays_fresh(project: Project) -> None:
    """Continued without `--fresh`, in whatever process, it keeps its own answers alone, and of no earlier run any."""
    began = datetime.now(UTC)
    run = run_id.new_run(lambda: began, lambda size: b"\xff" * size, is_fresh=True)
    with shop(project, "chat", version="7") as product:
        run_at(began - timedelta(minutes=1))
        with run_id.being(run):
            execute.run(began)
        assert product.asked() == 12
        with open_journal() as journal:
            (key, *_), *_ = journal._database.rows("SELECT key FROM answers WHERE run = ?", (run.id,))
            journal._database.write(("DELETE FROM answers WHERE key = ?", [(key.decode(),)]))
        going_on = continuation.resumed(beginning(began + timedelta(hours=1)))
        assert (going_on.id, going_on.is_fresh, going_on.epoch) == (run.id, True, run.epoch)
        with run_id.being(going_on):
            execute.run(going_on.began)
        assert product.asked() == 13
    assert {(row.run, row.source_run) for row in RESPONSES.read()} == {(run.id, run.id)}
    handed = run_id.of_id(run.id)
    assert (continuation.as_begun(handed).epoch, continuation.resumed(handed).epoch) == (run.epoch, run.epoch)


def test_a_run_of_the_future_hides_no_interrupted_one(project: Project) -> None:
    """A run that a clock ahead dated later, ended or not, is not continued, and the interrupted one is nevertheless."""
    before = interrupted(project)
    with Journal(files.private("journal.sqlite")) as journal:
        (noted,) = journal.runs()
        for number, ended in ((1, 0), (2, 1)):
            ahead = before.began + timedelta(days=400 + number)
            id_ = run_id.run_id(ahead, bytes([number] * 10))
            began = int(ahead.timestamp())
            journal.note(noted._replace(run=id_, began=began, ended=began * ended))
    resumed = continuation.resumed(beginning(before.began + timedelta(hours=3)))
    assert (resumed.id, resumed.began) == (before.id, run_id.began(before.id))
    continuation.ended(before)
    mine = beginning(before.began + timedelta(hours=3))
    assert continuation.resumed(mine) is mine


def test_runs_of_the_future_make_no_answer_old(project: Project) -> None:
    """Three runs of the future that ended let the journal forget nothing of today."""
    before = interrupted(project)
    with Journal(files.private("journal.sqlite")) as journal:
        (noted,) = journal.runs()
        for number in range(3):
            ahead = before.began + timedelta(days=400 + number)
            began = int(ahead.timestamp())
            journal.note(noted._replace(run=run_id.run_id(ahead, bytes(10)), began=began, ended=began))
    continuation.ended(before)
    continuation.prune(before.began + timedelta(hours=1))
    with sqlite3.connect(files.private("journal.sqlite")) as rows:
        assert rows.execute("SELECT count(*) FROM answers").fetchone() == (6,)


def test_what_was_continued_of_an_unknown_version_says_so() -> None:
    """Of a version that nobody knows kept answers may be of before a change; of a known one the version is to raise."""
    unknown = Answers(asked=10, continued=4, since=NINE)
    line = sentence(run_id.run_id(NINE, bytes(10)), unknown)
    assert "4 of 10 answers" in line
    assert "6 asked" in line
    assert "before a change" in line
    assert "--fresh" in line
    line = sentence(run_id.run_id(NINE, bytes(10)), unknown.model_copy(update={"is_version_known": True}))
    assert "before a change" not in line
    assert "execute.target.version" in line


@pytest.mark.parametrize("why", ["a day later", "fresh", "it ended"])
def test_a_new_night_is_a_new_run(project: Project, why: str) -> None:
    """A day later, where everything is to be asked anew, or after a run that ended, nothing is continued."""
    before = interrupted(project)
    if why == "it ended":
        continuation.ended(before)
    later = before.began + timedelta(hours=24 if why == "a day later" else 1)
    mine = beginning(later, is_fresh=why == "fresh")
    assert continuation.resumed(mine) is mine


def test_nothing_is_continued_where_nothing_was_asked(project: Project) -> None:
    """A fresh clone has no journal, and looking for a run to continue makes none."""
    mine = beginning(NINE)
    assert continuation.resumed(mine) is mine
    assert not Path(project.folder, ".assay/journal.sqlite").exists()


def test_the_journal_forgets_what_nobody_uses(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """After three runs that ended without it an answer is forgotten; what the last three asked, or kept, stays."""

    def ended_at(moment: datetime) -> int:
        """Run the stage as a whole run, and prune; return how many answers the journal holds then."""
        monkeypatch.setattr("assay.project.journal.Journal", partial(Journal, clock=moment.timestamp))
        run_at(moment)
        continuation.ended(
            beginning(moment).going_on(run_id.run_id(moment, bytes([moment.hour] * 10)), moment, is_fresh=False)
        )
        continuation.prune(moment)
        with sqlite3.connect(files.private("journal.sqlite")) as journal:
            return int(journal.execute("SELECT count(*) FROM answers").fetchone()[0])

    with shop(project, "chat", version="7") as product:
        project.params("execute", reuse="same-version")
        assert [ended_at(NINE + timedelta(days=number)) for number in range(9)] == [6] * 9
        assert product.asked() == 6
    with shop(project, "chat"):
        sizes = [ended_at(NINE + timedelta(days=number)) for number in range(9, 15)]
    assert sizes == [12, 18, 18, 18, 18, 18]
