"""Commands about runs: the list of them, the report of one, and versions side by side."""

import json
import sys
from pathlib import Path
from typing import cast

import click

from assay.cli.app import BAD_INPUT, Finite, as_json, command, say


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


@command("compare")
@click.argument("names", nargs=-1, required=True, metavar="A B [C...]")
@click.option(
    "--map", "maps", multiple=True, metavar="ROLE=COLUMN", help="Of files: id=case,passed=verdict; good=pass."
)
@click.option("--threshold", type=Finite(), metavar="SCORE", help="Of files: a score from it on passes.")
@click.option("--max-drop", type=Finite(0, 1, min_open=True), help="Tolerated share; default: the project's.")
@click.option(
    "--weights",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Categories and their share in production: the change on that mix too.",
)
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write it as a page too.")
@click.option("--gate", "is_gated", is_flag=True, help="Exit with 1 when worse, 4 uncalibrated, 7 inconclusive.")
@as_json
def compare(
    *,
    names: tuple[str, ...],
    maps: tuple[str, ...],
    threshold: float | None,
    max_drop: float | None,
    weights: Path | None,
    page: Path | None,
    is_gated: bool,
    is_json: bool,
) -> None:
    """Say whether B is worse or better than A, case by case.

    Each is a run (the beginning of its id, `last`, a date), `baseline`, a release of the set, a revision of Git, or a
    FILE of results: CSV, JSON Lines, JSON, Parquet, or those of inspect, promptfoo, DeepEval and lm-eval. Of more than
    two each is held against the first.
    """
    from datetime import UTC, datetime

    from assay.commands import compare as run
    from assay.commands.compare_text import lines
    from assay.report.version_words import EXIT

    if len(names) < 2:  # noqa: PLR2004 - a comparison
        raise click.UsageError("name two versions or more, such as: assay compare before.csv after.csv")
    at = datetime.now(UTC)
    found = run.compare(names, at, maps=maps, threshold=threshold, max_drop=max_drop, weights=weights)
    if page:
        run.write_page(page, found)
    say([json.dumps(found.record())] if is_json else lines(found))
    if is_gated:
        sys.exit(EXIT[found.word])
