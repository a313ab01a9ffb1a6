"""Calibrate: a certificate is issued once, kept as it is, renewed by a person, and refused with a reason."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta

import pyarrow.parquet as pq
import pytest

from assay.calibration.certificate import Floor
from assay.errors import ConfigError, DataError, InsufficientDataError
from assay.judges import prompt
from assay.orchestration import artifacts
from assay.project import entrypoint
from assay.project.certificates import read_certificates, read_refusals
from assay.project.tables.anchors import NIGHTS
from assay.project.tables.labels import ITEMS, LABELS
from assay.project.tables.registry import TABLES
from assay.project.tables.responses import RESPONSES
from assay.project.tables.verdicts import VERDICTS
from assay.records.verdict import Verdict
from assay.stages import calibrate
from assay.stages.calibrate import try_out
from tests.cast import Project, case, label, response, small_items, verdict

LATER = timedelta(days=40)


def anchors(**changes: str) -> list[Verdict]:
    """Return the verdicts of a judge that is right of everything in the small project."""
    rows = []
    for one in small_items():
        is_right = one.response_a.startswith("Yes")
        if one.question == "pass-fail":
            rows.append(verdict(one.item_id, "pass" if is_right else "fail", subject="anchor", **changes))
        else:
            said = "a" if is_right else "b"
            both = {"scorer": "preference", "as_is": said, "swapped": said}
            rows.append(verdict(one.item_id, said, subject="anchor", **both, **changes))
    return rows


@pytest.fixture
def judged(project: Project) -> Project:
    """The small project after a night on which both judges were right of every labelled item."""
    VERDICTS.write(anchors())
    return project


def certificates(project: Project) -> dict[str, bytes]:
    return {name: data for name, data in project.files().items() if "calibration" in name and "nights" not in name}


def test_the_first_night_issues(judged: Project, now: datetime) -> None:
    """Each labelled judge gets a certificate for 30 days, of the fingerprint that gave the verdicts; the rest wait."""
    issued = calibrate.run(now)
    assert [(one.judge, one.items, one.unscored) for one in issued] == [("correctness", 120, 0), ("preference", 60, 0)]
    assert {(one.fingerprint, one.issued, one.expires) for one in issued} == {
        ("judge-1", now, now + timedelta(days=30))
    }
    assert {(one.policy, one.version.split("@")[0]) for one in issued} == {("default", one.judge) for one in issued}
    assert read_certificates() == {one.judge: one for one in issued}
    assert list(read_refusals()) == ["grounding"]


def test_a_later_night_keeps(judged: Project, now: datetime) -> None:
    """Forty nights later, with another judge and expired, the files are byte for byte the same."""
    calibrate.run(now)
    before = certificates(judged)
    VERDICTS.write(anchors(fingerprint="judge-2"))
    calibrate.run(now + LATER)
    assert certificates(judged) == before


def test_a_person_renews(judged: Project, now: datetime) -> None:
    """A renewal issues the asked judge's certificate anew, for the judge of today, and leaves the other alone."""
    calibrate.run(now)
    VERDICTS.write(anchors(fingerprint="judge-2"))
    (issued,) = calibrate.run(now + LATER, ["correctness"], renew=True)
    assert (issued.fingerprint, issued.issued) == ("judge-2", now + LATER)
    assert {name: one.fingerprint for name, one in read_certificates().items()} == {
        "correctness": "judge-2",
        "preference": "judge-1",
    }


def test_labels_that_carry_nothing_are_refused_and_the_night_goes_on(judged: Project, now: datetime) -> None:
    """Without a single human fail there is no TNR: the reason is on file, and the other judge has its certificate."""
    kept = [label(one.item_id, "pass") for one in small_items() if one.response_a.startswith("Yes")]
    pairs = [label(one.item_id, "a" if one.response_a.startswith("Yes") else "b") for one in small_items()[120:]]
    LABELS.write([*[row for row in kept if row.item_id.startswith("pass-fail")], *pairs])
    assert [one.judge for one in calibrate.run(now)] == ["preference"]
    assert list(read_refusals()) == ["correctness", "grounding"]
    assert "label items that people fail" in read_refusals()["correctness"]


