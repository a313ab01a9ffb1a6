"""Generate: the thinnest categories first, and only what is sound and new reaches a person."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
import yaml

from assay.errors import ConfigError, EndpointError
from assay.evalset.admission import Past
from assay.orchestration import growth
from assay.project import entrypoint, files
from assay.project.tables.candidates import CANDIDATES
from assay.project.tables.evalset import CASES
from assay.project.tables.excluded import PAST
from assay.project.tables.traces import TRACES
from assay.records.category import Category
from assay.stages import generate, review
from assay.stages.generate import DROPPED
from tests.cast import AT, Project, case, trace
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
    review.run()
    project.params("generate", categories=2, ways=["category"], documents="", environment="", beyond_quota=True)

    @contextmanager
    def generated_by(script: Script) -> Iterator[Served]:
        with serving(script) as served:
            monkeypatch.setenv("OPENAI_BASE_URL", served.url)
            yield served

    return generated_by


def questions() -> list[str]:
    """Return what the candidates on file ask."""
    return sorted(one.case.turns[0] for one in CANDIDATES.read())


def test_only_the_thinnest_are_asked_about(project: Project, generating: Callable[..., Any], now: datetime) -> None:
    """A batch of one category asks once, about the one that is covered thinnest, and shows its admitted cases."""
    file = project.folder / "data/taxonomy/escalation.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"quota": 30}))
    project.params("generate", categories=1)
    with generating(both) as served:
        assert generate.run(now) == 2
    assert [asked_category(body) for body in served.asked] == ["escalation"]
    assert case(1, "escalation").turns[0] in served.said()[0]
    assert {one.case.category for one in CANDIDATES.read()} == {"escalation"}


def test_what_has_its_quota_is_asked_about_when_somebody_says_so(
    project: Project, generating: Callable[..., Any], now: datetime
) -> None:
    """Where every category has its quota nobody is asked and nobody proposes; one that lacks a case is asked about."""
    project.params("generate", beyond_quota=False)
    for name, quota in (("escalation", 1), ("refunds", 1)):
        file = project.folder / f"data/taxonomy/{name}.yaml"
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"quota": quota}))
    with generating(both) as served:
        assert generate.run(now) == 0
        assert served.asked == []
        assert files.read_json(generate.DROPPED, "")["asks"] == 0
        file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | {"quota": 30}))
        assert generate.run(now) > 0
    assert {asked_category(body) for body in served.asked} == {"refunds"}


def test_repetitions_are_dropped(generating: Callable[..., Any], now: datetime) -> None:
    """What nearly repeats an admitted case, or another proposal of the same batch, is not shown to a person."""
    known = case(1).turns[0]
    wet = "My parcel came wet this morning, what should I do now?"
    with generating(lambda _: proposing(proposal(known.upper()), proposal(wet), proposal(f"{wet}!"))):
        assert generate.run(now) == 1
    (found,) = CANDIDATES.read()
    assert found.case.turns == [wet]
    assert found.nearest
    assert 0 < found.similarity < 0.95


@pytest.mark.parametrize(("parent", "count"), [("refunds-009", 1), ("", 0)])
def test_a_variation_of_its_parent_is_kept(
    generating: Callable[..., Any], now: datetime, parent: str, count: int
) -> None:
    """A case that names its parent may resemble it, and shows it as the nearest; without one it is a repetition."""
    admitted = case(9, turns=["My box came with the chicken thawed, what now?"])
    CASES.write([admitted])
    shouted = proposal(admitted.turns[0].upper(), parent=parent)
    with generating(lambda body: proposing(shouted) if asked_category(body) == "refunds" else proposing()):
        assert generate.run(now) == count
    assert all(one.nearest == parent for one in CANDIDATES.read())


@pytest.mark.parametrize(("asked_for", "count"), [(False, 0), (True, 1)])
def test_a_decorated_question_is_proposed_when_somebody_says_so(
    project: Project, generating: Callable[..., Any], now: datetime, *, asked_for: bool, count: int
) -> None:
    """An admitted question with words around it reaches a person only by `generate.decorations`."""
    admitted = case(9, turns=["My box came with the chicken thawed, what now?"])
    CASES.write([admitted])
    project.params("generate", decorations=asked_for)
    kept = admitted.model_dump(mode="json", include={"reference", "expectations"})
    polite = proposal(f"Hello! {admitted.turns[0]} Thanks.", parent=admitted.case_id) | kept
    with generating(lambda body: proposing(polite) if asked_category(body) == "refunds" else proposing()):
        assert generate.run(now) == count
    whys = [one["why"] for one in files.read_json(DROPPED, "")["dropped"]]
    assert whys == ["it only decorates refunds-009"][count:]


RULE = "Every number, date, name, condition and negation agrees."


def test_a_rule_of_a_judge_is_worth_cases(project: Project, generating: Callable[..., Any], now: datetime) -> None:
    """The way `rubric` shows a judge's rubric; a case quotes its rule, and one that nothing could fail is dropped."""
    project.params("generate", ways=["rubric"], per_category=3)
    rule = {"document": "correctness", "quote": RULE, "expectations": []}
    good = proposal("Is it nine or ten days?") | rule
    bare = proposal("Who are you?") | rule | {"reference": ""}
    invented = proposal("What is a lorry?") | rule | {"quote": "It praises the company at length."}
    with generating(
        lambda body: proposing(good, bare, invented) if asked_category(body) == "refunds" else proposing()
    ) as served:
        assert generate.run(now) == 1
    assert RULE in served.said()[0]
    (found,) = CANDIDATES.read()
    assert (found.made, [(one.document, one.quote) for one in found.sources]) == ("rubric", [("correctness", RULE)])
    assert [one["why"] for one in files.read_json(DROPPED, "")["dropped"]] == [
        "nothing can fail it",
        "its passage does not stand in the document",
    ]


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
        assert generate.run(now) == 1
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
        assert generate.run(now) == 1
    assert {asked_category(body) for body in served.asked} > {f"fault-{number:02}" for number in range(15)}
    assert questions() == GOOD["turns"]


