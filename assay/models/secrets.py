"""Secrets: taken out of what endpoints send, before anybody can quote or store it.

An endpoint may repeat the headers that it was sent, in a refusal or in the middle of an answer, and a product what it
finds in its environment.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

SHORTEST = 8
"""Characters of a secret; a shorter one, such as the `none` that local servers want, may be a word of any answer."""
SURELY = 16
"""Characters of a secret that nothing but the name of its variable gives away."""
NAMED = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|CREDENTIALS?)$", re.IGNORECASE)
SHOWN = "(the key)"
TRIPLE, QUARTET = 3, 4
"""Bytes that base64 writes at once, and the characters that it makes of them."""


class Secrets:
    """Texts that nothing may repeat, in every spelling that an endpoint may give them."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Prepare the spellings: as it is, in JSON, in an address, in base64."""
        self._texts = sorted(filter(None, secrets), key=len, reverse=True)
        self._long = [text for text in self._texts if len(text) >= SHORTEST]
        spelt = {spelling for text in self._long for spelling in _spellings(text)}
        self._spellings = sorted(spelt, key=len, reverse=True)

    def removed(self, body: bytes) -> bytes:
        """Return the bytes without the secrets."""
        for spelling in self._spellings:
            if spelling in body:
                body = body.replace(spelling, SHOWN.encode())
        return body

    def removed_from(self, value: Any) -> Any:  # noqa: ANN401 - any JSON value
        """Return a JSON value without the secrets, those too that only came together when it was read."""
        if not self._long:
            return value
        if isinstance(value, str):
            return self.removed(value.encode(errors="surrogatepass")).decode(errors="surrogatepass")
        if isinstance(value, list):
            return [self.removed_from(one) for one in value]
        if isinstance(value, dict):
            return {self.removed_from(name): self.removed_from(one) for name, one in value.items()}
        return value

    def hidden(self, text: str) -> str:
        """Return a sentence of ours without the secrets, the short ones too."""
        for secret in self._texts:
            text = text.replace(secret, SHOWN)
        return self.removed(text.encode(errors="surrogatepass")).decode(errors="surrogatepass")


def of_environment(environ: Mapping[str, str]) -> Secrets:
    """Return the values of those variables whose names say that they are secret."""
    return Secrets(value for name, value in environ.items() if NAMED.search(name) and len(value) >= SURELY)


def _spellings(secret: str) -> Iterator[bytes]:
    yield secret.encode()
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret)[1:-1].replace("/", "\\/").encode()
    yield quote(secret, safe="").encode()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        for before in range(TRIPLE):
            # What stands before and after a secret decides its first and last characters; the middle is the same.
            written = encode(b"\0" * before + secret.encode()).rstrip(b"=")
            middle = written[QUARTET if before else 0 : len(written) - (before + len(secret.encode())) % TRIPLE]
            if len(middle) >= SHORTEST:
                yield middle
