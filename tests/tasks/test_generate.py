"""Generate: the thinnest categories first, and only what is sound and new reaches a person."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import yaml

from assay.records import Candidate, Category
from tasks import door, store
from tasks.generate import generate, thinnest
from tasks.review import review
from tests.cast import Project, case
from tests.endpoint import DROP, HTML, Body, Reply, Script, Served, as_json, completion, failure, serving

ONCE = {"x_should_retry": "false"}


def category(name: str, severity: str = "medium", quota: int = 10) -> Category:
    """Return a category of expected failures."""
    texts = {"definition": "Wrong.", "examples": ["One."], "owner": "payments", "layer": "unit"}
    return Category.model_validate({"category": name, "severity": severity, "quota": quota} | texts)


def proposal(question: str, **changes: Any) -> Body:
    """Return one proposed case as a generator writes it."""
    expectation = {"check": "icontains-any", "values": ["14 days"], "calls": []}
    return {"turns": [question], "reference": "Within 14 days.", "expectations": [expectation]} | changes


def proposing(*cases: Any) -> Reply:
    """Return a generator's reply."""
    return completion(json.dumps({"cases": list(cases)}), "generator-1")


def asked_category(body: Body) -> str:
    """Return the category that a prompt is about."""
    name: str = json.loads(body["messages"][-1]["content"].split("<category>\n")[1].splitlines()[0])["category"]
    return name


def both(body: Body) -> Reply:
    """Propose two new questions, other ones for each category."""
    name = asked_category(body)
    return proposing(
        proposal(f"My parcel about {name} came wet, what now?"), proposal(f"Who pays the postage of {name}?")
    )


