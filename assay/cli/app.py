"""What every command of `assay` is made of: the program itself, and how an error reaches a person."""

import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from functools import wraps
from math import isfinite
from typing import Any, ParamSpec

import click

from assay.project.distribution import DISTRIBUTION

BAD_INPUT = 2
INTERNAL = 70
"""As sysexits.h has it: so that 1 means a regression and nothing else."""
KEPT = "what was answered is kept, and the next run goes on from there"
Arguments = ParamSpec("Arguments")


class Finite(click.FloatRange):
    """A number within bounds, if there are any, and neither infinite nor none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401 - click's
        """Return the number."""
        found = float(super().convert(value, param, ctx))
        if not isfinite(found):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return found


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=DISTRIBUTION, prog_name="assay")
def app() -> None:
    """Evaluate an LLM product: no judged number without its certificate."""


def command(name: str, of: click.Group = app) -> Callable[[Callable[Arguments, None]], click.Command]:
    """Make a command of a function: an error of ours is one sentence on stderr and exit code 2.

    Args:
        name: Of the command.
        of: The group that it belongs to.
    """

    def wrap(run: Callable[Arguments, None]) -> click.Command:
        @wraps(run)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            from assay.errors import AssayError
            from assay.project.entrypoint import (
                INTERRUPTED,
                READER_GONE,
                TERMINATED,
                be_quiet,
                is_reader_gone,
                terminable,
            )
            from assay.text import printable

            be_quiet()
            try:
                with terminable():
                    run(*args, **kwargs)
            except AssayError as error:
                click.echo(f"assay: {printable(error)}", err=True)
                sys.exit(BAD_INPUT)
            except KeyboardInterrupt:
                click.echo(f"assay: interrupted; {KEPT}", err=True)
                sys.exit(INTERRUPTED)
            except SystemExit as ended:
                if ended.code == TERMINATED:
                    click.echo(f"assay: told to stop (SIGTERM); {KEPT}", err=True)
                raise
            except (click.ClickException, click.Abort, click.exceptions.Exit):
                raise
            except Exception as error:  # noqa: BLE001 - a bug, or the machine: never the exit code of a verdict
                if isinstance(error, BrokenPipeError) and is_reader_gone():
                    sys.exit(READER_GONE)
                click.echo(f"assay: {_internal(error)}", err=True)
                sys.exit(INTERNAL)

        return of.command(name)(guarded)

    return wrap


def say(lines: Iterable[str]) -> None:
    """Print lines for a person, each as one that a terminal prints and never obeys."""
    from assay.text import printable

    for line in lines:
        click.echo(printable(line))


def _internal(error: Exception) -> str:
    """Write down the traceback of an error that nobody foresaw; return what a person is told."""
    from assay.text import one_line

    with tempfile.NamedTemporaryFile("w", prefix="assay-", suffix=".txt", delete=False, encoding="utf8") as file:
        file.write("".join(traceback.format_exception(error)))
    where = "the machine is at fault" if isinstance(error, OSError) else "this is a bug of Assay, please report it"
    return f"{type(error).__name__}: {one_line(error)}; {where}. The traceback is in {file.name}"


as_json = click.option("--json", "is_json", is_flag=True, help="Print the result as JSON.")