def test_the_same_seed_gives_the_same_candidates(
    project: Project, generating: Callable[..., Any], now: datetime
) -> None:
    """Run again nothing is asked and the bytes are equal; another seed asks again, and each candidate keeps its own."""
    with generating(both) as served:
        generate.run(now)
        first = CANDIDATES.file().read_bytes()
        before = {one.seed for one in CANDIDATES.read()}
        generate.run(now)
        assert CANDIDATES.file().read_bytes() == first
        assert len(served.asked) == 2
        files.private("journal.sqlite").unlink()
        generate.run(now)
        assert CANDIDATES.file().read_bytes() == first
        seeds = {body["seed"] for body in served.asked}
        project.params("generate", seed=7)
        generate.run(now)
        assert len(served.asked) == 6
    assert served.asked[-1]["seed"] not in seeds
    assert {one.seed for one in CANDIDATES.read()}.isdisjoint(before)


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
        generate.run(now)
    before = project.files()
    project.params("generate", seed=7)
    capsys.readouterr()
    with generating(lambda _: reply), pytest.raises(SystemExit) as ended:
        entrypoint.run(lambda: generate.run(now))
    assert ended.value.code == 2
    (sentence,) = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("generate: ")]
    assert found in sentence
    assert project.files() == before


def test_nothing_new_is_no_error(generating: Callable[..., Any], now: datetime) -> None:
    """A generator that proposes nothing leaves an empty table behind."""
    with generating(lambda _: proposing()):
        assert generate.run(now) == 0
    assert questions() == []


def test_what_nobody_sees_is_accounted_for(generating: Callable[..., Any], now: datetime) -> None:
    """Every proposal that is dropped or could not be read is on file with the reason why."""
    known = case(1).turns[0]
    unsound = proposal("Who is it?", expectations=[UNSOUND[0]])
    with generating(
        lambda body: proposing(GOOD, proposal(known), unsound, 7) if "refunds" in str(body) else proposing()
    ):
        generate.run(now)
    found = files.read_json(DROPPED, "")
    whys = [one["why"] for one in found["dropped"]]
    assert "it says the same as refunds-001" in whys
    assert any(why.startswith("an expectation cannot be scored") for why in whys)
    assert any("item 4" in why for why in found["unread"])


def test_what_people_turned_down_is_not_proposed_again(generating: Callable[..., Any], now: datetime) -> None:
    """A proposal that says the same as a rejected case is dropped."""
    PAST.write([Past(candidate_id="old", why="rejected", case=case(50, turns=GOOD["turns"]))])
    with generating(lambda body: proposing(GOOD) if asked_category(body) == "refunds" else proposing()):
        assert generate.run(now) == 0
    assert "says the same as refunds-050" in files.read_json(DROPPED, "")["dropped"][0]["why"]


