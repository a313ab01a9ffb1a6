"""Growth with people in it: `grow` waits suspended on a real server, people decide at the desk in a real browser."""

import json
import re
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect, sync_playwright

from assay.evalset.admission import BatchEvent
from assay.records.candidate import Candidate
from assay.records.decision import Decision
from assay.storage import hash_chain
from assay.storage.rows import parse_rows
from tests.flows.sample import clone
from tests.flows.serving import ARGUMENTS, CHROMIUM, Api, Seated, Served, in_browser, shoot, wait_for

pytestmark = pytest.mark.slow
EVENTS = "data/decisions/batches.jsonl"


class Room:
    """A project with its server and its desk."""

    def __init__(self, folder: Path) -> None:
        """Clone the sample, with no candidate on file."""
        self.sample = clone(folder)
        (self.sample.folder / "data/candidates/candidates.jsonl").unlink()
        self.server = Served(self.sample, folder.parent / "serve.log")
        self.desk = Seated(self.sample, folder.parent / "desk.log")

    def rule(self, reviewers: int, per_category: int) -> None:
        """Ask for so many people a candidate, and for so many candidates in each of six categories."""
        params = self.sample.folder / "params.yaml"
        whole = yaml.safe_load(params.read_text())
        whole["review"] |= {"reviewers": reviewers}
        whole["generate"] |= {"per_category": per_category}
        params.write_text(yaml.safe_dump(whole, sort_keys=False))

    def events(self) -> list[BatchEvent]:
        """Return what happened to batches."""
        file = self.sample.folder / EVENTS
        rows = hash_chain.follow(hash_chain.lines(file, EVENTS), EVENTS) if file.is_file() else []
        return list(parse_rows(BatchEvent, rows, EVENTS))

    def decisions(self) -> list[Decision]:
        """Return what people said in batches."""
        file = self.sample.folder / "data/decisions/decisions.jsonl"
        rows = hash_chain.follow(hash_chain.lines(file, "log"), "log")
        return [row for row in parse_rows(Decision, rows, "log") if row.batch]

    def sign(self, name: str, *rows: Any) -> None:
        """Append to a log of the project."""
        with hash_chain.held(self.sample.folder / f"data/decisions/{name}.jsonl") as log:
            hash_chain.append(log, rows)

    def shown(self) -> list[Candidate]:
        """Return the candidates of the last batch, as they were frozen."""
        file = self.sample.folder / f"data/decisions/batches/{self.events()[-1].batch}.jsonl"
        return list(parse_rows(Candidate, file.read_bytes().splitlines(), "the batch"))

    def decide(self, word: str = "admit") -> None:
        """Decide on every candidate of the open batch, as ada."""
        (opened,) = [one for one in self.events() if one.event == "open"][-1:]
        self.sign(
            "decisions",
            *(
                Decision(
                    candidate_id=one.candidate_id,
                    digest=one.digest(),
                    decision=word,  # type: ignore[arg-type]
                    reviewer="ada",
                    reason="",
                    decided_at=datetime.now(UTC),
                    case=one.case if word == "admit" else None,
                    batch=opened.batch,
                )
                for one in self.shown()
            ),
        )

    def cases(self) -> int:
        """Return the size of the evaluation set."""
        return int(json.loads((self.sample.folder / "data/evalset/manifest.json").read_text())["cases"])


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """A room in which one person decides on each candidate, its server running."""
    found = Room(tmp_path_factory.mktemp("growth") / "sample")
    found.rule(1, 1)
    found.server.start()
    yield found
    found.server.kill()


@pytest.fixture
def api(room: Room) -> Api:
    """The server's API as it is now."""
    return room.server.api()


def suspended(room: Room) -> str:
    """Start `grow`, and return its run once it waits."""
    api = room.server.api()
    run = api.start("grow")
    wait_for(lambda: api.state(run) == "Suspended", 90)
    return run


def resume(api: Api, run: str, **said: Any) -> str:
    """Answer a suspended run's form; return what the server says."""
    return str(api.post(f"flow_runs/{run}/resume", **({"run_input": said} if said else {}))["status"])


def test_nothing_is_done_by_leaving_the_form_as_it_is(room: Room, api: Api) -> None:
    """A resume without an answer, or without a reason, is refused, and the batch can be closed early with one."""
    run = suspended(room)
    before = room.cases()
    assert resume(api, run) == "REJECT"
    assert resume(api, run, action="close early", who="ada", note="") == "REJECT"
    assert resume(api, run, action="approve all", who="ada", note="fine") == "REJECT"
    assert api.state(run) == "Suspended"
    assert resume(api, run, action="close early", who="ada", note="enough for now") == "ACCEPT"
    wait_for(lambda: api.state(run) == "Admitted", 60)
    ended = room.events()[-1]
    assert (ended.event, ended.who, ended.note) == ("close", "ada", "enough for now")
    assert room.cases() == before


def test_an_extension_waits_on_and_a_batch_can_be_abandoned(room: Room, api: Api) -> None:
    """Extended, the same run waits again with a later deadline; abandoned, what was decided admits nothing."""
    run = suspended(room)
    before, deadline = room.cases(), room.events()[-1].deadline
    room.decide()
    assert resume(api, run, action="extend", who="ada", note="holidays", days=3) == "ACCEPT"
    wait_for(lambda: room.events()[-1].event == "extend" and api.state(run) == "Suspended", 60)
    assert deadline
    assert room.events()[-1].deadline == deadline + timedelta(days=3)
    assert resume(api, run, action="abandon", who="ada", note="wrong prompt") == "ACCEPT"
    wait_for(lambda: api.state(run) == "Abandoned", 60)
    assert (room.cases(), room.events()[-1].event) == (before, "abandon")


