"""A newcomer with a product of another trade, from an empty folder to gated verdicts, by commands of the docs."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.endpoint import Served, serving
from tests.newcomer import rental

pytestmark = pytest.mark.slow
JUDGES = {"tone": rental.TONE, "clause": rental.CLAUSE, "rubric": rental.GRADED}
"""What people are asked for each."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody at a terminal in the project's folder, with a key for a hosted model."""

    folder: Path
    url: str

    def __call__(self, *words: str, code: int = 0, says: str = "") -> str:
        """Run `assay` and return what it prints."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "PREFECT_"))}
        environ |= {"OPENAI_BASE_URL": self.url, "OPENAI_API_KEY": "sk-none"}
        command = [sys.executable, "-m", "assay.cli.main", *words]
        done = subprocess.run(command, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)
        assert done.returncode == code, f"{words} exited {done.returncode}:\n{done.stdout}\n{done.stderr}"
        assert says in done.stdout
        return done.stdout

    def git(self, *words: str) -> None:
        """Run Git."""
        who = ("-c", "user.name=ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *words], cwd=self.folder, check=True, capture_output=True)

    def product(self, version: int) -> None:
        """Put another version of the product in place."""
        text = rental.PRODUCT.replace("VERSION = 1", f"VERSION = {version}")
        (self.folder / "product/answer.py").write_text(text)

    def labels(self) -> int:
        """Have two people label, for every judge, all that is to be drawn; return how many answers."""
        count = 0
        for judge, question in JUDGES.items():
            self("labels", "draw", "--judge", judge, "--labels", "300", "--out", "sheet.csv")
            for person in ("ada", "ben"):
                count += rental.label(self.folder / "sheet.csv", question, person)
                self("labels", "import", "sheet.csv", "--annotator", person)
            (self.folder / "sheet.csv").unlink()
        return count // 2


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Served]:
    """The hosted model, on loopback."""
    with serving(rental.model) as served:
        yield served


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory: pytest.TempPathFactory, endpoint: Served) -> Newcomer:
    """A project with the newcomer's product, categories, judges and three hundred cases."""
    folder = tmp_path_factory.mktemp("rental")
    Newcomer(folder, endpoint.url)("init", "evals")
    someone = Newcomer(folder / "evals", endpoint.url)
    someone("retire", "hours-1", "hours-2", "hours-3", "--reviewer", "ada", "--reason", "examples")
    for file in (someone.folder / "data/taxonomy").iterdir():
        file.unlink()
    for topic, words in rental.ASKED.items():
        text = rental.CATEGORY.format(topic=topic, example=words.format(bike="unicycle", ride="on ice"), quota=50)
        (someone.folder / f"data/taxonomy/{topic}.yaml").write_text(text)
    someone.product(1)
    rental.write_cases(someone.folder)
    for judge in ("tone", "clause"):
        someone("judges", "new", judge, "--rubric", JUDGES[judge])
    columns = ("--map", "id=Nr", "--map", "question=Frage", "--map", "category=Thema")
    someone("import", "cases.yaml", "--reviewer", "ada", says="30 cases taken in")
    someone("import", "desk.csv", "--format", "auto", *columns, "--reviewer", "ada", says="200 cases taken in")
    someone("import", "promptfooconfig.yaml", "--format", "auto", "--reviewer", "ada", says="70 cases taken in")
    declared = someone.folder / "data/judges/rubric/judge.yaml"
    declared.write_text(f"{declared.read_text()}policy: pilot\n")  # seventy cases are few
    return someone


def test_from_nothing_to_gated_verdicts_and_releases(newcomer: Newcomer) -> None:
    """Uncalibrated, then a regression by the planted category, then a pass; releases, with a case retired between."""
    newcomer("nightly", "--gate", code=4, says="UNCALIBRATED: ")
    newcomer("accept")
    assert newcomer.labels() > 600

    newcomer.product(2)
    newcomer("nightly", "--gate", code=1, says="REGRESSION in deposits: ")
    assert 0 < newcomer.labels() < 300
    newcomer("nightly", "--gate", code=1, says="REGRESSION in deposits: ")
    metrics = json.loads((newcomer.folder / "data/reports/metrics.json").read_bytes())
    assert metrics["calibrated"]
    assert metrics["corrected_change"]["high"] < 0
    assert {judge["standing"] for judge in metrics["judges"].values() if "corrected_by" in judge} == {"valid"}

    newcomer.product(3)
    newcomer("nightly", "--gate", says="PASS: ")

    newcomer("release", "--notes", "First.", code=2)  # nothing is committed yet
    newcomer.git("add", "--all")
    newcomer.git("commit", "--message", "Evaluation project")
    newcomer("release", "--notes", "First.", says="evalset@v1.0.0")
    newcomer("retire", "hand-1", "--reviewer", "ada", "--reason", "asked twice")
    newcomer("repro", "review")
    newcomer("release", "--notes", "One less.", says="evalset@v2.0.0")
