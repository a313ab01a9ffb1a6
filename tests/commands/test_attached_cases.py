"""Cases with attachments, from the file to the report: the product and the judge are sent what people are shown."""

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result
from playwright.sync_api import Browser, sync_playwright

from assay.cli.main import app
from assay.commands import exchange
from assay.errors import ConfigError, DataError
from assay.interchange import cases_yaml
from assay.interchange.sets import registry
from assay.judges import prompt, questions
from assay.project import files
from assay.project.results import REPORT
from assay.project.tables.decisions import DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.responses import BASELINE
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case
from assay.stages import execute, judge, publish, review
from assay.storage import attachments
from assay.targets.preflight import require_given
from assay.targets.settings import HttpSettings
from tests.attached import HTML, PDF, PNG, SVG, WAV, png
from tests.cast import Project, case, item, response
from tests.endpoint import Body, Reply, Served, completion, serving
from tests.flows.serving import ARGUMENTS, CHROMIUM, in_browser, shoot
from tests.judges_made import made
from tests.served_desk import serving_desk, sign_in

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)
ONE = {"layer": "unit", "category": "refunds", "reference": "It is broken."}
PICTURE = ONE | {"case_id": "picture-1", "turns": ["What is on it?", "Sure?"], "attachments": ["files/receipt.png"]}
PAPER = ONE | {"case_id": "paper-1", "turns": ["What does it say?"], "attachments": ["contract.pdf", "call.wav"]}


@pytest.fixture
def file(project: Project) -> Path:
    """A file of two cases beside what they attach, in a folder of its own."""
    review.run()
    folder = project.folder / "incoming"
    (folder / "files").mkdir(parents=True)
    for name, content in (("files/receipt.png", PNG), ("contract.pdf", PDF), ("call.wav", WAV)):
        (folder / name).write_bytes(content)
    found = folder / "cases.yaml"
    found.write_text(yaml.safe_dump([PICTURE, PAPER]))
    return found


def imported(file: Path, *words: str) -> Result:
    """Import a file in ada's name."""
    return CliRunner().invoke(app, ["import", str(file), "--reviewer", "ada", *words])


def admitted(file: Path) -> dict[str, Case]:
    """Return the cases of the set after an import, by id."""
    done = imported(file)
    assert done.exit_code == 0, done.output
    review.run()
    return {one.case_id: one for one in CASES.read()}


@pytest.mark.parametrize(
    ("attached", "said"),
    [
        (["none.png"], "cannot be read"),
        (["page.png"], "begins b'<!doctyp'"),
        (["drawing.svg"], "begins b'<svg xml'"),
        (["large.pdf"], "expected at most 10,485,760"),
        (["../secret.png"], "lies elsewhere"),
        (["/etc/hostname"], "lies elsewhere"),
        (["link.png"], "lies elsewhere"),
        (["a\0b.png"], "lies elsewhere"),
        ([7], "attachments.0"),
        ("files/receipt.png", "attachments"),
        ([{"sha256": "0" * 64, "media_type": "image/png"}], "is missing"),
        ([{"sha256": "0" * 64, "media_type": "image/svg+xml"}], "attachments.0.media_type"),
        ([{"sha256": "../../x", "media_type": "image/png"}], "attachments.0.sha256"),
    ],
)
def test_what_cannot_be_attached_takes_nothing_in(project: Project, file: Path, attached: Any, said: str) -> None:
    """A missing, large, foreign or strange file ends the import with one sentence and 2, before anything is written."""
    (file.parent / "page.png").write_bytes(HTML)
    (file.parent / "drawing.svg").write_bytes(SVG)
    (file.parent / "large.pdf").write_bytes(PDF + b"\0" * attachments.MOST_BYTES)
    (project.folder / "secret.png").write_bytes(PNG)
    (file.parent / "link.png").symlink_to(project.folder / "secret.png")
    file.write_text(json.dumps([PICTURE, PAPER | {"attachments": attached}]))
    before = project.files()
    done = imported(file)
    assert done.exit_code == 2
    assert said in done.output
    assert "paper-1" in done.output
    assert project.files() == before


def test_a_rehearsal_copies_nothing(project: Project, file: Path) -> None:
    """A rehearsal says what is attached, and the project has no content afterwards."""
    before = project.files()
    done = imported(file, "--dry-run")
    assert done.exit_code == 0
    assert "Attached: receipt.png (image/png" in done.output
    assert project.files() == before


