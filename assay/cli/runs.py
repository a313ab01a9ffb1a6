"""Commands about runs: the list of them, and the report of one."""

import json
import sys

import click

from assay.cli.app import BAD_INPUT, as_json, command, say


@command("runs")
@click.option("--last", type=click.IntRange(min=1), help="Only so many, the newest.")
@as_json
def runs(*, last: int | None, is_json: bool) -> None:
    """List the runs, the newest first.

    Of each: the beginning of its id, when it began, its verdict, its target, how many answers it asked for and kept,
    what it cost, and whether its files are still archived. It exits with 2 where a record is damaged; the other runs
    are listed all the same.
    """
    from datetime import UTC, datetime

    from assay.commands import runs as run
    from assay.text import printable

    found = run.listed(datetime.now(UTC), last)
    say([json.dumps([run.row(one) for one in found.runs])] if is_json else run.lines(found.runs))
    for fault in found.damaged:
        click.echo(f"assay: {printable(fault)}", err=True)
    if found.damaged:
        sys.exit(BAD_INPUT)


@command("report")
@click.argument("wanted", default="last", metavar="[RUN]")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser too.")
@as_json
def report(*, wanted: str, is_opened: bool, is_json: bool) -> None:
    """Print where the report of a run is.

    RUN is the beginning of its id (8 characters or more), `last`, or the date of a night that had one run. A report
    that is not here is fetched from DVC's cache or remote.
    """
    import webbrowser
    from datetime import UTC, datetime

    from assay.commands import runs as run

    record = run.chosen(wanted, datetime.now(UTC))
    file = run.report(record)
    click.echo(json.dumps({"run": record.run, "report": str(file)}) if is_json else str(file))
    if is_opened:
        webbrowser.open(file.as_uri())
