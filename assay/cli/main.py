"""The command `assay`: thin, it calls flows and tasks; every import that costs time happens inside a command."""

import json
import sys
from pathlib import Path

import click

from assay.cli import cases, check, evalset, judges, labels, people, project, runs
from assay.cli.app import BAD_INPUT, Finite, app, as_json, command, say
from assay.cli.flows import load, overridable

__all__ = ["app", "cases", "check", "evalset", "judges", "labels", "people", "project", "runs"]

HOLDS_H = 36
"""Hours after which a verdict is one of another product: a night a day, and half a day for the next one to end."""
gate_too = click.option("--gate", "is_gated", is_flag=True, help="Exit with the verdict's code, as `assay gate` does.")


@command("nightly")
@click.option("--max-cost", "max_cost_usd", type=Finite(min=0, min_open=True), help="US dollars; no more.")
@click.option("--fresh", "is_fresh", is_flag=True, help="Ask everything anew, and continue no interrupted run.")
@overridable
@gate_too
@as_json
def nightly(
    *,
    max_cost_usd: float | None,
    is_fresh: bool,
    env: str,
    overrides: tuple[str, ...],
    is_gated: bool,
    is_json: bool,
) -> None:
    """Run the product, judge, calibrate, monitor, publish.

    A run that was interrupted is continued. It exits with 0 whatever the verdict, unless --gate asks for its code.
    """
    from assay.commands.status import decided
    from assay.commands.validate import require_overrides
    from assay.project.model_session import embedded_throughout
    from assay.project.results import finishing
    from assay.project.run_id import starting
    from assay.project.tables.evalset import CASES

    require_overrides(env, overrides)  # a typo on the command line begins no night: the last verdict stands
    run = starting(is_fresh=is_fresh)
    # From before the project's own flow is loaded: it may be what stops the night, and takes as long as the models.
    with finishing(run), embedded_throughout():
        load("nightly").nightly.fn(max_cost_usd, env, overrides)
    _tell(is_gated=is_gated, is_json=is_json, decided=decided(CASES.read(may_be_absent=True)))


@command("monitor")
@overridable
@gate_too
@as_json
def monitor(*, env: str, overrides: tuple[str, ...], is_gated: bool, is_json: bool) -> None:
    """Measure production signals and publish them."""
    load("monitor").monitor.fn(env, overrides)
    _tell(is_gated=is_gated, is_json=is_json)


@command("gate")
@click.option(
    "--max-age",
    "hours",
    type=click.IntRange(1, 8784),
    default=HOLDS_H,
    show_default=True,
    help="Hours a verdict holds.",
)
@as_json
def gate(*, hours: int, is_json: bool) -> None:
    """Exit with the last run's verdict.

    0 pass, 1 regression, 3 incomplete, 4 uncalibrated, 5 judge changed, 6 set changed, 7 inconclusive (2 is bad
    input). A verdict that is older than --max-age is incomplete.
    """
    _tell(is_gated=True, is_json=is_json, hours=hours)


@command("calibrate")
@click.option("--judge", "judges", multiple=True, metavar="NAME", help="Default: all that have held-out labels.")
@click.option("--label-set", default="", metavar="FRAME", help="Only labels of this sampling frame.")
@overridable
@as_json
def calibrate(
    *,
    judges: tuple[str, ...],
    label_set: str,
    env: str,
    overrides: tuple[str, ...],
    is_json: bool,
) -> None:
    """Hold judges against people's labels.

    Certificates are issued anew, on the held-out labels; `assay labels` says what to label.
    """
    from assay.errors import InsufficientDataError
    from assay.project.certificates import read_certificates
    from assay.stages.calibrate import chosen
    from assay.text import printable

    flow = load("calibrate").calibrate
    refused: dict[str, list[str]] = {}
    for judge in chosen(judges):
        try:
            state = flow.fn(judge, label_set, None, env, overrides)
        except InsufficientDataError as refusal:
            refused.setdefault(printable(refusal), []).append(printable(judge))
            continue
        if not is_json:
            click.echo(state.message)
    if is_json:
        click.echo(json.dumps({name: kept.model_dump(mode="json") for name, kept in read_certificates().items()}))
    if refused:
        click.echo("\n".join(f"assay: {', '.join(names)}: {why}" for why, names in refused.items()), err=True)
        sys.exit(BAD_INPUT)


