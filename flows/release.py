"""Release the evaluation set: freeze it under a version, push the data, tag the commit."""

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.states import Completed

from assay.evalset.versions import Asked
from assay.orchestration.runs import running
from tasks.release import release as release_task


@flow(name="release", flow_run_name="release-{bump}")
def release(notes: str, bump: Asked = "auto", env: str = "", overrides: tuple[str, ...] = ()) -> State[None]:
    """Release the evaluation set as it is.

    Args:
        notes: What changed and why, in a sentence or more.
        bump: `auto` takes what the rule demands: major when a case is gone or asks or expects something else, minor
            when cases were added, patch otherwise. More than that may be asked for.
        env: Environment whose params.<env>.yaml holds over params.yaml, such as staging; empty for none.
        overrides: Single values over both, each section.key=value.
    """
    with running("release", ("release",), env, overrides) as now:
        return Completed(name="Released", message="\n".join(release_task(bump, notes, now)))
