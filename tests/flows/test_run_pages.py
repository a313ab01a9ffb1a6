"""The pages of the runs beside Prefect's: a run's own report, a list, and nothing beyond."""

import re

import pytest
from starlette.applications import Starlette
from starlette.responses import FileResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from assay.orchestration import run_pages, server
from assay.project import archive, files
from assay.project.archive import RUNS
from assay.project.results import GATE
from assay.report.gate import Gate
from tests.archives import a_record, an_id, archived, file_results
from tests.cast import Project


@pytest.fixture
def browser() -> TestClient:
    """A client of the server's pages, with an application that answers all else beneath."""
    prefect = Starlette(routes=[Route("/{rest:path}", lambda _: PlainTextResponse("Prefect"))])
    return TestClient(server.WithResults(prefect))


@pytest.mark.parametrize(
    "path",
    [
        *(
            "/assay/report/../../params.yaml",
            "/assay/report/%2e%2e%2fparams.yaml",
            "/assay/report/..%2f..%2fparams.yaml",
        ),
        *(
            "/assay/report/",
            f"/assay/report/{an_id(1)}/../x",
            f"/assay/report/{an_id(1)}%00",
            f"/assay/report/{an_id(9)}",
        ),
        *(f"/assay/report/{an_id(1).upper()}", "/assay/report/../reports", "/assay/report/..%2freports"),
        *("/assay/certificates/../../params.json", "/assay/certificates/%2e%2e%2f%2e%2e%2fparams.json"),
    ],
)
def test_an_address_leads_nowhere_else(project: Project, browser: TestClient, path: str) -> None:
    """What is no run of the project gets a page of ours, or Prefect's answer, and never a file of it."""
    archived(1)
    (project.folder / "params.json").write_text("execute:")
    answer = browser.get(path)
    assert (answer.status_code, answer.text) == (200, "Prefect") or answer.status_code == 404
    assert "execute:" not in answer.text
    assert "night 1" not in answer.text
    assert not isinstance(server.result(path), FileResponse)


def test_a_run_has_its_own_address(project: Project, browser: TestClient) -> None:
    """Each run's report is at its own address, as the disk has it now; the short one is the last report."""
    archived(1, 2)
    assert browser.get(run_pages.report(an_id(1))).text == "data/reports/report.html: night 1\n"
    archived(3)
    assert browser.get(run_pages.report(an_id(3))).text == "data/reports/report.html: night 3\n"
    assert browser.get(run_pages.report("")).text == "data/reports/report.html: night 3\n"
    assert project.folder.is_dir()


def test_a_report_that_is_not_here_says_how_to_get_it(project: Project, browser: TestClient) -> None:
    """A report that was pruned, or never pulled, has a page with status 404 that names the command."""
    archived(1, 2)
    for number in (1, 2):
        (project.folder / RUNS / an_id(number) / "report.html").unlink()
    (project.folder / RUNS / f"{an_id(1)}.dvc").unlink()
    pages = [browser.get(run_pages.report(an_id(number))) for number in (1, 2)]
    assert [page.status_code for page in pages] == [404, 404]
    assert [f"assay report {an_id(number)}" in page.text for number, page in zip((1, 2), pages, strict=True)] == [
        True
    ] * 2
    assert ["pruned" in page.text for page in pages] == [True, False]


def test_the_index_lists_every_run(project: Project, browser: TestClient) -> None:
    """Newest first, with verdict and link; a pruned run has no link, and an unknown verdict a badge of no colour."""
    archived(1, 2, 3)
    archive.keep(a_record(4, word="from-tomorrow"))
    (project.folder / RUNS / f"{an_id(1)}.dvc").unlink()
    (project.folder / RUNS / an_id(1) / "report.html").unlink()
    page = browser.get(run_pages.RUNS_PAGE).text
    assert re.findall(r'href="/assay/report/([^"]+)"', page) == [an_id(4), an_id(3), an_id(2)]
    assert page.count("PASS</strong>") == 3
    assert 'class="tag plain"' in page


def test_nothing_on_the_index_is_markup(project: Project, browser: TestClient) -> None:
    """What a model or a user wrote into a record is shown as text, and no script can run."""
    file_results("night 1")
    hostile = "<script>alert(1)</script>\u202e"
    archive.keep(a_record(1, word=hostile, sentence=hostile, target=hostile, released=hostile))
    page = browser.get(run_pages.RUNS_PAGE).text
    assert "<script" not in page
    assert "\u202e" not in page
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 3
    assert "default-src 'none'" in page
    assert project.folder.is_dir()


def test_a_damaged_record_leaves_a_page(project: Project, browser: TestClient) -> None:
    """Where a record cannot be read the index names its file, and lists the other runs."""
    run, other = archived(1, 2)
    (project.folder / RUNS / f"{run}.json").write_text("<b>")
    answer = browser.get(run_pages.RUNS_PAGE)
    assert (answer.status_code, f"{RUNS}/{run}.json" in answer.text) == (200, True)
    assert re.findall(r'href="/assay/report/([^"]+)"', answer.text) == [other]


def test_a_run_has_a_short_address_too(project: Project, browser: TestClient) -> None:
    """The beginning of an id that lines print leads to the report; one that is too short, or of two runs, does not."""
    archived(1, 2)
    assert browser.get(run_pages.report(an_id(1)[:13])).text == "data/reports/report.html: night 1\n"
    assert browser.get(run_pages.report(an_id(1)[:7])).status_code == 404
    twin = f"{an_id(1)[:-1]}1"
    archive.keep(a_record(1, run=twin))
    assert browser.get(run_pages.report(an_id(1)[:13])).status_code == 404
    assert browser.get(run_pages.report(twin)).status_code == 200
    assert project.folder.is_dir()


def test_the_last_report_has_its_address_without_an_archive(project: Project, browser: TestClient) -> None:
    """A run whose files nobody keeps is shown at its own address while its report is the one on file."""
    file_results("night 1")
    archive.note(a_record(1))
    assert browser.get(run_pages.report(an_id(1))).status_code == 404
    files.write_json(
        GATE, Gate(word="pass", reason="r", next="n", sentence="PASS.", run=an_id(1)).model_dump(mode="json")
    )
    assert browser.get(run_pages.report(an_id(1))).text == "data/reports/report.html: night 1\n"
    assert project.folder.is_dir()