def test_contents_are_part_of_what_a_case_is(project: Project, file: Path) -> None:
    """Contents lie under their hashes; another content under the same name is another question and another case."""
    first = admitted(file)
    assert [one.name for one in first["paper-1"].attachments] == ["contract.pdf", "call.wav"]
    stored = sorted(one.name for one in (project.folder / "data/attachments").iterdir())
    assert stored == sorted(one.file_name for case in first.values() for one in case.attachments)
    (file.parent / "files/receipt.png").write_bytes(png(colour=b"\0\0\xff"))
    second = admitted(file)
    assert first["picture-1"].request() != second["picture-1"].request()
    assert first["picture-1"].revision() != second["picture-1"].revision()
    assert first["paper-1"] == second["paper-1"]


def test_what_is_known_is_not_taken_in_again(file: Path) -> None:
    """The same file again is the same cases."""
    admitted(file)
    before = len(DECISIONS.read())
    assert "0 cases taken in, 2 are in the set already" in imported(file).output
    assert len(DECISIONS.read()) == before


def test_a_set_with_attachments_goes_out_and_comes_back(project: Project, file: Path, tmp_path: Path) -> None:
    """Plain rows hold what a case attaches; where its content is not, the rows are refused."""
    cases = admitted(file)
    out = tmp_path / "set.jsonl"
    exchange.give(out, "rows", "")
    found = registry.read(out, "rows", exchange.filling("", "unit", ""))
    assert {one.case_id: one for one in found.cases} == cases
    attachments.place(cases["picture-1"].attachments[0]).unlink()
    out.write_text(out.read_text().replace('"picture-1"', '"picture-2"'))
    with pytest.raises(DataError, match="case picture-2: data/attachments/"):
        exchange.take(out, "rows", exchange.filling("", "unit", ""), "ada", NOW)


def test_a_content_that_is_lost_is_told_before_anybody_is_asked(file: Path) -> None:
    """Before the first call a missing content, and a request with no place for files, is refused with its case."""
    cases = admitted(file)
    told = HttpSettings(
        kind="http", name="x", url="http://127.0.0.1:1/", body={"q": "{{turn}}", "f": "{{attachments}}"}
    )
    require_given(told, cases.values())
    with pytest.raises(ConfigError, match="case paper-1 has attachments and the request"):
        require_given(told.model_copy(update={"body": {"q": "{{turn}}"}}), cases.values())
    attachments.place(cases["picture-1"].attachments[0]).unlink()
    with pytest.raises(DataError, match="case picture-1: data/attachments/"):
        require_given(told, cases.values())


def test_a_judge_is_asked_about_the_files(project: Project, file: Path) -> None:
    """What a judge with the input is asked names each content, of a case as of an item, and the files go along."""
    of = admitted(file)["paper-1"]
    made(project.folder, "looks", input="[question, response, attachments]", requires="[attachments]")
    made(project.folder, "blind", input="[question, response]")
    looks, blind = prompt.load("looks"), prompt.load("blind")
    question = questions.of_response(looks, "target", of, response(of))
    assert question.attachments == of.attachments
    assert all(one.sha256 in text for one, text in zip(of.attachments, question.shown[0]["attachments"], strict=True))
    one = item(1, "Yes.", turns=of.turns, attachments=of.attachments)
    assert questions.of_item(looks, one, "").attachments == of.attachments
    assert questions.of_response(blind, "target", of, response(of)).attachments == ()
    assert not questions.expects(looks, case(1), response(case(1)))
    with pytest.raises(ConfigError, match="a decision model is shown no files"):
        made(
            project.folder,
            "fast",
            input="[response, attachments]",
            model="{base_url: 'http://127.0.0.1:1', api: decision}",
        )
        prompt.load("fast")


def files_of(body: Body) -> list[tuple[str, bytes]]:
    """Return type and content of every file that a request holds."""
    contents = [message["content"] for message in body["messages"] if isinstance(message["content"], list)]
    found = []
    for part in (part for content in contents for part in content if part["type"] != "text"):
        inner = part[part["type"]]
        text = inner.get("url") or inner.get("file_data") or inner.get("data")
        found.append((part["type"], b64decode(text.partition(",")[2] or text)))
    return found


