"""The report as one static HTML file: no script, no network, and nothing that a model or a user wrote is markup.

Every value that a template prints passes through `visible` and is then escaped; no template marks anything as safe.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.calibration.certificate import JUDGES, Slice, Standing
from assay.records.optional import Guard
from assay.records.signal import Signal
from assay.report import amounts, figures, texts
from assay.report.content import ChangedCase, Judge, Report
from assay.report.costs import total
from assay.report.findings import JUDGE, Comparison
from assay.report.gate import Word
from assay.report.wording import answered, money, percent, with_interval

RESOURCES = ("templates/*",)
LOST = "lost.html"
"""Stands in the place of a panel that cannot be drawn."""

MAX_CASES = 200
"""Changed cases that are shown in full, over all three lists."""
OPEN_CASES = 3
"""Newly failing cases that are unfolded from the start."""
MAX_LINES = 20
"""Turns, tool calls or reasons of one case that are shown."""
MAX_FLAKY = 50
"""Cases that pass only sometimes that are listed."""
MIN_ITEMS = 10
"""Labels below which a part of a certificate is for reading, not for claims."""

BADGES: dict[Word, tuple[str, str]] = {
    "pass": ("✓", "good"),
    "regression": ("✗", "bad"),
    "inconclusive": ("?", "open"),
    "incomplete": ("…", "open"),
    "uncalibrated": ("!", "open"),
    "judge-changed": ("≠", "open"),
    "set-changed": ("≠", "open"),
}
"""Sign and tone of each word of the gate; only a pass is green."""

STANDINGS: dict[Standing, str] = {
    "valid": "certified against people on held-out labels",
    "none": "the judge has no certificate",
    "failed": "the judge was refused: it misses a floor of its policy",
    "expired": "the judge's certificate has expired",
    "judge-changed": "the judge is not the one that was certified",
}
CLASSES = {"pass-fail": ("fail", "pass"), "pairwise": ("A", "tie", "B")}
Value = TypeVar("Value")
STATES = ("alert", "watch", "quiet", "charted")


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One comparison ready to be drawn."""

    comparison: Comparison
    forest: figures.Forest
    standing: Standing
    """What the least trusted judge behind its numbers is worth."""


@dataclass(frozen=True, kw_only=True)
class CaseList:
    """The changed cases of one kind that fit the page, and how many do not."""

    kind: str
    title: str
    none: str
    """What is said when there is no such case."""
    cases: list[tuple[ChangedCase, texts.Difference]]
    more: int
    unfolded: int
    """How many are open from the start; a list without any is folded as a whole."""


@dataclass(frozen=True, kw_only=True)
class JudgeView:
    """One judge with what a reader asks first: where is it least to be trusted?"""

    judge: Judge
    classes: tuple[str, ...]
    weakest: Slice | None
    """The lowest agreement among parts large enough for a claim; None without a certificate or such a part."""
    faults: tuple[Slice, ...]
    """Agreement on real answers and on those with a fault put in on purpose, the lowest first."""


class Panels:
    """The panels of one page: which of them cannot be drawn, and why."""

    def __init__(self, guard: Guard) -> None:
        """Begin with every panel to be drawn."""
        self._guard = guard
        self._notes: dict[str, str] = {}
        self._drawing = ""

    def value(self, compute: Callable[[], Value], otherwise: Value, *panels: str) -> Value:
        """Return what these panels draw; where it fails, none of them is drawn."""
        known = len(self._guard.failures)
        found = self._guard.optional(f"the {panels[0].removesuffix('.html')} panel", compute, otherwise)
        if len(self._guard.failures) > known:
            self._notes |= dict.fromkeys(panels, str(self._guard.failures[-1]))
        return found

    def template(self, panel: str) -> str:
        """Return the template of a panel: its own, or the one that says why it is missing."""
        self._drawing = panel
        return LOST if panel in self._notes else panel

    def lost(self) -> dict[str, str]:
        """Return the id and the note of the panel that is being drawn, for the template of the lost ones."""
        return {"id": self._drawing.removesuffix(".html"), "note": self._notes[self._drawing]}

    def lose(self, error: Exception) -> bool:
        """Note that the panel being drawn failed; return whether the page can do without it."""
        if not self._drawing or self._drawing in self._notes:
            return False
        self._guard.failed(f"the {self._drawing.removesuffix('.html')} panel", error)
        self._notes[self._drawing] = str(self._guard.failures[-1])
        return True


