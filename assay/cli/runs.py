"""Commands about runs: the list of them, and the report of one."""

import json

import click

from assay.cli.app import as_json, command


@command("runs")
@click.option("--last", type=click.IntRange(min=1), help="Only so many, the newest.")
@as_json
def runs(*, last: int | None, is_json: bool) -> None:
    """List the runs, the newest first.

    Of each: the beginning of its id, when it began, its verdict, its target, how many answers it asked for and kept,
    what it cost, and whether its files are still archived.
    """
    from assay.commands import runs as run

    found = run.listed(last)
    click.echo(json.dumps([run.row(one) for one in found]) if is_json else "\n".join(run.lines(found)))


@command("report")
@click.argument("wanted", default="last", metavar="[RUN]")
@click.option("--open", "is_opened", is_flag=True, help="Open it in the browser too.")
@as_json
def report(*, wanted: str, is_opened: bool, is_json: bool) -> None:
    """Print where the report of a run is.

    RUN is the beginning of its id, `last`, or the date of a night that had one run. A report that is not here is
    fetched from DVC's cache or remote.
    """
    import webbrowser

    from assay.commands import runs as run

    record = run.chosen(wanted)
    file = run.report(record)
    click.echo(json.dumps({"run": record.run, "report": str(file)}) if is_json else str(file))
    if is_opened:
        webbrowser.open(file.as_uri())
