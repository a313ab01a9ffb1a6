"""Serve the sample product: `python -m examples.support --port 8801`.

The environment variable SUPPORT_API_KEY, when set, is the key that callers must send.
"""

import argparse
import os

import uvicorn

from examples.support.assistant import VERSIONS, assistant
from examples.support.server import application


def main() -> None:
    """Read the port, index the handbook and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m examples.support", description="Serve the Pantry Lane assistant.")
    parser.add_argument("--port", type=int, default=8801)
    arguments = parser.parse_args()
    for version in VERSIONS:
        assistant(version)
    uvicorn.run(
        application(os.environ.get("SUPPORT_API_KEY", "")), host="127.0.0.1", port=arguments.port, log_level="warning"
    )


if __name__ == "__main__":
    main()
