"""Budget: what will this run cost, and is that within what was allowed?

Reads the evaluation set, the labelled items and the journal's ledger; writes nothing and asks nobody.
"""

from math import inf
from typing import NamedTuple

from assay.errors import BudgetError, ConfigError
from assay.models.journal import Journal
from assay.models.limits import Limits
from assay.models.request_size import BYTES_A_TOKEN, FILE_TOKENS
from assay.project.journal import open_journal
from assay.project.params import read_params
from assay.project.tables.evalset import CASES
from assay.stages import execute, judge, judge_clients

ENOUGH_CALLS = 20
"""Calls of earlier runs from which the tokens of the next ones are foretold."""
COMPLETION_TOKENS = 300
"""Of one answer, as long as none is known."""
JUDGE_PROMPT_TOKENS = 600
"""Rubric and instructions around what is judged, as long as no call is known."""


class Tokens(NamedTuple):
    """Tokens of all calls of a stage together."""

    prompt: float
    completion: float


class Forecast(NamedTuple):
    """What a stage will cost at most, in US dollars."""

    stage: str
    calls: int
    usd: float


def check_budget(run: str, cap_usd: float) -> list[Forecast]:
    """Refuse a run that would cost more than was allowed, before anything is asked; return what it will cost at most.

    Raises:
        BudgetError: It would.
        ConfigError: What was allowed is no finite number above 0, or a stage has no declared price.
    """
    if not 0 < cap_usd < inf:
        raise ConfigError(
            f"the most that the run may cost is {cap_usd} US dollars, expected a finite number above 0: give one, or "
            "leave it out for no bound"
        )
    with open_journal() as journal:
        found = forecast(run, journal)
        paid = journal.purse(run, cap_usd).spent_usd
    total = sum(part.usd for part in found)
    if paid + total > cap_usd:
        parts = " and ".join(f"${part.usd:.2f} for {part.calls:,} calls of {part.stage}" for part in found)
        raise BudgetError(
            f"the run would cost up to {parts}, on top of ${paid:.2f} that it has cost, and ${cap_usd:.2f} is allowed: "
            "raise --max-cost, or leave it out"
        )
    return found


def forecast(run: str, journal: Journal) -> list[Forecast]:
    """Return what the product and the judge will cost tonight, at most, beyond what was paid already."""
    product, judging = read_params("execute", execute.Settings), read_params("judge", judge_clients.Settings)
    played, turns, text = 0, 0, 0
    for case in CASES.stream():
        played += product.trials
        turns += product.trials * (len(case.turns) + (case.user.max_turns if case.user else 0))
        text += product.trials * sum(map(len, (*case.turns, *case.contexts, case.inputs))) // BYTES_A_TOKEN
        text += product.trials * FILE_TOKENS * len(case.attachments)
    judged = judge.most_calls(judging, played)
    prompts = judged * (JUDGE_PROMPT_TOKENS + COMPLETION_TOKENS)
    return [
        _of_stage("execute", product, journal, run, played, Tokens(text, turns * COMPLETION_TOKENS)),
        _of_stage("judge", judging, journal, run, judged, Tokens(prompts, judged * COMPLETION_TOKENS)),
    ]


def _of_stage(stage: str, limits: Limits, journal: Journal, run: str, calls: int, guess: Tokens) -> Forecast:
    """Return a stage's forecast from what a call of it has taken so far; from the texts while too few are known."""
    if limits.price is None:
        raise ConfigError(
            f"params.yaml: {stage}.price is missing, so nobody can tell what a run costs, expected US dollars per "
            "million tokens: declare it, or leave --max-cost out"
        )
    past = [spent for spent in journal.ledger() if spent.stage == stage]
    known = sum(spent.calls for spent in past)
    if known >= ENOUGH_CALLS:
        scale = calls / known
        guess = Tokens(sum(s.prompt_tokens for s in past) * scale, sum(s.completion_tokens for s in past) * scale)
    left = max(0, calls - sum(spent.calls for spent in past if spent.run == run))
    return Forecast(stage, left, limits.price.of(*guess) * left / calls if calls else 0.0)
