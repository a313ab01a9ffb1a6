"""A night of two hundred cases as its tables, for tests of what is published of it."""

import shutil
from collections.abc import Iterator
from datetime import datetime

from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS
from assay.project.tables.responses import BASELINE, RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.verdicts import VERDICTS
from assay.records.case import Case
from assay.records.response import Response
from assay.records.verdict import Verdict
from assay.report.gate import Gate
from assay.stages import calibrate, publish
from tests.cast import case, response, small_items, verdict

EVERY_CASE = [case(number, category) for category in ("refunds", "escalation") for number in range(100)]


class Night:
    """Two hundred cases, all answered, checked and judged in both versions; a test changes what it is about."""

    def __init__(self) -> None:
        """Make a night on which every case passes, with a different wording than the baseline's."""
        self.cases: list[Case] = list(EVERY_CASE)
        self.responses: list[Response] = [response(one) for one in EVERY_CASE]
        self.baseline: list[Response] = [response(one, "Within 14 days.", target="support@1") for one in EVERY_CASE]
        self.anchors = [row for one in small_items() for row in _anchor(one.item_id, one.question, one.response_a)]
        self.outcomes = {(subject, one.case_id): "pass" for subject in ("target", "baseline") for one in EVERY_CASE}
        self.checks = dict(self.outcomes)
        self.misshapen: set[str] = set()
        self.more: list[Verdict] = []

    def lose(self, count: int, category: str = "refunds", *, by: str = "judge") -> None:
        """Let this many cases of a category newly fail, by the judge or by the check."""
        table = self.outcomes if by == "judge" else self.checks
        table |= {("target", f"{category}-{number:03}"): "fail" for number in range(count)}

    def verdicts(self) -> Iterator[Verdict]:
        """Yield what checks and judges said, as the judge stage files it."""
        for (subject, name), said in self.outcomes.items():
            yield verdict(name, said, subject=subject)
            check = {"subject": subject, "scorer": "check:1-icontains-any"}
            if subject == "target" and name in self.misshapen:
                check |= {"fault": "format", "detail": "it is no JSON"}
            yield verdict(name, self.checks[subject, name], **check)
        yield from self.anchors
        yield from self.more

    def write(self) -> None:
        """File the night's tables."""
        CASES.write(self.cases)
        RESPONSES.write(self.responses)
        BASELINE.write(self.baseline)
        VERDICTS.write(list(self.verdicts()))
        SIGNALS.write([])

    def publish(self, now: datetime, *, is_certified: bool = True) -> Gate:
        """File the night, certify its judges, and publish; return the gate."""
        self.write()
        if is_certified:
            calibrate.run(now)
        else:
            shutil.rmtree("data/calibration", ignore_errors=True)
        return publish.run(now)[0]


def _anchor(item_id: str, question: str, text: str) -> Iterator[Verdict]:
    right = text.startswith("Yes")
    if question == "pass-fail":
        yield verdict(item_id, "pass" if right else "fail", subject="anchor")
    else:
        said = "a" if right else "b"
        yield verdict(item_id, said, subject="anchor", scorer="preference", as_is=said, swapped=said)


def good_night() -> Night:
    """Return that night, in the project of the current folder."""
    texts = ({"response_a": f"{one.response_a:.<45}", "response_b": f"{one.response_b:.<45}"} for one in small_items())
    bare = [one.model_copy(update={"reference": ""} | text) for one, text in zip(small_items(), texts, strict=True)]
    ITEMS.write(bare)
    return Night()