def test_a_refusal_of_one_judge_outlives_the_calibration_of_another(judged: Project, now: datetime) -> None:
    """Calibrating one judge alone leaves on file why the other has no certificate; a certificate then removes it."""
    VERDICTS.write([row for row in anchors() if row.scorer == "correctness"])
    calibrate.run(now)
    why = read_refusals()
    assert list(why) == ["grounding", "preference"]
    calibrate.run(now, ["correctness"], renew=True)
    assert read_refusals() == why
    VERDICTS.write(anchors())
    calibrate.run(now)
    assert list(read_refusals()) == ["grounding"]


def test_before_the_first_label_the_night_goes_on(judged: Project, now: datetime) -> None:
    """A project without labelled items has no certificate and, for each judge, the reason on file."""
    for name in ("items", "labels"):
        TABLES[name].file().unlink()
    assert calibrate.run(now) == []
    assert {name: "label some" in why for name, why in read_refusals().items()} == {
        "correctness": True,
        "grounding": True,
        "preference": True,
    }


def test_a_person_is_told_of_a_refusal_at_once(judged: Project, now: datetime) -> None:
    """A renewal that the labels cannot carry is an error with what to add, and the certificate stays as it was."""
    calibrate.run(now)
    before = certificates(judged)
    LABELS.write([row for row in LABELS.read() if row.outcome != "fail"])
    with pytest.raises(InsufficientDataError, match="label items that people fail"):
        calibrate.run(now + LATER, renew=True)
    assert certificates(judged) == before


def test_two_judges_under_one_name_are_refused(judged: Project, now: datetime) -> None:
    """Anchors that two versions of a judge have judged calibrate neither, and nothing is written."""
    half = len(small_items()) // 3
    VERDICTS.write([*anchors()[:half], *anchors(fingerprint="judge-2")[half:]])
    before = judged.files()
    with pytest.raises(DataError, match="judged by 2 versions of correctness, expected one"):
        calibrate.run(now)
    assert judged.files() == before


def not_a_number(project: Project) -> None:
    file = LABELS.file()
    rows = [json.loads(line) for line in file.read_text().splitlines()]
    rows[5]["inclusion_probability"] = float("nan")
    file.write_text("\n".join(json.dumps(row) for row in rows))


def no_column(project: Project) -> None:
    pq.write_table(pq.read_table(VERDICTS.file()).drop_columns(["outcome"]), VERDICTS.file())


def twice(project: Project) -> None:
    lines = LABELS.file().read_text().splitlines()
    LABELS.file().write_text("\n".join([*lines, lines[0]]))


def cut_off(project: Project) -> None:
    VERDICTS.file().write_bytes(VERDICTS.file().read_bytes()[:-200])


def missing(project: Project) -> None:
    VERDICTS.file().unlink()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (not_a_number, "labels.jsonl, row 6: inclusion_probability is nan"),
        (no_column, "verdicts.parquet lacks the columns ['outcome']"),
        (twice, "labels.jsonl: item_id + annotator + judge: 2 rows break the rule"),
        (cut_off, "verdicts.parquet cannot be read"),
        (missing, "verdicts.parquet is missing"),
    ],
)
def test_the_door_refuses_damage(
    judged: Project, now: datetime, capsys: pytest.CaptureFixture[str], damage: Callable[[Project], None], said: str
) -> None:
    """A damaged table ends the command with exit code 2 and one sentence that names it, and nothing is written."""
    damage(judged)
    before = judged.files()
    with pytest.raises(SystemExit) as ended:
        entrypoint.run(lambda: calibrate.run(now))
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert judged.files() == before


def test_labels_of_another_rubric_are_counted(judged: Project, now: datetime) -> None:
    """Labels by today's rubric need no word; once rubric.md says something else, certificate and command count them."""
    today = prompt.load("correctness").rubric_version
    rows = LABELS.read()
    LABELS.write([row.model_copy(update={"rubric_version": today}) for row in rows])
    assert [one.note for one in calibrate.run(now, ["correctness"])] == [""]
    rubric = judged.folder / "data/judges/correctness/rubric.md"
    rubric.write_text(rubric.read_text() + "\n4. It is kind.\n")
    (renewed,) = calibrate.run(now, ["correctness"], renew=True)
    assert renewed.note.startswith("240 of 240 labels were given by another version of the rubric")
    assert renewed.note in str(artifacts.certificates([renewed]).message)
    declared = judged.folder / "data/judges/correctness/judge.yaml"
    rubric.write_text(rubric.read_text().replace("\n4. It is kind.\n", ""))
    declared.write_text(declared.read_text() + "model: {hosted: another}\n")
    assert [one.note for one in calibrate.run(now, ["correctness"], renew=True)] == [""]


