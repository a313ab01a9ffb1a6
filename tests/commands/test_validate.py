"""Validation: whatever a later stage would refuse is refused before the first paid call."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from assay.cli.flows import load
from assay.commands.upgrade import upgrade
from assay.commands.validate import read_settings, validate
from assay.errors import AssayError, ConfigError, DataError, EndpointError
from assay.orchestration.runs import NIGHT
from assay.project import files
from assay.project.tables.responses import RESPONSES
from assay.project.tables.signals import SIGNALS
from assay.project.tables.traces import TRACES
from assay.project.tables.verdicts import VERDICTS
from assay.project.taxonomy import TAXONOMY
from assay.stages import review
from tests.cast import AT, CATEGORIES, Project, case, response, small_project, trace
from tests.endpoint import Served, failure, serving

CHAT = {"kind": "chat", "name": "support", "model": "m"}
RECORDED = {"kind": "recorded", "name": "support", "path": "answers.jsonl"}
HTTP = {"kind": "http", "name": "support", "url": "http://127.0.0.1:1/ask", "body": {"question": "{{turn}}"}}
Break = Callable[[Project], object]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which every night may begin, made once."""
    folder = tmp_path_factory.mktemp("whole") / "project"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as here:
        here.chdir(folder)
        made = small_project(folder)
        made.open_doors()
        cases = [case(number, category) for category in CATEGORIES for number in (1, 2, 3)]
        lines = [f'{{"case_id": "{one.case_id}", "text": "Yes, within 14 days."}}\n' for one in cases]
        (folder / "answers.jsonl").write_text("".join(lines))
        for name in ("data/releases", "data/calibration", ".dvc", ".git"):
            (folder / name).mkdir()
        (folder / ".dvc/config").write_text("")
        review.run()
        upgrade()
    return folder


