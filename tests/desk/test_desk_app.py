"""The desk's pages: who is let in, what is refused unread, what is shown and what is not."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from assay.desk.app import create
from assay.desk.guard import MAX_BODY
from assay.desk.holds import HELD_FOR
from assay.desk.label_queue import is_swapped
from assay.desk.request import COOKIE, FRAGMENT, PLACE
from assay.records.candidate import Candidate
from assay.storage import attachments
from tests.attached import HTML, PDF, PNG
from tests.cast import AT, case
from tests.desks import SITE, Browser, Logs, candidate, desk, labelled_items, person, proposal, said, task

NASTY = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'{{7*7}}\u202e"


@pytest.fixture
def logs() -> Logs:
    """Three candidates for two reviewers each, and four items to label."""
    return Logs([candidate(number) for number in (1, 2, 3)], items=labelled_items())


@pytest.fixture
def browsers(logs: Logs, tmp_path: Path) -> dict[str, Browser]:
    """Everybody's browser, signed in."""
    made, tokens = desk(logs, tmp_path)
    found = {name: Browser(TestClient(create(made), base_url=SITE)) for name in tokens}
    for name, browser in found.items():
        assert browser.sign_in(tokens[name]) == 303
    return found


def test_nobody_sees_a_page_without_a_token(logs: Logs, tmp_path: Path) -> None:
    """Every page leads to the sign-in, every form is refused, and a wrong token is told so."""
    stranger = Browser(TestClient(create(desk(logs, tmp_path)[0]), base_url=SITE))
    shown = ("/", "/candidates", "/candidates/refunds-001", "/candidates/refunds-001/edit", "/disputes", "/labels")
    for path in (*shown, "/health"):
        assert stranger.get(path).headers["location"].startswith("/sign-in?next=")
    forms = ("/candidates/refunds-001", "/undo", "/close", "/labels/x/y", "/labels-undo", "/hand-over", "/health/x")
    for path in (*forms, "/sign-out"):
        assert stranger.post(path, word="admit").status_code == 401
    assert stranger.sign_in("guess") == 401
    assert logs.decisions == []


def test_whoever_comes_first_is_told_of_no_fault(logs: Logs, tmp_path: Path) -> None:
    """The sign-in that nobody filled in yet says nothing of a token; one with a wrong token, or with none, does."""
    stranger = Browser(TestClient(create(desk(logs, tmp_path)[0]), base_url=SITE))
    fault, first = "Nobody has this token", stranger.get("/sign-in")
    assert (first.status_code, fault in first.text) == (200, False)
    for told in ({"token": "guess"}, {"token": ""}, {}):
        answer = stranger.post("/sign-in", next="/", **told)
        assert (answer.status_code, fault in answer.text) == (401, True)


@pytest.mark.parametrize(
    "goal", ["//evil.example", "https://evil.example", "/\\evil.example", "/\r\nX: y", "javascript:x"]
)
def test_the_sign_in_leads_nowhere_else(logs: Logs, tmp_path: Path, goal: str) -> None:
    """Whatever address a link asks for, the sign-in stays at the desk."""
    made, tokens = desk(logs, tmp_path)
    browser = Browser(TestClient(create(made), base_url=SITE))
    answer = browser.post("/sign-in", token=tokens["ada"], next=goal)
    assert answer.headers["location"] == "/"
    assert re.search(r"HttpOnly.*SameSite=strict", answer.headers["set-cookie"], re.IGNORECASE)


def test_other_sites_are_refused_unread(browsers: dict[str, Browser], logs: Logs) -> None:
    """A form with a foreign or no origin, without the session's pass, or under another host's name does nothing."""
    ada = browsers["ada"]
    ada.get("/candidates/refunds-001")
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}):
        assert ada.post("/candidates/refunds-001", headers, word="admit").status_code == 403
    assert ada.post("/candidates/refunds-001", word="admit", csrf="wrong").status_code == 403
    assert ada.client.get("/", headers={"Host": "evil.example"}).status_code == 400
    ben = browsers["ben"]
    ben.get("/candidates/refunds-001")
    ada.seen = ben.seen
    assert ada.post("/candidates/refunds-001", word="admit").status_code == 403
    assert logs.decisions == []


def test_a_page_may_load_nothing_else(browsers: dict[str, Browser]) -> None:
    """Every answer, an error's too, carries the policy and is kept by no cache."""
    for path in ("/", "/candidates/none", "/static/desk.js", "/sign-in"):
        found = browsers["ada"].get(path).headers
        assert found["content-security-policy"].startswith("default-src 'none'; script-src 'self'")
        assert "frame-ancestors 'none'" in found["content-security-policy"]
        assert found["x-frame-options"] == "DENY"
        assert (found["x-content-type-options"], found["cache-control"]) == ("nosniff", "no-store")


