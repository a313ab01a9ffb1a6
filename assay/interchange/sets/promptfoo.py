"""promptfoo: its configuration (promptfooconfig.yaml), a list of its tests, and the results that it writes as JSON.

A configuration is unfolded into its tests: defaults, scenarios, lists of values, rows of a table. Files that it names
are never opened.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from assay.interchange.sets import (
    metadata,
    promptfoo_assertions,
    promptfoo_export,
    promptfoo_question,
    promptfoo_table,
    templates,
)
from assay.interchange.sets.builder import Draft, Gathering, Listing, shown
from assay.interchange.sets.fields import Fields
from assay.interchange.sets.promptfoo_question import Prompts
from assay.interchange.sets.source import Source
from assay.records.case import Case

NAME = "promptfoo"
SUFFIXES = (".yaml", ".yml")
COMBINED = 1_000
"""Cases that one test becomes at most, by its lists of values."""
SETTINGS = (
    *("provider", "providers", "targets", "options", "description", "evaluateOptions", "commandLineOptions"),
    *("outputPath", "sharing", "env", "extensions", "tags", "nunjucksFilters", "derivedMetrics", "tracing", "metadata"),
)
TEMPLATES = "assertionTemplates"
"""Assertions that others refer to."""
OPTIONS = ("prefix", "suffix", "disableVarExpansion")
"""Options of a test that say something of what is asked."""
OWN = "of promptfoo's own, outside any case"
IDS = ("case_id", "id", "testCaseId", "pluginId")


def recognises(found: Source) -> bool:
    """Say whether a file holds tests of promptfoo."""
    names = found.names()
    if found.kind == "value":
        results = found.value.get("results")
        is_output = isinstance(results, dict) and "results" in results
        return is_output or (bool(names & {"tests", "scenarios"}) and bool(names & {"prompts", "providers", "targets"}))
    if found.is_table:
        return promptfoo_table.is_table(names)
    return found.kind == "rows" and bool(names & {"vars", "assert"})


def read(found: Source, gathering: Gathering) -> None:
    """Make each test a case; of results, each test once."""
    if found.is_table:
        for place, row in found.rows:
            _test([(promptfoo_table.test(row), place)], Prompts(None), place, gathering)
        return
    if found.kind == "rows":
        _tests({}, Prompts(None), [one for _, one in found.rows], "tests", gathering)
        return
    results = found.value.get("results")
    if isinstance(results, dict):
        _results(results.get("results"), gathering)
        gathering.leave("set", "of other parts of the results, such as `config` and `stats`", "results")
        return
    whole = _resolved(found.value, _object(found.value.get(TEMPLATES), TEMPLATES, "the configuration", gathering))
    config = Fields({name: whole[name] for name in whole if name != TEMPLATES}, "the configuration", gathering)
    prompts, default = config.take("prompts"), config.take("defaultTest")
    shared = _shared(default, gathering)
    texts = Prompts(prompts)
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
    kept = {name: fields.take(name) for name in ("vars", "metadata", "assert", "provider", "options")}
    fields.leave_rest()
    return {name: value for name, value in kept.items() if value is not None}


def _tests(shared: Mapping[str, Any], prompts: Prompts, found: object, where: str, gathering: Gathering) -> None:
    if isinstance(found, str | dict):
        gathering.leave("file", "named for `tests` and not read: import it by itself", where, named(found))
        return
    for number, test in enumerate(found if isinstance(found, list) else []):
        place = f"{where}[{number}]"
        if not isinstance(test, dict):
            gathering.leave("file", "named for `tests` and not read: import it by itself", place, named(test))
            continue
        _test([(shared, "defaultTest"), (test, place)], prompts, place, gathering)


def _scenario(shared: Mapping[str, Any], prompts: Prompts, found: object, place: str, gathering: Gathering) -> None:
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
        prompts = Prompts(_prompt_of(one))
        _test([({"vars": one.get("vars")}, place), (test, f"{place}.testCase")], prompts, place, gathering)


def _resolved(found: Any, shared: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value in which each assertion that names a shared one is that one, with what it says besides."""
    if isinstance(found, list):
        return [_resolved(one, shared) for one in found]
    if not isinstance(found, dict):
        return found
    path = found.get("$ref")
    head, name = f"#/{TEMPLATES}/", path if isinstance(path, str) else ""
    template = shared.get(name.removeprefix(head)) if name.startswith(head) else None
    if isinstance(template, dict):
        return {**template, **{key: value for key, value in found.items() if key != "$ref"}}
    return {key: _resolved(value, shared) for key, value in found.items()}


