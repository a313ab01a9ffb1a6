"""Is the version of a product known? By what it declares, tells or is made of, and not where it reads anything else."""

import asyncio
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from pydantic import TypeAdapter, ValidationError

from assay.errors import ConfigError
from assay.models.limits import Limits
from assay.targets.file_reads import MOST_FILES
from assay.targets.open import opened
from assay.targets.preflight import require_openable
from assay.targets.product_code import installed_version, product_inputs
from assay.targets.settings import PythonSettings, TargetSettings
from tests.cast import case

LIMITS = Limits(concurrency=8, deadline_s=30)
SETTINGS: TypeAdapter[Any] = TypeAdapter(TargetSettings)
PROMPT = """\
    from pathlib import Path

    def answer(messages):
        return Path("prompts/system.md").read_text()
"""
Write = Callable[[str, str], Path]


class Played(NamedTuple):
    """What a target was before and after its calls."""

    fingerprint: str
    was_known: bool
    is_known: bool
    undeclared: list[str]
    texts: list[str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writer of files of a product in the test's folder."""

    def _write(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf8")
        return file

    return _write


def play(root: Path, *texts: str, function: str = "product:answer", **settings: Any) -> Played:
    """Open a function under a folder and say each text to it, one after the other."""
    given = {"kind": "python", "name": "support", "function": function, "root": str(root), "processes": 1} | settings

    async def played() -> Played:
        async with opened(PythonSettings(**given), {}, limits=LIMITS) as target:
            was_known = target.is_version_known
            answers = [await target.respond(case(1, turns=[text]), 0, "2026-11-02") for text in texts]
            fingerprint, known, files = target.fingerprint, target.is_version_known, target.undeclared
            return Played(fingerprint, was_known, known, files, [answer.text or answer.error for answer in answers])

    return asyncio.run(played())


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../secrets/*.md", "prompts/../../x.md", "", "a\0b"])
def test_data_that_lies_elsewhere_is_refused(pattern: str) -> None:
    """A glob names files inside the product's folder: nothing absolute, nothing above, nothing empty."""
    with pytest.raises(ValidationError) as refusal:
        PythonSettings(kind="python", name="s", function="product:answer", data=(pattern,))
    assert [error["loc"] for error in refusal.value.errors()] == [("data", 0)]


@pytest.mark.parametrize("pattern", ["prompts/*.txt", "prompts", "nowhere/**"])
def test_data_that_matches_nothing_is_refused_before_the_first_call(pattern: str, tmp_path: Path, write: Write) -> None:
    """A glob without a file, such as the bare name of a folder, is refused with its own text, by both who look."""
    write("product.py", PROMPT)
    write("prompts/system.md", "Be brief.")
    settings = PythonSettings(kind="python", name="s", function="product:answer", root=str(tmp_path), data=(pattern,))
    with pytest.raises(ConfigError, match=f"execute.target.data names '{pattern.replace('*', '[*]')}'"):
        require_openable(settings, {}, mode="interactive")
    with pytest.raises(ConfigError, match="matches no file"):
        play(tmp_path, data=(pattern,))


def test_a_module_that_is_no_python_is_refused_although_it_is_not_loaded(tmp_path: Path, write: Write) -> None:
    """What cannot be read has no fingerprint, also where the function imports it only later."""
    write("product.py", "def answer(messages):\n    import later\n    return later.TEXT\n")
    write("later.py", "TEXT = (")
    with pytest.raises(ConfigError, match=r"later\.py, line 1"):
        play(tmp_path)


def test_an_undeclared_file_is_named_and_the_version_is_not_known_any_more(tmp_path: Path, write: Write) -> None:
    """The version is known until the function reads what it did not declare; each file is named once."""
    write("product.py", PROMPT)
    write("prompts/system.md", "Be brief.")
    played = play(tmp_path, "one", "two")
    assert played.texts == ["Be brief."] * 2
    assert (played.was_known, played.is_known, played.undeclared) == (True, False, ["prompts/system.md"])


def test_a_file_that_is_read_while_the_module_loads_counts_at_once(tmp_path: Path, write: Write) -> None:
    """Most products read their prompts when they are imported: the version is not known from the beginning."""
    write("product.py", "TEXT = open('config.yaml').read()\ndef answer(messages): return TEXT\n")
    write("config.yaml", "tone: kind")
    played = play(tmp_path)
    assert (played.was_known, played.undeclared) == (False, ["config.yaml"])
    assert play(tmp_path, "one", data=("config.yaml",))[1:4] == (True, True, [])


def test_a_declared_file_is_part_of_the_version(tmp_path: Path, write: Write) -> None:
    """Another prompt is another target, and so is one more file of the glob; the version stays known."""
    write("product.py", PROMPT)
    write("prompts/system.md", "Be brief.")
    first = play(tmp_path, "one", data=("prompts/*.md",))
    write("prompts/system.md", "Be kind.")
    second = play(tmp_path, "one", data=("prompts/*.md",))
    write("prompts/more.md", "Be quick.")
    third = play(tmp_path, "one", data=("prompts/*.md",))
    assert [(one.is_known, one.undeclared) for one in (first, second, third)] == [(True, [])] * 3
    assert len({first.fingerprint, second.fingerprint, third.fingerprint}) == 3
    write("prompts/system.md", "Be brief.")
    (tmp_path / "prompts/more.md").unlink()
    assert play(tmp_path, data=("prompts/**", "prompts/system.md")).fingerprint == first.fingerprint


def test_an_import_far_away_is_part_of_the_version_and_a_comment_is_none(tmp_path: Path, write: Write) -> None:
    """A module that is imported by an imported one counts, wherever the import stands; words about it do not."""
    write("product.py", "from shop import desk\ndef answer(messages): return desk.answer()\n")
    write("shop/__init__.py", "")
    write("shop/desk.py", "def answer():\n    from shop import prices\n    return prices.TEXT\n")
    write("shop/prices.py", "TEXT = 'two'\n")
    first = play(tmp_path, "one")
    write("shop/prices.py", '"""Prices."""\n\nTEXT = "two"  # dollars\n')
    second = play(tmp_path, "one")
    write("shop/prices.py", "TEXT = 'three'\n")
    third = play(tmp_path, "one")
    assert [one.texts for one in (first, second, third)] == [["two"], ["two"], ["three"]]
    assert first.fingerprint == second.fingerprint != third.fingerprint
    assert {one.is_known for one in (first, second, third)} == {True}


@pytest.mark.parametrize("is_compiled", [False, True])
def test_a_module_whose_name_is_computed_is_named(*, is_compiled: bool, tmp_path: Path, write: Write) -> None:
    """A plugin that no import shows is an undeclared file like any other, also where its byte code is read instead."""
    write("product.py", "import importlib\ndef answer(messages): return importlib.import_module('plug' + 'in').TEXT\n")
    write("plugin.py", "TEXT = 'plugged'\n")
    if is_compiled:
        play(tmp_path, "one", data=("plugin.py",))
        assert list(tmp_path.glob("__pycache__/plugin.*.pyc"))
    played = play(tmp_path, "one")
    assert (played.texts, played.is_known, played.undeclared) == (["plugged"], False, ["plugin.py"])
    assert play(tmp_path, "one", data=("plugin.py",)).is_known


def test_a_flood_of_files_is_told_of_in_part(tmp_path: Path, write: Write) -> None:
    """A function that reads thousands of files has its answer, and the first of them are named."""
    source = """\
        def answer(messages):
            return str(sum(len(open(f"many/{number}.txt").read()) for number in range(3000)))
    """
    write("product.py", source)
    (tmp_path / "many").mkdir()
    for number in range(3000):
        (tmp_path / f"many/{number}.txt").write_text("x")
    played = play(tmp_path, "one", "two")
    assert (played.texts, played.is_known) == (["3000", "3000"], False)
    assert len(played.undeclared) == MOST_FILES
    declared = play(tmp_path, "one", data=("many/**",))
    assert (declared.is_known, declared.undeclared) == (True, [])


def test_what_is_no_read_of_the_product_is_not_told(tmp_path: Path, write: Write) -> None:
    """Writes, files that the function makes, looks at missing ones, and files elsewhere say nothing of a version."""
    elsewhere = write("elsewhere.txt", "far")
    source = f"""\
        import os
        from pathlib import Path

        def answer(messages):
            Path("log.txt").write_text("done")
            with open("scratch", "w+") as file:
                file.write("x")
                file.seek(0)
                file.read()
            os.close(os.open("lock", os.O_RDWR | os.O_CREAT))
            for name in ("missing.md", b"missing", "a\\0b", 10**9, os.getcwd()):
                try:
                    open(name).close()
                except (OSError, ValueError, OverflowError):
                    pass
            return Path({str(elsewhere)!r}).read_text()
    """
    write("shop/product.py", source)
    played = play(tmp_path / "shop", "one")
    assert (played.texts, played.is_known, played.undeclared) == (["far"], True, [])


def test_a_name_is_looked_at_again_in_another_folder(tmp_path: Path, write: Write) -> None:
    """The same words name another file once the function has changed its folder, or once there is such a file."""
    source = """\
        import os

        def answer(messages):
            for name in ("declared.md", "declared.md", "later.md"):
                try:
                    open(name).close()
                except OSError:
                    os.rename("waiting.md", "later.md")
                    open(name).close()
            os.chdir("inner")
            return open("declared.md").read()
    """
    write("product.py", source)
    for name in ("declared.md", "waiting.md", "inner/declared.md"):
        write(name, name)
    played = play(tmp_path, "one", data=("declared.md",))
    assert (played.texts, played.undeclared) == (["inner/declared.md"], ["inner/declared.md", "later.md"])


def test_names_of_files_cannot_harm(tmp_path: Path, write: Write) -> None:
    """A name with odd bytes, or a very long one, is told as text of bounded length."""
    source = """\
        import os
        os.makedirs("d" * 200, exist_ok=True)
        for name in (b"\\xff{0}%s.md", os.fsencode("d" * 200) + b"/x.md", "\\U0001f35e.md".encode()):
            if not os.path.exists(name):
                os.close(os.open(name, os.O_WRONLY | os.O_CREAT))
            open(name, "rb").read()

        def answer(messages):
            return "fine"
    """
    write("product.py", source)
    played = play(tmp_path, "one")
    assert (played.texts, played.is_known) == (["fine"], False)
    assert played.undeclared == ["d" * 160, "\ufffd{0}%s.md", "\U0001f35e.md"]


def test_the_version_of_an_installed_module_is_its_distribution_s(tmp_path: Path) -> None:
    """A function of an installed package is known by that package's version; of an editable one nothing is known."""
    assert installed_version("yaml.nodes").startswith("PyYAML==")
    assert installed_version("assay.text") == installed_version("no_such_module") == ""
    installed = play(tmp_path, function="json.encoder:py_encode_basestring")
    assert installed.was_known is False  # the standard library belongs to no distribution
    assert play(tmp_path, function="yaml.nodes:Node").was_known
    assert play(tmp_path, function="json.encoder:py_encode_basestring", version="3").was_known


def test_inputs_are_paths_that_are_there(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """DVC gets each file of a glob, sorted and as seen from the project, and a whole folder by its name."""
    monkeypatch.chdir(tmp_path)
    for name in ("shop/b.md", "shop/a.md", "shop/articles/one.md", "shop/articles/deep/two.md"):
        write(name, "x")
    python = {"kind": "python", "name": "s", "function": "p:f", "root": "shop"}
    data = ["*.md", "articles/**", "b.md", "none/*"]
    recorded = {"kind": "recorded", "name": "s", "path": "a.jsonl"}
    targets = [SETTINGS.validate_python(given) for given in (python | {"data": data}, python, recorded)]
    paths = ("shop/a.md", "shop/articles", "shop/b.md")
    assert [product_inputs(target) for target in targets] == [paths, (), ("a.jsonl",)]


OTHER = {
    "chat": {"kind": "chat", "model": "support-2", "base_url": "http://127.0.0.1:9/v1"},
    "http": {"kind": "http", "url": "http://127.0.0.1:9/chat", "body": "{{turn}}"},
}


@pytest.mark.parametrize("kind", sorted(OTHER))
@pytest.mark.parametrize(("version", "is_known"), [("", False), ("  ", False), ("2026-11-02", True)])
def test_an_endpoint_is_known_by_its_declared_version(kind: str, version: str, *, is_known: bool) -> None:
    """Nobody knows what runs behind an address, unless its version is declared."""

    async def read() -> tuple[bool, list[str]]:
        settings = SETTINGS.validate_python(OTHER[kind] | {"name": "support", "version": version})
        async with opened(settings, {}, limits=LIMITS) as target:
            return target.is_version_known, target.undeclared

    assert asyncio.run(read()) == (is_known, [])


def test_recorded_answers_are_known_by_their_file(tmp_path: Path, write: Write) -> None:
    """The hash of the file is in the fingerprint, so the version of recorded answers is always known."""
    path = write("answers.jsonl", '{"case_id": "case-1", "text": "hi"}\n')

    async def read() -> tuple[bool, list[str]]:
        settings = SETTINGS.validate_python({"kind": "recorded", "name": "s", "path": str(path)})
        async with opened(settings, {}, limits=LIMITS) as target:
            return target.is_version_known, target.undeclared

    assert asyncio.run(read()) == (True, [])