def test_every_way_is_asked_for_with_its_material(
    project: Project, generating: Callable[..., Any], now: datetime
) -> None:
    """Documents and failed conversations of the project go into the prompts, and what comes back names its source."""
    (project.folder / "handbook").mkdir()
    (project.folder / "handbook/refunds.md").write_text("Refunds are possible within 14 days of delivery.")
    project.params("generate", ways=["document", "production"], documents="handbook", categories=1, per_category=2)
    TRACES.write([trace(1, AT, thumb="down", category="escalation"), trace(2, AT, category="refunds")])

    def script(body: Body) -> Reply:
        if "<way>document" in body["messages"][-1]["content"]:
            quote = {"document": "refunds.md", "quote": "possible within 14 days of delivery"}
            return proposing(proposal("When is it too late?", reference="Within 14 days of delivery.") | quote)
        return proposing(proposal("The soup had leaked, who pays?", parent="trace-00001"))

    with generating(script) as served:
        assert generate.run(now) == 2
    assert "Refunds are possible" in served.said()[0]
    found = {one.made: one for one in CANDIDATES.read()}
    assert found["document"].sources[0].document == "refunds.md"
    assert (found["production"].case.provenance, found["production"].case.parent) == ("production", "trace-00001")


@pytest.mark.parametrize("folder", ["../elsewhere", "/etc", "handbook"])
def test_documents_lie_in_the_project(
    project: Project, generating: Callable[..., Any], now: datetime, folder: str
) -> None:
    """A folder that is not there, or not of this project, is refused by name, and nobody is asked."""
    project.params("generate", ways=["document"], documents=folder)
    with generating(both) as served, pytest.raises(ConfigError, match="expected a folder of the project"):
        generate.run(now)
    assert served.asked == []


@pytest.mark.parametrize(("surely", "count"), [(1.0, 2), (0.3, 1)])
def test_a_repetition_in_other_words_is_for_a_person(
    project: Project, generating: Callable[..., Any], now: datetime, surely: float, count: int
) -> None:
    """What may say the same as a case, but not surely, is shown with that case; what surely does is dropped."""
    project.params("generate", near_duplicate=surely)
    CASES.write([case(9, turns=["Which states don't you deliver to?"]), case(10, turns=["What is it?"])])
    again = proposal("Which states do you not send boxes to?")
    with generating(lambda body: proposing(again, GOOD) if asked_category(body) == "refunds" else proposing()):
        assert generate.run(now) == count
    found = {one.case.turns[0]: one.may_repeat for one in CANDIDATES.read()}
    assert found.get(again["turns"][0], "refunds-009") == "refunds-009"
    assert found[GOOD["turns"][0]] == ""


def embedding(numbers: list[float]) -> Reply:
    """Return an embedding as OpenAI's API spells it."""
    return as_json(
        {"object": "list", "model": "e", "data": [{"object": "embedding", "index": 0, "embedding": numbers}]}
    )


@pytest.mark.parametrize("reply", [failure(400), embedding([0.0, 0.0]), embedding([1.0, 2.0, 3.0])])
def test_neighbours_by_meaning_are_asked_for_where_a_model_is_named(
    project: Project, generating: Callable[..., Any], now: datetime, reply: Reply
) -> None:
    """Each text is embedded once; an embedding that cannot be had ends the run in a sentence, and nothing is filed."""
    project.params("generate", embedding_model="embedder-1", categories=1)

    def script(body: Body) -> Reply:
        if "input" not in body:
            return both(body)
        return reply if "Cleo asks question 1" in body["input"] else embedding([3.0, 4.0])

    with generating(script) as served, pytest.raises(EndpointError, match="gave no embeddings"):
        generate.run(now)
    asked = [body["input"] for body in served.asked if "input" in body]
    assert len(asked) == len(set(asked)) == 8
    assert {body["model"] for body in served.asked if "input" in body} == {"embedder-1"}
    assert not CANDIDATES.exists()
    with generating(lambda body: embedding([3.0, 4.0]) if "input" in body else both(body)):
        files.private("journal.sqlite").unlink()
        assert generate.run(now) == 2


@pytest.mark.parametrize(("unread", "said"), [([], "widen the taxonomy"), (["the reply is not JSON"], "mend it")])
def test_no_candidate_has_its_reason(project: Project, unread: list[str], said: str) -> None:
    """Of replies that could not be read it is the generator that has to be mended, not the taxonomy to be widened."""
    files.write_json(DROPPED, {"unread": unread, "dropped": []})
    message = growth.opened(None).message or ""
    assert said in message
    assert all(reason in message for reason in unread)