def _prompt_of(result: Mapping[str, Any]) -> object:
    """Return the prompt of a result: as it was written, where that comes to what was sent."""
    found = result.get("prompt")
    if not isinstance(found, dict):
        return found
    label, raw, values = found.get("label"), found.get("raw"), result.get("vars")
    if isinstance(label, str) and isinstance(values, dict) and templates.filled(label, values).text == raw:
        return label
    return raw


def named(found: object) -> str:
    """Return which file a configuration names, as a message quotes it."""
    path = found.get("path") if isinstance(found, dict) else found
    return f"`assay import {shown(path)} --format promptfoo`" if isinstance(path, str) else ""


def _test(parts: list[tuple[Mapping[str, Any], str]], prompts: Prompts, place: str, gathering: Gathering) -> None:
    """Make one test a case, or one for each combination where a variable has several values.

    Variables are its inputs, also those that its prompt or an assertion has taken in.
    """
    test = _joined(parts, gathering)
    for values in [test.variables] if test.is_whole else _combined(test.variables, place, gathering):
        draft = Draft(place=place, title=test.title)
        told = Fields(test.own, place, gathering, prefix="metadata.")
        draft.case_id = told.take(*IDS[:3])
        used = promptfoo_question.simulate(draft, test.provider, values, gathering)
        if used is None:
            used = promptfoo_question.ask(draft, values, prompts, gathering)
            _wrap(draft, test.options)
            prompts.go_on(draft, told.take("conversationId"))
        for one, where in test.assertions:
            promptfoo_assertions.expect(draft, one, values, where, gathering)
        used |= {name for one, _ in test.assertions for name in _named(one)}
        metadata.hear(draft, told, gathering)
        told.leave_rest()
        promptfoo_question.give(draft, values, used, gathering)
        gathering.add(draft)


@dataclass
class Test:
    """A test with all that it inherits."""

    variables: dict[str, Any] = field(default_factory=dict)
    own: dict[str, Any] = field(default_factory=dict)
    """Its metadata."""
    assertions: list[tuple[object, str]] = field(default_factory=list)
    """Each with its place."""
    options: dict[str, Any] = field(default_factory=dict)
    provider: object = None
    title: str = ""

    @property
    def is_whole(self) -> bool:
        """Tell whether a list of values is one value."""
        return bool(self.options.get("disableVarExpansion"))


def _joined(parts: list[tuple[Mapping[str, Any], str]], gathering: Gathering) -> Test:
    """Return a test with all that it inherits; what has no place in a case is told."""
    test = Test()
    for part, where in parts:
        fields = Fields(part, where, gathering)
        test.variables |= _object(fields.take("vars"), "vars", where, gathering)
        test.own |= _object(fields.take("metadata"), "metadata", where, gathering)
        found = fields.items("assert")
        test.assertions += [(one, f"{where}.assert[{number}]") for number, one in enumerate(found)]
        test.title = fields.text("description") or test.title
        test.provider = fields.peek("provider") or test.provider
        options = fields.inner("options")
        test.options |= {name: options.take(name) for name in OPTIONS if name in options}
        options.drop("setting", OWN, *options.unread())
        fields.drop("setting", OWN, *SETTINGS)
        fields.leave_rest()
    return test


def _wrap(draft: Draft, options: Mapping[str, Any]) -> None:
    """Put the texts around what the user says that a test has for it."""
    before, after = options.get("prefix"), options.get("suffix")
    if draft.turns:
        around = (one if isinstance(one, str) else "" for one in (before, draft.turns[-1], after))
        draft.turns[-1] = "".join(around)


def _combined(variables: Mapping[str, Any], place: str, gathering: Gathering) -> Iterator[dict[str, Any]]:
    """Yield each combination of the values of those variables that have several."""
    lists = {
        name: value
        for name, value in variables.items()
        if isinstance(value, list) and value and name not in promptfoo_question.WHOLE
    }
    count = 1
    for several in lists.values():
        count *= len(several)
    if count > COMBINED:
        raise gathering.fault(
            place, f" combines to {count:,} cases, expected at most {COMBINED:,}: list fewer values, or write them out"
        )
    for chosen in product(*lists.values()):
        yield {**variables, **dict(zip(lists, chosen, strict=True))}


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


def _object(found: object, name: str, place: str, gathering: Gathering) -> dict[str, Any]:
    if found is None or isinstance(found, dict):
        return found or {}
    gathering.leave("file", f"named for `{name}` and not read", place)
    return {}