@pytest.fixture
def generating(project: Project, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """An evaluation set of six cases and a generator to script."""
    review.fn()
    project.params("generate", categories=2)

    @contextmanager
    def generated_by(script: Script) -> Iterator[Served]:
        with serving(script) as served:
            monkeypatch.setenv("OPENAI_BASE_URL", served.url)
            yield served

    return generated_by


def questions() -> list[str]:
    """Return what the candidates on file ask."""
    return sorted(one.case.turns[0] for one in store.read("candidates", Candidate))


@pytest.mark.parametrize(
    ("taxonomy", "expected"),
    [
        ([category("a"), category("b", quota=20), category("c", quota=5)], ["b", "a", "c"]),
        ([category("a", "low"), category("b", "critical"), category("c", "high")], ["b", "c", "a"]),
        ([category("b"), category("a")], ["a", "b"]),
        ([category("a", "critical", 1), category("b", "low", 9)], ["b", "a"]),
    ],
)
def test_the_thinnest_come_first(taxonomy: list[Category], expected: list[str]) -> None:
    """Categories go by gap to their quota times severity, equals by name; one that is full comes last."""
    cases = [case(number, name) for name in "abc" for number in (1, 2)]
    assert [one.category for one in thinnest(taxonomy, cases, 9)] == expected


def test_only_the_thinnest_are_asked_about(project: Project, generating: Callable[..., Any], now: datetime) -> None:
    """A batch of one category asks once, about the one that is covered thinnest, and shows its admitted cases."""
    file = project.folder / "data/taxonomy/escalation.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"quota": 30}))
    project.params("generate", categories=1)
    with generating(both) as served:
        assert generate.fn(now) == 2
    assert [asked_category(body) for body in served.asked] == ["escalation"]
    assert case(1, "escalation").turns[0] in served.said()[0]
    assert {one.case.category for one in store.read("candidates", Candidate)} == {"escalation"}


def test_repetitions_are_dropped(generating: Callable[..., Any], now: datetime) -> None:
    """What nearly repeats an admitted case, or another proposal of the same batch, is not shown to a person."""
    known = case(1).turns[0]
    wet = "My parcel came wet this morning, what should I do now?"
    with generating(lambda _: proposing(proposal(known.upper()), proposal(wet), proposal(f"{wet}!"))):
        assert generate.fn(now) == 1
    (found,) = store.read("candidates", Candidate)
    assert found.case.turns == [wet]
    assert found.nearest
    assert 0 < found.similarity < 0.95


@pytest.mark.parametrize(("parent", "count"), [("refunds-009", 1), ("", 0)])
def test_a_variation_of_its_parent_is_kept(
    generating: Callable[..., Any], now: datetime, parent: str, count: int
) -> None:
    """A case that names its parent may resemble it, and shows it as the nearest; without one it is a repetition."""
    admitted = case(9, turns=["My box came with the chicken thawed, what now?"])
    store.write("cases", [admitted])
    shouted = proposal(admitted.turns[0].upper(), parent=parent)
    with generating(lambda body: proposing(shouted) if asked_category(body) == "refunds" else proposing()):
        assert generate.fn(now) == count
    assert all(one.nearest == parent for one in store.read("candidates", Candidate))


UNSOUND = [
    {"check": "regex", "values": [r"(a)\1"], "calls": []},
    {"check": "__import__", "values": [], "calls": []},
    {"check": "icontains-any", "values": [], "calls": []},
    {"check": "tool-call", "values": [], "calls": [{"name": "refund", "arguments": "not JSON"}]},
    {"check": "length-max", "values": ["many"], "calls": []},
    {"check": "icontains-any", "values": ["x"], "calls": [], "code": "rm"},
]
GOOD = proposal("My parcel came wet, what now?")


def test_unsound_expectations_are_dropped(generating: Callable[..., Any], now: datetime) -> None:
    """A case that no check could ever score costs itself; its neighbour is kept."""
    names = ["lorry", "violin", "umbrella", "tomato", "passport", "glacier"]
    bad = [proposal(f"{name}?", expectations=[one]) for name, one in zip(names, UNSOUND, strict=True)]
    with generating(lambda body: proposing(*bad, GOOD) if asked_category(body) == "refunds" else proposing()):
        assert generate.fn(now) == 1
    assert questions() == GOOD["turns"]


WORTHLESS = [
    completion("Sure! Here are your cases:"),
    completion(None),
    completion(["x"]),
    completion('{"cases": "none"}'),
    completion("[" * 100_000),
    proposing(None, 7, "case", [], {}),
    proposing(proposal("half \ud800 a character")),
    proposing(proposal("x" * 5000)),
    proposing(proposal("")),
    proposing(proposal("Whose child?", parent="escalation-001")),
    as_json({"choices": []}),
    HTML,
    failure(500, **ONCE),
    failure(400, "content policy"),
    DROP,
]


def test_a_malformed_reply_costs_only_itself(project: Project, generating: Callable[..., Any], now: datetime) -> None:
    """Whatever comes back for the other categories, the one with a readable reply has its candidate."""
    for number in range(len(WORTHLESS)):
        file = project.folder / f"data/taxonomy/fault-{number:02}.yaml"
        file.write_text(yaml.safe_dump(category(file.stem).model_dump()))
    project.params("generate", categories=len(WORTHLESS) + 1)

    def script(body: Body) -> Reply:
        name = asked_category(body)
        return WORTHLESS[int(name[-2:])] if name.startswith("fault-") else proposing(GOOD)

    with generating(script) as served:
        assert generate.fn(now) == 1
    assert {asked_category(body) for body in served.asked} > {f"fault-{number:02}" for number in range(15)}
    assert questions() == GOOD["turns"]


def test_the_same_seed_gives_the_same_candidates(
    project: Project, generating: Callable[..., Any], now: datetime
) -> None:
    """Run again nothing is asked and the bytes are equal; another seed asks again and signs another generator."""
    with generating(both) as served:
        generate.fn(now)
        first = store.path("candidates").read_bytes()
        (before,) = {one.generator for one in store.read("candidates", Candidate)}
        generate.fn(now)
        assert store.path("candidates").read_bytes() == first
        assert len(served.asked) == 2
        store.private("journal.sqlite").unlink()
        generate.fn(now)
        assert store.path("candidates").read_bytes() == first
        seeds = {body["seed"] for body in served.asked}
        project.params("generate", seed=7)
        generate.fn(now)
        assert len(served.asked) == 6
    assert served.asked[-1]["seed"] not in seeds
    assert {one.generator for one in store.read("candidates", Candidate)}.isdisjoint({before})


@pytest.mark.parametrize(
    ("reply", "found"),
    [
        (failure(401), "refused the key"),
        (failure(404), "does not know this model"),
        (failure(500, **ONCE), "answered for no category"),
        (HTML, "answered for no category"),
    ],
)
def test_the_door_refuses_a_generator_that_cannot_be_asked(
    project: Project,
    generating: Callable[..., Any],
    now: datetime,
    capsys: pytest.CaptureFixture[str],
    reply: Reply,
    found: str,
) -> None:
    """When no category was answered the command ends with exit code 2, and the candidates that wait are kept."""
    with generating(both):
        generate.fn(now)
    before = project.files()
    project.params("generate", seed=7)
    capsys.readouterr()
    with generating(lambda _: reply), pytest.raises(SystemExit) as ended:
        door.run(lambda: generate.fn(now))
    assert ended.value.code == 2
    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("generate: ")]
    assert found in sentence
    assert project.files() == before


def test_nothing_new_is_no_error(generating: Callable[..., Any], now: datetime) -> None:
    """A generator that proposes nothing leaves an empty table behind."""
    with generating(lambda _: proposing()):
        assert generate.fn(now) == 0
    assert questions() == []
