"""The trend: every night is one point, and what happened on the way is marked where it happened."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sample_report as sample
from hypothesis import given
from hypothesis import strategies as st

from assay.project import files
from assay.project.results import REPORT
from assay.project.run_id import run_id
from assay.records.history import CaseNight
from assay.records.verdict import Verdict
from assay.report import trend
from assay.report.page import render
from tests.cast import Project
from tests.nights import Night

FIRST = datetime(2026, 11, 1, 3, 0, tzinfo=UTC)


def at(number: int, hours: int = 0) -> datetime:
    """Return when the night of a number, from 1 on, begins."""
    return FIRST + timedelta(days=number - 1, hours=hours)


def run(number: int) -> str:
    """Return its id."""
    return run_id(at(number), bytes([number] * 10))


class Dated(Night):
    """A night of a run of its own, against what the first one answered."""

    def __init__(self, number: int) -> None:
        """Make that of a number."""
        super().__init__()
        self._run = run(number)
        changes = {"run": self._run, "epoch": at(number).date().isoformat()}
        self.responses = [one.model_copy(update=changes) for one in self.responses]
        self.baseline = [one.model_copy(update={"run": run(1)}) for one in self.baseline]

    def verdicts(self) -> Iterator[Verdict]:
        """Yield what was said of that run's answers."""
        for one in super().verdicts():
            yield one.model_copy(update={"run": self._run})


def row(number: int, passed: int = 90, **changes: Any) -> CaseNight:
    """Return a night of a hundred cases."""
    fields = {"night": at(number).date().isoformat(), "run": run(number), "target": "t", "judge": "j"}
    lists: dict[str, Any] = {"failed": [], "unscored": [], "differing": [], "revisions": {}}
    counts = {"cases": 100, "passed": passed, "of": 100, "evaluation_set": "s"}
    return CaseNight.model_validate(fields | lists | counts | changes)


def test_fifteen_nights_with_a_break_and_a_release(project: Project) -> None:
    """Of fifteen nights that were published the page has fifteen points, the broken one and the release marked."""
    for number in range(1, 16):
        if number == 5:
            files.write_json("data/releases/evalset-v1.0.0.json", release(at(4, hours=9)))
        tonight = Dated(number)
        tonight.lose(40 if number == 9 else 0, by="check")
        tonight.publish(at(number), is_certified=False)
    text = files.path(REPORT).read_text()
    part = text[text.index('<section id="trend">') : text.index("</section>", text.index('<section id="trend">'))]
    rows = re.findall(r'<tr><th scope="row" class="value">([\d-]+)</th>.*?</tr>', part)
    assert len(rows) == len(re.findall(r'<g class="night', part)) == 15
    assert len(re.findall(r'<g class="night worse"', part)) == 1
    (broken,) = [line for line in part.splitlines() if "refunds" in line]
    assert at(9).date().isoformat() in broken
    (line,) = re.findall(r'<g class="release"><line x1="([\d.]+)"', part)
    assert float(line) == pytest.approx(trend.LEFT + 4 * (trend.WIDTH - trend.LEFT - trend.RIGHT) / 14, abs=0.1)
    assert part.count("evalset@v1.0.0") == 2
    assert part.count('class="accepted"') == 1
    assert project.folder.is_dir()


def release(made: datetime) -> dict[str, Any]:
    """Return notes of a release, as far as a report reads them."""
    return {"release": "evalset@v1.0.0", "released": made.isoformat(timespec="seconds"), "content": "0" * 16}


def test_a_release_belongs_to_the_first_night_after_it() -> None:
    """Made at noon after the second night, or a minute before the third, it is the third's; an older one no night's."""
    rows = [row(number) for number in (1, 2, 3, 4)]
    for made in (at(2, hours=9), at(3) - timedelta(minutes=1)):
        place = made.date().isoformat(), run_id(made, bytes(10))
        points = trend.trend(rows[:-1], rows[-1], {"v": place, "old": ("2026-01-01", "")})
        assert [point.releases for point in points] == [[], [], ["v"], []]


def test_a_date_is_one_point_and_a_row_without_a_rate_is_none() -> None:
    """Of several runs of a date the last counts, tonight's own row stands for it, and a row without a rate goes."""
    again = row(2, 80, run=run_id(at(2, hours=5), bytes(10)))
    points = trend.trend([row(1, of=0, passed=0), row(2), again, row(3, 10)], row(3, 70), {})
    assert [point.rate.estimate for point in points] == [0.8, 0.7]


def test_another_judge_or_set_is_not_joined() -> None:
    """What another judge said, or what another set asked, has no line to the night before."""
    rows = [row(1), row(2), row(3, judge=""), row(4, judge=""), row(5, judge="", evaluation_set="other")]
    points = trend.trend(rows[:-1], rows[-1], {})
    assert [point.is_joined for point in points] == [False, True, False, True, False]
    assert [point.is_checks for point in points] == [False, False, True, True, True]
    assert [len(line) for line in trend.picture(points).lines] == [2, 2, 1]


def test_trials_of_a_case_are_no_further_cases() -> None:
    """Three trials of each of a hundred cases give an interval of a hundred; a case without an outcome is none."""
    (once,) = trend.trend([], row(1), {})
    (thrice,) = trend.trend([], row(1, passed=270, of=300), {})
    (fewer,) = trend.trend([], row(1, unscored=["a"] * 50), {})
    assert (once.rate.low, once.rate.high) == pytest.approx((thrice.rate.low, thrice.rate.high))
    assert (once.rate.low, once.rate.high) == pytest.approx((0.8256, 0.9448), abs=1e-4)
    assert (fewer.rate.n, fewer.rate.low < once.rate.low) == (50, True)


@given(st.lists(st.integers(0, 100), min_size=2, max_size=90))
def test_every_mark_lies_in_the_picture(passed: list[int]) -> None:
    """However many nights and whatever their rates, no mark leaves the picture and a higher rate stands higher."""
    rows = [row(number, count) for number, count in enumerate(passed, 1)]
    found = trend.picture(trend.trend(rows[:-1], rows[-1], {}))
    for mark in found.marks:
        assert trend.LEFT <= mark.x <= trend.WIDTH - trend.RIGHT + 0.1
        assert trend.TOP - 0.1 <= mark.high <= mark.y <= mark.low <= trend.HEIGHT - trend.BOTTOM + 0.1
    best, worst = (pick(found.marks, key=lambda mark: mark.point.rate.estimate) for pick in (max, min))
    assert best.y <= worst.y


def test_one_night_is_no_trend_and_names_are_escaped() -> None:
    """With tonight alone there is no section; names of categories and releases are escaped."""
    assert 'id="trend"' not in render(sample.report())
    hostile = [row(1), row(2, worse=["<b>x</b>"])]
    points = trend.trend(hostile[:1], hostile[1], {"<i>v</i>": (at(2).date().isoformat(), run_id(at(1, 9), bytes(10)))})
    text = render(sample.report(trend=points))
    assert "<b>x</b>" not in text
    assert "<i>v</i>" not in text
    assert "&lt;b&gt;x&lt;/b&gt;" in text
