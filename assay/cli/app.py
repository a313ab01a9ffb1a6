"""What every command of `assay` is made of: the program itself, and how an error reaches a person."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import click

from assay.project.distribution import DISTRIBUTION

BAD_INPUT = 2
Arguments = ParamSpec("Arguments")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name=DISTRIBUTION, prog_name="assay")
def app() -> None:
    """Evaluate an LLM product: no judged number without its certificate."""


def command(name: str) -> Callable[[Callable[Arguments, None]], click.Command]:
    """Make a command of a function: an error of ours is one sentence on stderr and exit code 2."""

    def wrap(run: Callable[Arguments, None]) -> click.Command:
        @wraps(run)
        def guarded(*args: Arguments.args, **kwargs: Arguments.kwargs) -> None:
            from assay.errors import AssayError
            from assay.project.entrypoint import be_quiet

            be_quiet()
            try:
                run(*args, **kwargs)
            except AssayError as error:
                click.echo(f"assay: {error}", err=True)
                sys.exit(BAD_INPUT)

        return app.command(name)(guarded)

    return wrap


as_json = click.option("--json", "is_json", is_flag=True, help="Print the result as JSON.")
