"""Who may sit at the desk: a token opens a session, and nothing else does."""

import base64
import json
from pathlib import Path

import pytest
from itsdangerous import TimestampSigner

from assay.desk.reviewers import SESSION_S, People
from assay.errors import ConfigError


def test_a_name_that_no_log_could_hold_is_refused(tmp_path: Path) -> None:
    """A path, markup, capitals or nothing is no name."""
    for name in ("../ann", "<b>ann</b>", "Ann", "", "a" * 200):
        with pytest.raises(ConfigError, match="expected small letters"):
            People(tmp_path).invite(name, "reviewer")
    assert People(tmp_path).all() == {}


def test_a_name_may_be_in_any_script(tmp_path: Path) -> None:
    """Somebody whose name no ASCII can write has a session too, which is a cookie in ASCII and is theirs alone."""
    people = People(tmp_path)
    found = {
        name: people.by_token(people.invite(name, "reviewer"))
        for name in ("\u674e\u660e", "\u0436\u0430\u043d\u043d\u0430")
    }
    for name, person in found.items():
        assert person
        session = people.session(person)
        assert session.isascii()
        mine = people.of_session(session)
        assert mine
        assert mine.name == name


def test_a_token_is_kept_nowhere(tmp_path: Path) -> None:
    """The token opens the door, the file holds its hash, and nobody else may read it."""
    token = People(tmp_path).invite("ann", "adjudicator")
    found = People(tmp_path).by_token(token)
    assert found
    assert (found.name, found.role) == ("ann", "adjudicator")
    assert People(tmp_path).by_token(token + "x") is None
    assert token not in (tmp_path / "people.json").read_text()
    assert (tmp_path / "people.json").stat().st_mode & 0o077 == 0


def test_a_session_outlives_the_desk_and_ends_with_its_person(tmp_path: Path) -> None:
    """A signed session holds after a restart; a forged or revoked one does not."""
    people = People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    session = people.session(ann)
    assert (tmp_path / "key").stat().st_mode & 0o077 == 0
    assert People(tmp_path).of_session(session) == ann
    assert People(tmp_path).of_session(session.replace("ann", "eve", 1)) is None
    assert People(tmp_path).of_session("ann") is None
    people.invite("ann", "reviewer")
    assert People(tmp_path).of_session(session) is None
    ben = people.by_token(people.invite("ben", "reviewer"))
    assert ben
    other = people.session(ben)
    people.strike("ben")
    assert People(tmp_path).of_session(other) is None
    with pytest.raises(ConfigError, match="nobody is called 'ben', expected one of ann"):
        people.strike("ben")


def test_an_ended_session_is_dead(tmp_path: Path) -> None:
    """A copy of its cookie opens nothing, after a restart of the desk too; other sessions of that person go on."""
    people = People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    one, other = people.session(ann), people.session(ann)
    people.end("forged")
    people.end(one)
    for desk in (people, People(tmp_path)):
        assert (desk.of_session(one), desk.of_session(other)) == (None, ann)
    assert (tmp_path / "ended.json").stat().st_mode & 0o077 == 0
    assert one.rpartition(".")[2] not in (tmp_path / "ended.json").read_text()


def test_ended_sessions_are_forgotten_once_they_have_expired(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list of ended sessions holds no more than those that would still be good."""
    people = People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: 1_000_000)
    people.end(people.session(ann))
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: 1_000_001 + SESSION_S)
    people.end(people.session(ann))
    assert list(json.loads((tmp_path / "ended.json").read_text()).values()) == [1_000_001 + SESSION_S]


def test_a_session_ends_by_itself_after_two_weeks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Up to its last second it opens the desk; after that it opens nothing, and there is nothing to end."""
    clock = [1_000_000]
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: clock[0])
    people = People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    session = people.session(ann)
    clock[0] += 14 * 24 * 3600
    assert people.of_session(session) == ann
    clock[0] += 1
    assert people.of_session(session) is None
    people.end(session)
    assert not (tmp_path / "ended.json").exists()


def test_an_ended_session_is_known_for_as_long_as_it_would_have_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At its very last second it is still on the list of ended ones, and opens nothing."""
    clock = [1_000_000]
    monkeypatch.setattr(TimestampSigner, "get_timestamp", lambda _: clock[0])
    people = People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    first = people.session(ann)
    people.end(first)
    clock[0] += SESSION_S
    people.end(people.session(ann))
    assert len(json.loads((tmp_path / "ended.json").read_text())) == 2
    assert People(tmp_path).of_session(first) is None


def test_nobody_else_on_the_machine_can_sit_down(tmp_path: Path) -> None:
    """Folder, key, people and ended sessions are their owner's alone, also where folders above have to be made."""
    folder = tmp_path / "above" / "desk"
    people = People(folder)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    people.end(people.session(ann))
    modes = {path.name: path.stat().st_mode & 0o777 for path in (folder, *folder.iterdir())}
    assert modes == {"desk": 0o700, "key": 0o600, "people.json": 0o600, "ended.json": 0o600}
    assert {path.name: path.stat().st_mode & 0o777 for path in _keyed(tmp_path / "other").parents[:1]} == {
        "other": 0o700
    }


def _keyed(folder: Path) -> Path:
    """Return the key of a desk at which nobody was invited yet."""
    assert People(folder).of_session("forged") is None
    return folder / "key"


def test_what_opens_the_desk_cannot_be_guessed(tmp_path: Path) -> None:
    """A token has 192 random bits, the key 256, a session 128, and its signature is SHA-256; none is given twice."""
    people = People(tmp_path)
    tokens = {people.invite("ann", "reviewer") for _ in range(20)}
    assert {len(base64.urlsafe_b64decode(token)) for token in tokens} == {24}
    assert len(tokens) == 20
    (ann,) = people.all().values()
    sessions = [people.session(ann) for _ in range(20)]
    assert len(set(sessions)) == 20
    for session in sessions:
        seat, identity, _, signature = session.rsplit(".", 3)
        assert seat == f"ann.{ann.token[:16]}"
        assert len(base64.urlsafe_b64decode(identity + "==")) == 16
        assert len(base64.urlsafe_b64decode(signature + "=")) == 32
    assert len(bytes.fromhex((tmp_path / "key").read_text())) == 32


def test_the_pass_of_a_form_is_no_session(tmp_path: Path) -> None:
    """What a page shows of a session could not be put together to another one."""
    people = People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    value, _, signature = people.session(ann).rpartition(".")
    assert people.pass_for(value) != signature
    assert people.of_session(f"{value}.{people.pass_for(value)}") is None


def test_a_list_that_was_changed_beside_the_desk_is_read_again(tmp_path: Path) -> None:
    """Whoever is invited or struck off by another program is let in or refused at the next request."""
    people, other = People(tmp_path), People(tmp_path)
    ann = people.by_token(people.invite("ann", "reviewer"))
    assert ann
    session = people.session(ann)
    assert other.of_session(session) == ann
    token = other.invite("ben", "adjudicator")
    other.strike("ann")
    assert people.of_session(session) is None
    assert [(one.name, one.role) for one in people.all().values()] == [("ben", "adjudicator")]
    assert people.by_token(token) == people.all()["ben"]


def test_a_form_carries_its_session_s_own_pass(tmp_path: Path) -> None:
    """The pass of another session, or none, opens no form."""
    people = People(tmp_path)
    assert people.is_pass(people.pass_for("one"), "one")
    assert not people.is_pass(people.pass_for("two"), "one")
    assert not people.is_pass("", "one")