def test_looks_at_the_labels_are_counted(judged: Project, now: datetime) -> None:
    """Each renewal is one more look at the held-out labels; a night that keeps the certificate is none."""
    assert calibrate.run(now)[0].looks == 1
    calibrate.run(now + LATER)
    assert calibrate.run(now + LATER, ["correctness"], renew=True)[0].looks == 2


def test_nights_are_kept_beside_the_certificate(judged: Project, now: datetime) -> None:
    """One row a judge and night: flips against what the certificate rests on; the same night again replaces its row."""
    calibrate.run(now)
    rows = anchors()
    VERDICTS.write([rows[0].model_copy(update={"outcome": "pass", "detail": "moved"}), *rows[1:]])
    for _ in range(2):
        calibrate.run(now + timedelta(days=1))
    found = [(row.judge, row.night[-2:], row.anchors, row.flips) for row in NIGHTS.read()]
    assert found == [
        ("correctness", "02", 120, 0),
        ("correctness", "03", 120, 1),
        ("preference", "02", 60, 0),
        ("preference", "03", 60, 0),
    ]


def test_only_the_run_that_asked_the_judge_counts_its_anchors(judged: Project, now: datetime) -> None:
    """A run whose anchors are all kept writes no row, a fresh one its own, and one that asked for some counts those."""

    def play(run: str, sources: Callable[[int], str], days: int = 0) -> list[tuple[str, str, int]]:
        rows = [row.model_copy(update={"run": run, "source_run": sources(at)}) for at, row in enumerate(anchors())]
        VERDICTS.write(rows)
        calibrate.run(now + timedelta(days=days))
        return [(row.night[-2:], row.run, row.anchors) for row in NIGHTS.read() if row.judge == "correctness"]

    assert play("run-1", lambda _: "run-1") == [("02", "run-1", 120)]
    assert play("run-2", lambda _: "run-1") == [("02", "run-1", 120)]
    assert play("run-3", lambda _: "run-3") == [("02", "run-1", 120), ("02", "run-3", 120)]
    assert play("run-4", lambda at: "run-3" if at < 50 else "run-4")[2:] == [("02", "run-4", 70)]
    assert len(play("run-4", lambda _: "run-4", days=1)) == 3  # the same run, published again a day later


def test_only_answers_that_were_asked_anew_move_the_watch(judged: Project, now: datetime) -> None:
    """Of the product's answers only those count that the run asked for: kept ones were counted in their night."""
    cases = [case(number) for number in range(10)]
    for run in ("run-1", "run-2"):
        rows = [row.model_copy(update={"run": run, "source_run": run}) for row in anchors()]
        own = [verdict(one.case_id, "pass" if number % 2 else "fail") for number, one in enumerate(cases)]
        sources = ["run-1" if run == "run-1" or number < 7 else "run-2" for number in range(10)]
        RESPONSES.write([response(one, run=run, source_run=source) for one, source in zip(cases, sources, strict=True)])
        VERDICTS.write([*rows, *own])
        calibrate.run(now)
    counted = [(row.run, row.judged, row.passed) for row in NIGHTS.read() if row.judge == "correctness"]
    assert counted == [("run-1", 10, 5), ("run-2", 3, 2)]


def test_a_renewal_begins_a_new_count(judged: Project, now: datetime) -> None:
    """After a renewal tonight's verdicts are what later nights are held against."""
    calibrate.run(now)
    rows = anchors()
    VERDICTS.write([rows[0].model_copy(update={"outcome": "pass"}), *rows[1:]])
    calibrate.run(now + LATER, ["correctness"], renew=True)
    last = NIGHTS.read()[1]
    assert (last.judge, last.flips, last.issued) == ("correctness", 0, now + LATER)


