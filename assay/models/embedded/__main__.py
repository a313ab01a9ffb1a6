"""Serve the embedded models: `python -m assay.models.embedded --port N [--items FILE --labels FILE --judge NAME]`.

They are there without key or network, behind the protocol that every other model is asked by. They are small programs
and not language models; what each can and cannot do stands at the top of its module. Only the judge is fitted
to labelled items, by the labels for the judges named; without them it goes by what the sample product's labels gave.
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import uvicorn

from assay.errors import AssayError, ConfigError
from assay.models.embedded.lexical import LexicalJudge
from assay.models.embedded.server import application, embedded_models
from assay.models.embedded.tuning import majority, read
from assay.records.label import Item, Label

HOST = "127.0.0.1"
LAST_PORT = 65535


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 when stopped, 2 when it refuses to start."""
    parser = argparse.ArgumentParser(prog="python -m assay.models.embedded", description="Serve the embedded models.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--items", type=Path, help="JSON Lines of labelled items, for the judge")
    parser.add_argument("--labels", type=Path, help="JSON Lines of labels; only the split `tune` is used")
    parser.add_argument("--judge", action="append", default=[], help="whose labels count; may stand several times")
    arguments = parser.parse_args(argv)
    try:
        models = embedded_models(_judge(arguments.items, arguments.labels, arguments.judge))
        listener = _listen(arguments.port)
    except AssayError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    with listener:
        config = uvicorn.Config(application(models), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listener])
    return 0


def _judge(items: Path | None, labels: Path | None, judges: Sequence[str]) -> LexicalJudge:
    if items is None and labels is None:
        return LexicalJudge.fit([])
    if items is None or labels is None:
        raise ConfigError("found one of --items and --labels, expected both, or neither for a judge without labels")
    return LexicalJudge.fit(majority(read(items, Item), read(labels, Label), judges))


def _listen(port: int) -> socket.socket:
    if not 0 < port <= LAST_PORT:
        raise ConfigError(f"port {port}: expected 1 to {LAST_PORT}; choose another with --port")
    try:
        return socket.create_server((HOST, port))
    except OSError as error:
        raise ConfigError(
            f"port {port} of {HOST}: {error}, expected a free port; choose another with --port"
        ) from error


if __name__ == "__main__":
    sys.exit(main())
