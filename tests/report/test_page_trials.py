"""The page's sections on trials, cost and speed: each number stands with its n, and what is not there is said so."""

import re

import sample_report as sample

from assay.report.page import render
from assay.report.wording import with_interval


def section(text: str, name: str) -> str:
    """Return one section of a page."""
    start = text.index(f'<section id="{name}">')
    return text[start : text.index("</section>", start)]


def test_one_trial_a_case_has_no_section_of_trials() -> None:
    """Nothing is said of trials where each case had one."""
    text = render(sample.report())
    assert 'id="trials"' not in text
    assert "#trials" not in text


def test_trials_have_their_rates_and_their_unsteady_cases() -> None:
    """Each pass^k and pass@k has interval and n; unsteady cases are listed, with a link where the page shows them."""
    steady = sample.steadiness()
    text = section(render(sample.report(steadiness=steady)), "trials")
    for name, found in zip(["pass^1", "pass^2", "pass^3", "pass@3"], [*steady.all_of, steady.any_of], strict=True):
        assert found
        (line,) = [line for line in text.splitlines() if name in line]
        assert with_interval(found) in line
        assert f'class="n">{found.n}<' in line
    assert "190 always pass, 21 pass sometimes, 39 never. 4 of 254 planned are left out" in text
    assert "750 trials tell as much as 300 independent ones" in text
    assert '<a href="#case-allergens-000">' in text
    assert "escalation-019" in text
    assert '"#case-escalation-019"' not in text


def test_many_unsteady_cases_are_cut() -> None:
    """Of endless unsteady cases fifty are listed and the rest is counted; rates that there are not say why."""
    flaky = [sample.Flaky(case_id=f"negation-{number:03}", category="negation", passed=1) for number in range(200)]
    steady = sample.steadiness(flaky=flaky, all_of=[], any_of=None, deff=None, note="1 cases have trials: add cases")
    text = section(render(sample.report(steadiness=steady)), "trials")
    assert text.count("negation · 1 of 3 pass") == 50
    assert "150 more cases are left out" in text
    assert "1 cases have trials: add cases." in text


def test_what_was_used_stands_by_stage() -> None:
    """Calls, requests, those beyond one a call, tokens and dollars stand by stage and in sum; no price is said so."""
    text = section(render(sample.report()), "costs")
    rows = {row[0]: re.findall(r">([^<>]+)</", row[1]) for row in re.findall(r'<th scope="row">([^<]+)(.*)</tr>', text)}
    assert rows["execute"] == ["1,254", "2", "1,961", "707", "402,118", "61,377", "$1.23"]
    assert rows["judge"] == ["300", "0", "300", "0", "402,118", "61,377", "no price declared"]
    assert rows["All stages"][:4] == ["1,554", "2", "2,261", "707"]


def test_speed_and_endings_are_named() -> None:
    """Median and 95th percentile stand with their n and interval, and answers that were cut off with their reason."""
    text = section(render(sample.report()), "costs")
    assert "Latency of 252 answers, median" in text
    assert "1.20 s (1.12 to 1.29)" in text
    assert "3.87 s (3.40 to open)" in text
    assert "$0.0049 over 250 cases" in text
    assert "5 of 251: content_filter (1), length (4)" in text
    silent = sample.answers(ended=0, endings={}, cost_a_case_usd=None, priced_cases=0)
    text = section(render(sample.report(answers=silent)), "costs")
    assert "no answer says why it ended" in text
    assert "no price declared" in text
