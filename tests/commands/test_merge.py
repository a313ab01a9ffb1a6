"""Merge: two branches on which people decided are one log again, and nothing that anybody said is lost or moved."""

import re
import subprocess
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from assay.cli.main import app
from assay.commands.accept import retire
from assay.project import files
from assay.project.tables.decisions import BATCHES, DECISIONS
from assay.project.tables.evalset import CASES
from assay.project.tables.labels import ITEMS
from assay.records.candidate import Candidate
from assay.records.decision import Decision
from assay.stages import batches
from assay.storage.rows import parse_rows
from tests.cast import AT, Project, case, decision, item
from tests.repository import git, reviewed, say, words


def parted(ours: Callable[[], None], theirs: Callable[[], None]) -> None:
    """Let two branches say something each, and merge theirs into ours, which stops."""
    git("checkout", "-q", "-b", "theirs")
    theirs()
    reviewed("theirs")
    git("checkout", "-q", "main")
    ours()
    reviewed("ours")
    assert subprocess.run(["git", "merge", "theirs"], check=False, capture_output=True).returncode == 1


def merged(*words: str) -> Result:
    """Call the command."""
    return CliRunner().invoke(app, ["merge", *words])


def admitted() -> set[str]:
    """Return the ids of the set."""
    return {one.case_id for one in CASES.read()}


def test_what_two_branches_admitted_is_in_the_set(place: Project) -> None:
    """Ours stay as they are, theirs follow with their words, the chain holds, the set is made of it, Git may commit."""
    before = len(admitted())
    parted(lambda: say(case(50)), lambda: (say(case(51)), say(case(52))))  # type: ignore[func-returns-value]
    ours = [row.chain for row in _of("main")]
    done = merged()
    assert done.exit_code == 0, done.output
    assert "decisions.jsonl: 1 rows of ours, 2 of theirs" in done.output
    assert [row.candidate_id for row in words()[-3:]] == ["refunds-050", "refunds-051", "refunds-052"]
    assert [row.chain for row in words()][: len(ours)] == ours
    assert len(admitted()) == before + 3
    assert git("diff", "--name-only", "--diff-filter=U") == ""
    git("commit", "-q", "-m", "merged")
    assert git("status", "--porcelain") == ""
    assert batches.check_logs().startswith(f"{len(words())} decisions, an unbroken chain")


def test_a_released_branch_stays_as_it_is(place: Project) -> None:
    """What a release was made of keeps its place: then ours follow theirs, and doctor still finds its row."""

    def released() -> None:
        say(case(51))
        files.write_json("data/releases/evalset-v9.0.0.json", {"release": "evalset@v9.0.0", "log": words()[-1].chain})

    parted(lambda: say(case(50)), released)
    assert merged().exit_code == 0
    assert [row.candidate_id for row in words()[-2:]] == ["refunds-051", "refunds-050"]
    batches.check_logs()


def test_batches_of_both_are_kept(place: Project) -> None:
    """Two batches that were opened and abandoned apart stand one after the other."""

    def opened(number: int) -> None:
        of = case(number)
        made = {"generator": "g", "seed": 1, "nearest": "", "similarity": 0}
        one = Candidate.model_validate({"candidate_id": of.case_id, "case": of} | made)
        batches.act(batches.open_batch([one], "", AT), "abandon", "ann", "a try", AT)

    parted(lambda: opened(60), lambda: opened(61))
    assert merged().exit_code == 0
    assert [row.event for row in BATCHES.read()] == ["open", "abandon", "open", "abandon"]


def test_a_batch_that_both_opened_and_closed_is_one(place: Project) -> None:
    """The same candidates, opened and closed on both branches, are one batch in which the words of both count."""
    of = case(60)
    one = Candidate(candidate_id=of.case_id, case=of, generator="g", seed=1, nearest="", similarity=0)

    def closed(who: str) -> None:
        batch = batches.open_batch([one], "", AT)
        DECISIONS.append([decision(of, "admit", reviewer=who, batch=batch.name)])
        batches.act(batch, "close early", who, "done", AT)

    parted(lambda: closed("ann"), lambda: closed("ben"))
    done = merged()
    assert done.exit_code == 0, done.output
    assert [row.event for row in BATCHES.read()] == ["open", "close"]
    assert [word.reviewer for word in words()[-2:]] == ["ann", "ben"]
    assert "refunds-060" in admitted()


def test_items_of_both_are_kept_once(place: Project) -> None:
    """Tables of labels are the rows of both in their order; a row that both have stands once."""
    shared = item(1, "Yes.")
    parted(
        lambda: ITEMS.write([shared, item(2, "No.")]),
        lambda: ITEMS.write([shared, item(3, "Maybe.")]),
    )
    assert merged().exit_code == 0
    assert [one.response_a for one in ITEMS.read()] == ["Yes.", "No.", "Maybe."]