def render(report: Report, guard: Guard | None = None) -> str:
    """Return the page; equal reports give equal text. A panel that cannot be drawn is a note that the guard knows."""
    panels = Panels(guard or Guard())
    groups = panels.value(lambda: _signals(report.signals), (list[Signal](), list[Signal]()), "production.html")
    lists = panels.value(lambda: _case_lists(report), list[CaseList](), "cases.html")
    headline, stop, details = report.gate.sentence.partition(". ")
    values = {
        "report": report,
        "headline": headline + stop.strip(),
        "details": details,
        "answered": answered(report.target),
        "badge": BADGES[report.gate.word],
        "standings": STANDINGS,
        "standing_of": {name: _standing(report, name) for name in JUDGES},
        "comparisons": panels.value(lambda: _comparisons(report), list[Compared](), "changed.html", "tiles.html"),
        "bars": panels.value(lambda: _bars(report), dict[str, list[figures.Segment]](), "tiles.html"),
        "case_lists": lists,
        "shown_cases": {case.case_id for one in lists for case, _ in one.cases},
        "judges": panels.value(lambda: _judges(report), list[JudgeView](), "judges.html", "tiles.html"),
        "signals": groups[0],
        "quiet_segments": groups[1],
        "used_by_all": panels.value(lambda: total(report.spent) if report.spent else None, None, "costs.html"),
    }
    while True:
        try:
            return _environment().get_template("report.html").render(values, panels=panels)
        except Exception as error:
            if not panels.lose(error):
                raise


def _judges(report: Report) -> list[JudgeView]:
    return [_judge(judge) for judge in report.judges]


def _bars(report: Report) -> dict[str, list[figures.Segment]]:
    return {"target": figures.stack(report.target), "baseline": figures.stack(report.baseline)}


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("assay.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=texts.visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        percent=percent,
        interval=with_interval,
        bounds=amounts.bounds,
        points=amounts.points,
        p_value=amounts.p_value,
        figure=amounts.figure,
        figure_name=amounts.figure_name,
        plotted=amounts.plotted,
        part_plotted=amounts.part_plotted,
        level=amounts.level,
        change=amounts.change,
        impact=amounts.impact,
        moment=amounts.moment,
        money=money,
        seconds=amounts.seconds,
        excerpt=texts.excerpt,
    )
    environment.globals.update(max_lines=MAX_LINES, min_items=MIN_ITEMS, max_flaky=MAX_FLAKY)
    return environment


def _standing(report: Report, name: str) -> Standing:
    """Return what a judge's numbers are worth; a judge that the report does not list is worth nothing."""
    return next((judge.standing for judge in report.judges if judge.name == name), "none")


def _comparisons(report: Report) -> list[Compared]:
    """Return the comparisons there are, the one that the gate rests on first."""
    trusted = _standing(report, JUDGE) == "valid"
    ordered = [report.everything, report.checks] if trusted else [report.checks, report.everything]
    return [
        Compared(
            comparison=found,
            forest=figures.forest([row.change for row in found.slices], found.change),
            standing=_standing(report, JUDGE) if found.scorers == "all" else "valid",
        )
        for found in ordered
        if found
    ]


def _case_lists(report: Report) -> list[CaseList]:
    """Return the three lists of cases; together they show at most 200, the newly failing first."""
    kinds = (
        ("newly-failing", "Newly failing", "No case newly fails.", report.newly_failing),
        ("unscored", "Without an outcome", "Every planned case has an outcome.", report.unscored),
        ("fixed", "Fixed", "No case was fixed.", report.fixed),
    )
    left, lists = MAX_CASES, []
    for kind, title, none, cases in kinds:
        shown = cases[:left]
        left -= len(shown)
        lost = report.lost(kind.replace("-", "_"))
        lists.append(
            CaseList(
                kind=kind,
                title=title,
                none=f"{lost}." if lost else none,
                cases=[(case, texts.difference(case.baseline_text, case.target_text)) for case in shown],
                more=len(cases) - len(shown),
                unfolded=OPEN_CASES if kind == "newly-failing" else 0,
            )
        )
    return lists


def _judge(judge: Judge) -> JudgeView:
    held = judge.certificate
    if held is None:
        return JudgeView(judge=judge, classes=(), weakest=None, faults=())
    large = (part for part in held.slices if part.n >= MIN_ITEMS)
    weakest = min(large, key=lambda part: part.agree / part.n, default=None)
    faults = tuple(part for part in held.slices if part.kind == "slice")
    return JudgeView(judge=judge, classes=CLASSES[held.question], weakest=weakest, faults=faults)


def _signals(signals: Sequence[Signal]) -> tuple[list[Signal], list[Signal]]:
    """Return the signals to be read, those that ask for action first, and the quiet ones of single categories."""
    by_state = [[signal for signal in signals if signal.state == state] for state in STATES]
    ordered = list(chain.from_iterable(by_state))
    shown = [signal for signal in ordered if signal.segment == "all" or signal.state in ("alert", "watch")]
    return shown, [signal for signal in ordered if signal not in shown]