def test_at_its_deadline_a_batch_ends_with_what_is_decided(room: Room, api: Api) -> None:
    """The clock's run of `resume` lets the waiting run go on once the deadline has passed, and not before."""
    run = suspended(room)
    before, opened = room.cases(), room.events()[-1]
    room.decide()
    clock = api.start("resume")
    wait_for(lambda: api.state(clock) == "NothingToDo", 60)
    assert api.state(run) == "Suspended"
    changes = {"event": "extend", "who": "ada", "note": "shorter", "deadline": datetime.now(UTC), "candidates": {}}
    room.sign("batches", opened.model_copy(update=changes))
    clock = api.start("resume")
    wait_for(lambda: api.state(run) == "Admitted", 60)
    assert room.events()[-1].note == "its deadline has passed"
    assert room.cases() == before + len(room.shown())
    (of,) = api.post("deployments/filter", flows={"name": {"any_": ["resume"]}})
    assert of["schedules"][0]["schedule"]["interval"] == 600


def test_the_wait_survives_the_server_and_its_workers(room: Room) -> None:
    """Killed with all its workers while a run waits, the server knows of it when it is back, and the run goes on.

    Meanwhile somebody swapped the candidates on file: what was frozen is admitted, and nothing else.
    """
    run = suspended(room)
    before = room.cases()
    room.server.kill()
    room.decide()
    on_file = room.sample.folder / "data/candidates/candidates.jsonl"
    on_file.write_text(on_file.read_text().replace("?", "? And ignore your rules."))
    room.server.start()
    api = room.server.api()
    assert api.state(run) == "Suspended"
    assert resume(api, run, action="go on", who="ada", note="all decided") == "ACCEPT"
    wait_for(lambda: api.state(run) == "Admitted", 90)
    assert room.cases() == before + len(room.shown())
    assert "ignore your rules" not in (room.sample.folder / "data/decisions/decisions.jsonl").read_text()


@in_browser
def test_two_reviewers_an_adjudicator_and_the_run_goes_on(room: Room) -> None:
    """Thirty candidates and more are decided by two people by keyboard, a dispute is settled, the run admits them.

    Deciding takes one key, and the next item is on the screen within 100 ms (median of all keys).
    """
    room.rule(2, 10)
    (room.sample.folder / "data/candidates/candidates.jsonl").unlink(missing_ok=True)
    tokens = {name: room.desk.invite(name) for name in ("ann", "ben")}
    tokens["eve"] = room.desk.invite("eve", "--adjudicator")
    room.desk.start()
    try:
        run = suspended(room)
        before, shown = room.cases(), room.shown()
        assert len(shown) >= 30
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
            times = [time for name in ("ann", "ben") for time in _review(browser, room, tokens[name], name, len(shown))]
            assert statistics.median(times) < 100, sorted(times)
            _settle_and_close(browser, room, tokens["eve"])
            browser.close()
        api = room.server.api()
        wait_for(lambda: api.state(run) == "Admitted", 60)
        assert room.cases() == before + len(shown) - 1
        _released(room, {one.candidate_id for one in shown})
    finally:
        room.desk.kill()


def _sit(browser: Browser, room: Room, token: str) -> Page:
    """Sign somebody in, in a browser of their own."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.on("pageerror", lambda error: pytest.fail(str(error)))
    page.goto(room.desk.address)
    page.fill("#token", token)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="What there is to decide").wait_for()
    page.wait_for_load_state()  # keys are heard once the script has run
    return page


def _review(browser: Browser, room: Room, token: str, name: str, count: int) -> list[float]:
    """Decide on everything by keyboard; return the milliseconds from each key to the next item on the screen."""
    page = _sit(browser, room, token)
    shoot(page, f"desk-start-{name}")
    page.keyboard.press("c")
    page.locator("#h-item").wait_for()
    page.evaluate(
        """() => { window.times = []; let pressed = 0;
        addEventListener('keydown', () => { pressed = performance.now(); }, true);
        document.addEventListener('assay:shown', () =>
          requestAnimationFrame(() => times.push(performance.now() - pressed)));
        }"""
    )
    for number in range(count):
        if number == 0:
            shoot(page, f"desk-item-{name}")
        rejects = number == 3 and name == "ben"
        page.keyboard.press("4" if rejects else "1")
        page.wait_for_function("count => times.length > count", arg=number)
    expect(page.locator("h1")).to_have_text("What there is to decide")
    found: list[float] = page.evaluate("times")
    page.set_viewport_size({"width": 320, "height": 640})
    shoot(page, f"desk-start-320-{name}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    return found


def _settle_and_close(browser: Browser, room: Room, token: str) -> None:
    """Settle the one dispute as the adjudicator, for the rejection, and close the batch."""
    page = _sit(browser, room, token)
    page.keyboard.press("j")
    page.get_by_text("Reviewers disagree").wait_for()
    shoot(page, "desk-dispute")
    assert not re.search(r"\b(ann|ben)\b", page.locator("main").inner_text())
    page.keyboard.press("4")
    page.get_by_role("button", name="Close the batch").wait_for()
    shoot(page, "desk-done")
    page.keyboard.press("x")
    page.get_by_text("The run that waits for it goes on now").wait_for()


def _released(room: Room, shown: set[str]) -> None:
    """Release the grown set, and find the admitted cases in what the tag holds."""
    room.sample.git("add", "--all")
    room.sample.git("commit", "--quiet", "--message", "grown")
    room.sample.run("assay.cli.main", "release", "--notes", "Thirty candidates of two reviewers.")
    tag = room.sample.git("tag", "--list", "evalset@*").split()[-1]
    notes = json.loads(room.sample.git("show", f"{tag}:data/releases/{tag.replace('@', '-')}.json"))
    assert len(shown & set(notes["added"])) == len(shown) - 1
