"""JUnit XML of a night: a test for each case, for whatever shows tests.

A case that fails is a failure; one without an outcome, lost on the wire or at a judge, is an error: a fault of the
endpoint is no fault of the product. A standing failure fails here too: what is new is for the gate to say.
"""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from assay.report.cases import FAILING, ReportedCase
from assay.report.texts import visible

LONGEST = 4_000
"""Characters of one text."""


def junit(cases: Sequence[ReportedCase], night: str) -> str:
    """Return the document: one suite a category, in the shape of Jenkins' junit-10.xsd.

    Args:
        cases: All of the night.
        night: What the suites are called after.
    """
    top = ET.Element("testsuites", {"name": _plain(night), **_counts(cases)})
    for category in sorted({case.category for case in cases}):
        of = [case for case in cases if case.category == category]
        suite = ET.SubElement(top, "testsuite", {"name": _plain(category), **_counts(of)})
        for case in of:
            _case(suite, case)
    ET.indent(top)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(top, encoding="unicode")}\n'


def _case(suite: ET.Element, case: ReportedCase) -> None:
    of = ET.SubElement(suite, "testcase", {"name": _plain(case.case_id), "classname": _plain(case.category)})
    if case.group in FAILING:
        since = f" {case.since.words}" if case.since else ""
        kind = {"newly-failing": "newly failing"}.get(case.group, case.group)
        _told(ET.SubElement(of, "failure", {"type": case.group}), f"{kind}{since}", case)
    elif case.group == "unscored":
        _told(ET.SubElement(of, "error", {"type": case.group}), "without an outcome", case)


def _told(of: ET.Element, head: str, case: ReportedCase) -> None:
    why = "; ".join(case.why)
    of.set("message", _plain(f"{head}: {why}" if why else head))
    asked = "\n".join(f"user: {turn}" for turn in case.turns)
    of.text = _plain(f"{asked}\nanswer: {case.target_text}")


def _counts(cases: Sequence[ReportedCase]) -> dict[str, str]:
    failures = sum(case.group in FAILING for case in cases)
    errors = sum(case.group == "unscored" for case in cases)
    return {"tests": str(len(cases)), "failures": str(failures), "errors": str(errors)}


def _plain(text: str) -> str:
    """Return a text in which no character is hidden, or none of XML's."""
    return str(visible(text[:LONGEST]))
