"""The desk on a real project: in processes that are killed, in a real browser, and with what hostile people wrote."""

import http.server
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from assay.commands import desk
from assay.commands.accept import admit
from assay.errors import BusyError, ConfigError, DataError
from assay.orchestration.batch_events import act
from assay.project.tables.decisions import BATCH_FOLDER, DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.history import HISTORY
from assay.project.tables.labels import ANSWERS, DRAWS, ITEMS, LABELS
from assay.records.candidate import Candidate, Source
from assay.records.label import Answer, Draw
from assay.stages import batches, review
from benchmarks import desk as load
from tests.cast import Project, case, case_night, item
from tests.desks import person, said
from tests.flows.serving import ARGUMENTS, CHROMIUM, in_browser, shoot
from tests.judges_made import LABELS_OF_TONE, LONG_SCORE, SCORE, TRAJECTORY, made
from tests.served_desk import serving_desk, sign_in

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
HOSTILE = [
    "<script>pwned=1</script>",
    "<img src=x onerror=pwned=1>",
    "<svg/onload=pwned=1>",
    '"><script>pwned=1</script>',
    "' onmouseover='pwned=1",
    "</pre></textarea></title><script>pwned=1</script>",
    "<iframe srcdoc='<script>parent.pwned=1</script>'>",
    "<a href=javascript:pwned=1 data-key=1 data-swap>1</a>",
    "<form action=/close method=post data-swap><button data-key=1>x</button></form>",
    "{{ ''.__class__ }}{% for x in () %}${pwned=1}",
    "<base href=//evil.example/><meta http-equiv=refresh content='0;url=//evil.example'>",
    "<style>*{display:none}</style><link rel=stylesheet href=//evil.example/x.css>",
    "<!--<script>pwned=1</script>--><math><mtext></mtext><script>pwned=1</script></math>",
    "\u202e<\u0000script>pwned=1</script>\u2028pwned=1",
]


def opened(*candidates: Candidate, now: datetime = NOW) -> None:
    """Open a batch of these."""
    batches.open_batch(candidates, "", now)


def candidate(number: int, **changes: Any) -> Candidate:
    """Return a proposed case, made from a document."""
    of = case(number, **changes)
    fields = {"candidate_id": of.case_id, "case": of, "generator": "g", "seed": 1, "nearest": "", "similarity": 0}
    return Candidate.model_validate(fields)


def test_nobody_is_let_in_who_was_not_invited(project: Project) -> None:
    """Without anybody on the list the desk does not open, and says how to invite."""
    with pytest.raises(ConfigError, match="assay desk --invite NAME"):
        desk.serve(8200, act)


def test_a_port_that_is_taken_is_named(project: Project) -> None:
    """A second desk on the port is refused in one sentence."""
    desk.people().invite("ann", "reviewer")
    handler = http.server.BaseHTTPRequestHandler
    with http.server.HTTPServer((desk.HOST, 0), handler) as other, pytest.raises(BusyError, match="is taken: choose"):
        desk.serve(other.server_port, act)


def test_a_batch_that_was_tampered_with_is_not_shown(project: Project) -> None:
    """Candidates that are no longer those that were opened stop the desk by file."""
    opened(candidate(11))
    (file,) = (project.folder / BATCH_FOLDER).iterdir()
    file.write_text(file.read_text().replace("14 days", "99 days"))
    with pytest.raises(DataError, match="holds other candidates than were opened"):
        desk.desk(lambda: NOW, act).candidates.sitting()


def test_what_the_desk_takes_is_in_the_log(project: Project) -> None:
    """A word at the desk is a signed row of the log, and a word from elsewhere is at the desk at the next look."""
    one = candidate(11)
    opened(one)
    queue = desk.desk(lambda: NOW, act).candidates
    queue.say(person("ada"), said(one), NOW)
    (row,) = [row for row in DECISIONS.read() if row.batch]
    assert (row.reviewer, row.case, len(row.chain)) == ("ada", one.case, 64)
    DECISIONS.append([row.model_copy(update={"decision": "withdraw", "case": None})])
    assert queue.sitting().standings[one.candidate_id].words == []
    assert queue.is_done() is False


def test_a_half_written_row_is_dropped_when_the_desk_starts(project: Project) -> None:
    """What a killed desk left unfinished was acknowledged to nobody and is gone; everything else stays."""
    rows = DECISIONS.read()
    with DECISIONS.file().open("ab") as log:
        log.write(b'{"candidate_id":"refunds-0')
    with pytest.raises(DataError, match="cut short"):
        DECISIONS.read()
    desk.mend()
    assert DECISIONS.read() == rows


def test_a_batch_is_closed_from_the_desk(project: Project) -> None:
    """Closing appends the event with who and why, and says what happens next."""
    one = candidate(11)
    opened(one)
    sat = desk.desk(lambda: NOW, act)
    sat.candidates.say(person("ada"), said(one), NOW)
    assert "`assay grow` admits what was decided" in sat.close("ada", "all decided")
    assert batches.known().popitem()[1].state == "close"
    assert sat.candidates.sitting().batch is None
    assert sat.close("ada", "again").startswith("no batch of candidates is open")