@command("grow")
@overridable
def grow(*, env: str, overrides: tuple[str, ...]) -> None:
    """Admit what people decided, and propose new candidates.

    Candidates are proposed when nothing waits for people.
    """
    click.echo(load("grow").grow.fn(env, overrides).message)


@command("accept")
def accept() -> None:
    """Make the last run's responses the baseline.

    Later runs are compared with it. It is refused while a run is on, where the last one did not end, and where the
    responses on file are not those that the verdict is of.
    """
    from datetime import UTC, datetime

    from assay.commands.accept import accept as run
    from assay.project.run_lock import exclusive

    now = datetime.now(UTC)
    with exclusive("accept", now):
        accepted = run(now)
    say([accepted.sentence()])


@command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--set", "version", metavar="VERSION", help="The cases of this release, such as evalset@v1.2.0.")
@click.option("--format", "name", default="", metavar="FORMAT", help="The cases as another tool reads them.")
def export(*, file: Path, version: str | None, name: str) -> None:
    """Write candidates for people, or cases for other tools.

    Candidates that are open go to a .csv, .jsonl, .label-studio.json or .argilla.json FILE. With --set or --format it
    is the evaluation set, or a release of it; formats: rows, chat, openai-evals, promptfoo, inspect, deepeval, ragas,
    langsmith, langfuse.
    """
    from assay.commands import annotation, exchange
    from assay.project import releases
    from assay.text import counted

    if not version and not name:
        count = annotation.export(file)
        click.echo(f"{counted(count, 'candidate')} written to {file}: once decided, `assay import` takes it back.")
        return
    if name:
        written = exchange.give(file, name, version or "")
        click.echo("\n".join([*written.lost, f"{counted(written.cases, 'case')} written to {file}."]))
        return
    click.echo(f"{releases.export(file, version or '')} cases of {version} written to {file}.")


@command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--reviewer", default="", help="Who admits the cases (no desk), or who decided.")
@click.option("--trust", "is_trusted", is_flag=True, help="Admit the cases in your own name, as Git knows it.")
@click.option("--format", "name", default="", metavar="FORMAT", help="Another tool's cases; `auto` recognises it.")
@click.option("--category", default="", help="Of cases whose file names none.")
@click.option("--layer", type=click.Choice(["unit", "task", "production"]), default="unit", show_default=True)
@click.option("--owner", default="", help="Of the cases; default: the category's.")
@click.option(
    "--labels", "is_labels", is_flag=True, help="FILE holds labels: CSV, JSON Lines, Label Studio or Argilla."
)
@click.option("--judge", default="", metavar="NAME", help="Whose question labels answer, where FILE does not say.")
@click.option("--annotator", default="", help="Who labelled, where the file does not say.")
@click.option("--map", "maps", multiple=True, metavar="A=B", help="Label: good=pass; column: question=Frage.")
@click.option("--dry-run", "is_rehearsal", is_flag=True, help="Show the first cases as they would be; write nothing.")
def import_(
    *,
    file: Path,
    reviewer: str,
    is_trusted: bool,
    name: str,
    category: str,
    layer: str,
    owner: str,
    is_labels: bool,
    judge: str,
    annotator: str,
    maps: tuple[str, ...],
    is_rehearsal: bool,
) -> None:
    """Take in decisions, labels or cases from a file.

    A YAML FILE holds cases by hand; --format names another tool's cases, --labels says that FILE holds labels; any
    other FILE holds decisions on candidates. --reviewer, or --trust, admits cases that a release takes; others go to
    the desk.
    """
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    is_cases = not is_labels and bool(name or maps or file.suffix in (".yaml", ".yml"))
    if is_rehearsal and not is_cases:
        raise click.UsageError("--dry-run is for files of cases: name their --format, such as auto")
    if is_trusted and not is_cases:
        raise click.UsageError("--trust is for files of cases: name their --format, such as auto")
    if is_labels:
        labels.take(file, judge, annotator, maps)
    elif is_cases:
        from assay.commands import exchange

        given = exchange.filling(category, layer, owner)
        reviewer = exchange.signer(reviewer) if is_trusted else reviewer
        taken = exchange.take(
            file,
            name or (exchange.AUTO if maps else exchange.WRITTEN),
            given,
            reviewer,
            now,
            maps=maps,
            is_rehearsal=is_rehearsal,
        )
        say(exchange.lines(taken))
    else:
        from assay.commands import annotation
        from assay.text import counted

        count, left_out = annotation.take(file, reviewer, now)
        say(
            [
                *left_out,
                f"{counted(count, 'decision')} appended; once its rule is met, `assay batch go-on` ends the batch.",
            ]
        )


