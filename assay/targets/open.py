"""Opening the product that params.yaml describes: started when it says how, asked its version, closed at the end."""

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from urllib.parse import urlsplit

from assay.errors import ConfigError
from assay.models import process
from assay.models.chat import Chat, Endpoint
from assay.models.limits import Limits
from assay.models.modes import Way
from assay.models.secrets import of_environment
from assay.models.transport import Wire
from assay.targets import probe
from assay.targets.chat import ChatTarget, Product
from assay.targets.conversation import Target, User
from assay.targets.environment import environment
from assay.targets.http import HttpTarget
from assay.targets.product_code import ProductSource
from assay.targets.python import PythonTarget
from assay.targets.recorded import RecordedTarget
from assay.targets.settings import (
    VARIABLE,
    ChatSettings,
    HttpSettings,
    PythonSettings,
    RecordedSettings,
    TargetSettings,
)
from assay.targets.workers import Workers

URL_KEY = "execute.target.url"
"""Where the address of an HTTP product stands in params.yaml."""


@asynccontextmanager
async def opened(
    settings: TargetSettings,
    environ: Mapping[str, str],
    *,
    limits: Limits,
    way: Way = Chat,
    user: User | None = None,
) -> AsyncIterator[Target]:
    """Yield the target that the parameters describe, ready to be asked.

    Args:
        settings: The section `execute.target` of params.yaml.
        environ: Where the keys are.
        limits: How hard it may be asked.
        way: Opens a chat endpoint in the mode of the limits; no other kind of target has the Batch API.
        user: Plays the simulated users of cases that have one; its fingerprint becomes part of the target's.

    Raises:
        EndpointError: The product cannot be started or asked.
        ConfigError: The parameters are at fault.
        DataError: Recorded answers are damaged.
    """
    match settings:
        case ChatSettings():
            target = _chat(settings, environ, limits, way, user)
        case _ if limits.mode == "batch":
            raise no_batch(settings.kind)
        case HttpSettings():
            target = _http(settings, environ, limits, user)
        case PythonSettings():
            target = _python(settings, environ, limits, user)
        case RecordedSettings():
            yield RecordedTarget(settings.name, Path(settings.path))
            return
    async with target as found:
        yield found


def no_batch(kind: str) -> ConfigError:
    """Return the refusal of a mode that only a chat endpoint has."""
    return ConfigError(f"execute.mode is 'batch', but a target of kind {kind!r} has no Batch API: leave mode out")


@asynccontextmanager
async def _chat(
    settings: ChatSettings,
    environ: Mapping[str, str],
    limits: Limits,
    way: Way,
    user: User | None,
) -> AsyncIterator[Target]:
    key = environ.get(settings.api_key_env, "") if settings.api_key_env else ""
    make = environment(settings.environment, settings.root)
    source = ProductSource(f"{settings.environment}:Environment", settings.root) if settings.environment else None
    with process.running(settings.base_url, settings.start, folder=settings.root) as address:
        endpoint = Endpoint(base_url=address, model=settings.model, api_key=key)
        async with way(endpoint, limits) as chat:
            headers = {"Authorization": f"Bearer {key}"} if key else {}
            code = source.read() if source else None
            version = await _version(settings, address, headers, limits, (key,))
            product = Product.of(settings, version, world=make, world_code=code)
            is_priced = limits.price is not None
            target = ChatTarget(product, chat, deadline_s=limits.deadline_s, user=user, is_priced=is_priced)
            with closing(target):
                yield target


@asynccontextmanager
async def _http(
    settings: HttpSettings,
    environ: Mapping[str, str],
    limits: Limits,
    user: User | None,
) -> AsyncIterator[Target]:
    secrets = header_secrets(settings, environ)
    headers = {"Content-Type": "application/json"} | {
        name: VARIABLE.sub(lambda found: secrets[found[1]], text) for name, text in settings.headers.items()
    }
    parts = urlsplit(settings.url)
    origin = f"{parts.scheme}://{parts.netloc}"
    with process.running(origin, settings.start, folder=settings.root) as address:
        hidden = tuple(secrets.values())
        version = await _version(settings, address, headers, limits, hidden)
        wire = Wire(address, limits, name=f"{settings.name} at {address}", key=URL_KEY, secrets=hidden)
        url = address + settings.url.removeprefix(origin)
        try:
            yield HttpTarget(settings, wire, url=url, headers=headers, version=version, price=limits.price, user=user)
        finally:
            await wire.close()


@asynccontextmanager
async def _python(
    settings: PythonSettings, environ: Mapping[str, str], limits: Limits, user: User | None
) -> AsyncIterator[Target]:
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        cache = Path(folder, "code.json")
        workers = Workers(
            ProductSource(settings.function, settings.root, settings.data, cache=cache),
            processes=settings.processes,
            deadline_s=limits.deadline_s,
            max_bytes=settings.max_bytes,
            secrets=of_environment(environ),
        )
        try:
            version = await workers.open()
            yield PythonTarget(settings, workers, version, price=limits.price, user=user)
        finally:
            await workers.close()


async def _version(
    settings: ChatSettings | HttpSettings,
    address: str,
    headers: Mapping[str, str],
    limits: Limits,
    secrets: tuple[str, ...],
) -> str:
    key = URL_KEY if isinstance(settings, HttpSettings) else "base_url"
    wire = Wire(address, limits, name=address, key=key, secrets=secrets)
    try:
        return await probe.version(settings.version, wire, address, headers)
    finally:
        await wire.close()


def header_secrets(settings: HttpSettings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the headers name, with their values.

    Raises:
        ConfigError: One is not set, or holds what no header can carry.
    """
    return {name: _secret(name, environ) for text in settings.headers.values() for name in VARIABLE.findall(text)}


def _secret(name: str, environ: Mapping[str, str]) -> str:
    found = environ.get(name, "")
    if not found:
        raise ConfigError(f"execute.target.headers name the variable {name}, which is not set: set it")
    if not (found.isascii() and found.isprintable()):
        raise ConfigError(
            f"the variable {name} holds a character that no header can carry, expected plain ASCII on one line: "
            "set it again"
        )
    return found
