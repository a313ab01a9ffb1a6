"""The last run for others: each format holds every case, and what a model wrote is text in it and nothing else."""

import json
import re
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree as ET

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.cases import night as filed
from assay.commands.report_formats import FORMATS, formatted
from assay.project import files
from assay.project.params import read_params
from assay.project.results import GATE
from assay.project.tables.responses import RESPONSES
from assay.report.pull_request import LIMIT, MARKER, comment
from assay.stages import publish
from assay.stages.publish_settings import Settings
from tests.cast import Project, case, response
from tests.nights import Night

HOSTILE = "@here <img src=x> [a](https://x.test) |x|y| www.x.test\n# head\n```\x1b[2J \u202e</failure>]]> \x00\ufffe"
ATTRIBUTES = {
    "testsuites": {"name", "time", "tests", "failures", "errors"},
    "testsuite": {"name", "tests", "failures", "errors"},
    "testcase": {"name", "classname"},
    "failure": {"type", "message"},
    "error": {"type", "message"},
}
"""Of the elements that Jenkins' junit-10.xsd knows, those that are written."""


@pytest.fixture
def night(project: Project) -> Night:
    """A night with five new failures, one case without an outcome and hostile texts."""
    made = Night()
    made.lose(5, by="check")
    made.outcomes["target", "escalation-000"] = made.checks["target", "escalation-000"] = "unscored"
    of = case(0, turns=[HOSTILE], reference=HOSTILE)
    made.cases[0] = of
    made.responses[0], made.baseline[0] = response(of, HOSTILE), response(of, HOSTILE, target="support@1")
    assert project.folder.is_dir()
    return made


def test_a_failure_is_a_failure_and_a_lost_case_an_error(night: Night, now: datetime) -> None:
    """JUnit has a test for each case, in the schema's elements and attributes, with counts that are true."""
    night.publish(now, is_certified=False)
    top = ET.fromstring(formatted("junit", now))  # noqa: S314 - our own document
    assert {name: top.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "200",
        "failures": "5",
        "errors": "1",
    }
    for element in top.iter():
        assert set(element.attrib) <= ATTRIBUTES[element.tag]
        if element.tag == "testsuite":
            counted = [len(element.findall(path)) for path in ("testcase", "testcase/failure", "testcase/error")]
            assert [int(element.get(name, "")) for name in ("tests", "failures", "errors")] == counted
    failed = {one.get("name") for one in top.iter("testcase") if one.find("failure") is not None}
    assert failed == {f"refunds-{number:03}" for number in range(5)}
    (lost,) = [one.get("name") for one in top.iter("testcase") if one.find("error") is not None]
    assert lost == "escalation-000"


def test_a_comment_has_what_changed_first_and_nothing_alive(night: Night, now: datetime) -> None:
    """The verdict, the categories and the newly failing cases stand in it; nothing in a text is a link or a tag."""
    gate = night.publish(now, is_certified=False)
    text = formatted("md", now).decode()
    assert text.startswith(f"{MARKER}\n### {gate.word.upper()}\n")
    assert "Newly failing (5)" in text
    assert "Basis: checks alone." in text
    bare = re.sub(r"\\.", "", text.replace(MARKER, ""))
    assert not re.search(r"@\w|https?:|\]\(|<(?!/?(details|summary)>)|\x1b|\u202e", bare)


def test_five_thousand_changed_cases_fit_into_a_comment(night: Night, now: datetime) -> None:
    """What does not fit is counted: no comment is longer than a pull request takes."""
    gate = night.publish(now, is_certified=False)
    (one,) = [
        row for row in publish.reported(filed(), read_params("publish", Settings)) if row.case_id == "refunds-000"
    ]
    many = [one.model_copy(update={"case_id": f"refunds-{n:05}", "target_text": "|*_" * 500}) for n in range(5_000)]
    more = [row.model_copy(update={"group": "fixed"}) for row in many]
    text = comment(gate, [*many, *more], None, "", "x" * 36)
    assert len(text) <= LIMIT
    assert "Newly failing (5000)" in text
    (left,) = re.findall(r"and (\d+) more", text)
    assert int(left) + text.count("- **refunds") == 5_000
    assert text.count("<details>") == text.count("</details>")


def test_events_carry_every_verdict_of_tonight(night: Night, now: datetime) -> None:
    """One event a verdict on the target, with its label; what was lost has an error type; nothing is null."""
    night.publish(now, is_certified=False)
    (resource,) = json.loads(formatted("otel", now))["resourceLogs"]
    (scope,) = resource["scopeLogs"]
    told = [
        {one["key"]: next(iter(one["value"].values())) for one in record["attributes"]}
        for record in scope["logRecords"]
    ]
    assert len(told) == 400
    assert {record["eventName"] for record in scope["logRecords"]} == {"gen_ai.evaluation.result"}
    assert {one["gen_ai.evaluation.name"] for one in told} == {"correctness", "check:1-icontains-any"}
    assert {one["gen_ai.evaluation.score.label"] for one in told} == {"pass", "fail", "unscored"}
    assert {one["assay.case.id"] for one in told if "error.type" in one} == {"escalation-000"}
    assert None not in [value for one in told for value in one.values()]


def test_the_table_and_the_json_have_every_case(night: Night, now: datetime) -> None:
    """Parquet and JSON hold a row a case with what came of it."""
    gate = night.publish(now, is_certified=False)
    table = pq.read_table(BytesIO(formatted("parquet", now))).to_pylist()
    told = json.loads(formatted("json", now))
    assert told["gate"]["word"] == gate.word
    assert [row["case_id"] for row in table] == [row["case_id"] for row in told["cases"]]
    assert sum(row["group"] == "newly-failing" for row in table) == 5
    assert len(table) == 200


def test_the_command_writes_or_refuses(night: Night, now: datetime, tmp_path: Path) -> None:
    """A format goes to the terminal or a file; a table needs a file; another run, or tables of two, is refused."""
    assert now < datetime.now(UTC)
    night.publish(now, is_certified=False)
    run = CliRunner()
    assert run.invoke(app, ["report", "--format", "junit"]).output.startswith("<?xml")
    file = tmp_path / "cases.parquet"
    assert run.invoke(app, ["report", "--format", "parquet", "--output", str(file)]).exit_code == 0
    assert pq.read_table(file).num_rows == 200
    assert run.invoke(app, ["report", "--format", "parquet"]).exit_code == 2
    assert run.invoke(app, ["report", "2026-11-02", "--format", "md"]).exit_code == 2
    mine = "01a22be3-6d70-7000-8000-000000000001"
    RESPONSES.write([one.model_copy(update={"run": mine}) for one in RESPONSES.read()])
    gate = json.loads(files.path(GATE).read_text())
    files.path(GATE).write_text(json.dumps(gate | {"run": "01a22be3-6d70-7000-8000-000000000000"}))
    assert [run.invoke(app, ["report", "--format", name, "--output", str(file)]).exit_code for name in FORMATS] == [
        2
    ] * 5


def test_without_a_night_there_is_nothing_to_format(project: Project) -> None:
    """Before the first night each format is refused with what to do."""
    done = CliRunner().invoke(app, ["report", "--format", "md"])
    assert (done.exit_code, "assay nightly" in done.stderr) == (2, True)
    assert project.folder.is_dir()
