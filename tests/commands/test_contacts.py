"""Contacts: a stage speaks to the endpoint that the parameters name, and to nobody else."""

import json
import os
import subprocess
import sys
from urllib.parse import urlsplit

from assay.project.tables.registry import TABLES
from assay.project.tables.responses import RESPONSES
from assay.stages import review
from tests.cast import Project
from tests.endpoint import Body, Reply, completion, serving
from tests.layout import ROOT

WATCHED = """
import json, sys

seen = set()

def watch(event, arguments):
    if event == "socket.connect":
        seen.add(str(arguments[1]))
    elif event == "socket.getaddrinfo":
        seen.add(str((arguments[0], arguments[1])))

sys.addaudithook(watch)
from datetime import UTC, datetime
from assay.stages import execute, judge
for stage in (execute, judge):
    stage.run(datetime.now(UTC))
print(json.dumps(sorted(seen)))
"""


def answer(body: Body) -> Reply:
    """Answer, or judge."""
    return completion(json.dumps({"verdict": "pass"}) if "response_format" in body else "Within 14 days.")


def test_nobody_is_contacted_but_the_endpoint(project: Project) -> None:
    """From the start of the process to its end, no connection and no look-up leads anywhere else."""
    review.run()
    for name in ("labels", "items", "baseline"):
        TABLES[name].file().unlink()
    with serving(answer) as served:
        address = urlsplit(served.url)
        project.params("execute", target={"name": "support", "model": "support-2", "base_url": served.url})
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
        done = subprocess.run(
            [sys.executable, "-c", WATCHED],
            cwd=project.folder,
            env=environment | {"PYTHONPATH": str(ROOT), "OPENAI_BASE_URL": served.url},
            capture_output=True,
            text=True,
            check=True,
        )
    assert len(RESPONSES.read()) == 6
    hosts = {str((address.hostname, address.port))}
    assert set(json.loads(done.stdout.splitlines()[-1])) == hosts
