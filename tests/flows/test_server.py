"""The control room: a real Prefect server, its schedule, its forms in a real browser, runs started from there."""

import re
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, sync_playwright

from assay.records.run import RUN_ID
from tests.flows.sample import Sample
from tests.flows.serving import ARGUMENTS, CHROMIUM, Api, Served, in_browser, submit, wait_for

pytestmark = pytest.mark.slow
STEP = """
from assay.orchestration.steps import task


@task
def announce(sentence: str) -> None:
    print(sentence)

"""


@pytest.fixture(scope="module")
def api(night: tuple[Sample, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """`assay serve` on the sample after its first night, with a step of the team's own in it, until all is ready."""
    flow = night[0].folder / "flows/nightly.py"
    text = flow.read_text(encoding="utf8")
    head, marker, rest = text.partition("\n\n@flow")
    last = "        gate, summary = recorded(publish, now)\n"
    flow.write_text(f"{head}{STEP}{marker}{rest.replace(last, f'{last}        announce(gate.sentence)' + chr(10))}")
    served = Served(night[0], tmp_path_factory.mktemp("serve") / "log")
    served.start()
    yield served.api()
    served.kill()
    flow.write_text(text, encoding="utf8")


@pytest.fixture
def page(api: Api) -> Iterator[Page]:
    """A page of a real browser that records every request to another host than the server."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        opened = browser.new_page(viewport={"width": 1280, "height": 1000})
        yield opened
        browser.close()


def test_other_hosts_and_other_sites_are_shut_out(api: Api) -> None:
    """A foreign host name is refused, a write without token is refused, and pages may talk to this server only."""
    assert httpx.get(f"{api.address}/api/health", headers={"Host": "evil.example"}).status_code == 400
    forged = httpx.post(f"{api.address}/api/variables/", json={"name": "x", "value": "y"})
    assert forged.status_code == 403
    assert httpx.get(f"{api.address}/assay/certificates/correctness.json").json()["judge"] == "correctness"
    for elsewhere in ("/assay/certificates/../../params.yaml", "/assay/certificates/other.json"):
        assert "execute:" not in httpx.get(f"{api.address}{elsewhere}", follow_redirects=True).text
    policy = httpx.get(f"{api.address}/", headers={"Accept": "text/html"}, follow_redirects=True).headers
    assert policy["Content-Security-Policy"].startswith("default-src 'self'")


def opened(address: str, path: str, origin: str) -> int:
    """Return the status of a WebSocket's handshake; an empty origin is none, as a program's."""
    headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} | ({"Origin": origin} if origin else {})
    with closing(HTTPConnection(address.removeprefix("http://"), timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status


def test_another_site_opens_no_socket_and_no_frame(api: Api) -> None:
    """A WebSocket opens with the own origin or none, a foreign one is refused; no page may be shown in a frame."""
    foreign = ("http://evil.example", "null", "http://127.0.0.1:1", f"{api.address}.evil.example")
    for path in ("/api/events/in", "/api/events/out", "/api/logs/out"):
        assert {opened(api.address, path, origin) for origin in foreign} == {403}
        assert {opened(api.address, path, origin) for origin in ("", api.address)} == {101}
    for path in ("/", "/dashboard", "/assay/report", "/assay/report/x", "/assay/runs", "/api/health", "/docs"):
        found = httpx.get(f"{api.address}{path}", follow_redirects=True).headers
        assert "frame-ancestors 'none'" in found["Content-Security-Policy"]
        assert found["X-Frame-Options"] == "DENY"


def test_the_nightly_is_scheduled(api: Api) -> None:
    """The cron of the nightly gets scheduled runs: a scheduler that dies silently would leave none."""

    def scheduled() -> list[dict[str, Any]]:
        flows, state = {"name": {"any_": ["nightly"]}}, {"type": {"any_": ["SCHEDULED"]}}
        found: list[dict[str, Any]] = api.post("flow_runs/filter", flows=flows, flow_runs={"state": state})
        return found

    runs = wait_for(scheduled, 90)
    assert all(run["expected_start_time"][11:16] == "02:00" for run in runs)


def test_every_deployment_is_there(api: Api) -> None:
    """One deployment an intention, each ready once the runner has asked for work."""
    expected = {("nightly", "READY"), ("hourly", "READY"), ("on-demand", "READY"), ("resume", "READY")}

    def is_ready() -> bool:
        return {(one["name"], one["status"]) for one in api.post("deployments/filter")} == expected

    assert wait_for(is_ready, 60)


@in_browser
def test_a_judge_is_calibrated_from_the_form(api: Api, page: Page, night: tuple[Sample, str]) -> None:
    """In the browser: the form offers the judges in a drop-down, the run finishes, its certificate is an artifact."""
    outside: list[str] = []
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((api.address, "data:", "blob:")) else outside.append(request.url)
        ),
    )
    (of,) = api.post("deployments/filter", flows={"name": {"any_": ["calibrate"]}})
    page.goto(f"{api.address}/deployments/deployment/{of['id']}/run", wait_until="networkidle")
    page.locator(".p-select-button__control").focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("option").first.wait_for()
    assert page.get_by_role("option").all_inner_texts() == ["correctness", "grounding", "preference"]
    page.get_by_role("option", name="correctness").click()
    run = submit(page, page.get_by_role("button", name="Submit").click)
    assert api.ended(run) == ("COMPLETED", "Certified")
    artifacts = {one["key"]: one["id"] for one in api.post("artifacts/filter")}
    expected = ("calibration-correctness", "calibration-correctness-floors", "certificate-correctness")
    assert {*expected, "judge-correctness"} <= artifacts.keys()
    page.goto(f"{api.address}/artifacts/artifact/{artifacts['calibration-correctness']}", wait_until="networkidle")
    page.get_by_text("tpr", exact=True).first.wait_for()
    assert outside == []
    assert "up to date" in night[0].run("dvc", "status").stdout


def test_other_demands_are_a_trial(api: Api, night: tuple[Sample, str]) -> None:
    """A calibration with other demands ends in a state that says what would be, and no file is another afterwards."""
    folder = night[0].folder / "data/calibration"
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    (of,) = api.post("deployments/filter", flows={"name": {"any_": ["calibrate"]}})
    asked = {"judge": "preference", "demands": {"accuracy": 0.99}}
    run = api.post(f"deployments/{of['id']}/create_flow_run", parameters=asked)
    assert api.ended(run["id"]) == ("COMPLETED", "WouldBeRefused")
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


@in_browser
def test_a_night_is_started_from_the_page(api: Api, page: Page) -> None:
    """In the browser: a quick run ends in a state named after the verdict, with its artifacts and progress bars."""
    (of,) = api.post("deployments/filter", flows={"name": {"any_": ["nightly"]}})
    page.goto(f"{api.address}/deployments/deployment/{of['id']}", wait_until="networkidle")

    def quick() -> None:
        page.get_by_role("button", name="Run", exact=True).first.click()
        page.get_by_text("Quick run").first.click()

    run = submit(page, quick)
    assert api.ended(run) == ("COMPLETED", "Regression")
    artifacts = api.post("artifacts/filter", flow_runs={"id": {"any_": [run]}})
    progress = {one["key"]: one["data"] for one in artifacts if one["type"] == "progress"}
    assert progress == {"progress-execute": 100, "progress-judge": 100, "progress-monitor": 100}
    shown = {one["key"] for one in artifacts} - progress.keys()
    assert shown == {"nightly-verdict", "newly-failing", "coverage-and-calls", "report", "runs"}
    page.goto(f"{api.address}/assay/report", wait_until="networkidle")
    assert page.locator("h1").inner_text().startswith("REGRESSION in escalation")
    (link,) = [one["data"] for one in artifacts if one["key"] == "report"]
    own = re.search(f"{api.address}/assay/report/{RUN_ID}", link)
    assert own
    page.goto(own[0], wait_until="networkidle")
    assert page.locator("h1").inner_text().startswith("REGRESSION in escalation")
    page.goto(f"{api.address}/assay/runs", wait_until="networkidle")
    page.locator("tbody a").first.click()
    assert page.locator("h1").inner_text().startswith("REGRESSION in escalation")
    names = {one["name"].partition("-")[0] for one in api.post("task_runs/filter", flow_runs={"id": {"any_": [run]}})}
    assert {"execute", "judge", "publish", "announce"} <= names
