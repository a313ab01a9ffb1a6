"""Commands about runs: the list of them, and the report of one."""

import json
import sys
from pathlib import Path
from typing import cast

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
@click.option(
    "--format",
    "wanted_format",
    type=click.Choice(["html", "md", "junit", "json", "otel", "parquet"]),
    default="html",
    help="md: a comment for a pull request; junit: XML; otel: OTLP logs in JSON; of the last run alone.",
)
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Where a format is written to.")
@as_json
def report(*, wanted: str, is_opened: bool, wanted_format: str, output: Path | None, is_json: bool) -> None:
    """Print where a report is, or the last run in another format.

    RUN is the beginning of its id (8 characters or more), `last`, or the date of a night that had one run. A report
    that is not here is fetched from DVC's cache or remote.
    """
    import webbrowser
    from datetime import UTC, datetime

    from assay.commands import runs as run

    if wanted_format != "html":
        _formatted(wanted, wanted_format, output)
        return
    record = run.chosen(wanted, datetime.now(UTC))
    file = run.report(record)
    click.echo(json.dumps({"run": record.run, "report": str(file)}) if is_json else str(file))
    if is_opened:
        webbrowser.open(file.as_uri())


def _formatted(wanted: str, name: str, output: Path | None) -> None:
    """Write the last run in a format, to a file or to the terminal."""
    from datetime import UTC, datetime

    from assay.commands import report_formats
    from assay.errors import ConfigError
    from assay.storage import atomic

    chosen = cast("report_formats.Format", name)
    if wanted != "last":
        raise ConfigError(f"a format is made of the last run alone, found RUN {wanted[:40]!r}: leave it out")
    if output is None and chosen in report_formats.BINARY:
        raise ConfigError(f"{name} is no text, expected a file to write it to: `--output FILE`")
    text = report_formats.formatted(chosen, datetime.now(UTC))
    if output is None:
        click.echo(text.decode(), nl=False)
    else:
        with atomic.replacing(output) as file:
            file.write(text)
        click.echo(str(output))
