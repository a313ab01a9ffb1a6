"""Earlier answers: what version 0.2.0 had journaled is kept by a run of today where its product's version is known."""

import json
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.upgrade import upgrade
from assay.models.journal import Journal, JournaledRun
from assay.models.journal_file import checksum
from assay.project import continuation, files, last_run, run_id
from assay.project.answers import sentence
from assay.project.run_id import new_run
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.records.case import Expectation
from assay.records.record import digest
from assay.stages import execute
from tests.endpoint import completion, serving
from tests.old_project import CASES_THERE, NIGHTS_BEFORE, answer, point, unpack

LAST = datetime(2026, 11, 28, 10, tzinfo=UTC)
"""On the date of the last night of before, some hours after it."""
JOURNAL = ".assay/journal.sqlite"
HTTP_BODY = {"messages": "{{messages}}"}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project that version 0.2.0 left, as the current folder."""
    folder = unpack(tmp_path)
    monkeypatch.chdir(folder)
    return folder


def run_at(moment: datetime) -> tuple[int, str]:
    """Run the stage against the product in a run of its own; return how often it was asked, and the last line."""
    mine = new_run(lambda: moment, lambda size: bytes([moment.hour] * size))
    assert continuation.resumed(mine) == mine, "a run of before is none that was interrupted"

    with serving(lambda _: completion("Yes.")) as served, run_id.being(mine):
        target(served.url)
        execute.run(moment)
        asked = len(served.asked)
    last = last_run.read()
    assert last
    assert last.answers
    continuation.ended(mine)
    return asked, sentence(last.run, last.answers)


def target(url: str = "", file: str = "params.yaml", **changes: Any) -> None:
    """Change the target in a file of parameters; with an address, let it be there."""
    whole = yaml.safe_load(Path(file).read_text())
    settings = whole["execute"]["target"] | changes
    if url:
        settings |= {"url": f"{url}/chat/completions"} if settings.get("kind") == "http" else {"base_url": url}
    whole["execute"]["target"] = {name: value for name, value in settings.items() if value is not None}
    Path(file).write_text(yaml.safe_dump(whole, sort_keys=False))


def chat(version: str, model: str = "m") -> str:
    """Return the fingerprint that version 0.2.0 gave a chat product."""
    return f"shop@{version or model}-{digest([model, [], False, [], {}, version])[:8]}"


def http(version: str) -> str:
    """Return the fingerprint that version 0.2.0 gave an HTTP product."""
    fields = ("text", "tool_calls", "contexts", "prompt_tokens", "completion_tokens", "finish_reason", "version")
    answer_ = dict.fromkeys((*fields, "final_state"), "") | {"text": "$.choices[0].message.content"}
    asked = {"method": "POST", "headers": {}, "body": HTTP_BODY, "answer": answer_, "stream": "none"}
    return f"shop@{version or 'http'}-{digest([version, 'v1/chat/completions', asked])[:8]}"


def journaled_as(fingerprint: str) -> None:
    """Let the answers in the journal be another target's, as version 0.2.0 would have filed them."""
    with sqlite3.connect(JOURNAL) as journal:
        for key, text in journal.execute(
            "SELECT key, answer FROM answers WHERE answer LIKE '{\"case_id\"%'"
        ).fetchall():
            row = json.loads(text) | {"target": fingerprint}
            parts = [row[name] for name in ("case_id", "revision", "target", "trial", "epoch")]
            new, written = digest(["execute", *parts]), json.dumps(row, separators=(",", ":"))
            values = (new, written, checksum(new, written, 1), key)
            journal.execute("UPDATE answers SET key = ?, answer = ?, checksum = ? WHERE key = ?", values)


def runs() -> list[JournaledRun]:
    """Return the runs that the journal knows."""
    with Journal(files.private("journal.sqlite")) as journal:
        return journal.runs()


def told(lines: list[str]) -> str:
    """Return what an upgrade said of the journal."""
    return next((line for line in lines if line.startswith(JOURNAL)), "")


def a_chat(version: Any) -> Callable[[], None]:
    """Return what lets the product be a chat endpoint with this version."""
    return lambda: target(version=version)


