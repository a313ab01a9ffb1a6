"""The command about anybody's judge: what it is worth, from flat files."""

import json
import sys
from pathlib import Path

import click

from assay.cli.app import Finite, as_json, command


@command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--judge", required=True, metavar="COLUMN", help="The judge's verdicts.")
@click.option("--human", required=True, multiple=True, metavar="COLUMN", help="An annotator's labels; repeat it.")
@click.option(
    "--labels",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Another file with the annotators' columns, joined by --id.",
)
@click.option("--swapped", default="", metavar="COLUMN", help="The judge's verdicts with the pair in the other order.")
@click.option("--slice", "slices", multiple=True, metavar="COLUMN", help="Agreement by the values of this column.")
@click.option("--id", "item", default="", metavar="COLUMN", help="Names each item; it may stand once.")
@click.option("--own", default="", metavar="COLUMN", help="Whether, or which of a pair, the judge's own model wrote.")
@click.option("--map", "maps", multiple=True, metavar="WORD=OUTCOME", help="Such as full_refusal=pass.")
@click.option(
    "--scale",
    default="",
    metavar="SCALE",
    help="pass-fail, pairwise, nominal, ordinal, shares, or a range of scores such as 1-5; else the words tell.",
)
@click.option(
    "--epsilon",
    type=Finite(min=0, max=1, max_open=True),
    default=0.1,
    show_default=True,
    help="Of the alternative annotator test: how much better people may be.",
)
@click.option("--floor", "demands", multiple=True, metavar="NAME=NUMBER", help="Another demand, such as tnr=0.6.")
@click.option("--gate", "is_gated", is_flag=True, help="Exit with 4 when a floor is missed.")
@as_json
def check(
    *,
    file: Path,
    judge: str,
    human: tuple[str, ...],
    labels: Path | None,
    swapped: str,
    slices: tuple[str, ...],
    item: str,
    own: str,
    maps: tuple[str, ...],
    scale: str,
    epsilon: float,
    demands: tuple[str, ...],
    is_gated: bool,
    is_json: bool,
) -> None:
    """Say what any judge is worth, from a flat file.

    Its verdicts lie beside people's labels in FILE, CSV or JSON Lines.
    """
    from assay.commands.check import Columns
    from assay.commands.check import check as run
    from assay.commands.check_text import lines
    from assay.report.gate import EXIT

    columns = Columns(judge=judge, human=human, swapped=swapped, slices=slices, item=item, own=own)
    found = run(file, columns, maps=maps, demands=demands, scale=scale, epsilon=epsilon, labels=labels)
    click.echo(json.dumps(found.record()) if is_json else "\n".join(lines(found)))
    if is_gated and not found.is_met:
        sys.exit(EXIT["uncalibrated"])
