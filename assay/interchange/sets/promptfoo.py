"""promptfoo: its configuration (promptfooconfig.yaml), a list of its tests, and the results that it writes as JSON.

What the user says is the variable with a usual name for that; else the one prompt with its variables filled in; else
the only variable. A prompt beside that belongs to the product, and is told.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from assay.errors import DataError
from assay.interchange.sets import metadata, promptfoo_assertions, promptfoo_export, templates
from assay.interchange.sets.builder import Draft, Gathering, Listing
from assay.interchange.sets.fields import EMPTY, Fields, as_text
from assay.interchange.sets.messages import ASKED, asked, is_conversation
from assay.interchange.sets.source import Source, json_value
from assay.records.case import Case

NAME = "promptfoo"
SUFFIXES = (".yaml", ".yml")
COMBINED = 1_000
"""Cases that one test becomes at most, by its lists of values."""
OUTSIDE = ("file:", "package:", "http:", "https:", "huggingface:")
"""How a text begins that stands for what is elsewhere."""
SETTINGS = (
    *("provider", "providers", "targets", "options", "description", "evaluateOptions", "commandLineOptions"),
    *("outputPath", "sharing", "env", "extensions", "tags", "nunjucksFilters", "derivedMetrics", "tracing", "metadata"),
)
OWN = "of promptfoo's own, outside any case"
IDS = ("case_id", "id", "testCaseId", "pluginId")


def recognises(found: Source) -> bool:
    """Say whether a file holds tests of promptfoo."""
    names = found.names()
    if found.kind == "value":
        results = found.value.get("results")
        is_output = isinstance(results, dict) and "results" in results
        return is_output or (bool(names & {"tests", "scenarios"}) and bool(names & {"prompts", "providers", "targets"}))
    return found.kind == "rows" and not found.is_table and bool(names & {"vars", "assert"})


def read(found: Source, gathering: Gathering) -> None:
    """Make each test a case; of results, each test once."""
    if found.kind == "rows":
        _tests({}, [], [one for _, one in found.rows], "tests", gathering)
        return
    results = found.value.get("results")
    if isinstance(results, dict):
        _results(results.get("results"), gathering)
        gathering.leave("set", "of other parts of the results, such as `config` and `stats`", "results")
        return
    config = Fields(found.value, "the configuration", gathering)
    prompts, default = config.take("prompts"), config.take("defaultTest")
    shared = _shared(default, gathering)
    texts = _prompts(prompts)
    _tests(shared, texts, config.take("tests"), "tests", gathering)
    for number, one in enumerate(config.items("scenarios")):
        _scenario(shared, texts, one, f"scenarios[{number}]", gathering)
    config.drop("setting", OWN, *SETTINGS)
    config.leave_rest()


def write(cases: Sequence[Case], suffix: str, listing: Listing) -> bytes:  # noqa: ARG001 - YAML under both
    """Return a configuration whose one prompt is what the user says."""
    return promptfoo_export.write(cases, listing)


def _shared(found: object, gathering: Gathering) -> dict[str, Any]:
    """Return what every test begins with."""
    if isinstance(found, str):
        gathering.leave("file", "named for `defaultTest` and not read", "defaultTest")
    fields = Fields(found if isinstance(found, dict) else {}, "defaultTest", gathering, prefix="defaultTest.")
    kept = {name: fields.take(name) for name in ("vars", "metadata", "assert")}
    fields.leave_rest()
    return {name: value for name, value in kept.items() if value is not None}


def _tests(shared: Mapping[str, Any], prompts: list[str], found: object, where: str, gathering: Gathering) -> None:
    if isinstance(found, str | dict):
        gathering.leave("file", "named for `tests` and not read: import it by itself", where)
        return
    for number, test in enumerate(found if isinstance(found, list) else []):
        place = f"{where}[{number}]"
        if not isinstance(test, dict):
            gathering.leave("file", "named for `tests` and not read: import it by itself", place)
            continue
        _test([(shared, "defaultTest"), (test, place)], prompts, place, gathering)


def _scenario(shared: Mapping[str, Any], prompts: list[str], found: object, place: str, gathering: Gathering) -> None:
    """Take every test with every configuration of a scenario."""
    scenario = Fields(found if isinstance(found, dict) else {}, place, gathering, prefix="scenario.")
    configs, tests = scenario.items("config"), scenario.items("tests")
    for (outer, config), (inner, test) in product(enumerate(configs), enumerate(tests or [{}])):
        if not isinstance(config, dict) or not isinstance(test, dict):
            gathering.leave("file", "named in a scenario and not read", place)
            continue
        parts = [(shared, "defaultTest"), (config, f"{place}.config[{outer}]"), (test, f"{place}.tests[{inner}]")]
        _test(parts, prompts, f"{place}.config[{outer}].tests[{inner}]", gathering)
    scenario.leave_rest()


def _results(found: object, gathering: Gathering) -> None:
    """Take the test of each result, once a test: a run has one result for each prompt and provider."""
    seen: set[str] = set()
    for number, one in enumerate(found if isinstance(found, list) else []):
        place = f"results[{number}]"
        if not isinstance(one, dict):
            gathering.leave("result", "that is no object", place)
            continue
        key = str(one.get("testIdx", f"none {number}"))
        if key in seen:
            gathering.leave("result", "of a further prompt, provider or repeat of its test", place)
            continue
        seen.add(key)
        gathering.leave("result", "with an answer and its scores, outside any case", place)
        test = one.get("testCase")
        test = test if isinstance(test, dict) else {}
        raw = one.get("prompt")
        prompt = raw.get("raw") if isinstance(raw, dict) else raw
        prompts = [prompt] if isinstance(prompt, str) else []
        _test([({"vars": one.get("vars")}, place), (test, f"{place}.testCase")], prompts, place, gathering)


def _test(parts: list[tuple[Mapping[str, Any], str]], prompts: list[str], place: str, gathering: Gathering) -> None:
    """Make one test a case, or one for each combination where a variable has several values."""
    variables: dict[str, Any] = {}
    own: dict[str, Any] = {}
    assertions: list[tuple[object, str]] = []
    title = ""
    for part, where in parts:
        fields = Fields(part, where, gathering)
        variables |= _object(fields.take("vars"), "vars", where, gathering)
        own |= _object(fields.take("metadata"), "metadata", where, gathering)
        found = fields.items("assert")
        assertions += [(one, f"{where}.assert[{number}]") for number, one in enumerate(found)]
        title = fields.text("description") or title
        is_whole = bool(_settings(fields).get("disableVarExpansion"))
        fields.drop("setting", OWN, *SETTINGS)
        fields.leave_rest()
    for values in [variables] if is_whole else _combined(variables, place, gathering):
        draft = Draft(place=place, title=title)
        told = Fields(own, place, gathering, prefix="metadata.")
        draft.case_id = told.take(*IDS[:3])
        used = _ask(draft, values, prompts, place, gathering)
        for one, where in assertions:
            promptfoo_assertions.expect(draft, one, values, where, gathering)
        used |= {name for one, _ in assertions for name in _named(one)}
        metadata.hear(draft, told, gathering)
        told.leave_rest()
        Fields({k: v for k, v in values.items() if k not in used}, place, gathering, prefix="vars.").leave_rest()
        gathering.add(draft)


def _ask(draft: Draft, values: Mapping[str, Any], prompts: list[str], place: str, gathering: Gathering) -> set[str]:
    """Take what the user says; return the variables that were used for it."""
    outside = [name for name in values if isinstance(values[name], str) and values[name].startswith(OUTSIDE[:2])]
    if outside:
        gathering.leave("variable", "whose value stands in another file", f"{place}.vars.{outside[0]}")
        return set()
    usual = next((name for name in ASKED if name in values and values[name] not in EMPTY), "")
    if not usual and len(prompts) == 1 and not prompts[0].startswith(OUTSIDE):
        made = templates.filled(prompts[0], values)
        if not made.missing:
            asked(draft, _messages(made.text), "prompt", gathering)
            return set(made.names)
    name = usual or (next(iter(values)) if len(values) == 1 else "")
    if not name:
        return set()
    if any(templates.hole(prompt) != name for prompt in prompts):
        gathering.leave("prompt", "of the product, beside what the user says", place)
    made = templates.filled(as_text(values[name], place, gathering), values)
    if made.missing:
        gathering.leave("variable", "that cannot be filled in", f"{place}.vars.{name}", made.missing)
    else:
        asked(draft, _messages(made.text), f"vars.{name}", gathering)
    return {name}


def _messages(text: str) -> Any:  # noqa: ANN401 - messages, or the text itself
    """Return the messages that a prompt spells as JSON, or else the prompt."""
    if not text.lstrip().startswith("["):
        return text
    try:
        found = json_value(text, "the prompt")
    except DataError:
        return text
    return found if is_conversation(found) else text


def _combined(variables: Mapping[str, Any], place: str, gathering: Gathering) -> Iterator[dict[str, Any]]:
    """Yield each combination of the values of those variables that have several."""
    lists = {name: value for name, value in variables.items() if isinstance(value, list) and value}
    count = 1
    for several in lists.values():
        count *= len(several)
    if count > COMBINED:
        raise gathering.fault(
            place, f" combines to {count:,} cases, expected at most {COMBINED:,}: list fewer values, or write them out"
        )
    for chosen in product(*lists.values()):
        yield {**variables, **dict(zip(lists, chosen, strict=True))}


def _prompts(found: object) -> list[str]:
    """Return the prompts that are written out as texts, however they are listed."""
    several = found if isinstance(found, list) else [found]
    texts = [one.get("raw") if isinstance(one, dict) else one for one in several]
    return [one for one in texts if isinstance(one, str)]


def _named(found: object) -> set[str]:
    """Return the variables that an assertion names in any of its values."""
    waiting, names = [found], set[str]()
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str):
            names |= templates.roots(one)
    return names


def _settings(fields: Fields) -> dict[str, Any]:
    found = fields.peek("options")
    return found if isinstance(found, dict) else {}


def _object(found: object, name: str, place: str, gathering: Gathering) -> dict[str, Any]:
    if found is None or isinstance(found, dict):
        return found or {}
    gathering.leave("file", f"named for `{name}` and not read", place)
    return {}