def an_http(version: Any) -> Callable[[], None]:
    """Return what lets the product be an HTTP endpoint with this version."""
    changes = {"kind": "http", "body": HTTP_BODY, "answer": {"text": "$.choices[0].message.content"}}
    return lambda: target("http://127.0.0.1:1/v1", **changes, model=None, base_url=None, version=version)


PROBE = {"path": "/version", "find": "$.object"}
"""The served product says `list` there."""


@pytest.mark.parametrize(
    ("describe", "fingerprint"),
    [
        (a_chat(None), chat("")),
        (a_chat(" "), chat(" ")),
        (an_http(None), http("")),
        (a_chat("m"), chat("")),
        (a_chat("7"), chat("6")),
        (lambda: target(parameters={"temperature": 0}), chat("7")),
    ],
    ids=["chat", "chat-blank", "http", "chat-version-like-its-model", "another-version", "another-request"],
)
def test_a_version_that_is_not_known_or_another_is_asked(
    project: Path, describe: Callable[[], None], fingerprint: str
) -> None:
    """Every case is asked anew on the same date, and nothing is called kept."""
    journaled_as(fingerprint)
    describe()
    lines = upgrade()
    assert f"has {NIGHTS_BEFORE * CASES_THERE} answers of {NIGHTS_BEFORE} nights" in told(lines)
    assert "of 0 the" in told(lines) or fingerprint == chat("6")
    assert {run.is_version_known for run in runs()} == {fingerprint == chat("6")}
    asked, line = run_at(LAST)
    assert asked == CASES_THERE
    assert line.startswith("all 20 asked by this run")
    assert project.is_dir()


@pytest.mark.parametrize(
    ("describe", "fingerprint"),
    [
        (a_chat("7"), chat("7")),
        (a_chat(PROBE), chat("list")),
        (an_http("7"), http("7")),
        (an_http(PROBE), http("list")),
    ],
    ids=["chat-declared", "chat-told", "http-declared", "http-told"],
)
def test_a_known_version_is_not_asked_again(project: Path, describe: Callable[[], None], fingerprint: str) -> None:
    """On the same date no case is asked, and the last line names the run and the date that the answers are of."""
    journaled_as(fingerprint)
    describe()
    assert f"of {NIGHTS_BEFORE * CASES_THERE} the" in told(upgrade())
    kept_from = runs()[-1].run
    assert run_id.began(kept_from) == datetime(2026, 11, 28, tzinfo=UTC)
    asked, line = run_at(LAST)
    assert asked == 0
    assert line.startswith(f"20 of 20 answers kept from run {kept_from[:13]} of 2026-11-28 00:00 UTC")
    assert {row.source_run for row in RESPONSES.read()} == {kept_from}
    assert run_at(LAST + timedelta(days=1))[0] == CASES_THERE, "another night asks a live product"
    assert project.is_dir()


