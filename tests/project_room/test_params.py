"""Parameters: every section is named when it is at fault, and one run may differ from the file without a trace."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

from assay.errors import ConfigError
from assay.project import params
from assay.project.params import Overrides, overriding, read_all, read_params
from assay.records.record import Record


class Price(Record):
    """A section within a section."""

    input_usd: float = 1.0
    output_usd: float = 2.0


class Numbers(Record):
    """A section of params.yaml for these tests, in which nothing has to be set."""

    trials: int = Field(default=1, ge=1)
    name: str = "support"
    ways: list[str] = Field(default=["category", "production"])
    user: str | None = "cleo"
    price: Price = Price()


BELOW = {"execute": {"trials": 2, "ways": ["category", "document"], "price": {"input_usd": 3.0}}, "judge": {}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two sections in params.yaml and nothing else, as the current one."""
    monkeypatch.chdir(tmp_path)
    write("params.yaml", BELOW)
    return tmp_path


def write(name: str, content: dict[str, Any] | str) -> None:
    """Write a file of parameters into the current folder, as it is or as YAML."""
    text = content if isinstance(content, str) else yaml.safe_dump(content, sort_keys=False)
    Path(name).write_text(text)


def read(*values: str, env: str = "") -> Numbers:
    """Return the section `execute` with overrides."""
    with overriding(env, values):
        return read_params("execute", Numbers)


# What is refused


@pytest.mark.parametrize("section", ["execute", "release"])
def test_a_missing_section_is_refused_by_its_name(folder: Path, section: str) -> None:
    """A section that is not there is refused, and the sentence holds the line that would add it."""
    write("params.yaml", {"judge": {}})
    with pytest.raises(ConfigError, match=rf"no section '{section}'.*`{section}: {{}}`"):
        read_params(section, Numbers)


@pytest.mark.parametrize(
    ("section", "named"),
    [
        ({"speed": 9}, "execute.speed is 9"),
        ({"price": {"tokens": 4}}, "execute.price.tokens is 4"),
        ({"trials": 0}, "execute.trials is 0"),
        ({"ways": "category"}, "execute.ways is 'category'"),
        ("fast", "execute is 'fast'"),
    ],
)
def test_what_a_section_may_not_hold_is_named_with_it(folder: Path, section: Any, named: str) -> None:
    """A key that nobody knows, or a value of another kind, is quoted with its whole path from the section on."""
    write("params.yaml", {"execute": section})
    with pytest.raises(ConfigError, match=re.escape(named)):
        read_params("execute", Numbers)


@pytest.mark.parametrize("text", ["", "[]", "execute", "3"])
def test_a_file_that_is_no_mapping_is_refused(folder: Path, text: str) -> None:
    """Parameters are sections by their names: nothing, a list and a bare word are none."""
    write("params.yaml", text)
    with pytest.raises(ConfigError, match=r"^params\.yaml is "):
        read_all()


@pytest.mark.parametrize("env", ["../x", "Staging", "a b", "a/b", "-x", ".", "staging\n", "x" * 51])
def test_a_name_that_is_no_environment_is_refused(folder: Path, env: str) -> None:
    """An environment's name never leads to another folder, and the run does not begin."""
    began: list[str] = []
    with pytest.raises(ConfigError, match=r"--env: env is .*params\.<env>\.yaml"), overriding(env):
        began.append("the run")
    assert began == []


@pytest.mark.parametrize(
    ("env", "values", "named"),
    [
        ("staging", (), "--env staging: params.staging.yaml is missing"),
        ("", ("execute=3",), "--set 'execute=3'"),
        ("", ("execute.trials",), "--set 'execute.trials'"),
        ("", ("=3",), "--set '=3'"),
        ("", (".trials=3",), "--set '.trials=3'"),
        ("", ("execute.=3",), "--set 'execute.=3'"),
        ("", ("execute..trials=3",), "--set 'execute..trials=3'"),
        ("", ("execute.ways=[a, b",), "--set execute.ways: '[a, b' is not YAML"),
        ("", ("execute.trials=3", "execute.name='a"), '--set execute.name: "\'a" is not YAML'),
    ],
)
def test_an_override_that_cannot_be_applied_is_refused(
    folder: Path, env: str, values: tuple[str, ...], named: str
) -> None:
    """A missing file, a path without a key, a text without `=` and what is no YAML are quoted before a run begins."""
    began: list[str] = []
    with pytest.raises(ConfigError, match=re.escape(named)), overriding(env, values):
        began.append("the run")
    assert began == []
    assert not params.overrides()


