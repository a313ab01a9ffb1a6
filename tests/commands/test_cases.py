"""`assay cases` and `assay case`: no failing case is hidden, from the first night on, and page and terminal agree."""

import json
import shutil
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.commands.accept import accept
from assay.project import files
from assay.project.results import GATE, REPORT
from assay.project.tables.history import HISTORY
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.parts import PARTS
from assay.report.gate import Gate
from assay.report.texts import visible
from assay.stages import publish
from tests.cast import Project, broken, case, response, verdict
from tests.nights import EVERY_CASE, Night

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \u202egnp.exe \x9b31m \x7f\r\nassay: all is well"
CONTROLS = [*map(chr, range(0x20)), *map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066"]


def run(*words: str) -> Result:
    return CliRunner().invoke(app, [*words])


def told(*words: str) -> dict[str, Any]:
    """Return what a command says as JSON."""
    done = run(*words, "--json")
    assert done.exit_code == 0, done.output
    return dict(json.loads(done.output))


def groups(*words: str) -> dict[str, list[str]]:
    """Return the listed cases by group."""
    found: dict[str, list[str]] = {}
    for one in told("cases", *words)["cases"]:
        found.setdefault(one["group"], []).append(one["case_id"])
    return found


def failing_night(now: datetime, date: str, *, has_baseline: bool = False) -> Gate:
    """Publish a night of an uncalibrated project on which 30 of 200 cases fail, with the accepted baseline or none."""
    night = Night()
    night.lose(18, "refunds")
    night.lose(12, "escalation", by="check")
    night.responses = [one.model_copy(update={"epoch": date}) for one in night.responses]
    accepted = BASELINE.read() if has_baseline else []
    night.write()
    BASELINE.file().unlink()
    rows = [row for row in night.verdicts() if row.subject != "baseline"]
    if accepted:
        BASELINE.write(accepted)
        rows += [row.model_copy(update={"subject": "baseline"}) for row in rows if row.subject == "target"]
    VERDICTS.write(rows)
    return publish.run(now)[0]


def test_thirty_failing_cases_are_shown_from_the_first_night_on(project: Project, now: datetime) -> None:
    """Without a baseline all 30 are on the page and in the terminal; they stay, and stand since the first night."""
    thirty = [f"escalation-{number:03}" for number in range(12)] + [f"refunds-{number:03}" for number in range(18)]
    first = failing_night(now, "2026-11-02")
    assert first.sentence.startswith(
        "UNCALIBRATED: correctness has no certificate; there is no baseline yet; 30 cases fail by all scorers, "
        "most in refunds (18). Of 200 planned cases"
    )
    for date, nights in (("2026-11-02", 1), ("2026-11-03", 2)):
        failing_night(now, date)
        assert groups("--failing") == {"failing": thirty}
        since = {(one["since"]["night"], one["since"]["nights"]) for one in told("cases", "--failing")["cases"]}
        assert since == {("2026-11-02", nights)}
        assert on_page() == thirty
    assert accept(now).answers == 200
    assert groups("--failing") == {"standing": thirty}
    failing_night(now, "2026-11-04", has_baseline=True)
    assert groups("--failing") == {"standing": thirty}
    assert on_page() == thirty
    page = files.path(REPORT).read_text(encoding="utf8")
    assert page.count("fails since 2026-11-02 (3 nights)") == 30
    assert run("cases", "--failing").output.count("standing since 2026-11-02 (3 nights)") == 30


def on_page() -> list[str]:
    """Return the cases that the page shows, in its order."""
    page = files.path(REPORT).read_text(encoding="utf8")
    return [part.partition('"')[0] for part in page.split('<details class="case" id="case-')[1:]]


@pytest.fixture
def mixed(project: Project, now: datetime) -> Night:
    """A night with two cases that newly fail, one that stands, one fixed, and two without an outcome."""
    night = Night()
    night.lose(2)
    for name, outcomes in {"refunds-005": ("fail", "fail"), "escalation-006": ("pass", "fail")}.items():
        night.outcomes |= {("target", name): outcomes[0], ("baseline", name): outcomes[1]}
    night.responses[7] = broken(EVERY_CASE[7])
    night.outcomes["target", "escalation-008"] = "unscored"
    night.publish(now, is_certified=False)
    return night


def test_a_damaged_history_hides_no_case(mixed: Night, now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    """Where the history cannot be read every case is listed, none is said to fail since a night, and a note says so."""
    listed = groups()
    files.path(HISTORY.path).write_bytes(b"{" * 50)
    publish.run(now)
    page = files.path(REPORT).read_text(encoding="utf8")
    caplog.clear()
    assert groups() == listed
    assert {one["since"] for one in told("cases")["cases"]} == {None}
    assert PARTS["history"] in caplog.text
    assert (" · fails since" in page, PARTS["history"] in page) == (False, True)


def test_each_flag_lists_its_own(mixed: Night) -> None:
    """Failing, fixed and unscored cases are listed apart, all of them without a flag, one category on request."""
    assert groups("--failing") == {"newly-failing": ["refunds-000", "refunds-001"], "standing": ["refunds-005"]}
    assert groups("--fixed") == {"fixed": ["escalation-006"]}
    assert groups("--unscored") == {"unscored": ["escalation-008", "refunds-007"]}
    assert {name: len(found) for name, found in groups().items()} == {
        "newly-failing": 2,
        "standing": 1,
        "unscored": 2,
        "fixed": 1,
        "passed": 194,
    }
    assert groups("--unscored", "--category", "refunds") == {"unscored": ["refunds-007"]}
    last = run("cases").output.splitlines()[-1]
    assert last == (
        "Night 2026-11-02 (uncalibrated): 200 of 200 cases: 2 newly failing, 1 standing, 2 without an outcome, "
        "1 fixed, 194 passed."
    )


def test_the_page_shows_what_the_command_lists(mixed: Night) -> None:
    """Every case that did not pass, and every fixed one, is on the page once, in the command's order."""
    listed = [name for group, names in groups().items() if group != "passed" for name in names]
    assert on_page() == listed


def test_a_case_without_an_outcome_says_why(mixed: Night) -> None:
    """The failed call and the silent scorer are told, each beside its case."""
    why = {one["case_id"]: one["why"] for one in told("cases", "--unscored")["cases"]}
    assert why["refunds-007"] == ["no response: timeout. no answer within 30 s"]
    assert why["escalation-008"] == ["correctness: unscored."]


def test_one_case_is_told_whole(mixed: Night) -> None:
    """Turns, reference, both answers and every verdict are there, in words and as JSON."""
    story = told("case", "refunds-001")
    of = next(one for one in EVERY_CASE if one.case_id == "refunds-001")
    assert (story["case"]["turns"], story["case"]["reference"]) == (of.turns, of.reference)
    assert {(one["version"], one["trial"], one["text"]) for one in story["answers"]} == {
        ("target", 0, "Yes, refunds are possible within 14 days."),
        ("baseline", 0, "Within 14 days."),
    }
    assert len(story["verdicts"]) == 4
    shown = run("case", "refunds-001").output
    for words in ("newly failing since 2026-11-02 (1 night)", of.turns[0], of.reference, "Within 14 days."):
        assert words in shown
    assert "  correctness of this run, trial 1: fail\n" in shown


def test_each_trial_is_shown(project: Project, now: datetime) -> None:
    """Of two trials both answers and both verdicts are told, one that was cut as such, and one that never came."""
    night = Night()
    night.responses[0] = response(EVERY_CASE[0], "Yes, within", finish_reason="length")
    night.responses.append(broken(EVERY_CASE[0]).model_copy(update={"trial": 1}))
    gate = night.publish(now, is_certified=False)
    assert gate.sentence.endswith("the wire 1. 1 answer was cut at the token limit.")
    shown = run("case", "refunds-000").output
    assert "This run answered, trial 1 (cut at the token limit):\n  Yes, within\n" in shown
    assert "This run gave no answer, trial 2:\n  timeout. no answer within 30 s\n" in shown
    assert told("case", "refunds-000")["case"]["cut"] == 1


def test_hostile_text_does_nothing_to_a_terminal(project: Project, now: datetime) -> None:
    """No control or direction character of a model, case or judge comes out raw, nor a line that looks like ours."""
    night = Night()
    of = case(0, turns=[HOSTILE], reference=HOSTILE, inputs={"note": HOSTILE, "limit": 3}, references=["Or so."])
    of = of.model_copy(update={"rubric": {"tone": HOSTILE}, "thresholds": {"depth": 4}})
    night.cases[0] = of
    night.responses[0], night.baseline[0] = response(of, HOSTILE), response(of, HOSTILE, target="support@1")
    night.more = [verdict(of.case_id, "fail", scorer="check:2-regex", detail=HOSTILE)]
    night.publish(now, is_certified=False)
    for words in (("case", of.case_id), ("cases", "--failing")):
        plain = run(*words).output
        assert "<U+001B>[2J" in plain
        assert not [one for one in CONTROLS if one in plain and one != "\n"]
        assert not [line for line in plain.splitlines() if line.startswith("assay:")]
        shown = run(*words, "--json").output.removesuffix("\n")
        assert shown.isascii()
        assert shown.isprintable()
    assert told("case", of.case_id)["case"]["turns"] == [HOSTILE]
    assert told("case", of.case_id)["case"]["inputs"] == {"note": HOSTILE, "limit": "3"}
    assert "Given with it: limit:\n  3\n" in run("case", of.case_id).output
    assert "Expected by the judge tone:\n" in run("case", of.case_id).output
    assert "Passes from 4 on by the judge depth.\n" in run("case", of.case_id).output
    assert "Or, just as right:\n  Or so.\n" in run("case", of.case_id).output
    assert "Or so." in files.path(REPORT).read_text()
    assert "<b>limit</b>" in files.path(REPORT).read_text()


def test_a_case_that_nothing_scores_is_no_fault_of_the_endpoint(project: Project, now: datetime) -> None:
    """With neither expectation nor reference a case is told as such: what to add, and never to mend the endpoint."""
    night = Night()
    for place in range(10):
        of = case(place, reference="", expectations=[])
        night.cases[place] = of
        night.responses[place], night.baseline[place] = response(of), response(of, target="support@1")
        for subject in ("target", "baseline"):
            night.outcomes.pop((subject, of.case_id))
    gate = night.publish(now, is_certified=False)
    assert (gate.word, gate.reason) == ("incomplete", "nothing scores 5.0 % of the cases")
    assert "expectation or a reference" in gate.next
    assert "and nothing scores 10." in gate.sentence
    found = told("cases", "--unscored")["cases"]
    assert [one["why"] for one in found] == [
        ["nothing scores this case: add an expectation, or what a judge requires (`assay judges` lists it)"]
    ] * 10


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("case", "refund-001"), "did you mean refunds-001"),
        (("case", "zzz"), "`assay cases` lists what there is"),
        (("case", "\x1b[2J"), "<U+001B>[2J"),
        (("cases", "--category", "refund"), "did you mean refunds?"),
        (("cases", "--failing", "--fixed"), "--failing and --fixed are given together"),
    ],
)
def test_what_is_not_there_is_refused(mixed: Night, words: tuple[str, ...], said: str) -> None:
    """An unknown case or category, or two flags, is one sentence with what is near, and bad input."""
    done = run(*words)
    assert (done.exit_code, said in done.output, done.output.count("\n")) == (2, True, 1)
    assert visible(done.output) == done.output


