"""Generate: which new cases should people look at, in the categories that are covered thinnest?

Reads the taxonomy and the evaluation set, writes candidates. Asks the generator model, once a category.
"""

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect import task
from pydantic import Field

from assay.checks import registry
from assay.clients import endpoints
from assay.clients.chat import Chat, Endpoint
from assay.clients.engine import Call, Work, answer_all
from assay.clients.journal import Journal
from assay.clients.limits import Limits
from assay.clients.said import said
from assay.errors import DataError, EndpointError
from assay.generators import prompt
from assay.generators.nearest import nearest
from assay.records import Candidate, Case, Category, digest
from tasks import consult, door, store
from tasks.progress import progress

SEVERITY = {"low": 1, "medium": 2, "high": 3, "critical": 4}
EXAMPLES = 6


class Settings(Limits):
    """The section `generate` of params.yaml."""

    model: endpoints.Model
    per_category: int = Field(ge=1, le=prompt.MAX_CASES)
    categories: int = Field(ge=1)
    near_duplicate: float = Field(gt=0, le=1)
    seed: int


def thinnest(taxonomy: Sequence[Category], cases: Sequence[Case], count: int) -> list[Category]:
    """Return the categories with the largest gap to their quota, weighted by severity; full ones come last."""
    admitted = Counter(case.category for case in cases)

    def need(category: Category) -> float:
        return SEVERITY[category.severity] * (1 - admitted[category.category] / category.quota)

    return sorted(taxonomy, key=lambda category: (-need(category), category.category))[:count]


def examples(category: Category, cases: Sequence[Case], batch: int) -> list[Case]:
    """Return a few admitted cases of the category, other ones in every batch."""
    own = [case for case in cases if case.category == category.category]
    start = batch * EXAMPLES % max(len(own), 1)
    return (own[start:] + own[:start])[:EXAMPLES]


def candidates(proposed: Sequence[tuple[Case, str]], cases: Sequence[Case], settings: Settings) -> list[Candidate]:
    """Return the proposals that are sound and new: their checks exist, and no other case is nearly the same.

    A perturbation resembles its parent on purpose, so the parent is shown as the nearest but is no duplicate.
    """
    kept: dict[str, Candidate] = {}
    for case, generator in proposed:
        there = [*cases, *(candidate.case for candidate in kept.values())]
        like = nearest(case, there)
        other = nearest(case, [one for one in there if one.case_id != case.parent])
        if other.similarity < settings.near_duplicate and _is_sound(case):
            kept[case.case_id] = Candidate(
                candidate_id=case.case_id,
                case=case,
                generator=generator,
                seed=settings.seed,
                nearest=like.case_id,
                similarity=round(like.similarity, 4),
            )
    return list(kept.values())


def _is_sound(case: Case) -> bool:
    try:
        for expectation in case.expectations:
            registry.validate(expectation)
    except DataError:
        return False
    return True


async def propose(
    settings: Settings,
    endpoint: Endpoint,
    asked: Sequence[Category],
    cases: Sequence[Case],
    journal: Journal,
    run: str,
    batch: int,
) -> list[tuple[Case, str]]:
    """Ask the generator once a category; return the cases that could be read, each with the generator's fingerprint.

    Every batch is asked for with another seed and other examples.
    """
    parameters = {"seed": settings.seed + batch}
    work = Work(run, "generate", settings.conversations, journal.purse(run, None))
    async with Chat(endpoint, settings) as chat:

        def call(category: Category) -> Call:
            shown = examples(category, cases, batch)
            known = [case for case in cases if case.category == category.category]
            messages = prompt.render(category, shown, known, count=settings.per_category)
            key = digest(["generate", endpoint.model, messages, parameters])
            return Call(
                key, lambda: said(chat, messages=messages, response_format=prompt.response_format(), **parameters)
            )

        calls = {category.category: call(category) for category in asked}
        with progress("generate", len(calls)) as step:
            await answer_all(calls.values(), journal, work, progress=step)
    answers = {category: json.loads(journal.outcome(call.key)) for category, call in calls.items()}
    failed = [answer["error"] for answer in answers.values() if "error" in answer]
    if len(failed) == len(calls):
        raise EndpointError(f"the generator {endpoint} answered for no category ({failed[0]}): mend it, then run again")
    generator = prompt.fingerprint(endpoint.model, parameters)
    found = []
    for category in asked:
        content = answers[category.category].get("content")
        proposals = prompt.parse(content, category, examples(category, cases, batch))
        found += [(case, generator) for case in proposals.cases]
    return found


@task
def generate(now: datetime) -> int:
    """Propose a batch of candidates and file them; return how many."""
    settings = store.params("generate", Settings)
    taxonomy, cases = store.taxonomy(), store.read("cases", Case)
    batch = len(cases) + store.read_json("data/evalset/manifest.json", "run `dvc repro review`")["batches"]
    with consult.consulting(settings.model) as (endpoint, journal):
        asked = thinnest(taxonomy, cases, settings.categories)
        proposed = asyncio.run(propose(settings, endpoint, asked, cases, journal, f"{now:%Y-%m-%d}", batch))
    found = candidates(proposed, cases, settings)
    store.write("candidates", found)
    return len(found)


if __name__ == "__main__":
    door.run(lambda: generate.fn(datetime.now(UTC)))
