"""A page whose panels fail: each is a note in its place, and all others are drawn."""

import re
from typing import Any

import pytest

from assay.records.optional import Failure, Guard
from assay.records.parts import PARTS
from assay.report import page
from assay.report.page import render
from tests.report import sample_report as sample

PANELS = ("tiles", "changed", "trials", "cases", "judges", "production", "costs", "provenance")
DRAWN = {
    "_comparisons": ("changed", "tiles"),
    "_case_lists": ("cases",),
    "_judges": ("judges", "tiles"),
    "_signals": ("production",),
    "_bars": ("tiles",),
    "_rates": ("changed", "tiles"),
    "total": ("costs",),
}
"""By what prepares a drawing: the panels that have it."""


def section(page: str, name: str) -> str:
    """Return the text of one section of the page."""
    return page.partition(f'id="{name}"')[2].partition("</section>")[0]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_with_a_bug_is_a_note(panel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whichever template fails, the page names it in its place, all others are drawn, and the guard knows."""
    whole = render(sample.report(steadiness=sample.steadiness()))
    template = f"{panel}.html"

    def broken(loader: Any, environment: Any, name: str) -> Any:
        source = origin(loader, environment, name)
        return ("{{ 1 // 0 }}", *source[1:]) if name == template else source

    origin = page.PackageLoader.get_source
    with monkeypatch.context() as patch:
        patch.setattr(page.PackageLoader, "get_source", broken)
        page.environment.cache_clear()
        guard = Guard()
        text = render(sample.report(steadiness=sample.steadiness()), guard)
    page.environment.cache_clear()
    note = f"The {panel} panel could not be computed: ZeroDivisionError"
    assert note in section(text, panel)
    assert [failure.part for failure in guard.failures] == [f"the {panel} panel"]
    for other in PANELS[1:]:
        if other != panel:
            assert section(text, other) == section(whole, other)


@pytest.mark.parametrize("drawing", DRAWN)
def test_a_drawing_that_fails_costs_its_panels_alone(drawing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be prepared is a note in each panel that would have it, and in no other."""
    with monkeypatch.context() as patch:
        patch.setattr(page, drawing, lambda *_: 1 // 0)
        text = render(sample.report(steadiness=sample.steadiness()))
    lost = {panel for panel in PANELS if "could not be computed: ZeroDivisionError" in section(text, panel)}
    assert lost == set(DRAWN[drawing])


LISTS = ("newly_failing", "failing", "standing", "unscored", "fixed")


@pytest.mark.parametrize("part", ["corrected", "pairs", "signals", "spent", "answers", "steadiness", "rates", *LISTS])
def test_what_failed_is_said_where_it_would_stand(part: str) -> None:
    """A part that failed is no empty part: the page says so, escaped, on one line."""
    hostile = Failure(part=PARTS[part], note="could not be computed: ValueError: <script>")
    empty: Any = [] if part in ("signals", "spent", "rates", *LISTS) else None
    text = render(sample.report(**{part: empty}, failures=[hostile]))
    said = re.findall(r"could not be computed: ValueError: &lt;script&gt;", text)
    assert len(said) >= 2
    assert "<script" not in text


@pytest.mark.parametrize("part", LISTS)
@pytest.mark.parametrize("has_baseline", [True, False])
def test_a_lost_list_has_no_count(part: str, *, has_baseline: bool) -> None:
    """Neither its title nor the way to it says how many cases a list has that could not be made."""
    changes: dict[str, Any] = {} if has_baseline else {"baseline": None}
    lost = Failure(part=PARTS[part], note="could not be computed: ValueError: x")
    text = render(sample.report(**{part: []}, **changes, failures=[lost]))
    is_shown = has_baseline or part in ("failing", "unscored")
    titles = dict(re.findall(r'<h3 id="([a-z-]+)">(.*?)</h3>', section(text, "cases")))
    title = titles.pop(part.replace("_", "-"), None)
    assert (title is not None, "(" in (title or "")) == (is_shown, False)
    assert all(other.endswith(")") for other in titles.values())
    (way,) = re.findall(r'<a href="#cases">(.*?)</a>', text)
    assert ("failing" in way) == (part in ("unscored", "fixed"))


def test_a_fault_outside_of_every_panel_is_no_panel_s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the frame of the page is broken the page is not drawn, and no panel is noted as lost."""

    def broken(loader: Any, environment: Any, name: str) -> Any:
        source = origin(loader, environment, name)
        return ("{{ 1 // 0 }}", *source[1:]) if name == "report.html" else source

    origin, guard = page.PackageLoader.get_source, Guard()
    with monkeypatch.context() as patch:
        patch.setattr(page.PackageLoader, "get_source", broken)
        page.environment.cache_clear()
        with pytest.raises(ZeroDivisionError):
            render(sample.report(), guard)
    page.environment.cache_clear()
    assert guard.failures == []
