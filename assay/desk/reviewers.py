"""Who may sit at the desk: people by name, each with a token that is shown once and kept as its hash.

A token opens a session; a session is a signed cookie, so it outlives a restart of the desk. Whoever is struck off the
list is out at the next request.
"""

import hashlib
import hmac
import json
import secrets
from pathlib import Path
from typing import Literal

from itsdangerous import BadData, TimestampSigner
from pydantic import ValidationError

from assay.errors import ConfigError
from assay.records.record import Name, Record
from assay.storage import atomic

Role = Literal["reviewer", "adjudicator"]
SESSION_S = 14 * 86_400
"""How long a session holds."""
KEY_BYTES = 32


class Person(Record):
    """Somebody with a token."""

    name: Name
    role: Role
    """An adjudicator may also have the last word where two reviewers disagree."""
    token: str
    """SHA-256 of the token, hexadecimal: tokens are long and random, so nothing slower is needed."""


class People:
    """The list of people, in one file beside the key that signs their sessions."""

    def __init__(self, folder: Path) -> None:
        """Open the list in a private folder; there is none yet in a new project."""
        self._file, self._key_file = folder / "people.json", folder / "key"
        self._read: tuple[int, dict[str, Person]] = (-1, {})

    def invite(self, name: str, role: Role) -> str:
        """Put somebody on the list, or give them a new token; return the token, which is kept nowhere.

        Raises:
            ConfigError: The name is none that a log could hold.
        """
        token = secrets.token_urlsafe(24)
        try:
            person = Person(name=name, role=role, token=_hash(token))
        except ValidationError as error:
            raise ConfigError(
                f"the name is {name[:80]!r}, expected lower-case letters, digits, dots and dashes, such as ann: choose "
                "it again"
            ) from error
        self._write(self.all() | {name: person})
        return token

    def strike(self, name: str) -> None:
        """Take somebody off the list.

        Raises:
            ConfigError: Nobody of that name is on it.
        """
        people = self.all()
        if name not in people:
            raise ConfigError(f"nobody is called {name[:80]!r}, expected one of {', '.join(people) or 'nobody'}")
        self._write({other: person for other, person in people.items() if other != name})

    def all(self) -> dict[str, Person]:
        """Return everybody on the list by name."""
        if not self._file.is_file():
            return {}
        at = self._file.stat().st_mtime_ns
        if self._read[0] != at:
            found = [Person.model_validate(fields) for fields in json.loads(self._file.read_bytes())]
            self._read = (at, {person.name: person for person in found})
        return self._read[1]

    def by_token(self, token: str) -> Person | None:
        """Return whose token this is."""
        hashed = _hash(token)
        return next((one for one in self.all().values() if hmac.compare_digest(one.token, hashed)), None)

    def session(self, person: Person) -> str:
        """Return the cookie of a new session."""
        return self._signer("session").sign(_seat(person)).decode()

    def of_session(self, cookie: str) -> Person | None:
        """Return whose session this is; None for a forged, an old or a revoked one."""
        try:
            seat = self._signer("session").unsign(cookie, max_age=SESSION_S).decode()
        except BadData:
            return None
        return next((one for one in self.all().values() if hmac.compare_digest(_seat(one), seat)), None)

    def pass_for(self, cookie: str) -> str:
        """Return what a form of this session has to carry, which no other site can know."""
        return self._signer("form").get_signature(cookie).decode()

    def is_pass(self, given: str, cookie: str) -> bool:
        """Tell whether a form came from a page of this session."""
        return hmac.compare_digest(given.encode(), self.pass_for(cookie).encode())

    def _signer(self, what: str) -> TimestampSigner:
        if not self._key_file.is_file():
            self._key_file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with atomic.replacing(self._key_file) as file:
                file.write(secrets.token_hex(KEY_BYTES).encode())
            self._key_file.chmod(0o600)
        return TimestampSigner(self._key_file.read_bytes(), salt=f"assay.desk.{what}", digest_method=hashlib.sha256)

    def _write(self, people: dict[str, Person]) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        rows = [people[name].model_dump() for name in sorted(people)]
        with atomic.replacing(self._file) as file:
            file.write(json.dumps(rows, indent=2).encode())
        self._file.chmod(0o600)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _seat(person: Person) -> str:
    """Return what a session stands for: a new token ends the sessions of the old one."""
    return f"{person.name}.{person.token[:16]}"
