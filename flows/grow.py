"""Grow the evaluation set: generate candidates, wait for people, admit what they decided."""

from prefect import flow
from prefect.client.schemas.objects import State

from assay.orchestration import growth
from assay.orchestration.runs import running
from assay.orchestration.steps import recorded
from tasks.generate import generate
from tasks.review import review

STAGES = ("review", "generate")


@flow(name="grow")
def grow(env: str = "", overrides: tuple[str, ...] = ()) -> State[None]:
    """Propose new cases, wait until people have decided on them at the desk, and admit what they decided.

    Args:
        env: Environment whose params.<env>.yaml holds over params.yaml, such as staging; empty for none.
        overrides: Single values over both, each section.key=value.
    """
    with running("grow", STAGES, env, overrides, patience_s=growth.patience_s()) as now:
        batch = growth.next_batch(now, generate, review)
    if batch is None or not growth.is_awaited(batch):
        return growth.opened(batch)
    batch = growth.wait(batch)
    with running("grow", STAGES, env, overrides, patience_s=growth.patience_s()) as now:
        return growth.ended(batch, recorded(review, now))