@pytest.mark.parametrize("value", ["2026-13-45", "9" * 5000, "[" * 5000], ids=["date", "digits", "brackets"])
@pytest.mark.parametrize("is_file", [True, False])
def test_a_value_that_yaml_cannot_make_is_refused(folder: Path, value: str, is_file: bool) -> None:  # noqa: FBT001
    """What looks like YAML and has no value in it is refused as no YAML, in the file and on the command line."""
    if is_file:
        write("params.yaml", f"execute: {{name: {value}}}")
    with pytest.raises(ConfigError, match="is not YAML"):
        read(*([] if is_file else [f"execute.name={value}"]))


@pytest.mark.parametrize("text", ["execute: [", "[]"])
def test_an_environment_s_file_at_fault_is_named(folder: Path, text: str) -> None:
    """The file of the environment is held against the same rule as params.yaml, and named by its own name."""
    write("params.staging.yaml", text)
    with pytest.raises(ConfigError, match=r"^params\.staging\.yaml is "):
        read(env="staging")


def test_a_wrong_value_says_that_it_came_from_an_override(folder: Path) -> None:
    """A fault that an override brought in is told with the override, for params.yaml alone does not show it."""
    with pytest.raises(ConfigError, match=r"params\.yaml with --set execute\.trials=two: execute\.trials is 'two'"):
        read("execute.trials=two")


@pytest.mark.parametrize("section", ["[]", "false", "0", "''"])
def test_a_section_that_is_no_mapping_is_refused(folder: Path, section: str) -> None:
    """Only `{}` and nothing at all are an empty section."""
    write("params.yaml", f"execute: {section}")
    with pytest.raises(ConfigError, match="execute is "):
        read_params("execute", Numbers)


# What holds


@pytest.mark.parametrize("section", ["execute: {}", "execute:"])
def test_an_empty_section_is_every_default(folder: Path, section: str) -> None:
    """`{}`, or nothing behind the colon, is the section with all its defaults."""
    write("params.yaml", section)
    assert read_params("execute", Numbers) == Numbers()


def test_what_is_set_goes_before_the_default(folder: Path) -> None:
    """A value in the file counts, and its neighbours keep their defaults, also one level down."""
    assert read_params("execute", Numbers) == Numbers(
        trials=2, ways=["category", "document"], price=Price(input_usd=3.0, output_usd=2.0)
    )


def test_no_override_is_the_file(folder: Path) -> None:
    """Without an environment and without values the block reads what stands in params.yaml."""
    with overriding() as mine:
        assert not mine
        assert read_all() == BELOW


def test_an_environment_lies_over_the_file(folder: Path) -> None:
    """params.staging.yaml is merged level by level: what it does not name stays as params.yaml has it."""
    write("params.staging.yaml", {"execute": {"price": {"output_usd": 9.0}}, "review": {"rule": 2}})
    with overriding("staging"):
        assert read_all() == {
            "execute": BELOW["execute"] | {"price": {"input_usd": 3.0, "output_usd": 9.0}},
            "judge": {},
            "review": {"rule": 2},
        }


def test_a_single_value_lies_over_both(folder: Path) -> None:
    """`--set` goes before the environment, the environment before the file, wherever each of them speaks."""
    write("params.staging.yaml", {"execute": {"trials": 5, "name": "staging"}})
    assert read(env="staging").trials == 5
    found = read("execute.trials=7", env="staging")
    assert (found.trials, found.name, found.price.input_usd) == (7, "staging", 3.0)


