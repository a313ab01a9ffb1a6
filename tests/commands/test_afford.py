"""Afford: a run that would cost more than allowed asks nobody; one that does costs no more than what was in flight."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.commands.budget import check_budget
from assay.errors import BudgetError, ConfigError
from assay.models.journal import Journal
from assay.project import files
from assay.project.run_id import begun
from assay.project.tables.evalset import CASES
from assay.project.tables.registry import TABLES
from assay.stages import execute, judge
from tests.cast import Project, case
from tests.endpoint import Body, Reply, completion, serving

PRICE = {"prompt_usd_per_million": 1_000.0, "completion_usd_per_million": 1_000.0}
"""A tenth of a cent a token: a scripted answer of ten costs a cent."""
NIGHT = begun(datetime(2026, 11, 2, 3, tzinfo=UTC)).id
NEXT = begun(datetime(2026, 11, 3, 3, tzinfo=UTC)).id


def answer(body: Body) -> Reply:
    """Answer, or judge."""
    return completion(json.dumps({"verdict": "pass"}) if "response_format" in body else "Within 14 days.")


@pytest.fixture
def priced(project: Project) -> Project:
    """Twenty-five cases, no labelled items, no baseline, and a price at both stages."""
    CASES.write([case(number) for number in range(25)])
    for name in ("labels", "items", "baseline"):
        TABLES[name].file().unlink()
    project.params("execute", price=PRICE, concurrency=2, max_retries=0)
    project.params("judge", price=PRICE, concurrency=2, max_retries=0)
    return project


def point(project: Project, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let both stages ask this endpoint."""
    project.params("execute", target={"name": "support", "model": "support-2", "base_url": url})
    monkeypatch.setenv("OPENAI_BASE_URL", url)


def test_a_run_that_would_cost_too_much_is_refused(priced: Project) -> None:
    """From the texts alone, as long as nothing is known: dollars, calls and stages in one sentence, and what to do."""
    with pytest.raises(BudgetError) as raised:
        check_budget(NIGHT, 1.0)
    assert str(raised.value).startswith("the run would cost up to $")
    assert "for 25 calls of execute and $" in str(raised.value)
    assert str(raised.value).endswith("$1.00 is allowed: raise --max-cost, or leave it out")


def test_what_is_known_makes_the_forecast(priced: Project, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a run, the tokens that calls really took are foretold: a cent each, nothing for what was paid tonight."""
    with serving(answer) as served:
        point(priced, served.url, monkeypatch)
        execute.run(now)
        judge.run(now)
    tomorrow = {part.stage: (part.calls, round(part.usd, 6)) for part in check_budget(NEXT, 10.0)}
    assert tomorrow == {"execute": (25, 0.25), "judge": (25, 0.25)}
    tonight = {part.stage: (part.calls, part.usd) for part in check_budget(NIGHT, 10.0)}
    assert tonight == {"execute": (0, 0.0), "judge": (0, 0.0)}


@pytest.mark.parametrize("stage", ["execute", "judge"])
def test_no_price_no_forecast(priced: Project, stage: str) -> None:
    """A bound without a declared price is refused: nobody could keep it."""
    priced.params(stage, price=None)
    with pytest.raises(ConfigError, match=rf"params.yaml: {stage}.price is missing"):
        check_budget(NIGHT, 10.0)


def test_a_run_stops_at_what_was_allowed_and_goes_on(
    priced: Project, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs no more than what was in flight beyond it, writes no table, and with more money asks only the rest."""
    before = priced.files()
    with serving(answer) as served:
        point(priced, served.url, monkeypatch)
        with pytest.raises(BudgetError, match=r"has cost \$0.1\d of \$0.10 allowed"):
            execute.run(now, 0.1)
        assert 10 <= len(served.asked) <= 10 + 2
        assert {name for name in priced.files() if name not in before} == set()
        paid = len(served.asked)
        assert execute.run(now, 1.0).known == paid
        assert len(served.asked) == 25
    with Journal(files.private("journal.sqlite")) as journal:
        assert sum(spent.cost_usd for spent in journal.ledger(NIGHT)) == pytest.approx(0.25)


def test_all_stages_pay_from_one_purse(priced: Project, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the product has cost is not there for the judge any more."""
    with serving(answer) as served:
        point(priced, served.url, monkeypatch)
        execute.run(now, 0.3)
        with pytest.raises(BudgetError, match=r"\$0.30 allowed"):
            judge.run(now, 0.3)
        judged = [body for body in served.asked if "response_format" in body]
    assert 5 <= len(judged) <= 5 + 2 + 1


@pytest.mark.parametrize("amount", ["0", "-1", "much"])
def test_an_amount_that_is_none_is_refused(project: Project, amount: str) -> None:
    """The command takes a positive number of dollars, and says so with exit code 2."""
    found: Any = CliRunner().invoke(app, ["nightly", "--max-cost", amount])
    assert found.exit_code == 2
    assert "--max-cost" in found.output
