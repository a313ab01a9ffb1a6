"""The page says what the report holds, and nothing that a model or a user wrote can act in it."""

import re
import time
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any, get_args

import pytest
import sample_report as sample

from assay.calibration.certificate import Standing
from assay.records.case import ToolCall
from assay.report import basis
from assay.report.content import Judge
from assay.report.gate import Gate, Word
from assay.report.page import SHORT_CHARACTERS, WHOLE_CASES, render
from assay.report.wording import with_interval

HOSTILE = [
    "<script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    "</div></details></main><iframe src=//evil.example>",
    "{{7*7}}{% include 'style.css' %}",
    '" onclick="alert(1)',
    "javascript:alert(1)",
    "<a href='javascript:alert(1)'>here</a>",
    "<!--",
    "]]><svg onload=alert(1)>",
    "abc \u202egnp.exe \u2066x\u2069",
    "\x1b[2J\x1b[31mred\x07",
    "%s {0} {x.__class__}",
]
ELEMENTS = (
    "html head meta title style body header nav main section article details summary div p span b strong small bdi a "
    "h1 h2 h3 ul ol li dl dt dd del ins br table caption thead tbody tfoot tr th td "
    "svg defs pattern rect line circle text"
)


class Reader(HTMLParser):
    """Collects what a browser would see: elements, attributes, text, and whether all that opens also closes."""

    VOID = frozenset({"meta", "br"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.stack: list[str] = []
        self.feed(page)
        self.close()
        self.text = "".join(self.words)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element with its attributes."""
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Hold the element against the last one that was opened."""
        assert self.stack.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep what is read."""
        self.words.append(data)

    def values(self, tag: str, name: str) -> list[str]:
        """Return one attribute of all elements of a kind."""
        return [attributes[name] for found, attributes in self.tags if found == tag and name in attributes]


def read(**changes: Any) -> Reader:
    return Reader(render(sample.report(**changes)))


def hostile_case(text: str) -> Any:
    calls = [ToolCall(name=text, arguments=text)]
    return sample.changed(
        "allergens-000",
        turns=[text, text],
        reference=text,
        baseline_text=f"before {text}",
        target_text=f"{text} after",
        baseline_calls=calls,
        target_calls=[*calls, *calls],
        why=[f"correctness: fail. {text}"],
    )


def inert(page: Reader) -> None:
    """Hold a page against what it may be made of."""
    assert {tag for tag, _ in page.tags} <= set(ELEMENTS.split())
    assert page.stack == []
    names = {name for _, attributes in page.tags for name in attributes}
    assert not [name for name in names if name.startswith("on")]
    assert not names & {"src", "srcset", "xlink:href", "action", "formaction", "background", "style"}
    assert all(target.startswith("#") for target in page.values("a", "href"))


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text: str) -> None:
    """Whatever a user, a model, a check or a judge writes is shown as text and adds no element and no attribute."""
    corrected = sample.CORRECTED.model_copy(update={"note": text, "frame": text})
    told = {"note": text, "description": text, "version": text, "said": {text: 3}, "corrected": corrected}
    judges = [sample.Judge(name="correctness", standing="none", certificate=None, **told)]
    gate = sample.report().gate.model_copy(update={"sentence": text, "next": text})
    provenance = sample.report().provenance.model_copy(update={"target": text, "baseline": text})
    signals = [sample.signal(statement=text, owner=text)]
    case = hostile_case(text)
    page = read(
        newly_failing=[case, case],
        failing=[case],
        standing=[case],
        fixed=[case],
        unscored=[case],
        judges=judges,
        gate=gate,
        provenance=provenance,
        signals=signals,
        steadiness=sample.steadiness(note=text, flaky=[sample.Flaky(case_id=text, category=text, passed=1)]),
        spent=[sample.spent(text, run=text)],
        answers=sample.answers(endings={text: 3}),
    )
    inert(page)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", page.text)
    if text.isprintable():
        assert page.text.count(text) >= 4 * 5


def test_hidden_characters_are_spelled_out() -> None:
    """A direction override and an escape sequence are visible as what they are."""
    page = read(newly_failing=[sample.changed("allergens-000", target_text="safe \u202egnp.exe \x1b[31m")])
    assert "gnp.exe" in page.text
    assert "<U+202E>" in page.text
    assert "<U+001B>[31m" in page.text


def test_a_hostile_identifier_stays_in_its_attribute() -> None:
    """A case's name cannot leave the attribute that it is the anchor of."""
    name = 'x" open onclick="y'
    page = read(newly_failing=[sample.changed("allergens-000").model_copy(update={"case_id": name})])
    inert(page)
    assert f"case-{name}" in page.values("details", "id")


def test_a_megabyte_is_cut() -> None:
    """A text of a megabyte ends after 4,000 characters with a note of what was left out, wherever it stands."""
    report = sample.report(newly_failing=[hostile_case("<b>" * 350_000)])
    page = render(report)
    assert len(page.encode()) < 400_000
    assert "1,046,000 more characters are left out" in page


def test_many_lines_are_cut() -> None:
    """Of endless turns, calls and reasons the first twenty are shown and the rest is counted."""
    case = sample.changed(
        "allergens-000", turns=["again"] * 500, why=["why"] * 30, target_calls=[sample.ToolCall(name="x")] * 70
    )
    page = read(newly_failing=[case])
    for words in ("480 more turns", "10 more reasons", "50 more calls"):
        assert words in page.text


def test_nothing_outside_is_asked_for() -> None:
    """The page runs no script, loads nothing, names no address, and forbids all of it to the browser."""
    text = render(sample.report())
    page = Reader(text)
    inert(page)
    assert not re.search(r"https?://|@import|url\((?!#)", text)
    policy = next(value for value in page.values("meta", "content") if "default-src" in value)
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert "noindex" in page.values("meta", "content")


def test_equal_reports_give_equal_bytes() -> None:
    """The page depends on the report alone."""
    assert render(sample.report()).encode() == render(sample.report()).encode()


@pytest.mark.parametrize("word", get_args(Word))
def test_only_a_pass_is_green(word: Word) -> None:
    """Every word of the gate has a badge with a sign, and only a pass has the colour of one."""
    gate = Gate(word=word, reason="", next="do this", sentence=f"The sentence of {word}.")
    text = render(sample.report(gate=gate))
    badge = re.search(r'<strong class="badge (\w+)"><span aria-hidden="true">(.) </span>([A-Z-]+)</strong>', text)
    assert badge
    assert (badge[1] == "good", badge[3]) == (word == "pass", word.upper())
    assert f"<h1>The sentence of {word}.</h1>" in text
    assert "do this" in text


def test_failures_are_told_apart() -> None:
    """The product's, the judge's and the wire's failures stand with their numbers of cases beside the planned total."""
    report = sample.report()
    page = re.sub(r"<[^>]+>", "|", render(report))
    counts = {"failed, wrong answer": 32, "failed, format alone": 5, "The judge failed": 1, "The wire failed": 2}
    for name, count in (counts | {"Planned": 254}).items():
        assert re.search(rf"{name}[^\d]*\|{count}\|", page), name
    assert "of 251 answered cases pass; 3 of 254 planned (1.2 %) were lost: 2 on the wire, 1 at the judge." in page
    assert report.target.planned == 254
    assert "judge: unparsed (1), wire: timeout (2)" in page


@pytest.mark.parametrize("standing", get_args(Standing))
def test_no_judged_number_without_its_certificate(standing: Standing) -> None:
    """Wherever an untrusted judge's numbers stand they are marked, and the comparison by checks comes first."""
    report = sample.report()
    judges = [judge.model_copy(update={"standing": standing}) for judge in report.judges]
    text = render(sample.report(judges=judges, steadiness=sample.steadiness()))
    marks = text.count("UNCALIBRATED</strong>")
    # Rate of the answered, pass rate, corrected, preference, two judges, accounting, comparison, rates by category,
    # trials, cases, and two certificates.
    assert marks == (0 if standing == "valid" else 13)
    first, second = ("all scorers", "checks alone") if standing == "valid" else ("checks alone", "all scorers")
    assert text.index(f"By {first}, the largest drop first") < text.index(f"The same by {second}")


def test_outcomes_of_checks_alone_need_no_certificate() -> None:
    """Where no judge that blocks was asked, the judge alone is marked, and the rates by all scorers are not."""
    unasked = Judge(name="correctness", standing="none", spoke=False, unasked=254, certificate=None, note="")
    report = sample.report(judges=[unasked], steadiness=sample.steadiness())
    text = render(report)
    assert text.count("UNCALIBRATED</strong>") == 2  # in the tile of the judges, and where the judge is told of
    assert basis.of_cases(report) == basis.CHECKS
    assert "Basis: raw" not in text


def test_a_judge_that_the_report_lacks_is_not_believed() -> None:
    """Rates by all scorers without any judge on file are marked."""
    assert "UNCALIBRATED" in render(sample.report(judges=[]))


def test_an_empty_night_renders() -> None:
    """With no comparison, judge, signal or case the page says so in words."""
    nothing = {"everything": None, "checks": None, "corrected": None, "pairs": None, "answers": None}
    names = ("judges", "signals", "newly_failing", "failing", "standing", "fixed", "unscored", "spent", "rates")
    lists: dict[str, list[Any]] = {name: [] for name in names}
    empty = {"target": sample.empty_accounting(), "baseline": sample.empty_accounting()}
    page = read(**nothing, **lists, **empty)
    inert(page)
    for words in ("Nothing can be compared", "No judge took part", "No production traffic", "No case newly fails"):
        assert words in page.text
    for words in ("No case was planned", "Nothing was answered", "There is no ledger"):
        assert words in page.text


@pytest.mark.parametrize("missing", ["everything", "checks", "corrected", "pairs", "answers"])
def test_each_part_may_be_missing(missing: str) -> None:
    """A report that lacks one of its parts is drawn without it."""
    inert(read(**{missing: None}))


def test_a_rate_that_cannot_be_corrected_says_why() -> None:
    """Without a corrected rate the raw one stands beside the reason."""
    corrected = sample.CORRECTED.model_copy(update={"rate": None, "note": "too few labels: add ten"})
    page = read(corrected=corrected)
    assert "No corrected rate" in page.text
    assert "too few labels: add ten" in page.text
    assert with_interval(corrected.raw) in page.text


def test_plot_and_table_carry_the_same_change() -> None:
    """Every category has a row with its whisker and its numbers, the largest drop first, flagged ones in words."""
    report = sample.report()
    assert report.everything
    text = render(report)
    rows = re.findall(r"<tr[^>]*><th scope=\"row\">([a-z-]+).*?</tr>", text[: text.index("The same by")])
    rows = [name for name in rows if name in sample.CHANGES]
    assert rows == [row.category for row in report.everything.slices]
    for row in report.everything.slices:
        line = next(line for line in text.splitlines() if line.startswith("<tr") and f">{row.category}" in line)
        assert with_interval(row.target) in line
        assert with_interval(row.baseline) in line
        assert ("worse</span>" in line) == row.is_worse


def test_newly_failing_case_is_shown_whole() -> None:
    """A case has its anchor, is open, and marks the words that differ as deletions and insertions with a sign."""
    text = render(sample.report(newly_failing=[sample.changed("allergens-007")]))
    assert 'id="case-allergens-007" open' in text
    assert '<del><span class="sign">\N{MINUS SIGN}</span>18.50</del>' in text
    assert '<ins><span class="sign">+</span>61.00</ins>' in text
    for words in ("Can I have the money back?", "Refund 18.50 dollars", "&#34;amount_usd&#34;: 61.0", "expected 18.5"):
        assert words in text


def test_every_case_is_on_the_page() -> None:
    """No list leaves a case out; beyond 200 over all lists, the newly failing first, texts are cut short, and told."""
    long = "long " * (SHORT_CHARACTERS // 4)
    cases = [sample.changed(f"allergens-{number:03}", turns=[long]) for number in range(190)]
    standing = [sample.standing(f"escalation-{number:03}", turns=[long]) for number in range(15)]
    text = render(sample.report(newly_failing=cases, standing=standing, unscored=cases[:3], fixed=cases[:4]))
    assert text.count('<details class="case"') == 190 + 15 + 3 + 4
    assert text.count(f"{len(long) - SHORT_CHARACTERS} more characters are left out") == 212 - WHOLE_CASES
    assert text.index("more characters are left out") > text.index('id="case-escalation-009"')


def test_cases_are_folded_by_category() -> None:
    """Each list is folded by category with its number of cases; only the first category of the first list is open."""
    cases = [sample.changed(f"{name}-{number:03}") for name in ("allergens", "escalation") for number in range(5)]
    text = render(sample.report(newly_failing=cases))
    section = text[text.index('id="newly-failing"') : text.index('id="standing"')]
    groups = re.findall(r'<details class="group"( open)?>\n<summary><b>(.*?)</b> <span class="count">(.*?)<', section)
    assert groups == [(" open", "allergens", "5 cases"), ("", "escalation", "5 cases")]
    assert '<details class="group" open' not in text[text.index('id="standing"') :]


def test_a_standing_failure_says_since_when() -> None:
    """A case that fails in both versions stands in its own list with its first night, and an answer shown once."""
    case = sample.standing("escalation-001", target_text=sample.ANSWER)
    page = read(standing=[case])
    assert "Standing failures (1)" in page.text
    assert "fails since 2026-10-31 (3 nights)" in page.text
    assert "Baseline and this run answered" in page.text


def test_without_a_baseline_there_is_no_column_of_it() -> None:
    """A first night shows every failing case and each category's rate, and says that there is no baseline yet."""
    first = {"baseline": None, "everything": None, "checks": None, "newly_failing": [], "standing": [], "fixed": []}
    cases = [sample.changed(f"allergens-{number:03}", group="failing", baseline_text="") for number in range(3)]
    page = read(**first, failing=cases, pairs=None, change=None, controlled=None)
    inert(page)
    assert "There is no baseline yet" in page.text
    for words in ("Baseline answered", "Newly failing (", "Standing failures (", "Fixed ("):
        assert words not in page.text
    assert "Failing (3)" in page.text
    assert [case.case_id in page.text for case in cases] == [True] * 3
    for row in sample.rates().rows:
        assert row.rate
        assert f"{with_interval(row.rate)} of {row.rate.n}" in page.text


def test_a_cut_answer_is_marked_beside_its_case() -> None:
    """A case whose answer ended at the token limit says so before and after it is opened; no other does."""
    cases = [sample.changed("allergens-000", cut=1), sample.changed("allergens-001")]
    page = read(newly_failing=cases)
    assert page.text.count("cut at the token limit") == 2
    assert page.text.index("This answer was cut at the token limit") < page.text.index("allergens-001")


def test_the_interval_of_a_selected_category_says_its_level() -> None:
    """Two of five categories are worse: their intervals are at 98 %, as the page says; without one it says nothing."""
    assert "of its change is at 99.38 %" in read().text
    calm = sample.comparison().model_copy(update={"slices": []})
    assert "of its change is at" not in read(everything=calm, checks=calm).text


def test_weakest_part_leads_a_judge() -> None:
    """The first thing said of a judge is where it agrees least, among parts large enough for a claim."""
    page = read()
    assert "Least to be trusted on minimal-edit: agrees with people on 3 of 20." in page.text
    small = sample.certificate(slices=sample.certificate().slices[:1])
    judge = sample.Judge(name="correctness", standing="valid", certificate=small, note="")
    assert "none can be called its weakest" in read(judges=[judge]).text


def test_classes_and_annotators_are_told_one_by_one() -> None:
    """A certificate's classes and annotators are tables, a class never given without a precision; kappa has a minus."""
    rates = {"precision": None, "precision_low": None, "precision_high": None, "recall": 0, "f1": 0}
    curt = {"name": "<curt>", "human": 3, "judge": 0, "recall_low": 0, "recall_high": 0.56} | rates
    of = {"annotator": "ben", "n": 40, "agree": 31, "kappa": -0.125, "others_n": 0, "others_agree": 0}
    changes = {"by_class": [curt], "by_annotator": [of | {"others_kappa": None}, of | {"others_kappa": 1}]}
    judge = sample.Judge(name="tone", standing="valid", certificate=sample.certificate(**changes), note="")
    text = read(judges=[judge]).text
    assert "<curt>30none0.0000.000" in text
    assert "ben31 of 40\N{MINUS SIGN}0.1250 of 0none" in text
    assert "Annotator by annotator" not in read().text


def test_confusion_is_labelled() -> None:
    """The counts of a pairwise judge stand under A, tie and B, and a floor that was missed says so."""
    floors = [sample.Floor(figure="accuracy", demand="at least 0.60", found="0.581", met=False)]
    held = sample.certificate("pairwise", floors=floors)
    judge = sample.Judge(name="preference", standing="failed", certificate=held, note="")
    page = read(judges=[judge])
    assert "judge: Ajudge: tiejudge: B" in page.text
    assert "0.581✗ missed" in page.text


def test_alerts_come_first() -> None:
    """Signals are read from alert to charted, with their cost, and quiet categories are folded away."""
    text = render(sample.report())
    section = text[text.index('id="production"') :]
    states = re.findall(r"</span>(alert|watch|quiet|charted)</span></td>", section)
    assert states == ["alert", "watch", "charted", "charted", "quiet"]
    assert "$611 ($400 to $830)" in section
    assert "Single categories that ask for nothing (1)" in section
    assert "74.2" in section


def test_structure_serves_a_screen_reader() -> None:
    """One first heading, no level left out, landmarks, a scope on every table heading, and what scrolls has a name."""
    page = read()
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h\d", tag)]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert {"header", "main", "nav"} <= {tag for tag, _ in page.tags}
    assert page.values("html", "lang") == ["en"]
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    regions = [attributes for _, attributes in page.tags if attributes.get("class") == "scroll"]
    assert {(one.get("role"), one.get("tabindex")) for one in regions} == {("region", "0")}
    assert len({one["aria-label"] for one in regions}) == len(regions)
    labelled = {"aria-label", "aria-hidden"}
    assert all(labelled & set(attributes) for tag, attributes in page.tags if tag == "svg")


@pytest.mark.parametrize(("count", "megabytes", "seconds"), [(400, 1.25, 0.5), (2000, 5.5, 2.5)])
def test_thousands_of_cases_make_a_usable_page(count: int, megabytes: float, seconds: float) -> None:
    """With 2,000 failing cases of ordinary length, all of them shown, the page stays small and is made in seconds."""
    answer = sample.ANSWER * 3
    texts = {"baseline_text": answer, "target_text": answer.replace("spoiled", "warm")}
    cases = [sample.changed(f"allergens-{number:04}", **texts) for number in range(count)]
    report = sample.report(newly_failing=cases[: count // 4], standing=cases[count // 4 :])
    render(report)
    start = time.process_time()
    text = render(report)
    assert time.process_time() - start < seconds
    assert len(text.encode()) < megabytes * 1_000_000
    assert text.count('<details class="case"') == count + 2
