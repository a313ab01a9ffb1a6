"""Commands about the project's judges: which there are, a new one, a trial of one, two side by side."""

import json
from pathlib import Path

import click

from assay.cli.app import app, as_json, command, say


@app.group("judges", invoke_without_command=True)
@click.pass_context
def judges(context: click.Context) -> None:
    """List the judges, make a new one, try or compare some."""
    if context.invoked_subcommand is None:
        context.invoke(listing, is_json=False)


@command("list", judges)
@as_json
def listing(*, is_json: bool) -> None:
    """List the judges: what each is asked, of how many cases, and what it is worth."""
    from datetime import UTC, datetime

    from assay.commands import judges as run

    found = run.listed(datetime.now(UTC))
    say([json.dumps([one.record() for one in found])] if is_json else run.lines(found))


@command("new", judges)
@click.argument("name")
@click.option(
    "--question",
    type=click.Choice(["pass-fail", "labels", "score", "pairwise"]),
    default="pass-fail",
    show_default=True,
)
@click.option("--rubric", default="", metavar="TEXT", help="What it goes by; left out, rubric.md has a place for it.")
def new(*, name: str, question: str, rubric: str) -> None:
    """Write the folder of a new judge, `data/judges/NAME`: a rubric and a declaration to fill in."""
    from assay.commands import judges as run

    say(run.new(name, question, rubric))


@command("show", judges)
@click.argument("name")
@as_json
def show(*, name: str, is_json: bool) -> None:
    """Show a judge as it is asked: its declaration, and the whole prompt around empty texts."""
    from assay.commands import judges as run

    found = run.shown(name)
    click.echo(json.dumps(found)) if is_json else say(run.shown_lines(found))


@command("try", judges)
@click.argument("name")
@click.option(
    "--item",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="JSON Lines, one item a line, with the judge's inputs by name.",
)
@click.option("--case", "case_ids", multiple=True, metavar="CASE_ID", help="Tonight's answer to this case; repeat it.")
@as_json
def try_(*, name: str, file: Path | None, case_ids: tuple[str, ...], is_json: bool) -> None:
    """Ask a judge about a few items: prompt, raw reply, verdict, rationale and cost of each; nothing is filed."""
    from assay.commands import judge_trial as run

    found = run.try_out(name, file, case_ids)
    say([json.dumps([one.record() for one in found])] if is_json else run.lines(found))


@command("compare", judges)
@click.argument("first")
@click.argument("second")
@click.option("--show", "shown", type=click.IntRange(min=0), default=10, show_default=True, help="Disagreements shown.")
@as_json
def compare(*, first: str, second: str, shown: int, is_json: bool) -> None:
    """Hold two judges side by side on the labels that judges may be tuned on.

    Both are asked about the same items, so that the difference is paired: rubrics, prompts or models, each as a folder.
    Held-out labels are not looked at.
    """
    from datetime import UTC, datetime

    from assay.commands import judge_comparison as run

    found = run.compare(first, second, datetime.now(UTC))
    say([json.dumps(found.record())] if is_json else run.lines(found, shown))