def test_the_later_of_two_values_wins(folder: Path) -> None:
    """The same key twice is the second one; other keys of the section keep what they were given."""
    found = read("execute.trials=3", "execute.name=first", "execute.trials=4")
    assert (found.trials, found.name) == (4, "first")


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("execute.x=3", 3),
        ("execute.x=0.5", 0.5),
        ("execute.x=true", True),
        ("execute.x=null", None),
        ("execute.x=", None),
        ("execute.x=[a, 2]", ["a", 2]),
        ("execute.x={a: {b: 1}}", {"a": {"b": 1}}),
        ("execute.x='3'", "3"),
        ("execute.x=a=b", "a=b"),
        ("execute.x=http://127.0.0.1:1/v1", "http://127.0.0.1:1/v1"),
    ],
)
def test_a_value_is_yaml(folder: Path, assignment: str, value: Any) -> None:
    """Numbers, words, null, lists and mappings are what YAML says; only the first `=` parts key and value."""
    with overriding(values=[assignment]):
        assert read_all()["execute"]["x"] == value


def test_a_nested_key_is_reached_by_dots(folder: Path) -> None:
    """A path of dots sets one leaf and leaves what lies beside it."""
    assert read("execute.price.output_usd=8").price == Price(input_usd=3.0, output_usd=8.0)


def test_null_takes_a_value_away(folder: Path) -> None:
    """`null` is a value of its own, not the default."""
    assert read("execute.user=null").user is None


def test_a_section_that_is_not_there_may_be_set(folder: Path) -> None:
    """An override may speak of a section that params.yaml leaves out, or leaves empty."""
    with overriding(values=["judge.trials=2", "publish.trials=3"]):
        assert (read_params("judge", Numbers).trials, read_params("publish", Numbers).trials) == (2, 3)


@pytest.mark.parametrize("is_file", [True, False])
def test_a_list_is_replaced(folder: Path, is_file: bool) -> None:  # noqa: FBT001 - a case
    """Lists are never merged: the one above stands alone."""
    write("params.staging.yaml", {"execute": {"ways": ["production"]}})
    found = read(env="staging") if is_file else read("execute.ways=[production]")
    assert found.ways == ["production"]


def test_the_overrides_end_with_their_block(folder: Path) -> None:
    """After the block params.yaml alone is in force again, and the file itself was never touched."""
    before = (folder / "params.yaml").read_bytes()
    assert read("execute.trials=9").trials == 9
    assert read_params("execute", Numbers).trials == 2
    assert not params.overrides()
    assert (folder / "params.yaml").read_bytes() == before


def test_the_overrides_end_with_an_error(folder: Path) -> None:
    """A block that fails leaves no override behind."""
    with pytest.raises(ZeroDivisionError), overriding(values=["execute.trials=9"]):
        raise ZeroDivisionError
    assert read_params("execute", Numbers).trials == 2
    assert not params.overrides()


def test_a_block_within_a_block_speaks_for_itself(folder: Path) -> None:
    """The inner block's overrides are the only ones in it; those of the outer one are back afterwards."""
    with overriding(values=["execute.trials=9"]):
        assert read("execute.name=inner") == read_params("execute", Numbers).model_copy(
            update={"trials": 2, "name": "inner"}
        )
        assert read_params("execute", Numbers).trials == 9


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (Overrides(), ""),
        (Overrides(env="staging"), "--env staging"),
        (Overrides(values=("execute.trials=3",)), "--set execute.trials=3"),
        (
            Overrides(env="staging", values=("execute.trials=3", "judge.x=[1, 2]")),
            "--env staging --set execute.trials=3 --set judge.x=[1, 2]",
        ),
    ],
)
def test_overrides_are_said_as_they_are_typed(overrides: Overrides, said: str) -> None:
    """What a run differed in is said in the words of its command line, nothing where it did not differ."""
    assert overrides.said() == said
    assert bool(overrides) == bool(said)
