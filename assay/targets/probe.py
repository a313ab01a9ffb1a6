"""Asking a product which version of it is running."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from assay.errors import CallError, EndpointError
from assay.models.transport import Sent, Wire
from assay.targets import json_path, json_text
from assay.targets.settings import Probe, Version

OK = 200
LONGEST = 80


async def version(declared: Version, wire: Wire, base_url: str, headers: Mapping[str, str]) -> str:
    """Return the version as declared, or as the product tells it.

    Args:
        declared: The version, or where to ask for it.
        wire: The connections to the product.
        base_url: Any address of the product; the path of the probe is on its host.
        headers: Sent along, such as the key.

    Raises:
        EndpointError: The product does not tell it.
    """
    if isinstance(declared, str):
        return declared
    address = urlsplit(base_url)
    url = f"{address.scheme}://{address.netloc}{declared.path}"
    try:
        return await wire.send("GET", url, headers=headers, is_harmless=True, read=lambda sent: _read(declared, sent))
    except CallError as error:
        raise EndpointError(
            f"{url} told no version ({wire.quoted(error)}), expected one at {declared.find or 'its body'}: "
            "correct execute.target.version"
        ) from error


def _read(probe: Probe, sent: Sent) -> str:
    if sent.status != OK:
        raise CallError("refused-request", f"HTTP {sent.status}")
    try:
        found = json_path.find(probe.find, json_text.load(sent.body)) if probe.find else [sent.body.decode()]
    except ValueError as error:
        raise CallError("malformed", str(error)) from error
    text = str(found[0]).strip() if len(found) == 1 and isinstance(found[0], str | int | float) else ""
    if not 0 < len(text) <= LONGEST or not text.isprintable():
        raise CallError("malformed", f"found {str(found)[:LONGEST]}")
    return text
