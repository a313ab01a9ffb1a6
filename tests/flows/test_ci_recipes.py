"""The recipes for CI do what they say: their steps run in a clean project, and the verdict is one comment."""

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree as ET

import pytest
import yaml
from click.testing import CliRunner

from assay.cli.main import app
from assay.report.pull_request import MARKER
from tests.layout import ROOT

RECIPES = ROOT / "examples/ci"
UNCALIBRATED = 4
"""What a new project's gate exits with."""
INSTALL = "pip install assay-pipeline"
"""The one command that is not run: it is installed here."""


class Notes(BaseHTTPRequestHandler):
    """The notes of a merge request, as GitLab's API has them."""

    there: list[dict[str, Any]]
    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        """List them."""
        self._answer(self.there)

    def do_POST(self) -> None:
        """Add one."""
        self.there.append({"id": len(self.there) + 7, "body": self._body()})
        self._answer(self.there[-1])

    def do_PUT(self) -> None:
        """Replace one."""
        (note,) = [one for one in self.there if self.path.endswith(f"/notes/{one['id']}")]
        note["body"] = self._body()
        self._answer(note)

    def _body(self) -> str:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        return parse_qs(text)["body"][0]

    def _answer(self, value: object) -> None:
        self.asked.append((self.command, self.headers["PRIVATE-TOKEN"]))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def notes() -> Iterator[type[Notes]]:
    """A merge request with somebody else's note, and where its API is."""
    served = type("Served", (Notes,), {"there": [{"id": 1, "body": "Nice."}], "asked": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), served) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        served.address = f"http://127.0.0.1:{server.server_port}"  # type: ignore[attr-defined]
        yield served
        server.shutdown()


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, as `assay init` makes it."""
    monkeypatch.chdir(tmp_path)
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(app, ["init", "evals"])
    assert done.exit_code == 0, done.output
    return tmp_path / "evals"


def run(text: str, folder: Path, **environment: str) -> int:
    """Run a step as CI does; return its exit code."""
    where = os.environ | {"PATH": f"{folder.parent}/bin:{os.environ['PATH']}"} | environment
    words = ["bash", "-eo", "pipefail", "-c", text]
    return subprocess.run(words, cwd=folder, env=where, timeout=300, check=False).returncode


def test_the_steps_of_github(clean: Path) -> None:
    """The night fails the job by the gate's code, and what follows it comments, and has a test a case, all the same."""
    tools = clean.parent / "bin"
    tools.mkdir()
    (tools / "gh").write_text(f'#!/bin/sh\necho "$@" >> {clean}/said\n')
    (tools / "gh").chmod(0o755)
    steps = yaml.safe_load((RECIPES / "github.yml").read_text())["jobs"]["evals"]["steps"]
    environment = {"GITHUB_STEP_SUMMARY": str(clean / "summary.md"), "PULL_REQUEST": "12"}
    codes = {one["name"]: run(one["run"], clean, **environment) for one in steps if one.get("run", INSTALL) != INSTALL}
    assert codes == {
        "Bring the set and the accepted answers": 0,
        "Night": UNCALIBRATED,
        "Write it down": 0,
        "Comment": 0,
    }
    assert all(
        one.get("if", "").startswith("always()") for one in steps if one.get("name") in ("Write it down", "Comment")
    )
    assert (clean / "said").read_text() == "pr comment 12 --edit-last --create-if-none --body-file comment.md\n"
    for name in ("comment.md", "summary.md"):
        assert (clean / name).read_text().startswith(f"{MARKER}\n### UNCALIBRATED")
    assert ET.parse(clean / "cases.xml").getroot().get("tests") == "3"  # noqa: S314 - our own document


@pytest.mark.skipif(shutil.which("curl") is None, reason="GitLab's image has curl")
def test_the_steps_of_gitlab(clean: Path, notes: type[Notes]) -> None:
    """Two pipelines of a merge request leave one note of ours, the later one's, and everybody else's as it was."""
    job = yaml.safe_load((RECIPES / "gitlab.yml").read_text())["evals"]
    script = [line for line in job["script"] if line != INSTALL]
    assert [run(line, clean) for line in script] == [0, UNCALIBRATED]
    where = {"CI_API_V4_URL": notes.address, "CI_PROJECT_ID": "3", "CI_MERGE_REQUEST_IID": "12"}  # type: ignore[attr-defined]
    token = {"GITLAB_TOKEN": "t0ken"}
    for _ in range(2):
        assert [run(line, clean, **where, **token) for line in job["after_script"]] == [0, 0, 0]
    assert [one["body"][: len(MARKER)] for one in notes.there] == ["Nice.", MARKER]
    assert notes.asked == [("GET", "t0ken"), ("POST", "t0ken"), ("GET", "t0ken"), ("PUT", "t0ken")]
    assert [run(line, clean, **where) for line in job["after_script"]] == [0, 0, 0]
    assert len(notes.asked) == 4
    assert job["artifacts"]["reports"]["junit"] == "cases.xml"
    assert ET.parse(clean / "cases.xml").getroot().get("errors") == "0"  # noqa: S314 - our own document