@pytest.mark.parametrize("words", [("cases",), ("case", "refunds-001")])
@pytest.mark.parametrize("table", [RESPONSES, VERDICTS])
def test_before_the_first_night_the_night_is_named(mixed: Night, words: tuple[str, ...], table: Any) -> None:
    """Where a table of the night is missing a command says in a sentence what to run, exits with 2, writes nothing."""
    table.file().unlink()
    shutil.rmtree(".assay")
    before = Project(files.root()).files()
    done = run(*words)
    assert (done.exit_code, done.output.count("\n")) == (2, 1)
    assert "run `assay nightly`" in done.output
    assert Project(files.root()).files() == before


def test_nothing_is_written(mixed: Night, project: Project) -> None:
    """Looking at cases leaves every file of data/ as it is."""
    before = project.files()
    run("cases")
    run("case", "refunds-000")
    assert project.files() == before


def test_cases_beside_another_run_s_verdict_say_so(mixed: Night) -> None:
    """Where Git has brought another run's verdict the lists, the case and the status say whose answers these are."""
    ours, theirs = "01930000-0000-7000-8000-000000000001", "01940000-0000-7000-8000-000000000002"
    RESPONSES.write([row.model_copy(update={"run": ours}) for row in RESPONSES.read()])
    gate = json.loads(files.path(GATE).read_bytes())
    files.write_json(GATE, gate | {"run": ours})
    assert told("cases")["two_runs"] == ""
    files.write_json(GATE, gate | {"run": theirs})
    for words in (("cases", "--failing"), ("case", "refunds-001"), ("status",)):
        said = run(*words).output
        assert (words, ours[:13] in said, theirs[:13] in said, "`dvc pull`" in said) == (words, True, True, True)
    assert theirs[:13] in told("cases")["two_runs"]
