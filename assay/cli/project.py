"""Commands about the project itself: init, upgrade, lock, repro."""

import sys
from pathlib import Path

import click

from assay.cli.app import BAD_INPUT, command, say

KINDS = ("python", "http", "openai", "recorded")


@command("init")
@click.argument("folder", default=".", type=click.Path(path_type=Path))
@click.option("--target", "kind", type=click.Choice(KINDS), help="How your product is asked; python where left out.")
@click.option(
    "--from", "source", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Cases to take in."
)
@click.option("--sample", "is_sample", is_flag=True, help="The sample project, with a planted regression, instead.")
def init(*, folder: Path, kind: str | None, source: Path | None, is_sample: bool) -> None:
    """Make a project in FOLDER, ready for its first night.

    It initialises Git and DVC where they are not there, and never overwrites a file. --from takes in the cases of
    promptfoo, inspect, OpenAI Evals and others; --sample makes a project with a product to look around in.
    """
    from datetime import UTC, datetime
    from typing import cast

    from assay.commands import init as run
    from assay.errors import ConfigError
    from assay.project.scaffold import Kind

    if is_sample and (kind or source):
        raise ConfigError("--sample is given with --target or --from, expected it alone: leave the others out")
    if is_sample:
        made = run.init_sample(folder)
    else:
        made = run.init(folder, cast("Kind", kind or "python"), source, datetime.now(UTC))
    click.echo("\n".join(run.lines(made)))


@command("upgrade")
@click.option(
    "--diff", "name", default="", metavar="FILE", help="Show how FILE differs from the tool's, and change nothing."
)
def upgrade(*, name: str) -> None:
    """Write again what the tool writes into a project.

    dvc.yaml follows the stages and params.yaml, assay.lock the code; flows and tasks that nobody has changed are
    this version's, and what is missing comes back. What is yours stays, and is named.
    """
    from assay.commands import upgrade as run

    if name:
        click.echo(run.difference(name) or f"{name} is what this version writes.", nl=False)
        return
    is_changed = False
    for line in run.changes():
        is_changed = True
        say([line])
    if not is_changed:
        click.echo("nothing to do: everything is as this version writes it")


@command("lock")
@click.option("--check", "is_check", is_flag=True, help="Change nothing; exit with 2 when it is stale.")
def lock(*, is_check: bool) -> None:
    """Refresh assay.lock, the fingerprints of the code."""
    from assay.project import code_lock

    differences = code_lock.changes() if is_check else code_lock.refresh()
    if differences and is_check:
        click.echo(f"assay: {'; '.join(differences)}: run `assay lock` and commit {code_lock.LOCK}", err=True)
        sys.exit(BAD_INPUT)
    click.echo(f"{code_lock.LOCK} is {'fresh' if not differences else 'written'}.")


@command("repro")
@click.argument("stages", nargs=-1)
def repro(*, stages: tuple[str, ...]) -> None:
    """Run `dvc repro` with a fresh assay.lock.

    What changed since it last ran is run again, STAGES alone where some are named.
    """
    from assay.commands.repro import repro as run

    sys.exit(run(stages))