def test_the_same_version_is_kept_at_any_date(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With reuse: same-version a whole night of today asks the product nothing, and says of which date it is."""
    upgrade()
    with serving(answer) as served:
        point(served, monkeypatch)
        ended = CliRunner().invoke(app, ["nightly", "--set", "execute.reuse=same-version"])
        assert ended.exit_code == 0, ended.output
        assert [body for body in served.asked if "response_format" not in body and body["model"] == "m"] == []
    assert "20 of 20 answers kept from run 01a21f73-9c00 of 2026-11-28 00:00 UTC" in ended.stdout.splitlines()[-1]
    assert project.is_dir()


def test_an_environment_s_target_is_known_too(project: Path) -> None:
    """A version that nights with --env have asked is known by the parameters of that environment."""
    journaled_as(chat("7", "m-large"))
    Path("params.staging.yaml").write_text("execute: {target: {model: m-large}}\n")
    Path("params.broken.yaml").write_text("execute: [\n")
    assert "of 300 the" in told(upgrade())
    assert project.is_dir()


def test_code_is_not_known_by_its_fingerprint(project: Path) -> None:
    """A product with an environment, whose fingerprint has held that since, is asked anew."""
    Path("shop_tools.py").write_text("class Environment:\n    tools = []\n    call = state = lambda *_: {}\n")
    target(environment="shop_tools")
    assert "of 0 the" in told(upgrade())
    assert project.is_dir()


@pytest.mark.parametrize("with_a_run", [False, True], ids=["opened", "run"])
def test_whoever_opened_the_journal_before(project: Path, *, with_a_run: bool) -> None:
    """A command, or a whole run, between the new package and `assay upgrade` leaves it all that it does and says."""
    Journal(files.private("journal.sqlite")).__exit__(None, None, None)
    if with_a_run:
        assert run_at(LAST - timedelta(hours=1))[0] == CASES_THERE
        with sqlite3.connect(JOURNAL) as journal:  # what it asked itself is not there any more
            journal.execute("DELETE FROM answers WHERE run != ''")
    assert f"has {NIGHTS_BEFORE * CASES_THERE} answers" in told(upgrade())
    assert run_at(LAST)[0] == 0
    assert told(upgrade()) == ""
    assert project.is_dir()


def test_an_upgrade_that_was_cut_short_is_made_up_for(project: Path) -> None:
    """Where the last of its rows cannot be written nothing has moved; the next one moves all."""
    Journal(files.private("journal.sqlite")).__exit__(None, None, None)
    with sqlite3.connect(JOURNAL) as journal:
        journal.execute("CREATE TRIGGER full BEFORE INSERT ON uses BEGIN SELECT RAISE(ABORT, 'no room'); END")
    refused = CliRunner().invoke(app, ["upgrade"])
    assert (refused.exit_code, "no room" in refused.stderr) == (2, True)
    assert runs() == []
    with sqlite3.connect(JOURNAL) as journal:
        assert journal.execute("SELECT count(*) FROM answers WHERE run != ''").fetchone() == (0,)
        journal.execute("DROP TRIGGER full")
    assert f"has {NIGHTS_BEFORE * CASES_THERE} answers" in told(upgrade())
    assert project.is_dir()


def test_a_case_that_was_changed_since_is_asked(project: Path) -> None:
    """An answer to another revision is no answer to this one, and the others are kept; the line counts both."""
    first, *others = CASES.read()
    CASES.write([first.model_copy(update={"expectations": [Expectation(check="icontains", values=["14"])]}), *others])
    assert f"has {NIGHTS_BEFORE * (CASES_THERE - 1)} answers" in told(upgrade())
    asked, line = run_at(LAST)
    assert asked == 1
    assert line.startswith("19 of 20 answers kept from run")
    assert project.is_dir()


def test_a_text_that_looks_like_an_answer_is_none(project: Path) -> None:
    """What an endpoint wrote, a whole response even, is filed under no run: its key is no question's to the product."""
    with sqlite3.connect(JOURNAL) as journal:
        query = "SELECT answer FROM answers WHERE answer LIKE '{\"case_id\"%2026-11-28%' LIMIT 1"
        (text,) = journal.execute(query).fetchone()
        forged = text.replace("within 14 days", "within 99 days")
        for key, value in (("a", forged), ("b", '{"case_id":'), ("c", '{"case_id":1}')):
            journal.execute("INSERT INTO answers VALUES (?, ?, 1, ?)", (key, value, checksum(key, value, 1)))
    assert f"has {NIGHTS_BEFORE * CASES_THERE} answers" in told(upgrade())
    run_at(LAST)
    assert not any("99" in row.text for row in RESPONSES.read())
    with Journal(files.private("journal.sqlite")) as journal:
        assert journal.known(["a", "b", "c"]) == {"a", "b", "c"}
    assert project.is_dir()


def test_nothing_of_before_is_forgotten_for_three_runs(project: Path) -> None:
    """The runs of before are none that could have used an answer: what they left is pruned as late as today's."""
    upgrade()
    left = []
    for day in range(1, 5):
        run_at(LAST + timedelta(days=60 + day))
        continuation.prune(LAST + timedelta(days=60 + day, hours=1))
        with sqlite3.connect(JOURNAL) as journal:
            left += journal.execute("SELECT count(*) FROM answers WHERE at < ?", (LAST.timestamp(),)).fetchone()
    assert left == [2435, 2435, 0, 0]
    assert project.is_dir()
