"""The report as one static HTML file: no script, no network, and nothing that a model or a user wrote is markup.

Every value that a template prints passes through `visible` and is then escaped; no template marks anything as safe.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import TypeVar

from jinja2 import Environment, PackageLoader, StrictUndefined

from assay.calibration.certificate import Slice, Standing
from assay.records.optional import Guard
from assay.records.signal import Signal
from assay.report import amounts, basis, figures, texts, trend
from assay.report.cases import ReportedCase
from assay.report.category_rates import CategoryRates
from assay.report.comparison import Comparison
from assay.report.content import Judge, Report, behind
from assay.report.costs import total
from assay.report.files import FileView, FileViews
from assay.report.findings import Accounting
from assay.report.gate import Word
from assay.report.wording import answered, money, percent, with_interval

RESOURCES = ("templates/*",)
LOST = "lost.html"
"""Stands in the place of a panel that cannot be drawn."""

WHOLE_CASES = 200
"""Cases that are shown at length, over all lists; of the others each text is cut short, and none is left out."""
OPEN_CASES = 3
"""Cases that are unfolded from the start."""
MAX_LINES = 20
"""Turns, tool calls or reasons of one case that are shown."""
SHORT_CHARACTERS, SHORT_LINES = 300, 5
"""The same of a case that is cut short, in characters a text and in lines."""
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
    "unwatched": "whether it has changed since it was certified could not be computed",
}
SINGLE, PAIRED = ("fail", "pass"), ("A", "tie", "B")
"""Columns of the counts of a certificate."""
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
class CaseView:
    """One case as the page shows it."""

    case: ReportedCase
    files: Sequence[FileView]
    difference: texts.Difference
    max_characters: int
    """Of each text."""
    max_lines: int
    is_open: bool


@dataclass(frozen=True, kw_only=True)
class CategoryCases:
    """The cases of one list that are of one category; folded together."""

    category: str
    severity: str
    views: list[CaseView]


@dataclass(frozen=True, kw_only=True)
class CaseList:
    """All cases of one group."""

    kind: str
    title: str
    about: str
    """What the group is; empty where the title says it."""
    none: str
    """What is said when there is no such case."""
    count: int
    categories: list[CategoryCases]


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
    accountings = {"This run": report.target} | ({"Baseline": report.baseline} if report.baseline else {})
    headline, stop, details = report.gate.sentence.partition(". ")
    values = {
        "report": report,
        "headline": headline + stop.strip(),
        "details": details,
        "answered": answered(report.target, report.steadiness.k if report.steadiness else 1),
        "badge": BADGES[report.gate.word],
        "standings": STANDINGS,
        "trust": report.trust,
        "bases": basis.by_scorers(report),
        "behind": [judge.name for judge in behind(report.judges)],
        "comparisons": panels.value(lambda: _comparisons(report), list[Compared](), "changed.html", "tiles.html"),
        "rates": panels.value(
            lambda: _rates(report), list[tuple[CategoryRates, Standing]](), "changed.html", "tiles.html"
        ),
        "accountings": accountings,
        "bars": panels.value(lambda: _bars(accountings), dict[str, list[figures.Segment]](), "tiles.html"),
        "case_lists": lists,
        "case_counts": _case_counts(report),
        "shown_cases": {view.case.case_id for one in lists for group in one.categories for view in group.views},
        "judges": panels.value(lambda: _judges(report), list[JudgeView](), "judges.html", "tiles.html"),
        "trend": panels.value(
            lambda: trend.picture(report.trend) if len(report.trend) > 1 else None, None, "trend.html"
        ),
        "signals": groups[0],
        "quiet_segments": groups[1],
        "used_by_all": panels.value(lambda: total(report.spent) if report.spent else None, None, "costs.html"),
    }
    while True:
        try:
            return environment().get_template("report.html").render(values, panels=panels)
        except Exception as error:
            if not panels.lose(error):
                raise


def _judges(report: Report) -> list[JudgeView]:
    return [_judge(judge) for judge in report.judges]


def _bars(accountings: Mapping[str, Accounting]) -> dict[str, list[figures.Segment]]:
    return {label: figures.stack(accounting) for label, accounting in accountings.items()}


@cache
def environment() -> Environment:
    """Return what draws a page of the house: it escapes every value, and spells out what is hidden in one."""
    drawing = Environment(
        loader=PackageLoader("assay.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=texts.visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    drawing.filters.update(
        percent=percent,
        interval=with_interval,
        bounds=amounts.bounds,
        points=amounts.points,
        p_value=amounts.p_value,
        figure=amounts.figure,
        figure_name=amounts.figure_name,
        coefficient=amounts.coefficient,
        plotted=amounts.plotted,
        part_plotted=amounts.part_plotted,
        level=amounts.level,
        change=amounts.change,
        impact=amounts.impact,
        moment=amounts.moment,
        money=money,
        seconds=amounts.seconds,
        judge_basis=basis.of_judge,
        excerpt=texts.excerpt,
    )
    drawing.globals.update(min_items=MIN_ITEMS, max_flaky=MAX_FLAKY)
    return drawing


def _comparisons(report: Report) -> list[Compared]:
    """Return the comparisons there are, the one that the gate rests on first."""
    trusted = report.trust == "valid"
    ordered = [report.everything, report.checks] if trusted else [report.checks, report.everything]
    return [
        Compared(
            comparison=found,
            forest=figures.forest([row.change for row in found.slices], found.change),
            standing=report.trust if found.scorers == "all" else "valid",
        )
        for found in ordered
        if found
    ]


def _rates(report: Report) -> list[tuple[CategoryRates, Standing]]:
    """Return tonight's rates by category, those that may be believed first, each with what its judge is worth."""
    standing = report.trust
    ordered = sorted(report.rates, key=lambda rates: (rates.scorers == "all") != (standing == "valid"))
    return [(rates, standing if rates.scorers == "all" else "valid") for rates in ordered]


