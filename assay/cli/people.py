"""Commands of people who decide: the desk, what becomes of the open batch, retirement."""

import click

from assay.cli.app import command


@command("desk")
@click.option("--port", type=click.IntRange(1, 65535), default=8200, show_default=True)
@click.option("--invite", metavar="NAME", help="Give somebody a token, shown once, instead.")
@click.option("--adjudicator", "may_settle", is_flag=True, help="They may have the last word where reviewers disagree.")
@click.option("--strike", metavar="NAME", help="Take somebody off the list instead.")
def desk(*, port: int, invite: str | None, may_settle: bool, strike: str | None) -> None:
    """Show the page on which people decide and label.

    It listens on loopback, until it is stopped.
    """
    from assay.commands import desk as run
    from assay.orchestration.batch_events import act

    if invite:
        token = run.people().invite(invite, "adjudicator" if may_settle else "reviewer")
        click.echo(f"{invite} signs in with this token, which is shown only now: {token}")
    elif strike:
        run.people().strike(strike)
        click.echo(f"{strike} is off the list.")
    else:
        run.serve(port, act)


@command("batch")
@click.argument("action", type=click.Choice(["go-on", "close-early", "extend", "abandon"]))
@click.option("--reviewer", required=True, help="Who decides.")
@click.option("--note", default="", help="Why; only `go-on` needs none.")
@click.option("--days", type=float, default=0, help="By how many days to extend.")
def batch(*, action: str, reviewer: str, note: str, days: float) -> None:
    """End or extend the open batch of candidates.

    `go-on` ends it once its rule is met, the others whenever you say why.
    """
    from datetime import UTC, datetime
    from typing import cast

    from assay.orchestration.batch_events import act
    from assay.stages.batches import Action

    word = cast("Action", action.replace("-", " "))
    click.echo(act(word, reviewer, note, datetime.now(UTC), days))


@command("retire")
@click.argument("case_ids", nargs=-1, required=True, metavar="CASE_ID...")
@click.option("--reviewer", required=True, help="Who decides.")
@click.option("--reason", required=True, help="Why, in a sentence.")
def retire(*, case_ids: tuple[str, ...], reviewer: str, reason: str) -> None:
    """Take cases out of the evaluation set.

    `assay health` proposes some; the next `assay grow` does it.
    """
    from datetime import UTC, datetime

    from assay.commands import accept

    signed = accept.retire(case_ids, reviewer, reason, datetime.now(UTC))
    click.echo(f"{signed} retirement{'s' if signed > 1 else ''} signed; `assay grow` carries them out.")
    for line in accept.below_quota(case_ids):
        click.echo(line)