def test_a_case_is_retired_at_the_desk(project: Project) -> None:
    """What thirty nights propose is shown until a person retires it as it was shown; the next fold leaves it out."""
    review.run()
    cases = CASES.read()
    nights = [case_night(f"2026-10-{1 + day:02}", cases, target=f"support@{day // 10}") for day in range(30)]
    HISTORY.write(nights)
    upkeep, (one, *_) = desk.desk(lambda: NOW, act).upkeep, cases
    proposed = {found.case_id for found in upkeep.proposals()}
    with pytest.raises(ConfigError, match=f"{one.case_id} was changed since it was shown"):
        upkeep.retire(one.case_id, "another", "eve", "never fails")
    assert upkeep.retire(one.case_id, one.digest(), "eve", "never fails").startswith(f"{one.case_id} is retired")
    assert proposed - {found.case_id for found in upkeep.proposals()} == {one.case_id}
    last = DECISIONS.read()[-1]
    assert (last.decision, last.reviewer, last.reason) == ("retire", "eve", "never fails")
    with pytest.raises(ConfigError, match="is not in the evaluation set"):
        upkeep.retire(one.case_id, one.digest(), "eve", "again")
    assert review.run() == len(cases) - 1


def test_labels_are_handed_over_once_they_are_complete(project: Project) -> None:
    """Answers of items with all their annotators become labels, with their marks; others wait at the desk."""
    fresh = [item(number, f"A new answer {number}.") for number in (500, 501)]
    ITEMS.write([*ITEMS.read(), *fresh])
    queue = desk.desk(lambda: NOW, act).labels
    assert {of.item.item_id for of in queue.pile().tasks.values()} == {one.item_id for one in fresh}
    for who, one in (("ann", fresh[0]), ("ben", fresh[0]), ("ann", fresh[1])):
        row = {"item_id": one.item_id, "annotator": who, "outcome": "fail", "shown": "x", "is_swapped": False}
        marked = {"spans": [{"start": 0, "end": 5}], "note": "", "seconds": 2.0, "answered_at": NOW}
        ANSWERS.append([Answer.model_validate(row | marked)])
    assert desk.desk(lambda: NOW, act).hand_over().startswith("2 labels handed over")
    labels = [one for one in LABELS.read() if one.item_id == fresh[0].item_id]
    assert [(one.annotator, one.outcome, one.spans[0].end) for one in labels] == [
        ("ann", "fail", 5),
        ("ben", "fail", 5),
    ]
    assert desk.desk(lambda: NOW, act).hand_over().startswith("0 labels")


def test_killed_under_load_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    """Six reviewers at a desk that is killed twice: every acknowledged word is in a log whose chain holds."""
    found = load.run(tmp_path, reviewers=6, candidates=40, kills=2)
    assert (found["acknowledged"], found["acknowledged_but_lost"], found["refused"]) == (240, 0, 0)


@pytest.fixture
def page(project: Project) -> Iterator[Page]:
    """A browser that ann has signed in with, at a desk of this process."""
    with serving_desk(NOW) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        found = browser.new_page(viewport={"width": 1280, "height": 900})
        sign_in(found, address)
        yield found
        browser.close()


