"""Commands about versions of the evaluation set: release, diff, merge, health."""

import json
import sys

import click

from assay.cli.app import BAD_INPUT, as_json, command
from assay.cli.flows import load, overridable


@command("release")
@click.option(
    "--bump",
    type=click.Choice(["auto", "major", "minor", "patch"]),
    default="auto",
    show_default=True,
    help="At least what the changes demand.",
)
@click.option("--notes", required=True, metavar="TEXT", help="What changed and why, in a sentence or more.")
@click.option("--dry-run", "is_rehearsal", is_flag=True, help="Show all of it and change nothing.")
@overridable
@as_json
def release(*, bump: str, notes: str, is_rehearsal: bool, env: str, overrides: tuple[str, ...], is_json: bool) -> None:
    """Freeze the evaluation set under the next version.

    It is held against its contract, gets notes, is pushed, committed and tagged.
    """
    from datetime import UTC, datetime
    from typing import cast

    from assay.evalset.versions import Asked
    from assay.stages import release as run

    asked = cast("Asked", bump)
    if is_rehearsal:
        found = run.plan(asked, notes, datetime.now(UTC))
        click.echo(json.dumps(found.record()) if is_json else "\n".join(run.lines(found)))
        sys.exit(BAD_INPUT if found.breaches else 0)
    said = load("release").release.fn(notes, asked, env, overrides).message or ""
    click.echo(json.dumps({"release": run.current(), "steps": said.splitlines()}) if is_json else said)


@command("diff")
@click.argument("before", required=False)
@click.argument("after", required=False)
@as_json
def diff(*, before: str | None, after: str | None, is_json: bool) -> None:
    """Show what differs between two releases.

    Case by case and word by word, such as v1.2.0 and v1.4.0. Left out, BEFORE is the last release and AFTER the
    working set.
    """
    from assay.evalset.diff import lines
    from assay.project.releases import compare

    found = compare(before, after)
    click.echo(found.model_dump_json() if is_json else "\n".join(lines(found)))


@command("merge")
@as_json
def merge(*, is_json: bool) -> None:
    """Join what two Git branches decided and ran.

    For when `git merge` has stopped at decisions, labels, or what nights filed in data/calibration and data/reports.
    """
    from datetime import UTC, datetime

    from assay.commands import merge as run
    from assay.project import code_lock
    from assay.project.dvc import recording
    from assay.project.run_lock import exclusive
    from assay.stages import review

    size = None
    with exclusive("merge", datetime.now(UTC)):
        merged = run.merge()
        if merged.is_set_moved and not merged.left:
            code_lock.refresh()
            with recording("review"):
                size = review.run()
            run.stage()
    shown = merged._asdict() | {"cases": size}
    click.echo(json.dumps(shown) if is_json else "\n".join(run.lines(merged, size)))


@command("health")
@as_json
def health(*, is_json: bool) -> None:
    """Propose cases to retire or to make harder.

    Each has its reason; a person decides.
    """
    from assay.commands.health import health as examine
    from assay.commands.health import lines

    found = examine()
    click.echo(found.model_dump_json() if is_json else "\n".join(lines(found)))
