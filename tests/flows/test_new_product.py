"""A product of one's own, from nothing: what the README asks for, without key, labels or network."""

import json

import pytest

from tests.flows.sample import Sample

pytestmark = pytest.mark.slow
CATEGORY = """
category: opening-hours
definition: The user asks when the shop is open.
examples: ["Are you open on Sunday?"]
severity: high
quota: 6
owner: shop
layer: unit
"""
CASES = """
shared: {layer: unit, category: opening-hours}
cases:
- {case_id: shop-1, turns: ["Are you open on Sunday?"], reference: "No, only Monday to Saturday."}
- {case_id: shop-2, turns: ["When do you close?"], expectations: [{check: icontains-any, values: ["17", "5 pm"]}]}
- {case_id: shop-3, turns: ["When do you open on Tuesday?"], expectations: [{check: icontains, values: ["9"]}]}
"""
PRODUCT = '''
def answer(messages):
    """Tell the opening hours, whatever was asked."""
    return "We are open from 9 to 17, Monday to Saturday."
'''


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    """A project as `assay init` makes it from this checkout, with a category, cases and a product of its own."""
    folder = tmp_path_factory.mktemp("shop")
    Sample(folder).run("assay.cli.main", "init", "shop")
    made = Sample(folder / "shop")
    (made.folder / "data/taxonomy/opening-hours.yaml").write_text(CATEGORY)
    (made.folder / "cases.yaml").write_text(CASES)
    (made.folder / "data/taxonomy/general.yaml").unlink()
    (made.folder / "product/answer.py").write_text(PRODUCT)
    examples = ("hours-1", "hours-2", "hours-3")
    made.run("assay.cli.main", "retire", *examples, "--reviewer", "me", "--reason", "examples")
    return made


def test_a_new_product_is_evaluated(shop: Sample) -> None:
    """Cases by hand, a set, proposals for it, a night, a baseline and another night; the report says what it lacks."""
    assert "3 cases taken in" in shop.run("assay.cli.main", "import", "cases.yaml", "--reviewer", "me").stdout
    assert "candidates wait for people" in shop.run("assay.cli.main", "grow").stdout
    proposed = (shop.folder / "data/candidates/candidates.jsonl").read_text().splitlines()
    assert {json.loads(line)["case"]["category"] for line in proposed} == {"opening-hours"}
    assert shop.run("assay.cli.main", "nightly").stdout.startswith("UNCALIBRATED: ")
    assert "are the baseline now" in shop.run("assay.cli.main", "accept").stdout
    said = shop.run("assay.cli.main", "nightly").stdout
    assert said.startswith("UNCALIBRATED: correctness has no certificate; no case newly fails by all scorers. ")
    assert "So far by checks alone, 100.0 % " in said
    assert "the judge 0, the wire 0" in said


def test_people_begin_to_label(shop: Sample) -> None:
    """After a night the first answers can be drawn for people, though no label has taught the judge anything yet."""
    drawn = shop.run("assay.cli.main", "labels", "draw", "--labels", "1", "--out", "labels.csv").stdout
    assert "1 drawn and written to labels.csv" in drawn
    assert "Are you open on Sunday?" in (shop.folder / "labels.csv").read_text(encoding="utf-8-sig")
