"""Commands about labels: what people should label next for a judge, and what they said."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.cli.app import Finite, app, as_json, command

if TYPE_CHECKING:
    from assay.commands.label_sampling import Plan
    from assay.judges.prompt import JudgePrompt

of_judge = click.option("--judge", default="", metavar="NAME", help="Default: the only one that needs labels.")
half_width_too = click.option(
    "--half-width",
    type=Finite(0, 1, min_open=True, max_open=True),
    help="Of the corrected pass rate, as a share; default: 0.05.",
)
count_too = click.option(
    "--labels", "count", type=click.IntRange(min=1), help="So many of tonight's in all, whatever the half-width."
)


@app.group("labels")
def labels() -> None:
    """Have people label what a judge judges."""


@command("plan", labels)
@of_judge
@half_width_too
@count_too
@as_json
def plan(*, judge: str, half_width: float | None, count: int | None, is_json: bool) -> None:
    """Say what to label next for a judge.

    Of what it judged tonight, or of production, so many that the pass rate as people would have it is known to within
    the half-width; for a judge of pairs as many as its floors need.
    """
    made, _ = _planned(judge, half_width, count)
    _tell(made, 0, is_json=is_json)


@command("draw", labels)
@of_judge
@half_width_too
@count_too
@click.option(
    "--out",
    "sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="For people elsewhere: .csv, .jsonl, .label-studio.json or .argilla.json; default: they wait at the desk.",
)
@as_json
def draw(*, judge: str, half_width: float | None, count: int | None, sheet: Path | None, is_json: bool) -> None:
    """Draw what is planned, for people to label.

    At random, and how each was drawn is kept. People see what the judge sees, and not what it says.
    """
    from assay.commands.label_sampling import draw as run

    made, of = _planned(judge, half_width, count)
    drawn = run(made, of, sheet)
    _tell(made, drawn, is_json=is_json)
    if is_json:
        return
    if not drawn:
        click.echo(f"0 drawn: the {sum(made.drawn.values())} that are drawn already are what was asked for.")
    elif sheet:
        back = f"`assay labels import {sheet} --judge {made.judge}`"
        click.echo(f"{drawn} drawn and written to {sheet}: have people label them, then {back}.")
    else:
        click.echo(f"{drawn} drawn: they wait at the desk, `assay desk`.")


@command("import", labels)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--judge", default="", metavar="NAME", help="Whose question was answered, where the file does not say.")
@click.option("--annotator", default="", help="Who labelled, where the file does not say.")
@click.option("--map", "maps", multiple=True, metavar="WORD=LABEL", help="What a word means, such as good=pass.")
def import_(*, file: Path, judge: str, annotator: str, maps: tuple[str, ...]) -> None:
    """Take in what people said in a file.

    CSV, JSON Lines, or an export of Label Studio or Argilla, in the words of the judge's scale.
    """
    take(file, judge, annotator, maps)


def take(file: Path, judge: str, annotator: str, maps: tuple[str, ...]) -> None:
    """Append the labels of a file, and print how many, and how many of them are new."""
    from datetime import UTC, datetime

    from assay.commands.labels import take as run

    taken = run(file, judge, annotator, maps, datetime.now(UTC))
    click.echo("\n".join([*taken.left_out, taken.sentence()]))


def _planned(name: str, half_width: float | None, count: int | None) -> "tuple[Plan, JudgePrompt]":
    from assay.commands.label_sampling import plan as run
    from assay.commands.labels import chosen

    judge = chosen(name)
    return run(judge, half_width, count), judge


def _tell(made: "Plan", drawn: int, *, is_json: bool) -> None:
    from assay.commands.label_sampling import lines, record

    click.echo(json.dumps(record(made, drawn)) if is_json else "\n".join(lines(made)))
