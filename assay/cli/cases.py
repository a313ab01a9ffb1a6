"""Commands about the cases of the last night: all that fail, and one of them whole."""

import click

from assay.cli.app import as_json, command


@command("cases")
@click.option("--failing", "is_failing", is_flag=True, help="Only cases that fail: newly, standing, not compared.")
@click.option("--fixed", "is_fixed", is_flag=True, help="Only cases that pass and failed with the baseline.")
@click.option("--unscored", "is_unscored", is_flag=True, help="Only cases without an outcome.")
@click.option("--category", default="", metavar="NAME", help="Only cases of this category.")
@as_json
def cases(*, is_failing: bool, is_fixed: bool, is_unscored: bool, category: str, is_json: bool) -> None:
    """List the last night's cases with their outcome.

    Each has since when it fails and why; the report shows the same ones.
    """
    from assay.commands import cases as run
    from assay.errors import ConfigError

    flags: dict[run.Wanted, bool] = {"failing": is_failing, "fixed": is_fixed, "unscored": is_unscored}
    wanted = [name for name, is_set in flags.items() if is_set]
    if len(wanted) > 1:
        given = " and ".join(f"--{name}" for name in wanted)
        raise ConfigError(f"{given} are given together, expected one of them at most: leave the others out")
    found = run.cases(wanted[0] if wanted else "all", category)
    click.echo(run.as_json(found) if is_json else "\n".join(run.lines(found)))


@command("case")
@click.argument("case_id")
@as_json
def case(*, case_id: str, is_json: bool) -> None:
    """Show one case of the last night, whole.

    What was asked, what a good answer is, every answer of both versions, every verdict, and since when it fails.
    """
    from assay.commands import cases as run

    found = run.case(case_id)
    if two := run.two_runs():
        click.echo(f"Not of one run: {two}.", err=True)
    click.echo(run.as_json(found) if is_json else "\n".join(run.story_lines(found)))