def _case_counts(report: Report) -> str:
    """Return how many cases fail; empty where a list of them could not be made."""
    if any(report.lost(name) for name in ("newly_failing", "failing", "standing")):
        return ""
    if report.baseline is None:
        return f"{len(report.failing)} failing"
    return f"{len(report.newly_failing)} newly failing, {len(report.standing)} standing"


def _case_lists(report: Report) -> list[CaseList]:
    """Return every case that fails, has no outcome or was fixed, by group; a night without a baseline has no change."""
    newly = ("newly-failing", "Newly failing", "They passed with the baseline.", "No case newly fails.")
    standing = ("standing", "Standing failures", "They fail with the baseline too.", "No case fails in both versions.")
    lost = ("unscored", "Without an outcome", "They count for nobody.", "Every planned case has an outcome.")
    fixed = ("fixed", "Fixed", "They failed with the baseline.", "No case was fixed.")
    if report.baseline is None:
        alone = ("failing", "Failing", "There is no baseline yet to compare them with.", "No case fails.")
        wanted = [(alone, report.failing), (lost, report.unscored)]
    else:
        alone = ("failing", "Failing, not compared", "The baseline has no outcome for them.", "")
        uncompared = [(alone, report.failing)] if report.failing or report.lost("failing") else []
        wanted = [(newly, report.newly_failing), *uncompared, (standing, report.standing)]
        wanted += [(lost, report.unscored), (fixed, report.fixed)]
    lists: list[CaseList] = []
    files = FileViews()
    for (kind, title, about, none), cases in wanted:
        before = sum(one.count for one in lists)
        is_first = kind == wanted[0][0][0]
        categories = _by_category(cases, before, OPEN_CASES if is_first else 0, files)
        note = report.lost(kind.replace("-", "_"))
        lists.append(
            CaseList(
                kind=kind,
                title=title if note else f"{title} ({len(cases)})",
                about=about,
                none=f"{note}." if note else none,
                count=len(cases),
                categories=categories,
            )
        )
    return lists


def _by_category(cases: Sequence[ReportedCase], before: int, unfolded: int, files: FileViews) -> list[CategoryCases]:
    """Return the cases of one list by category in their order.

    Args:
        cases: Those of one category beside each other.
        before: How many cases the lists above have.
        unfolded: How many are open from the start.
        files: Of the page.
    """
    groups: dict[str, list[CaseView]] = {}
    for place, case in enumerate(cases):
        is_whole = before + place < WHOLE_CASES
        length = texts.MAX_CHARACTERS if is_whole else SHORT_CHARACTERS
        view = CaseView(
            case=case,
            files=files.of(case.attachments),
            difference=texts.difference(case.baseline_text, case.target_text, length),
            max_characters=length,
            max_lines=MAX_LINES if is_whole else SHORT_LINES,
            is_open=place < unfolded,
        )
        groups.setdefault(case.category, []).append(view)
    return [
        CategoryCases(category=category, severity=views[0].case.severity, views=views)
        for category, views in groups.items()
    ]


def _judge(judge: Judge) -> JudgeView:
    held = judge.certificate
    if held is None:
        return JudgeView(judge=judge, classes=(), weakest=None, faults=())
    large = (part for part in held.slices if part.n >= MIN_ITEMS)
    weakest = min(large, key=lambda part: part.agree / part.n, default=None)
    faults = tuple(part for part in held.slices if part.kind == "slice")
    return JudgeView(
        judge=judge, classes=PAIRED if held.question == "pairwise" else SINGLE, weakest=weakest, faults=faults
    )


def _signals(signals: Sequence[Signal]) -> tuple[list[Signal], list[Signal]]:
    """Return the signals to be read, those that ask for action first, and the quiet ones of single categories."""
    by_state = [[signal for signal in signals if signal.state == state] for state in STATES]
    ordered = list(chain.from_iterable(by_state))
    shown = [signal for signal in ordered if signal.segment == "all" or signal.state in ("alert", "watch")]
    return shown, [signal for signal in ordered if signal not in shown]
