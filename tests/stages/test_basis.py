"""Every judged number says what it rests on: in the metrics, on the page, in Prefect's artifacts, in the commands."""

import csv
import json
import math
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from html.parser import HTMLParser
from typing import Any, NamedTuple

import pytest

from assay.commands import runs, status
from assay.orchestration import artifacts, run_pages
from assay.project import files
from assay.project.results import METRICS, REPORT, SLICES, UNFINISHED
from assay.project.run_id import Run, being
from assay.project.tables.labels import ITEMS, LABELS
from assay.report.gate import Gate
from assay.stages import publish
from tests.archives import an_id
from tests.cast import item, label, response, verdict
from tests.judges_made import SCORE, made
from tests.nights import EVERY_CASE, Night

RIGHT, WRONG = "Yes, refunds are possible within 14 days.", "No, gift cards never expire."
BASIS = re.compile(
    r"raw, .*\b(certified|uncalibrated)\b|corrected by (?:\d+|labels|the certificate's) |"
    "checks alone|no answer changed|few changed: "
)
COUNTS = {"cases", "product_failed", "trials", "said"}
"""Metrics that count what was judged; the basis, or the judge's standing, is beside them."""
NOT_JUDGED = {"latency_s", "endings", "used", "error_share", "cost_a_case_usd", "alerts", "unasked", "corrected_by"}
FIGURE = re.compile(r"\d+\.\d %|[-+\N{MINUS SIGN}]\d+\.\d( points|\b)")
"""A rate or a change on the page."""
UNTOLD = {"judges", "production", "costs", "provenance", "cases"}
"""Sections without a judged rate: those of certificates have their own n and method."""


def no_certificate(_: Night) -> None:
    """Leave the judge without one."""


def certified(_: Night) -> None:
    """Leave the night as it is."""


def labelled_tonight(night: Night) -> None:
    """Let people have labelled half of tonight's answers, some of which are wrong."""
    night.lose(30)
    wrong = {name for (subject, name), said in night.outcomes.items() if (subject, said) == ("target", "fail")}
    night.responses = [response(one, WRONG if one.case_id in wrong else RIGHT) for one in EVERY_CASE]
    known, labels = ITEMS.read(), LABELS.read()
    for number, one in enumerate(EVERY_CASE[::2]):
        fields = one.model_dump(include={"case_id", "category", "turns", "reference"})
        of = item(number, WRONG if one.case_id in wrong else RIGHT, item_id=f"tonight.{number:03}", **fields)
        said = "fail" if one.case_id in wrong else "pass"
        known.append(of)
        labels.append(label(of.item_id, said, sampling_frame="tonight"))
        night.anchors.append(verdict(of.item_id, said, subject="anchor"))
    ITEMS.write(known)
    LABELS.write(sorted(labels, key=lambda row: (row.item_id, row.annotator)))


def changed_product(night: Night) -> None:
    """Let the product have changed every answer since they were labelled."""
    labelled_tonight(night)
    night.responses = [row.model_copy(update={"text": f"{row.text} Indeed."}) for row in night.responses]


def of_pairs(night: Night) -> None:
    """Let the judge of pairs have compared both versions."""
    for number, one in enumerate(EVERY_CASE):
        said = ("a", "tie", "b")[number % 3]
        night.more.append(verdict(one.case_id, said, subject="pair", scorer="preference", as_is=said, swapped=said))


def charted(night: Night) -> None:
    """Let a judge say something of every answer that decides nothing."""
    _scored(night, blocks="false")


def of_scores(night: Night) -> None:
    """Let a judge that blocks give every answer a score."""
    _scored(night, blocks="true")


def _scored(night: Night, *, blocks: str) -> None:
    made(files.root(), "depth", **SCORE, blocks=blocks)
    for subject in ("target", "baseline"):
        night.more += [
            verdict(one.case_id, "pass" if number % 5 else "fail", subject=subject, scorer="depth").model_copy(
                update={"label": "4" if number % 5 else "2"}
            )
            for number, one in enumerate(EVERY_CASE)
        ]


def nobody_judged(night: Night) -> None:
    """Let the judge be silent on everything."""
    night.outcomes = dict.fromkeys(night.outcomes, "unscored")


def several_trials(night: Night) -> None:
    """Let every case have two trials, the second of which fails in some."""
    night.responses += [response(one, trial=1) for one in EVERY_CASE]
    for number, one in enumerate(EVERY_CASE):
        night.more.append(verdict(one.case_id, "pass" if number % 4 else "fail", trial=1))
        night.more.append(verdict(one.case_id, "pass", trial=1, scorer="check:1-icontains-any"))


NIGHTS = [
    *(no_certificate, certified, labelled_tonight, changed_product, of_pairs, charted, of_scores, nobody_judged),
    several_trials,
]


class Published(NamedTuple):
    """A night that was published."""

    metrics: dict[str, Any]
    page: str
    gate: Gate
    summary: publish.Summary