@pytest.fixture
def published(project: Project, file: Path) -> Iterator[tuple[Served, Served]]:
    """A night of two cases with attachments, asked and judged on loopback; what both ends were sent."""
    admitted(file)
    cases = [one for one in CASES.read() if one.attachments]
    CASES.write(cases)
    BASELINE.file().unlink()
    SIGNALS.write([])
    project.params("monitor", signals=[])

    def verdict(_: Body) -> Reply:
        return completion('{"rationale": "It is not what the file shows.", "verdict": "fail"}', "eye-1")

    with serving(lambda _: completion("It is whole.")) as product, serving(verdict) as eye:
        made(
            project.folder,
            "looks",
            input="[question, response, attachments]",
            requires="[attachments]",
            model=f"{{hosted: eye-1, base_url: '{eye.url}'}}",
        )
        target = {"name": "support", "model": "support-2", "base_url": product.url}
        project.params("execute", target=target, max_retries=0)
        execute.run(NOW)
        judge.run(NOW)
        publish.run(NOW)
        yield product, eye


def test_product_and_judge_are_sent_the_files(published: tuple[Served, Served]) -> None:
    """Image, document and sound reach the product with the first turn, once, and the judge that lists them."""
    product, eye = published
    asked = {body["messages"][0]["content"][0]["text"]: files_of(body) for body in product.asked}
    assert asked == {
        "What is on it?": [("image_url", PNG)],
        "What does it say?": [("file", PDF), ("input_audio", WAV)],
    }
    second = next(body for body in product.asked if len(body["messages"]) > 1)
    assert [isinstance(message["content"], str) for message in second["messages"]] == [False, True, True]
    judged = [files_of(body) for body in eye.asked if len(body["messages"][-1]["content"]) > 0 and files_of(body)]
    assert sorted(judged) == sorted(asked.values())
    told = [body["messages"][-1]["content"][0]["text"] for body in eye.asked if files_of(body)]
    assert all("<attachments>" in text for text in told)
    found = {row.item_id: row.outcome for row in VERDICTS.read() if (row.scorer, row.subject) == ("looks", "target")}
    assert found == {"paper-1": "fail", "picture-1": "fail"}


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A real browser."""
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield found
        found.close()


SEEN = "image => image.decode().then(() => image.naturalWidth)"


@in_browser
def test_the_report_shows_the_files(published: tuple[Served, Served], browser: Browser, tmp_path: Path) -> None:
    """The page shows the picture and a player, saves the document as it is, and asks for nothing from anywhere."""
    page, outside = browser.new_page(), list[str]()
    page.on("request", lambda request: outside.append(request.url))
    page.on("console", lambda message: pytest.fail(message.text) if message.type == "error" else None)
    page.goto(files.path(REPORT).as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    assert page.locator("#case-picture-1 img").evaluate(SEEN) == 4
    paper = page.locator("#case-paper-1")
    assert paper.locator("audio").evaluate("one => one.src.slice(0, 15)") == "data:audio/wav;"
    with page.expect_download() as saved:
        paper.get_by_role("link", name="contract.pdf").click()
    saved.value.save_as(tmp_path / "saved.pdf")
    assert (tmp_path / "saved.pdf").read_bytes() == PDF
    assert [url for url in outside if not url.startswith(("file:", "data:"))] == []
    shoot(page, "attached-report")


@in_browser
def test_the_desk_shows_the_files(project: Project, file: Path, browser: Browser) -> None:
    """A reviewer sees the picture, and is sent the document under its type, never shown as a page."""
    exchange.take(file, exchange.WRITTEN, exchange.filling("", "unit", ""), "", NOW)
    with serving_desk(NOW) as address:
        page = browser.new_page()
        page.on("console", lambda message: pytest.fail(message.text) if message.type == "error" else None)
        sign_in(page, address)
        page.goto(f"{address}/candidates/picture-1")
        assert page.locator("figure img").evaluate(SEEN) == 4
        shoot(page, "attached-desk")
        page.goto(f"{address}/candidates/paper-1")
        assert page.locator("audio").evaluate("one => new URL(one.src).pathname").endswith(".wav")
        with page.expect_download() as saved:
            page.get_by_role("link", name="contract.pdf").click()
        assert Path(saved.value.path()).read_bytes() == PDF


def test_a_hand_written_file_needs_a_place(file: Path) -> None:
    """Cases that come as a text alone cannot name files by their paths."""
    with pytest.raises(DataError, match="attachments.0"):
        cases_yaml.parse(file.read_text(), "x.yaml")