def test_only_one_label_set_counts(judged: Project, now: datetime) -> None:
    """A certificate on one sampling frame says so; an unknown frame is refused with those that there are."""
    frames = [
        row.model_copy(update={"sampling_frame": "support@1"}) if row.item_id < "pass-fail.060" else row
        for row in LABELS.read()
    ]
    LABELS.write(frames)
    (issued,) = calibrate.run(now, ["correctness"], renew=True, frame="support@1")
    assert (issued.frame, issued.items) == ("support@1", 60)
    with pytest.raises(InsufficientDataError, match="'support@3', expected one of support@1, support@2"):
        calibrate.run(now, ["correctness"], renew=True, frame="support@3")


def test_a_trial_files_nothing(judged: Project, now: datetime) -> None:
    """Other demands show what would become of the judge, met or not, and every file stays as it is."""
    calibrate.run(now)
    before = judged.files()
    for least in (100, 500):
        (floor,) = [
            one for one in try_out(now, "correctness", {"min_labels": least}).floors if one.figure == "labelled items"
        ]
        assert (floor.met, floor.demand) == (least == 100, f"at least {least}")
    assert judged.files() == before


def test_a_demand_that_is_not_made_of_this_judge_is_refused(judged: Project, now: datetime) -> None:
    """A pairwise judge has no TNR; the sentence says what it has."""
    with pytest.raises(ConfigError, match="tnr is 0.5, .*a pairwise judge knows min_labels, .*accuracy"):
        try_out(now, "preference", {"tnr": 0.5})


def test_labels_drawn_by_another_judge_s_verdicts_are_weighed(judged: Project, now: datetime) -> None:
    """Chances that vary within a verdict, as where another judge drew, carry a certificate: each label is weighed."""
    uneven = [
        row.model_copy(update={"inclusion_probability": 0.1 if row.item_id.endswith("1") else 0.7})
        for row in LABELS.read()
    ]
    LABELS.write(uneven)
    (found,) = calibrate.run(now, ["correctness"], renew=True)
    methods = {figure.name: figure.method for figure in found.figures}
    assert (methods["tpr"], methods["tnr"]) == ("corrected TPR, Jeffreys draws", "corrected TNR, Jeffreys draws")


def test_a_judge_whose_prompt_shows_what_it_is_tested_with_gets_nothing(judged: Project, now: datetime) -> None:
    """A held-out answer that stands in the judge's own rubric stops the calibration by its name; nothing is written."""
    items = ITEMS.read()
    ITEMS.write([items[0].model_copy(update={"response_a": prompt.load("correctness").rubric[:90]}), *items[1:]])
    before = judged.files()
    with pytest.raises(DataError, match=f"shows 1 held-out items .{items[0].item_id}."):
        calibrate.run(now, ["correctness"], renew=True)
    assert judged.files() == before


def test_the_certificate_says_its_epsilon(judged: Project, now: datetime) -> None:
    """`calibrate.epsilon` is that of the alternative annotator test and of the certificate; three people label here."""
    one_each = {row.item_id: row for row in LABELS.read()}.values()
    LABELS.write([row.model_copy(update={"annotator": who}) for row in one_each for who in ("cleo", "dan", "eve")])
    evidence, settings = calibrate.gather(), calibrate.Settings(epsilon=0.4)
    for judge in ("correctness", "preference"):
        held = calibrate.certify(judge, settings, evidence, calibrate.rate(judge, evidence, ""), now)
        (test,) = [figure for figure in held.figures if figure.name == "alternative-test"]
        assert (held.epsilon, test.note) == (0.4, "passed at epsilon 0.4")
    assert calibrate.Settings().epsilon == 0.1
    assert judged.folder.is_dir()


def test_demands_missed_for_one_reason_are_told_once(judged: Project, now: datetime) -> None:
    """Several demands that were missed for one and the same reason are told together, and the reason once."""
    (issued,) = calibrate.run(now, ["correctness"], renew=True)
    why = "none: people gave all labelled items one label"
    floors = [
        Floor(figure=name, demand=demand, found=why, met=False)
        for name, demand in (("tpr", "at least .8"), ("tnr", "at least .8"), ("youden", "at least .6"))
    ]
    floors.append(Floor(figure="items", demand="at least 50", found="9", met=False))
    message = str(artifacts.certificates([issued.model_copy(update={"floors": floors})]).message)
    assert message.startswith(
        f"correctness: refused (tpr, tnr, youden {why}, at least .8 and at least .6; items 9, at least 50)"
    )
