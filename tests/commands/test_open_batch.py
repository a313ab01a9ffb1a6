"""Batches: whatever people do to an open batch is done once, whoever comes second finds it done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from click.testing import CliRunner

from assay.cli.main import app
from assay.errors import ConfigError
from assay.evalset.admission import Batch
from assay.orchestration import batch_events as batch_actions
from assay.project import files
from assay.project.tables.decisions import BATCH_FOLDER, BATCHES, DECISIONS
from assay.records.candidate import Candidate
from assay.records.decision import Decision
from assay.stages import batches
from tests.cast import Project, case


def opened(now: datetime, *numbers: int) -> Batch:
    """Open candidates to people."""
    made = {"generator": "g", "seed": 1, "nearest": "refunds-001", "similarity": 0.1}
    cases = [case(number) for number in numbers or (30, 31)]
    candidates = [Candidate.model_validate({"candidate_id": of.case_id, "case": of} | made) for of in cases]
    return batches.open_batch(candidates, "", now)


def decide(batch: Batch, now: datetime) -> None:
    """Admit every candidate."""
    for one in batches.frozen(batch.name):
        word = {"decision": "admit", "reviewer": "ann", "reason": "", "decided_at": now, "case": one.case}
        about = {"candidate_id": one.candidate_id, "digest": one.digest(), "batch": batch.name}
        DECISIONS.append([Decision.model_validate(word | about)])


def events() -> list[str]:
    """Return what has happened to batches."""
    return [event.event for event in BATCHES.read()]


def test_a_batch_ends_once_whoever_ends_it(project: Project, now: datetime) -> None:
    """Twenty who close, extend and abandon at the same moment leave a log that can be read, with one end."""
    batch = opened(now)
    actions: list[batches.Action] = ["close early", "abandon", "extend", "close early"] * 5
    with ThreadPoolExecutor(20) as room:
        list(room.map(lambda action: batches.act(batch, action, "ann", "enough", now, days=1), actions))
    assert sum(event in ("close", "abandon") for event in events()) == 1
    assert batches.opened() is None


def test_a_deadline_ends_a_batch_once(project: Project, now: datetime) -> None:
    """Several that notice the deadline at the same moment sign one end."""
    batch = opened(now)
    with ThreadPoolExecutor(20) as room:
        list(room.map(lambda _: batches.expire(batch, batch.deadline), range(20)))
    assert events() == ["open", "close"]


def test_one_batch_is_open_at_a_time(project: Project, now: datetime) -> None:
    """Of several that open candidates at the same moment one does, and the others are told."""

    def refused(number: int) -> bool:
        try:
            opened(now, number)
        except ConfigError as error:
            return "is open to reviewers" in str(error)
        return False

    with ThreadPoolExecutor(8) as room:
        assert sum(room.map(refused, range(30, 38))) == 7
    assert events() == ["open"]
    assert len(list(files.path(BATCH_FOLDER).iterdir())) == 1


def test_it_goes_on_once_the_rule_is_met(project: Project, now: datetime) -> None:
    """Before, the batch stays open and says what is missing; afterwards it is closed, and `assay grow` goes on."""
    batch = opened(now)
    with pytest.raises(ConfigError, match="stays open .0 of 2 decided.*, expected all that its rule asks for"):
        batch_actions.act("go on", "ann", "", now)
    decide(batch, now)
    assert batch_actions.act("go on", "ann", "", now).startswith(f"{batch.name} is closed. No Prefect server runs")
    assert BATCHES.read()[-1].note == "all that its rule asks for is decided"


@pytest.mark.parametrize(
    ("words", "said", "happened"),
    [
        (["close-early", "--note", "enough"], "is closed", "close"),
        (["abandon", "--note", "wrong prompt"], "is abandoned: none of it is admitted", "abandon"),
        (["extend", "--note", "holidays", "--days", "3"], "open until 2036-11-19 03:00 UTC", "extend"),
    ],
)
def test_people_act_from_the_terminal(
    project: Project, now: datetime, words: list[str], said: str, happened: str
) -> None:
    """What Prefect's form offers can be done without a server, signed and with a reason."""
    opened(now.replace(year=2036))
    found = CliRunner().invoke(app, ["batch", *words, "--reviewer", "ann"])
    assert (found.exit_code, said in found.output) == (0, True), found.output
    last = BATCHES.read()[-1]
    assert (last.event, last.who) == (happened, "ann")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["abandon"], "to abandon needs a note, found none"),
        (["extend", "--note", "holidays"], "to extend by 0.0 days is no extension"),
        (["extend", "--note", "holidays", "--days", "nan"], "to extend by nan days is no extension"),
        (["go-on"], "stays open"),
    ],
)
def test_what_makes_no_sense_changes_nothing(project: Project, now: datetime, words: list[str], said: str) -> None:
    """Without a reason, a number of days or enough decisions one sentence says so, and the log stays as it was."""
    opened(now.replace(year=2036))
    before = project.files()
    found = CliRunner().invoke(app, ["batch", *words, "--reviewer", "ann"])
    assert (found.exit_code, said in found.output) == (2, True), found.output
    assert project.files() == before


def test_without_an_open_batch_nothing_can_be_done(project: Project) -> None:
    """One sentence says that none is open and what opens one."""
    found = CliRunner().invoke(app, ["batch", "abandon", "--reviewer", "ann", "--note", "x"])
    assert (found.exit_code, "no batch of candidates is open" in found.output) == (2, True)
