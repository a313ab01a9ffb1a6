"""Filed fingerprints: does one that was filed earlier tell which version of the product it is of?"""

import re
from collections.abc import Callable

from assay.targets import http
from assay.targets.chat import Product
from assay.targets.settings import ChatSettings, HttpSettings, TargetSettings

USER = "+user-"
"""Begins what a fingerprint holds of the simulated user, after all that it holds of the product."""


def tells_version(fingerprint: str, settings: TargetSettings) -> bool:
    """Tell whether a filed fingerprint is of these settings, in a version that was declared or that the product told.

    It is made once more with the version that it shows: of a product without one it comes out otherwise, as it does
    for settings that have changed since. Never so of code, a Python function's or an environment's, since a
    fingerprint does not show what was hashed.
    """
    product = fingerprint.partition(USER)[0]
    shown = re.fullmatch(rf"{re.escape(settings.name)}@(.+)-[0-9a-f]{{8}}", product, re.DOTALL)
    version = shown[1] if shown else ""
    return bool(version.strip()) and _made(settings)(version) == product


def _made(settings: TargetSettings) -> Callable[[str], str]:
    """Return what makes the fingerprint of a version."""
    match settings:
        case ChatSettings(environment=""):
            return lambda version: _of_chat(settings, version)
        case HttpSettings():
            return lambda version: http.fingerprint(settings, version)
    return lambda _: ""


def _of_chat(settings: ChatSettings, version: str) -> str:
    product = Product.of(settings, version)
    return product.fingerprint(settings.model, product.offered_tools())
