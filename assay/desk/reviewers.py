"""Who may sit at the desk: people by name, each with a token that is shown once and kept as its hash.

A token opens a session; a session is a signed cookie, so it outlives a restart of the desk. Whoever signs out, or is
struck off the list, is out at the next request: a copy of the cookie opens nothing any more.
"""

import hashlib
import hmac
import json
import secrets
import threading
from pathlib import Path
from typing import Literal

from itsdangerous import BadData, TimestampSigner
from pydantic import ValidationError

from assay.errors import ConfigError
from assay.records.record import PersonName, Record
from assay.storage import atomic

Role = Literal["reviewer", "adjudicator"]
SESSION_S = 14 * 86_400
"""How long a session holds."""
KEY_BYTES = 32
SESSION_BYTES = 16
SEAT = 24
"""Digits of the hash of a name that stands for it in a cookie."""


class Person(Record):
    """Somebody with a token."""

    name: PersonName
    role: Role
    """An adjudicator may also have the last word where two reviewers disagree."""
    token: str
    """SHA-256 of the token, hexadecimal: tokens are long and random, so nothing slower is needed."""


class People:
    """The list of people, in one file beside the key that signs their sessions."""

    def __init__(self, folder: Path) -> None:
        """Open the list in a private folder; there is none yet in a new project."""
        self._file, self._key_file, self._ended_file = folder / "people.json", folder / "key", folder / "ended.json"
        self._read: tuple[int, dict[str, Person]] = (-1, {})
        self._lock = threading.Lock()
        self._ended: dict[str, int] | None = None

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
                f"the name is {name[:80]!r}, expected small letters, digits, dots and dashes, such as ann: choose it "
                "again"
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
        return self._signer("session").sign(f"{_seat(person)}.{secrets.token_urlsafe(SESSION_BYTES)}").decode()

    def of_session(self, cookie: str) -> Person | None:
        """Return whose session this is; None for a forged, an old, a revoked or an ended one."""
        try:
            seat, _, session = self._signer("session").unsign(cookie, max_age=SESSION_S).decode().rpartition(".")
        except BadData:
            return None
        with self._lock:
            if session in self._all_ended():
                return None
        return next((one for one in self.all().values() if hmac.compare_digest(_seat(one), seat)), None)

    def end(self, cookie: str) -> None:
        """End a session: its cookie opens nothing any more, also after a restart; one that is none is left alone."""
        signer = self._signer("session")
        try:
            text, signed_at = signer.unsign(cookie, max_age=SESSION_S, return_timestamp=True)
        except BadData:
            return
        with self._lock:
            still = {name: at for name, at in self._all_ended().items() if at + SESSION_S >= signer.get_timestamp()}
            self._ended = still | {text.decode().rpartition(".")[2]: int(signed_at.timestamp())}
            self._keep(self._ended_file, self._ended)

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

    def _all_ended(self) -> dict[str, int]:
        """Return the sessions that were ended, with when each began; a session that has expired needs no entry."""
        if self._ended is None:
            self._ended = json.loads(self._ended_file.read_bytes()) if self._ended_file.is_file() else {}
        return self._ended

    def _write(self, people: dict[str, Person]) -> None:
        self._keep(self._file, [people[name].model_dump() for name in sorted(people)])

    def _keep(self, path: Path, value: object) -> None:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with atomic.replacing(path) as file:
            file.write(json.dumps(value, indent=2).encode())
        path.chmod(0o600)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _seat(person: Person) -> str:
    """Return what a session stands for: a new token ends the sessions of the old one."""
    name = person.name if person.name.isascii() else _hash(person.name)[:SEAT]  # a cookie holds ASCII
    return f"{name}.{person.token[:16]}"