@command("next")
@as_json
def next_(*, is_json: bool) -> None:
    """Say what is missing for a gated verdict.

    With it comes the one command that brings it; what comes after that is listed too.
    """
    from datetime import UTC, datetime

    from assay.commands import next_step as run

    found = run.steps(datetime.now(UTC))
    say([json.dumps([step.record() for step in found])] if is_json else run.lines(found))


@command("status")
@as_json
def status(*, is_json: bool) -> None:
    """Show coverage, what waits, certificates, costs and the verdict."""
    from assay.commands.status import lines
    from assay.commands.status import status as read

    found = read()
    say([json.dumps(found)] if is_json else lines(found))


@command("doctor")
@click.option(
    "--docs", type=click.Path(file_okay=False, path_type=Path), help="Also build Great Expectations' Data Docs."
)
def doctor(*, docs: Path | None) -> None:
    """Check every table, the logs and the lock.

    Each table keeps its contract, logs are as they were signed, records of runs are whole, versions fit; parts of the
    last run that failed are named, with the file that has the traceback.
    """
    from assay.commands.doctor import examine

    say(examine(docs))


@command("serve")
@click.option("--port", type=click.IntRange(1, 65535), default=4200, show_default=True, help="Of Prefect's UI and API.")
def serve(*, port: int) -> None:
    """Start Prefect's server and serve every deployment.

    It listens on loopback, until it is stopped.
    """
    import os

    from assay.orchestration import server
    from assay.project import files

    home = files.private("prefect")
    os.environ.update(server.settings(port, home))  # Prefect reads its settings once, when it is first imported
    from assay.orchestration.serving import forever

    forever(port, home, lambda: load("serve").deployments())


def _tell(*, is_gated: bool, is_json: bool, hours: int = HOLDS_H, decided: dict[str, int] | None = None) -> None:
    """Print the gate's word with the report to open; exit with its code where that was asked for.

    Args:
        is_gated: Exit with the code.
        is_json: Print it as JSON.
        hours: How long a verdict holds.
        decided: What people have decided on cases and the set does not have, after a night; None for not to be told.
    """
    from datetime import UTC, datetime, timedelta

    from assay.commands.status import taken_in
    from assay.project import failures, whose
    from assay.project.results import basis, read_gate
    from assay.report.gate import EXIT
    from assay.text import printable

    found, report = read_gate(datetime.now(UTC), timedelta(hours=hours)), whose.report_on_file()
    is_own = report is None or report.run == found.run
    lost, two = list(map(str, failures.read())) if is_own else [], whose.two_runs()
    if is_json:
        more = {"report": str(report.file) if report else "", "report_run": report.run if report else ""}
        more |= {"two_runs": two.sentence() if two else "", "basis": basis()}
        counts = {} if decided is None else {"decided": decided}
        told = found.model_dump(mode="json") | more | counts
        click.echo(json.dumps(told | {"exit_code": EXIT[found.word], "failures": lost}))
    else:
        say([found.sentence, f"Next: {found.next}."])
        say([f"Report{'' if is_own else report.whose(found.run)}: {report.file}"] if report else [])
        say([f"Not of one run: {two.sentence()}."] if two else [])
        say(taken_in(decided or {}))
        say([f"Answers: {found.answers}."] if found.answers else [])
        for failure in lost:
            click.echo(f"Not whole: {printable(failure)}. `assay doctor` says where its traceback is.", err=True)
    if is_gated:
        sys.exit(EXIT[found.word])


if __name__ == "__main__":
    app()