@pytest.fixture
def ready(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of that project for one test; the current folder is the project's."""
    shutil.copytree(whole, tmp_path / "project")
    monkeypatch.chdir(tmp_path / "project")
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return Project(tmp_path / "project")


@pytest.fixture
def served() -> Iterator[Served]:
    """An endpoint that counts what it is asked, and has no word for anybody."""
    with serving(lambda _: failure(401, "no such key")) as endpoint:
        yield endpoint


@pytest.fixture
def asking(ready: Project, served: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """The project with a product and judges at that endpoint; its flows are forgotten afterwards."""
    monkeypatch.setenv("OPENAI_BASE_URL", served.url)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    ready.params("execute", target=CHAT | {"base_url": served.url})
    known = {name: module for name, module in sys.modules.items() if is_flow(name)}
    yield ready
    for name in [name for name in sys.modules if is_flow(name)]:
        del sys.modules[name]
    sys.modules.update(known)


def is_flow(module: str) -> bool:
    """Tell whether a module bears one of the two names that every project uses."""
    return module.split(".", maxsplit=1)[0] in ("flows", "tasks")


def write(name: str, text: str) -> None:
    """Write a file of the project."""
    files.path(name).write_text(text, encoding="utf8")


def sections(change: Callable[[dict[str, object]], object]) -> Break:
    """Return what changes the sections of params.yaml."""

    def run(project: Project) -> None:
        whole = yaml.safe_load(Path("params.yaml").read_text())
        change(whole)
        Path("params.yaml").write_text(yaml.safe_dump(whole, sort_keys=False))

    return run


def stages(change: Callable[[dict[str, dict[str, list[object]]]], object]) -> Break:
    """Return what changes the stages of dvc.yaml."""

    def run(project: Project) -> None:
        known = yaml.safe_load(Path("dvc.yaml").read_text())
        change(known["stages"])
        Path("dvc.yaml").write_text(yaml.safe_dump(known, sort_keys=False))

    return run


def foreign_trace(project: Project) -> None:
    """Let one row of the traces be of a category that the taxonomy has no more."""
    strange = Path(f"{TAXONOMY}/invented.yaml")
    strange.write_text(Path(f"{TAXONOMY}/refunds.yaml").read_text().replace("refunds", "invented"))
    TRACES.write([trace(number, AT) for number in range(9)] + [trace(9, AT, category="invented")])
    strange.unlink()


def empty_taxonomy(project: Project) -> None:
    """Take every category away."""
    for file in Path(TAXONOMY).glob("*.yaml"):
        file.unlink()


def missing_answers(project: Project) -> None:
    """Name a file of recorded answers that is not there, and let dvc.yaml know of it."""
    project.params("execute", target=RECORDED | {"path": "gone.jsonl"})
    upgrade()


def undeclared_documents(project: Project) -> None:
    """Name a folder of documents without telling dvc.yaml."""
    write("handbook/refunds.md", "Within 14 days.")
    project.params("generate", documents="handbook")


def policy(judge: str, **floors: float) -> Break:
    """Return what sets a judge's floors."""
    return lambda project: project.params("calibrate", policy={judge: floors})


def signal(name: str) -> Break:
    """Return what declares a signal."""
    declared = {"signal": name, "direction": "up", "owner": "care", "description": "d"}
    return lambda project: project.params("monitor", signals=[declared])


def prompt(body: str) -> Break:
    """Return what gives a judge a prompt of its own."""
    return lambda _: write("data/judges/correctness/prompt.md", body)


def declared(text: str, judge: str = "correctness") -> Break:
    """Return what adds a line to a judge's declaration."""

    def run(_: Project) -> None:
        file = Path(f"data/judges/{judge}/judge.yaml")
        names = {line.partition(":")[0] for line in text.splitlines()}
        kept = [line for line in file.read_text().splitlines() if line.partition(":")[0] not in names]
        file.write_text("\n".join([*kept, text, ""]))

    return run


def replaced(name: str, pattern: str, text: str) -> None:
    """Put a text in the place of the first one that a pattern finds in a file."""
    changed, count = re.subn(pattern, text, Path(name).read_text(), count=1)
    assert count == 1
    write(name, changed)


def raising_environment(project: Project) -> None:
    """Name a module that raises when it is imported."""
    write("raising.py", "raise RuntimeError('no database')\n")
    target = CHAT | {"base_url": "http://127.0.0.1:1", "environment": "raising"}
    project.params("execute", target=target)


CONFIG: dict[str, tuple[Break, str]] = {
    "an extra floor": (policy("correctness", tprr=0.9), r"calibrate\.policy\.correctness\.tprr is 0\.9"),
    "a policy of nobody": (policy("tone", tpr=0.9), r"calibrate\.policy\.tone"),
    "an unknown section": (sections(lambda whole: whole.update(exceute={})), "section 'exceute'"),
    "a missing section": (sections(lambda whole: whole.pop("monitor")), "no section 'monitor'"),
    "a missing section of no stage of a night": (sections(lambda whole: whole.pop("release")), "no section 'release'"),
    "a parameter of before": (lambda project: project.params("publish", slice_fdr=0.1), r"slice_fdr is gone"),
    "a section at fault": (lambda project: project.params("judge", speed=9), r"judge\.speed is 9"),
    "a judge without a declaration": (lambda _: write("data/judges/tone/rubric.md", "x"), "data/judges/tone.*upgrade"),
    "an empty rubric": (lambda _: write("data/judges/preference/rubric.md", " \n"), r"preference/rubric\.md is empty"),
    "a prompt without blocks": (
        lambda _: write("data/judges/grounding/prompt.md", "Be fair.\n"),
        r"data/judges/grounding/prompt\.md",
    ),
    "a declaration that is no YAML": (declared("labels: ["), r"correctness/judge\.yaml is not YAML"),
    "a field that no judge has": (declared("rubrik: x"), r"correctness/judge\.yaml: rubrik is no such name here"),
    "a rubric that nobody wrote": (
        lambda _: write("data/judges/correctness/rubric.md", "# It\n\n1. ...\n2. ...\n"),
        r"correctness/rubric\.md still has the lines",
    ),
    "a floor that nobody reaches": (declared("policy: {tnr: 7}", "grounding"), r"judge\.yaml: policy\.tnr is 7"),
    "labels that do not pass": (declared("question: labels\nlabels: [a, b]"), r"judge\.yaml.*passing_labels"),
    "a scale of two": (
        declared("question: score\nrange: [0, 1]\npass_threshold: 1"),
        r"judge\.yaml.*range is \[0, 1\]",
    ),
    "an input of nothing": (declared("input: [question, mood]\nrequires: []"), r"judge\.yaml.*'mood'"),
    "a demand that is not shown": (declared("requires: [contexts]"), r"judge\.yaml.*requires has 'contexts'"),
    "a pair of conversations": (declared("input: [response, tool_calls]", "preference"), r"tool_calls, which a pair"),
    "a category that is none": (declared("applies_to: {category: [refundz]}"), r"judge\.yaml: applies_to.*'refundz'"),
    "a policy of no name": (declared("policy: lenient"), r"judge\.yaml.*policy"),
    "a floor of no judge": (declared("policy: {tprr: 0.9}", "grounding"), r"judge\.yaml: policy\.tprr is 0\.9"),
    "examples that are missing": (declared("examples: examples.jsonl"), r"correctness/examples\.jsonl is missing"),
    "a key without an endpoint": (declared("model: {api_key_env: KEY}"), r"judge\.yaml.*base_url"),
    "a prompt that is no template": (prompt("{% block system %}"), r"data/judges/correctness/prompt\.md"),
    "a prompt without the block system": (
        prompt("{% block user %}{% endblock %}"),
        r"data/judges/correctness/prompt\.md.*system",
    ),
    "a missing judge": (lambda _: shutil.rmtree("data/judges/grounding"), "'grounded-rate'.*0 judges of production"),
    "a missing rubric": (lambda _: Path("data/judges/preference/rubric.md").unlink(), "preference/rubric.md is miss"),
    "no judges": (lambda _: shutil.rmtree("data/judges"), r"calibrate\.policy\.correctness is of no judge"),
    "a missing baseline": (lambda _: shutil.rmtree("data/baseline"), "data/baseline is missing.*judge"),
    "no folder of labels": (lambda _: shutil.rmtree("data/labels"), "data/labels is missing.*judge"),
    "no folder of releases": (lambda _: shutil.rmtree("data/releases"), "data/releases is missing.*publish"),
    "missing answers": (missing_answers, r"gone\.jsonl is missing.*execute"),
    "an unknown signal": (signal("escalations"), "signal 'escalations'"),
    "an environment of the product that is none": (
        lambda project: project.params(
            "execute", target=CHAT | {"base_url": "http://127.0.0.1:1", "environment": "a.b"}
        ),
        r"environment is 'a\.b'",
    ),
    "an environment of the generator that is none": (
        lambda project: project.params("generate", environment="shop.nowhere"),
        r"environment is 'shop\.nowhere'",
    ),
    "an undeclared folder of documents": (undeclared_documents, r"dvc\.yaml lacks generate: handbook"),
    "an undeclared dependency": (
        stages(lambda known: known["judge"]["deps"].remove("data/judges")),
        r"dvc\.yaml lacks judge: data/judges",
    ),
    "an undeclared output": (stages(lambda known: known["publish"].pop("metrics")), r"dvc\.yaml lacks publish: "),
    "another command": (
        stages(lambda known: known["execute"].update(cmd="python run.py")),
        r"dvc\.yaml lacks execute: python -m tasks\.execute",
    ),
    "a missing stage": (stages(lambda known: known.pop("monitor")), r"dvc\.yaml lacks monitor: .*and \d+ more"),
    "no dvc.yaml": (lambda _: Path("dvc.yaml").unlink(), r"dvc\.yaml cannot be read"),
    "a dvc.yaml that is none": (lambda _: write("dvc.yaml", "stages: ["), r"dvc\.yaml cannot be read"),
    "a dvc.yaml without stages": (lambda _: write("dvc.yaml", "vars: []"), r"dvc\.yaml declares no stages"),
    "an address for threads": (
        lambda project: project.params("execute", runner_address="tcp://127.0.0.1:1"),
        r"execute\.runner_address.*'threads'",
    ),
    "more workers than requests": (
        lambda project: project.params("execute", runner="processes", workers=4, concurrency=2),
        r"execute\.concurrency is 2 for 4 workers",
    ),
    "a batch in shards": (
        lambda project: project.params("execute", runner="processes", mode="batch"),
        r"execute\.mode is 'batch' with runner 'processes'",
    ),
}
"""By fault: how it comes into a project, and what names it; all of them are faults of the configuration."""
DATA: dict[str, tuple[Break, str]] = {
    "an empty taxonomy": (empty_taxonomy, "data/taxonomy"),
    "a category that is none": (lambda _: write(f"{TAXONOMY}/odd.yaml", "category: odd\n"), r"odd\.yaml"),
    "a category that is no YAML": (lambda _: write(f"{TAXONOMY}/odd.yaml", "category: ["), r"odd\.yaml"),
}
"""Likewise, of the data."""
FAULTS: dict[str, tuple[Break, str]] = CONFIG | DATA


LATE: dict[str, Break] = {
    "a prompt without the block user": prompt("{% block system %}Judge.{% endblock %}"),
    "a prompt with a text that it is not given": prompt(
        "{% block system %}Judge.{% endblock %}{% block user %}{{ nowhere }}{% endblock %}"
    ),
    "a judge of other texts": declared("input: [answer]\nrequires: []"),
    "a judge of another question": declared("question: grade"),
    "a damaged label": lambda _: write("data/labels/labels.jsonl", "{}\n"),
    "a damaged baseline": lambda _: write("data/baseline/responses.parquet", "x"),
    "a damaged certificate": lambda _: write("data/calibration/correctness.json", "{}"),
    "damaged notes of a release": lambda _: write("data/releases/evalset@v1.0.0.json", "{"),
    "a damaged history": lambda _: write("data/reports/history.jsonl", "{"),
    "an evaluation set that is no Parquet": lambda _: write("data/evalset/cases.parquet", "x"),
    "a function that is not there": lambda project: project.params(
        "execute", target={"kind": "python", "name": "support", "function": "nowhere:answer"}
    ),
    "a header's variable that is not set": lambda project: project.params(
        "execute", target=HTTP | {"headers": {"Authorization": "${NOT_SET}"}}
    ),
    "a case without a value that the product is asked with": lambda project: project.params(
        "execute", target=HTTP | {"body": {"question": "{{turn}}", "language": "{{inputs.language}}"}}
    ),
    "a case without a value that a rubric takes": lambda _: [
        write("data/judges/correctness/rubric.md", "In {{inputs.language}}."),
        declared("input: [question, reference, response, inputs.language]\nrequires: [reference]")(_),
    ],
    "a batch of a product without one": lambda project: project.params("execute", mode="batch", target=HTTP),
    "an environment that raises": raising_environment,
    "a stage that is no mapping": stages(lambda known: known.update(judge=["x"])),
    "a stage whose dependencies are nothing": stages(lambda known: known["judge"].update(deps=None)),
    "a dvc.yaml with stages of one's own alone": lambda _: write("dvc.yaml", "stages: {mine: {cmd: 'true'}}"),
}
"""Faults that are found too late, or end in no sentence of ours."""


@pytest.mark.parametrize("fault", LATE)
def test_a_night_with_any_other_fault_asks_nobody(asking: Project, served: Served, fault: str) -> None:
    """What would end a later stage of the night is refused before the first call, whatever it is."""
    LATE[fault](asking)
    with pytest.raises((ConfigError, DataError)):
        load("nightly").nightly.fn()
    assert served.asked == []


@pytest.mark.parametrize("fault", CONFIG)
def test_a_fault_of_the_configuration_is_named(ready: Project, fault: str) -> None:
    """Parameters, judges, dvc.yaml and the product's modules are refused with what is at fault in them."""
    broken, named = CONFIG[fault]
    broken(ready)
    with pytest.raises(ConfigError, match=named):
        validate(NIGHT)


@pytest.mark.parametrize("fault", DATA)
def test_a_fault_of_the_data_is_named(ready: Project, fault: str) -> None:
    """The taxonomy is refused with the file and what stands in it."""
    broken, named = DATA[fault]
    broken(ready)
    with pytest.raises(DataError, match=named):
        validate(NIGHT)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_night_with_a_fault_asks_nobody(asking: Project, served: Served, fault: str) -> None:
    """Neither product nor judge is asked anything in a night that could not end well, and no data is touched."""
    broken, named = FAULTS[fault]
    broken(asking)
    before = asking.files()
    with pytest.raises(AssayError, match=named):
        load("nightly").nightly.fn()
    assert served.asked == []
    assert asking.files() == before


def test_a_night_without_a_fault_asks(asking: Project, served: Served) -> None:
    """The endpoint that counts is the one that is asked: a project without fault gets as far as that."""
    with pytest.raises(EndpointError):
        load("nightly").nightly.fn(None, "", ("execute.trials=1",))
    assert served.asked


@pytest.mark.parametrize("override", ["calibrate.policy.correctness.tprr=1", "exceute.trials=3", "execute.workers=0"])
def test_a_night_with_an_override_at_fault_asks_nobody(asking: Project, served: Served, override: str) -> None:
    """What a run sets for itself is validated as the file is, before anybody is asked."""
    before = asking.files()
    with pytest.raises(ConfigError):
        load("nightly").nightly.fn(None, "", (override,))
    assert served.asked == []
    assert asking.files() == before


# What passes


@pytest.mark.parametrize(
    "names", [NIGHT, ("review", *NIGHT), ("monitor", "publish"), ("review", "generate"), ("release",)]
)
def test_a_sound_project_passes(ready: Project, names: tuple[str, ...]) -> None:
    """A project as `assay upgrade` leaves it may begin whatever a flow runs, once an earlier night has been."""
    SIGNALS.write([])
    VERDICTS.write([])
    RESPONSES.write([response(case(1))])
    before = ready.files()
    validate(names)
    assert ready.files() == before


def test_what_an_earlier_stage_writes_need_not_be_there(ready: Project) -> None:
    """A night's later stages read what its earlier ones write; a stage by itself needs it on file."""
    validate(NIGHT)
    with pytest.raises(ConfigError, match=r"data/responses/responses\.parquet is missing.*file that judge reads"):
        validate(("judge",))


def test_a_fresh_clone_passes(ready: Project) -> None:
    """Without an evaluation set a night begins with review, which makes it; without review it is refused."""
    for name in ("cases.parquet", "past.parquet", "manifest.json"):
        Path(f"data/evalset/{name}").unlink()
    validate(("review", *NIGHT))
    with pytest.raises(ConfigError, match=r"data/evalset/cases\.parquet is missing"):
        validate(NIGHT)


def test_a_product_without_traffic_passes(ready: Project) -> None:
    """No traces yet is no fault."""
    TRACES.file().unlink()
    validate(NIGHT)


TRAFFIC: dict[str, tuple[Break, str]] = {
    "a trace of an unknown category": (foreign_trace, "traces.*category 'invented'"),
    "traces that are no Parquet": (lambda _: write(TRACES.path, "trace_id\n1\n"), r"traces\.parquet"),
}
"""Likewise, of what production logged."""


@pytest.mark.parametrize("fault", TRAFFIC)
def test_traces_concern_who_cannot_do_without_them(ready: Project, fault: str) -> None:
    """Growth is refused with traces at fault; a night is not kept from running, for it does without its monitoring."""
    broken, named = TRAFFIC[fault]
    broken(ready)
    validate(("execute",))
    validate(NIGHT)
    with pytest.raises(DataError, match=named):
        validate(("review", "generate"))


def test_more_than_is_declared_is_no_fault(ready: Project) -> None:
    """A dvc.yaml may have stages, dependencies and keys of its own."""
    stages(lambda known: known.update(mine={"cmd": "true"}))(ready)
    stages(lambda known: known["judge"]["deps"].append("params.yaml"))(ready)
    validate(NIGHT)


def test_upgrade_mends_what_is_not_declared(ready: Project) -> None:
    """What validation says of dvc.yaml is what `assay upgrade` puts right."""
    undeclared_documents(ready)
    upgrade()
    validate(("review", "generate"))


def test_the_settings_are_those_of_every_stage(ready: Project) -> None:
    """The settings come in the order of the map, each as its stage reads them."""
    found = read_settings()
    assert list(found) == ["generate", "review", "execute", "judge", "calibrate", "monitor", "publish", "release"]
    assert found["execute"].target.path == "answers.jsonl"
    assert found["calibrate"].policy["correctness"]["tpr"] == 0.75
