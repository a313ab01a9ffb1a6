"""A product of one's own, from nothing: what the README asks for, without key, labels or network."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from tests.flows.sample import Sample, clone
from tests.layout import ROOT

pytestmark = pytest.mark.slow
CATEGORY = """
category: opening-hours
definition: The user asks when the shop is open.
examples: ["Are you open on Sunday?"]
severity: high
quota: 3
owner: shop
layer: unit
"""
CASES = """
shared: {layer: unit, category: opening-hours}
cases:
- {case_id: hours-1, turns: ["Are you open on Sunday?"], reference: "No, only Monday to Saturday."}
- {case_id: hours-2, turns: ["When do you close?"], expectations: [{check: icontains-any, values: ["17", "5 pm"]}]}
- {case_id: hours-3, turns: ["When do you open on Tuesday?"], expectations: [{check: icontains, values: ["9"]}]}
"""
PRODUCT = '''
def answer(messages):
    """Tell the opening hours, whatever was asked."""
    return "We are open from 9 to 17, Monday to Saturday."
'''


def emptied() -> list[str]:
    """Return the folders of the sample's tables that the README says to remove."""
    text = " ".join((ROOT / "README.md").read_text(encoding="utf8").split())
    found = re.search(r"remove the sample's tables from (.*?)\. ", text)
    assert found
    return re.findall(r"`(data/[a-z]+)`", found[1])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """The sample without its tables and categories, with another product."""
    sample = clone(tmp_path_factory.mktemp("shop") / "shop")
    for file in (file for folder in emptied() for file in (sample.folder / folder).glob("*")):
        if file.name not in ("README.md", ".gitignore"):
            shutil.rmtree(file) if file.is_dir() else file.unlink()
    for file in (sample.folder / "data/taxonomy").glob("*.yaml"):
        file.unlink()
    (sample.folder / "data/taxonomy/opening-hours.yaml").write_text(CATEGORY)
    (sample.folder / "cases.yaml").write_text(CASES)
    (sample.folder / "shop.py").write_text(PRODUCT)
    _point(sample.folder / "params.yaml")
    return sample


def test_a_new_product_is_evaluated(shop: Sample) -> None:
    """Cases by hand, a set, proposals for it, a night, a baseline and another night; the report says what it lacks."""
    assert "3 cases taken in" in shop.run("assay.cli.main", "import", "cases.yaml", "--reviewer", "me").stdout
    assert "candidates wait for people" in shop.run("assay.cli.main", "grow").stdout
    proposed = (shop.folder / "data/candidates/candidates.jsonl").read_text().splitlines()
    assert {json.loads(line)["case"]["category"] for line in proposed} == {"opening-hours"}
    assert shop.run("assay.cli.main", "nightly").stdout.startswith("UNCALIBRATED: ")
    assert "3 responses are the baseline now" in shop.run("assay.cli.main", "accept").stdout
    said = shop.run("assay.cli.main", "nightly").stdout
    assert said.startswith("UNCALIBRATED: a judge's certificate is none. So far by checks alone, 100.0 % ")
    assert "the judge 0, the wire 0" in said


def test_people_begin_to_label(shop: Sample) -> None:
    """After a night the first answers can be drawn for people, though no label has taught the judge anything yet."""
    drawn = shop.run("assay.cli.main", "calibrate", "--plan", "--labels", "1", "--draw", "labels.csv").stdout
    assert "1 answers written to labels.csv" in drawn
    assert "Are you open on Sunday?" in (shop.folder / "labels.csv").read_text(encoding="utf-8-sig")


def _point(file: Path) -> None:
    """Let params.yaml describe the other product."""
    whole = yaml.safe_load(file.read_text())
    target = {"kind": "python", "name": "shop", "function": "shop:answer", "processes": 1}
    whole["execute"] = {"target": target, "trials": 1, "concurrency": 4, "deadline_s": 30}
    for name in ("documents", "environment"):
        del whole["generate"][name]
    file.write_text(yaml.safe_dump(whole, sort_keys=False))