def test_an_attachment_is_what_it_is_kept_as(
    browsers: dict[str, Browser], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent under its fixed type, a document to be saved; nothing else of the disk is, and to no stranger."""
    monkeypatch.chdir(tmp_path)
    found = {}
    for name, content in (("a.png", PNG), ("b.pdf", PDF)):
        (tmp_path / name).write_bytes(content)
        one = attachments.identify(tmp_path / name, "here")
        attachments.keep({one: tmp_path / name})
        found[one.kind] = (one, browsers["ada"].get(f"/attachments/{one.file_name}"))
    (image, picture), (paper, document) = found["image"], found["application"]
    assert (picture.content, picture.headers["content-type"]) == (PNG, "image/png")
    assert (document.content, document.headers["content-disposition"]) == (PDF, "attachment")
    assert document.headers["x-content-type-options"] == "nosniff"
    attachments.place(image).write_bytes(HTML)
    (tmp_path / f"data/attachments/{paper.sha256}.html").write_bytes(PDF)
    for name in (image.file_name, f"{paper.sha256}.html", f"{paper.sha256}.svg", "..%2f..%2fa.png", "a.png", "x" * 64):
        assert browsers["ada"].get(f"/attachments/{name}").status_code == 404
    stranger = Browser(TestClient(browsers["ada"].client.app, base_url=SITE))
    assert stranger.get(f"/attachments/{paper.file_name}").status_code == 303


def test_a_form_is_bounded(browsers: dict[str, Browser]) -> None:
    """A form of more than a megabyte, of no length told, of very many fields or of no text is refused."""
    ada = browsers["ada"]
    assert ada.post("/undo", note="x" * (MAX_BODY + 1)).status_code == 413
    assert ada.client.post("/undo", content=iter([b"word=", b"x"]), headers={"Origin": SITE}).status_code == 413
    assert ada.post("/undo", **{f"f{number}": "" for number in range(500)}).status_code == 400
    headers = {"Origin": SITE, "Content-Type": "application/x-www-form-urlencoded"}
    assert ada.client.post("/undo", content=b"a=%ff", headers=headers).status_code == 400


def test_nothing_of_others_is_shown_before_the_own_word(browsers: dict[str, Browser], logs: Logs) -> None:
    """A reviewer sees neither another one's word, reason or name, nor who made the candidate."""
    logs.queue().say(person("ben"), said(logs.candidates[0], "reject", reason="a telling reason"), AT)
    shown = browsers["ada"].get("/candidates/refunds-001").text
    for telling in ("a telling reason", "ben", logs.candidates[0].generator):
        assert telling not in re.sub(r"(?s)<input[^>]*>", "", shown)
    assert "Covered 1 of 3" in shown
    assert 'Nearest case <span class="id">refunds-100</span>' in shown


def test_a_word_leads_to_the_next_item(browsers: dict[str, Browser], logs: Logs) -> None:
    """One form admits and shows the next item: as a redirection, or as its main part at once for the script."""
    ada = browsers["ada"]
    ada.get("/candidates/refunds-001")
    assert ada.post("/candidates/refunds-001", word="admit").headers["location"] == "/candidates/refunds-002"
    ada.get("/candidates/refunds-002")
    answer = ada.post(
        "/candidates/refunds-002", {FRAGMENT: "1"}, word="reject", reason="unclear", note="what?", seconds="2.5"
    )
    assert (answer.status_code, answer.headers[PLACE]) == (200, "/candidates/refunds-003")
    assert "<html" not in answer.text
    assert "Rejected: refunds-002." in answer.text
    words = [(row.decision, row.reason, row.seconds, row.reviewer) for row in logs.decisions]
    assert words == [("admit", "", 0.0, "ada"), ("reject", "unclear: what?", 2.5, "ada")]
    assert (
        ada.post("/candidates/refunds-003", {FRAGMENT: "1"}, word="defer").headers[PLACE] == "/candidates/refunds-003"
    )


@pytest.mark.parametrize("fields", [{"reason": ""}, {"reason": "because"}, {"reason": "other", "note": " "}])
def test_a_rejection_has_a_reason(browsers: dict[str, Browser], logs: Logs, fields: dict[str, str]) -> None:
    """Without a known reason, or a note for another one, nothing is kept and the item stays."""
    ada = browsers["ada"]
    ada.get("/candidates/refunds-001")
    answer = ada.post("/candidates/refunds-001", word="reject", **fields)
    assert (answer.status_code, logs.decisions) == (409, [])
    assert "Say why it is rejected" in answer.text


def test_a_stale_page_decides_nothing(browsers: dict[str, Browser], logs: Logs) -> None:
    """A word on a revision that is no longer there is told so, beside the item as it is."""
    ada = browsers["ada"]
    ada.get("/candidates/refunds-001")
    answer = ada.post("/candidates/refunds-001", word="admit", revision="0" * 16)
    assert (answer.status_code, logs.decisions) == (409, [])
    assert "has changed since it was shown" in answer.text


def test_an_edit_is_admitted_or_comes_back(browsers: dict[str, Browser], logs: Logs) -> None:
    """A sound edit is a word with the case as edited; an unsound one comes back with what was typed."""
    ada = browsers["ada"]
    ada.get("/candidates/refunds-001/edit")
    fields = {"word": "edit", "case-category": "refunds", "turn-0": "Within 30 days?", "reference": "Yes."}
    broken = ada.post("/candidates/refunds-001", **fields, **{"check-0": "regex", "values-0": "("})
    assert (broken.status_code, logs.decisions) == (409, [])
    assert "Within 30 days?" in broken.text
    assert ada.post("/candidates/refunds-001", **fields).status_code == 303
    (word,) = logs.decisions
    assert word.case
    assert (word.decision, word.case.turns, word.digest) == ("edit", ["Within 30 days?"], logs.candidates[0].digest())


def test_undo_shows_the_item_again(browsers: dict[str, Browser], logs: Logs) -> None:
    """The last word is taken back and its item is on the screen; without any the desk says so."""
    ada = browsers["ada"]
    ada.get("/candidates/refunds-001")
    assert ada.post("/undo").status_code == 409
    ada.post("/candidates/refunds-001", word="admit")
    assert ada.post("/undo").headers["location"] == "/candidates/refunds-001"
    assert [row.decision for row in logs.decisions] == ["admit", "withdraw"]


def test_a_dispute_shows_both_words_without_names(browsers: dict[str, Browser], logs: Logs) -> None:
    """Whoever settles a dispute sees what was said and what an edit changed, not by whom; the word is theirs."""
    queue, one = logs.queue(), logs.candidates[0]
    queue.say(person("ada"), said(one, "reject", reason="wrong expectation"), AT)
    queue.say(person("ben"), said(one, "edit", case=case(1, reference="Only within 14 days.")), AT)
    assert browsers["cem"].get("/disputes").headers["location"] == "/"
    eve = browsers["eve"]
    assert eve.get("/disputes").headers["location"] == "/candidates/refunds-001"
    shown = eve.get("/candidates/refunds-001").text
    assert "Reviewers disagree" in shown
    assert "wrong expectation" in shown
    assert "<ins>Only</ins>" in shown
    assert not re.search(r"\b(ada|ben)\b", shown)
    eve.post("/candidates/refunds-001", word="admit")
    assert logs.decisions[-1].role == "adjudicator"


def test_a_batch_is_closed_once_its_rule_is_met(browsers: dict[str, Browser], logs: Logs) -> None:
    """Before all is decided closing is refused; the first page counts items, agreement and times."""
    ada, queue = browsers["ada"], logs.queue()
    assert "Close the batch" not in ada.get("/").text
    assert ada.post("/close").status_code == 409
    for one, words in zip(logs.candidates, (("admit", "admit"), ("reject", "reject"), ("admit", "admit")), strict=True):
        for name, word in zip(("ada", "ben"), words, strict=True):
            queue.say(person(name), said(one, word), AT)
    shown = ada.get("/").text
    assert "3 of 3 decided" in shown
    assert "3 of 3 items with several words alike, Krippendorff&#39;s alpha 1.00" in shown
    assert "you decided</dt><dd>3, 2.0 s each (median)" in shown
    assert "closed by ada (all decided)" in ada.post("/close", note="all decided").text


def test_labels_are_given_blind(browsers: dict[str, Browser], logs: Logs) -> None:
    """An item to label shows the rubric and no frame; a pair's sides are this annotator's own; marks are kept."""
    ada = browsers["ada"]
    answer, pair = logs.items[0], logs.items[2]
    shown = ada.get(f"/labels/{task(answer).key}").text
    assert "It states what the reference states" in shown
    assert "support@2" not in shown
    ada.post(f"/labels/{task(answer).key}", label="fail", spans="[[0,3]]", note="no", seconds="4")
    left, right = re.findall(r"(?s)answer\"><h2>\w+</h2><pre>(.*?)</pre>", ada.get(f"/labels/{task(pair).key}").text)
    assert (left == pair.response_b) is is_swapped(pair, "ada")
    assert {left, right} == {pair.response_a, pair.response_b}
    ada.post(f"/labels/{task(pair).key}", label="left")
    kept = [(one.outcome, [(span.start, span.end) for span in one.spans]) for one in logs.answers]
    assert kept == [("fail", [(0, 3)]), ("b" if is_swapped(pair, "ada") else "a", [])]
    assert ada.post("/labels-undo").headers["location"] == f"/labels/{task(pair).key}"
    assert "2 labels handed over" in ada.post("/hand-over").text


@pytest.mark.parametrize("spans", ["x", "[1]", '[["a", 2]]', "[[3]]", "[" * 5000, f"[{','.join(['[0,1]'] * 51)}]"])
def test_marks_that_cannot_be_read_are_refused(browsers: dict[str, Browser], logs: Logs, spans: str) -> None:
    """Marks of any other shape leave no label."""
    ada, one = browsers["ada"], logs.items[0]
    ada.get(f"/labels/{task(one).key}")
    assert ada.post(f"/labels/{task(one).key}", label="pass", spans=spans).status_code == 409
    assert logs.answers == []


def test_what_anybody_wrote_is_text(tmp_path: Path) -> None:
    """Markup, quotes, templates and letters that reorder text are shown as what they are, on every page."""
    of = candidate(1, turns=[NASTY], reference=NASTY, inputs={"note": NASTY}, references=[NASTY])
    nasty = of.model_copy(update={"sources": [], "made": "category"})
    logs = Logs([Candidate.model_validate(nasty.model_dump())])
    made, tokens = desk(logs, tmp_path)
    ada = Browser(TestClient(create(made), base_url=SITE))
    ada.sign_in(tokens["ada"])
    for path in ("/candidates/refunds-001", "/candidates/refunds-001/edit", f"/sign-in?next={NASTY}"):
        text = re.sub(r'name="csrf" value="[^"]*"', "", ada.get(path).text)  # any digits may be in it
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "49" not in text
    assert "<li>note: &lt;script&gt;" in ada.get("/candidates/refunds-001").text
    assert "&lt;U+202E&gt;" in ada.get("/candidates/refunds-001").text


def test_the_pages_have_landmarks_and_names(browsers: dict[str, Browser]) -> None:
    """A screen reader finds header, main and the decision by name, and is told what was done."""
    text = browsers["ada"].get("/candidates/refunds-001").text
    for part in ("<main", "<header", '<nav aria-label="Desk"', '<aside aria-label="Your decision"', 'role="status"'):
        assert part in text
    assert text.count("<h1") == 1


def test_signing_out_ends_the_session(browsers: dict[str, Browser]) -> None:
    """After signing out the cookie is gone, and a copy of it opens neither page nor form."""
    ada = browsers["ada"]
    ada.get("/")
    copy = ada.client.cookies[COOKIE]
    answer = ada.post("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    ada.client.cookies.set(COOKIE, copy)
    assert ada.post("/candidates/refunds-001", word="admit").status_code == 401
    assert ada.get("/").headers["location"].startswith("/sign-in")


def test_what_was_looked_at_is_free_after_signing_out(logs: Logs, tmp_path: Path) -> None:
    """Whoever finds nothing is told that others look at it, and gets it once one of them has signed out."""
    logs.items = logs.items[:1]
    made, tokens = desk(logs, tmp_path)
    sitting = {name: Browser(TestClient(create(made), base_url=SITE)) for name in ("ada", "ben", "cem")}
    for name, browser in sitting.items():
        browser.sign_in(tokens[name])
    (place,) = {sitting[name].get("/labels").headers["location"] for name in ("ada", "ben")}
    waiting = sitting["cem"].get("/labels", **{FRAGMENT: "1"})
    assert (waiting.status_code, waiting.headers[PLACE]) == (200, "/")
    assert "others look at what is left" in waiting.text
    assert "others look at the 1 that you could label" in waiting.text
    sitting["ada"].get(place)
    sitting["ada"].post("/sign-out")
    assert sitting["cem"].get("/labels").headers["location"] == place


def test_whoever_does_something_keeps_what_they_look_at(logs: Logs, tmp_path: Path) -> None:
    """Any page that an annotator opens renews their hold; without one it goes to whoever waits."""
    logs.items = logs.items[:1]
    made, tokens = desk(logs, tmp_path)
    clock = [AT]
    app = create(replace(made, now=lambda: clock[0]))
    sitting = {name: Browser(TestClient(app, base_url=SITE)) for name in ("ada", "ben", "cem")}
    for name, browser in sitting.items():
        browser.sign_in(tokens[name])
    places = [sitting[name].get("/labels").headers["location"] for name in ("ada", "ben")]
    for later, found in ((0.6, "/"), (1.2, "/"), (2.3, places[0])):
        clock[0] = AT + later * HELD_FOR
        assert sitting["cem"].get("/labels").headers["location"] == found
        for name in ("ada", "ben"):
            sitting[name].get("/health")


def test_whoever_opens_a_candidate_keeps_it(browsers: dict[str, Browser]) -> None:
    """A candidate that two reviewers opened by its address is theirs: the third one is led to the next."""
    assert browsers["cem"].get("/candidates").headers["location"] == "/candidates/refunds-001"
    browsers["cem"].post("/sign-out")
    for name in ("ada", "ben"):
        assert browsers[name].get("/candidates/refunds-001").status_code == 200
    assert browsers["eve"].get("/candidates").headers["location"] == "/candidates/refunds-002"


def test_a_person_retires_what_tells_nothing(browsers: dict[str, Browser], logs: Logs) -> None:
    """Each case to look at is shown once with all reasons, as text; an adjudicator retires it as it was shown."""
    logs.upkeep.found = [proposal("saturated", f"passed in 30 nights {NASTY}"), proposal("stale", "400 days ago")]
    eve = browsers["eve"]
    page = eve.get("/health").text
    assert page.count('<h2 id="h-1">refunds-100</h2>') == 1
    assert ("passed in 30 nights" in page, "400 days ago" in page, "3 below quota" in page) == (True, True, True)
    assert "<script>alert" not in page
    assert "Cleo asks question 100" in page
    assert eve.post("/health/refunds-100", note="never fails").headers["location"] == "/health"
    assert logs.upkeep.retired == [("refunds-100", "eve", "never fails")]
    assert "Nothing to look at." in eve.get("/health").text


def test_not_everybody_takes_cases_out(browsers: dict[str, Browser], logs: Logs) -> None:
    """A reviewer sees the reasons and no form, and one made by hand is refused."""
    logs.upkeep.found = [proposal("flaky", "flipped in 9 of 30")]
    page = browsers["ada"].get("/health").text
    assert ("flipped in 9 of 30" in page, "Retire it" in page) == (True, False)
    answer = browsers["ada"].post("/health/refunds-100", note="x", revision=case(100).digest())
    assert (answer.status_code, "Only an adjudicator" in answer.text, logs.upkeep.retired) == (409, True, [])


@pytest.mark.parametrize("fields", [{"note": " "}, {"note": "x", "revision": "moved"}])
def test_a_retirement_is_of_what_was_shown(browsers: dict[str, Browser], logs: Logs, fields: dict[str, str]) -> None:
    """Without a reason, or on a case that has moved, nothing is retired and the page says why."""
    logs.upkeep.found = [proposal("stale", "old")]
    browsers["eve"].get("/health")
    answer = browsers["eve"].post("/health/refunds-100", **fields)
    assert (answer.status_code, "it was changed, or the reason is empty." in answer.text) == (409, True)
    assert logs.upkeep.retired == []


@pytest.mark.parametrize(("name", "word"), [("refunds-001", "settle"), ("refunds-001", ""), ("refunds-099", "admit")])
def test_a_word_that_is_none_decides_nothing(browsers: dict[str, Browser], logs: Logs, name: str, word: str) -> None:
    """A word that no button sends, or one on an item that is not there, leads to the start with a sentence."""
    browsers["ada"].get("/candidates/refunds-001")
    answer = browsers["ada"].post(f"/candidates/{name}", word=word)
    assert answer.status_code < 500
    assert "not in the open batch any more" in answer.text
    assert logs.decisions == []


@pytest.mark.parametrize(
    ("query", "shown"), [("", "001"), ("?after=refunds-001", "002"), ("?after=refunds-003", "001")]
)
def test_the_next_candidate_is_the_one_behind(browsers: dict[str, Browser], query: str, shown: str) -> None:
    """The list leads to the candidate behind the one that was left, in a ring; without one to the first."""
    answer = browsers["ada"].get(f"/candidates{query}")
    assert f"refunds-{shown}" in answer.headers.get("location", answer.text)
    assert sum(f'action="/candidates/refunds-{at:03}' in answer.text for at in (1, 2, 3)) <= 1