@in_browser
def test_no_script_of_anybody_runs(project: Project, page: Page) -> None:
    """Hostile candidates, notes, document names and labelled answers: nothing runs, loads, or takes over a key."""
    texts = [
        candidate(number, turns=[text], reference=text).model_copy(
            update={"sources": [Source(document=text, quote=text)], "made": text[:40]}
        )
        for number, text in enumerate(HOSTILE, 20)
    ]
    opened(*texts)
    ITEMS.write([*ITEMS.read(), *(item(600 + at, text) for at, text in enumerate(HOSTILE))])
    outside: list[str] = []
    page.on("request", lambda request: None if "127.0.0.1" in request.url else outside.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(page.url)
    page.keyboard.press("c")
    for number in range(len(HOSTILE)):
        page.locator("#h-item").wait_for()
        before = page.url
        page.keyboard.press("e")
        page.locator("#case-category").wait_for()
        page.go_back()
        page.locator("#h-item").wait_for()
        page.locator("#note").fill(HOSTILE[number])
        page.keyboard.press("Escape")
        page.keyboard.press("3")
        page.wait_for_function("before => location.href !== before", arg=before)
    page.keyboard.press("l")
    for _ in HOSTILE:
        page.locator("#answer").wait_for()
        before = page.url
        page.keyboard.press("1")
        page.wait_for_function("before => location.href !== before", arg=before)
    assert page.evaluate("typeof pwned") == "undefined"
    assert [one for one in outside if not one.startswith("data:")] == []
    assert sum(bool(row.batch) for row in DECISIONS.read()) == len(HOSTILE)
    assert len(ANSWERS.read()) == len(HOSTILE)


@in_browser
def test_a_held_key_decides_one_item(project: Project, page: Page) -> None:
    """A key that repeats itself, or is struck during a save, decides nothing more; U takes the word back."""
    opened(*(candidate(number) for number in range(30, 36)))
    page.goto(page.url)
    page.keyboard.press("c")
    page.locator("#h-item").wait_for()
    page.evaluate(
        """() => { for (const repeat of [false, true, true, false, true])
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key: '1', bubbles: true, repeat})); }"""
    )
    page.get_by_text("Admitted: refunds-030.").wait_for()
    assert [row.candidate_id for row in DECISIONS.read() if row.batch] == ["refunds-030"]
    page.keyboard.press("u")
    page.get_by_text("Taken back: decide again.").wait_for()
    assert page.url.endswith("/candidates/refunds-030")
    assert DECISIONS.read()[-1].decision == "withdraw"


@in_browser
def test_words_of_an_answer_are_marked(project: Project, page: Page) -> None:
    """Selected words, marked with M, are kept as places in the answer."""
    ITEMS.write([*ITEMS.read(), item(700, "\n😀 Gift cards never expire.")])
    page.goto(page.url)
    page.keyboard.press("l")
    page.locator("#answer").wait_for()
    page.evaluate(
        """() => { const text = document.getElementById('answer').firstChild, range = document.createRange();
        const at = text.data.indexOf('never'); range.setStart(text, at); range.setEnd(text, at + 5);
        getSelection().removeAllRanges(); getSelection().addRange(range); }"""
    )
    page.keyboard.press("m")
    page.get_by_text("1 marked, last: never").wait_for()
    page.keyboard.press("2")
    page.get_by_text("Nothing more to label for you.").wait_for()
    (answer,) = ANSWERS.read()
    text = "\n😀 Gift cards never expire."
    assert [text[span.start : span.end] for span in answer.spans] == ["never"]


@in_browser
def test_hostile_cases_are_retired_in_the_browser(project: Project, page: Page) -> None:
    """Cases, owners and references of hostile people are shown as text on the page where somebody retires them."""
    admit([case(40 + at, turns=[text], reference=text, owner=text) for at, text in enumerate(HOSTILE)], "ada", "x", NOW)
    review.run()
    cases = CASES.read()
    nights = [case_night(f"2026-10-{1 + day:02}", cases, target=f"support@{day // 10}") for day in range(30)]
    HISTORY.write(nights)
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(page.url)
    page.keyboard.press("y")
    page.get_by_role("heading", name="Cases to look at").wait_for()
    for summary in page.locator("summary").all():
        summary.click()
    assert page.locator(".case").count() == len(cases)
    shoot(page, "health")
    page.get_by_role("button", name="Retire refunds-040").click()
    page.get_by_text("refunds-040 is retired").wait_for()
    assert page.locator(".case").count() == len(cases) - 1
    assert page.evaluate("typeof pwned") == "undefined"
    assert DECISIONS.read()[-1].decision == "retire"


@in_browser
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_scales_are_answered_by_keys(project: Project, page: Page, width: int) -> None:
    """A label, a score, a typed number and a pair are said by keys alone, and no page scrolls sideways on a phone."""
    long = {"messages": [{"role": "user", "content": "w" * 300}, {"role": "tool", "content": HOSTILE[0]}]}
    one = item(800, "Your refund is on its way. " * 20, contexts=["x" * 300, HOSTILE[1]], final_state="{}", **long)
    judges = {"tone": LABELS_OF_TONE, "depth": SCORE, "length": LONG_SCORE, "steps": TRAJECTORY}
    for name, fields in judges.items():
        made(project.folder, name, rubric="Answers are friendly. " * 30, description="How it is said.", **fields)
    rows = [
        Draw(item_id=one.item_id, frame="f", stratum="pass", inclusion_probability=1, judge=name) for name in judges
    ]
    pair = item(801, "One.", "pairwise", "Two.")
    ITEMS.write([*ITEMS.read(), one, pair])
    DRAWS.write([*rows, rows[0].model_copy(update={"item_id": pair.item_id, "judge": "preference"})])
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(page.url)
    shoot(page, f"labels-start-{width}")
    page.keyboard.press("l")
    for key in ("4", "85", "3", "2", "2"):
        page.locator("#h-item").wait_for()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        before = page.url
        shoot(page, f"label-{before.split('/labels/')[1].split('/')[0]}-{width}")
        for digit in key:
            page.keyboard.press(digit)
        if len(key) > 1:
            page.keyboard.press("Enter")
        page.wait_for_function("before => location.href !== before", arg=before)
    rows_said = [(row.judge, row.outcome, row.label) for row in ANSWERS.read()]
    assert rows_said[:2] == [("depth", "pass", "4"), ("length", "pass", "85")]
    assert (rows_said[2][0], rows_said[2][1] in ("a", "b", "tie"), rows_said[3:]) == (
        "preference",
        True,
        [("steps", "fail", ""), ("tone", "pass", "neutral")],
    )
    assert page.evaluate("typeof pwned") == "undefined"
