"""A project whose product is the benchmark's endpoint, with answers to its cases where they are asked for.

`python -m benchmarks.project FOLDER URL N CONCURRENCY [answered]`
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml

from assay.project.tables.evalset import CASES
from assay.project.tables.responses import RESPONSES
from assay.records.case import Case, Expectation
from assay.records.response import Response
from benchmarks.jobs import PRODUCT

ROOT = Path(__file__).parent.parent
CATEGORY = {
    "category": "refunds",
    "definition": "Wrong about refunds.",
    "examples": ["Promises a refund after 20 days."],
    "severity": "high",
    "quota": 3,
    "owner": "payments",
    "layer": "unit",
}


def case(number: int, *, is_checked: bool = True) -> Case:
    """Return one case: a question, a reference for the judge, and one check or none."""
    return Case(
        case_id=f"refunds-{number:07}",
        layer="unit",
        category="refunds",
        turns=[PRODUCT.format(number=number)],
        reference="Yes, refunds are possible within 14 days of delivery.",
        expectations=[Expectation(check="icontains-any", values=["14 days"])] if is_checked else [],
        provenance="written",
        parent="",
        owner="payments",
    )


def make(folder: Path, base_url: str, count: int, concurrency: int, deadline_s: float = 60) -> None:
    """Write parameters, taxonomy and an evaluation set of `count` cases."""
    parameters = yaml.safe_load((ROOT / "params.yaml").read_text())
    parameters["execute"] |= {
        "target": {"name": "bench", "model": "bench", "base_url": base_url},
        "concurrency": concurrency,
        "deadline_s": deadline_s,
    }
    parameters["judge"] |= {"concurrency": concurrency, "deadline_s": deadline_s}
    (folder / "params.yaml").write_text(yaml.safe_dump(parameters, sort_keys=False))
    shutil.copytree(ROOT / "data/judges", folder / "data/judges", dirs_exist_ok=True)
    (folder / "data/taxonomy").mkdir(parents=True, exist_ok=True)
    (folder / "data/taxonomy/refunds.yaml").write_text(yaml.safe_dump(CATEGORY))
    with inside(folder):
        CASES.write([case(number) for number in range(count)])


def answer(folder: Path, count: int) -> None:
    """Write an answer to each of the cases, without a check, for a judge alone to be measured."""
    cases = [case(number, is_checked=False) for number in range(count)]
    with inside(folder):
        CASES.write(cases)
        RESPONSES.write([response(of) for of in cases])


def response(of: Case) -> Response:
    """Return an answer to a case."""
    return Response(
        case_id=of.case_id,
        revision=of.revision(),
        target="bench",
        trial=0,
        epoch="2026-11-02",
        status="ok",
        error_kind="",
        error="",
        text=f"Yes, refunds are possible within 14 days of delivery; this is about {of.case_id}.",
        messages=[],
        tool_calls=[],
        contexts=[],
        final_state="{}",
        prompt_tokens=60,
        completion_tokens=12,
        latency_s=0.1,
    )


@contextmanager
def inside(folder: Path) -> Iterator[None]:
    """Make a folder the current one for the length of the block."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    if "answered" in sys.argv:
        answer(Path(sys.argv[1]), int(sys.argv[3]))