def test_a_row_of_before_schemas_is_the_row_of_today(place: Project) -> None:
    """Where one branch has written a row anew, with its schema, both branches still say the same of it."""
    shared, old = item(1, "Yes."), (item(1, "Yes."), item(2, "No."))
    parted(
        lambda: ITEMS.write([shared, item(3, "Maybe.")]),
        lambda: files.write_bytes(ITEMS.path, "".join(f"{row.model_dump_json()}\n" for row in old).encode()),
    )
    done = merged()
    assert done.exit_code == 0, done.output
    assert [one.response_a for one in ITEMS.read()] == ["Yes.", "No.", "Maybe."]


def twice() -> None:
    """Leave two rows under one key, as an edit by hand does."""
    rows = (item(1, "Yes."), item(2, "Yes."), item(2, "No."))
    files.write_bytes(ITEMS.path, "".join(f"{row.model_dump_json()}\n" for row in rows).encode())


@pytest.mark.parametrize(
    ("ours", "theirs", "found"),
    [
        (
            lambda: retire(["refunds-001"], "ann", "never fails", AT),
            lambda: retire(["refunds-001"], "ben", "is old", AT),
            "what the branches said does not fit together .*to be retired, expected an admitted case",
        ),
        (
            lambda: ITEMS.write([item(1, "Yes.")]),
            lambda: ITEMS.write([item(1, "No.")]),
            "both branches have a row of pass-fail.001 and the rows differ",
        ),
        (
            lambda: ITEMS.write([item(3, "Yes.")]),
            twice,
            "items.jsonl on their branch, row 3: there are two rows of pass-fail.002",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused(
    place: Project, ours: Callable[[], None], theirs: Callable[[], None], found: str
) -> None:
    """Branches that contradict each other stay in conflict, with a sentence that says in what."""
    parted(ours, theirs)
    before = place.files()
    done = merged()
    assert (done.exit_code, bool(re.search(found, done.output))) == (2, True), done.output
    assert place.files() == before


def test_what_both_decided_on_is_told(place: Project) -> None:
    """Where both branches said something of one case the later word counts, and a person is told to look."""
    parted(
        lambda: retire(["refunds-001"], "ann", "never fails", AT), lambda: say(case(1, reference="Another."), "edit")
    )
    done = merged()
    assert "both decided on refunds-001: what stands last counts" in done.output
    assert "refunds-001" in admitted()


def test_a_row_that_was_changed_on_a_branch_is_named(place: Project) -> None:
    """A branch that rewrote what both had is refused, whichever it is."""

    def rewritten() -> None:
        DECISIONS.write([words()[0].model_copy(update={"reason": "another"}), *words()[1:]])
        say(case(51))

    parted(lambda: say(case(50)), rewritten)
    done = merged()
    assert (done.exit_code, "their branch does not begin with the rows that both had" in done.output) == (2, True)


def test_a_broken_chain_is_named(place: Project) -> None:
    """A row of either branch that is not what was signed is refused with its place."""

    def tampered() -> None:
        say(case(51))
        file = DECISIONS.file()
        file.write_bytes(file.read_bytes().replace(b"refunds-051", b"refunds-059"))
        git("add", "-A")
        git("commit", "-q", "-m", "tampered")

    git("checkout", "-q", "-b", "theirs")
    tampered()
    git("checkout", "-q", "main")
    say(case(50))
    reviewed("ours")
    subprocess.run(["git", "merge", "theirs"], check=False, capture_output=True)
    done = merged()
    assert (done.exit_code, "decisions.jsonl on their branch, row 7" in done.output) == (2, True)


def test_without_a_conflict_there_is_nothing_to_merge(place: Project) -> None:
    """Called at any other time it says when it is for."""
    done = merged()
    assert (done.exit_code, "is in conflict, expected a merge that stopped at one" in done.output) == (2, True)


def test_other_conflicts_are_left_to_people(place: Project) -> None:
    """Logs are joined, the rest is named, and the set waits for it."""

    def also(word: str, number: int) -> None:
        say(case(number))
        (place.folder / "params.yaml").write_text((place.folder / "params.yaml").read_text() + f"# {word}\n")

    parted(lambda: also("ours", 50), lambda: also("theirs", 51))
    done = merged("--json")
    assert (done.exit_code, '"left": ["params.yaml"], "cases": null' in done.output) == (0, True), done.output
    assert git("diff", "--name-only", "--diff-filter=U") == "params.yaml"


def _of(branch: str) -> list[Decision]:
    """Return the log of a branch."""
    text = git("show", f"{branch}:data/decisions/decisions.jsonl")
    return list(parse_rows(Decision, text.encode().splitlines(), "the log"))