@pytest.fixture(params=NIGHTS, ids=lambda change: change.__name__)
def published(night: Night, now: datetime, request: pytest.FixtureRequest) -> Published:
    """One night of each kind, published under the id of a run."""
    change: Callable[[Night], None] = request.param
    change(night)
    night.publish(now, is_certified=change is not no_certificate)
    with being(Run(id=an_id(1), began=now, clock=lambda: now)):
        gate, summary = publish.run(now)
    page = files.path(REPORT).read_text(encoding="utf8")
    return Published(json.loads(files.path(METRICS).read_bytes()), page, gate, summary)


def walked(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    """Yield every object of the metrics with its path."""
    if isinstance(value, dict):
        yield path, value
        for name, inner in value.items():
            yield from walked(inner, (*path, name))


def test_every_judged_metric_bears_its_basis(published: Published) -> None:
    """A rate has its basis in it, counts have it beside them; no number is NaN, and a certified judge's is raw too."""
    objects = dict(walked(published.metrics))
    for path, value in objects.items():
        numbers = [inner for inner in value.values() if isinstance(inner, int | float)]
        assert all(map(math.isfinite, numbers)), path
        if "estimate" in value:
            assert BASIS.match(value["basis"]), path
        elif numbers and path and path[0] not in NOT_JUDGED and path[-1] not in NOT_JUDGED:
            beside = objects[path[:-1]] if path[-1] in COUNTS else value
            assert {"basis", "standing"} & beside.keys(), path
    assert BASIS.match(published.metrics["basis"])


def test_the_basis_is_what_the_judge_is_worth(published: Published) -> None:
    """What is raw says so, and `certified` only of a valid judge; `calibrated` is true of valid judges alone."""
    of_all = published.metrics["basis"]
    judges = published.metrics["judges"]
    worth = {name: found["standing"] for name, found in judges.items()}
    assert published.metrics["calibrated"] == ("uncalibrated" not in of_all)
    assert ("correctness" in worth and worth["correctness"] == "valid") >= published.metrics["calibrated"]
    for name, found in judges.items():
        for figure in ("pass_rate", "win_rate"):
            if figure in found:
                said = "certified" if worth[name] == "valid" else "uncalibrated"
                assert found[figure]["basis"] == f"raw, judge alone, {said}"
        if "corrected_pass_rate" in found:
            labels = found["corrected_by"]["labels"]
            assert found["corrected_pass_rate"]["basis"] == f"corrected by {labels} human labels"
            assert found["corrected_by"]["note"]


class Blocks(HTMLParser):
    """The page in blocks, each with its text: a section, a tile or a fold, without those inside of it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[tuple[str, int], str] = {}
        """By section and number."""
        self._open: list[tuple[str, int] | None] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a block where one begins."""
        named = {name: value or "" for name, value in attrs}
        is_block = tag in ("section", "details") or "tile" in named.get("class", "").split()
        if tag in ("section", "details", "div"):
            section = (
                next((name for name, _ in filter(None, self._open)), "") or named.get("id") or named.get("class", "")
            )
            self._open.append((section, len(self.texts)) if is_block else None)
            self.texts |= {self._open[-1]: ""} if self._open[-1] else {}

    def handle_endtag(self, tag: str) -> None:
        """Close it."""
        if tag in ("section", "details", "div"):
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Take text into the innermost block."""
        if within := next(filter(None, reversed(self._open)), None):
            self.texts[within] += data


def test_every_block_of_the_page_says_what_its_figures_rest_on(published: Published) -> None:
    """Wherever the page shows a rate or a change of the product, the same block says the basis of it."""
    texts = {name: " ".join(text.split()) for name, text in Blocks(published.page).texts.items()}
    shown = {name: text for name, text in texts.items() if name[0] not in UNTOLD and FIGURE.search(text)}
    judged = {name: text for name, text in shown.items() if not text.startswith("Smallest change that would be found")}
    assert {name for name, _ in judged} >= {"verdict good", "tiles"} or published.gate.word != "pass"
    assert [text for text in judged.values() if "Basis: " not in text] == []
    corrected = [text for text in judged.values() if "as people would have it" in text]
    assert [text for text in corrected if not re.search(r"(?:No )?corrected (?:rate )?by \d+ labelled", text)] == []
    assert [text for text in texts.values() if re.search(r"\b(nan|inf)\b", text, re.IGNORECASE)] == []


def test_artifacts_status_and_runs_say_the_basis(published: Published) -> None:
    """What Prefect, `assay status`, `assay runs` and the page of runs repeat of a night has its basis beside it."""
    of_all = published.metrics["basis"]
    found, now = status.status(), datetime.now().astimezone()
    assert found["last"]["basis"] == of_all
    assert any(of_all in line for line in status.lines(found))
    files.private(UNFINISHED).write_text("{}")  # Prefect's are made before the night has ended
    assert status.status()["last"]["basis"] == ""
    shown = artifacts.verdict_text(published.gate, published.summary), artifacts.coverage_text()
    assert all(of_all in text for text in shown)
    listed = runs.listed(now).runs
    assert [runs.row(run)["basis"] for run in listed] == [of_all]
    assert of_all in run_pages.index(now)
    rows = csv.DictReader(files.path(SLICES).read_text().splitlines())
    assert {row["basis"] for row in rows} <= {of_all}
