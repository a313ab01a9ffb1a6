"""Fingerprints of code: what changes one, what does not, and what is refused."""

import importlib.util
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assay.code.fingerprint import Code, closure, module_digest
from assay.errors import CodeError
from tests.layout import ROOT

GOLDEN = json.loads((ROOT / "tests/golden/code.json").read_text(encoding="utf8"))
HOUR_NS = 3_600_000_000_000
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writer of files below the test's folder, an hour old, so that a cache may trust their time stamps."""

    def _write(path: str, text: str = "", folder: Path = tmp_path) -> Path:
        """Write one file."""
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf8")
        an_hour_ago = time.time_ns() - HOUR_NS
        os.utime(file, ns=(an_hour_ago, an_hour_ago))
        return file

    return _write


def names(folder: Path, *roots: str, without: tuple[str, ...] = ()) -> list[str]:
    """Names of the files in a closure."""
    return list(closure(roots or ("main",), [folder], without=without).files)


# What is refused


def test_a_missing_root_is_refused(tmp_path: Path) -> None:
    """A module that is asked for and is not there is an error that names it and the folders."""
    with pytest.raises(CodeError, match=r"'tasks\.jugde' is not in .*tasks/jugde\.py or tasks/jugde/__init__\.py") as e:
        closure(["tasks.jugde"], [tmp_path])
    assert str(tmp_path) in str(e.value)


@pytest.mark.parametrize("name", ["", ".", "a/b", "a.py", "..main", "json", "pkg"])
def test_a_name_that_is_no_module_is_refused(name: str, tmp_path: Path, write: Write) -> None:
    """Paths, blanks, modules of somebody else and folders without code have no fingerprint."""
    write("main.py")
    write("a/b.py")
    write("pkg/data.txt")
    with pytest.raises(CodeError, match="expected"):
        closure([name], [tmp_path])


def test_a_root_that_is_left_out_is_refused(tmp_path: Path, write: Write) -> None:
    """A root within `without` would have an empty fingerprint, which would never change."""
    write("assay/__init__.py")
    with pytest.raises(CodeError, match="'assay' .* left out"):
        closure(["assay"], [tmp_path], without={"assay"})


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"x = 1\ny = (\n", 2), (b"x = 1\n\ny = 'a\0'\n", 3), (b"x = 1\ny = '\xff'\n", 2), (b"# coding: klingon\n", 1)],
    ids=["syntax", "null byte", "not UTF-8", "unknown encoding"],
)
def test_a_file_that_is_not_python_is_refused(content: bytes, line: int, tmp_path: Path) -> None:
    """The error names the file and the line, however the file is broken."""
    (tmp_path / "main.py").write_text("import broken", encoding="utf8")
    (tmp_path / "broken.py").write_bytes(content)
    with pytest.raises(CodeError, match=rf"broken\.py, line {line} is not Python 3"):
        closure(["main"], [tmp_path])


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    """What cannot be read is named, not passed over."""
    (tmp_path / "main.py").mkdir()
    with pytest.raises(CodeError, match=r"main\.py cannot be read \(Is a directory\)"):
        closure(["main"], [tmp_path])


@pytest.mark.parametrize("pattern", ["prompt.md", "templates/*.html", "templates", "", "__pycache__/*", "/etc/hosts"])
def test_a_resource_that_is_not_there_is_refused(pattern: str, tmp_path: Path, write: Write) -> None:
    """A glob must match a file, relative to the module; folders and byte code are none."""
    write("main.py", f"RESOURCES = ({pattern!r},)")
    write("templates/notes.txt")
    write("__pycache__/main.cpython-311.pyc")
    with pytest.raises(CodeError, match=r"main\.py: RESOURCES names '.*', which matches no file"):
        closure(["main"], [tmp_path])


@pytest.mark.parametrize(
    "declaration",
    ["= 'prompt.md'", "= ('prompt.md')", "= find()", "= (1,)", "= ('a', *B)", "= {'a': 1}", "= ('a',)\nNAME += ('b',)"],
)
@pytest.mark.parametrize("name", ["RESOURCES", "CHILDREN"])
def test_a_declaration_that_cannot_be_read_is_refused(
    name: str, declaration: str, tmp_path: Path, write: Write
) -> None:
    """A declaration is a literal tuple, list or set of strings; a bare string is no list of letters."""
    write("main.py", f"{name} {declaration.replace('NAME', name)}")
    with pytest.raises(CodeError, match=rf"main\.py, line \d: {name} is .*expected a literal tuple of strings"):
        closure(["main"], [tmp_path])


def test_a_child_that_is_not_there_is_refused(tmp_path: Path, write: Write) -> None:
    """A child with a typing error in its name would be lost without a word."""
    write("main.py", "CHILDREN = ('assay.models.embeded.__main__',)")
    with pytest.raises(CodeError, match=r"main\.py: CHILDREN names 'assay\.models\.embeded\.__main__'"):
        closure(["main"], [tmp_path])


def test_text_that_is_not_python_has_no_digest() -> None:
    """Of a text alone, the parser's own error is passed on."""
    with pytest.raises(SyntaxError):
        module_digest("x = (")


# What a digest tells apart


@pytest.mark.parametrize("row", GOLDEN, ids=lambda row: row["name"])
def test_golden_digests(row: dict[str, str]) -> None:
    """Digests never change, from one Python or one release to the next."""
    assert module_digest(row["source"]) == row["digest"]


SAME = {
    "docstrings": ("def f():\n    return 1", '"""M."""\n\ndef f():\n    """D."""\n    return 1'),
    "attribute docstrings": (
        "class A:\n    x = 1\n    y = 2",
        'class A:\n    x = 1\n    """X."""\n    y = 2\n    "Y."',
    ),
    "bare strings": ("if a:\n    b()", "if a:\n    'one'\n    b()\n    'two'"),
    "comments": ("x = [1]", "# a\nx = [  # type: list[int]\n    1,  # b\n]\n"),
    "formatting": ("f(a, b=1)\nx = 'a'", 'f(\n  a,\n\n  b = 1,\n)\n\n\nx = ("a")'),
    "line ends": ("x = 1\ny = '''a\n'''\n", "x = 1\r\ny = '''a\r\n'''\r\n"),
    "kinds of strings": ("x = 'ab'", "x = u'a' r'b'"),
    "notations of numbers": ("x = 255, 1000, 1.0", "x = 0xff, 1_000, 1e0"),
    "f-string pieces": ("x = f'a{b}cd'", "x = 'a' f'{b}' f'' 'c' f'd' ''"),
    "empty format specs": ("x = f'{b}'", "x = f'{b:}'"),
    "invalid escapes": ("x = '\\\\d'", "x = '\\d'"),
}


@pytest.mark.parametrize(("one", "other"), SAME.values(), ids=SAME)
def test_what_means_the_same_has_one_digest(one: str, other: str) -> None:
    """Documentation and layout never re-run a stage."""
    assert module_digest(one) == module_digest(other)


DIFFERENT = {
    "types of constants": ["x = 1", "x = True", "x = 1.0", "x = '1'", "x = b'1'", "x = 1j", "x = None", "x = ..."],
    "values": ["x = 'a'", "x = 'A'", "x = 'a '", "x = a", "x = f'a'", "x = ('a',)", "x = ['a']", "x = {'a'}"],
    "places of None in dicts": ["{**a, b: c}", "{b: c, **a}", "{None: a, b: c}", "{b: c}"],
    "keyword defaults": ["def f(*, a, b=1): x", "def f(*, a=1, b): x", "def f(*, a=None, b): x", "def f(a, *, b=1): x"],
    "operators": ["a + b", "a - b", "b + a", "a < b", "a <= b", "a and b", "a or b", "not a"],
    "f-strings": ["f'{a}'", "f'{a!r}'", "f'{a:>3}'", "f'{a:>{3}}'", "f'{{a}}'", "f'{a}' ' '", "f'{a=}'"],
    "places": ["a\nb", "b\na", "if a:\n    b", "if a:\n    x\nelse:\n    b", "while a:\n    b", "a; b; b"],
    "patterns": [
        f"match a:\n    case {p}: b" for p in ("None", "True", "1", "n", "_", "[n]", "{'n': n}", "C()", "C(n)")
    ],
    "names": ["import a", "import a.b", "import a as b", "from a import b", "from .a import b", "from ..a import b"],
    "functions": [
        "def f(a): a",
        "async def f(a): a",
        "def f(a, /): a",
        "def f(*a): a",
        "def f(a) -> a: a",
        "@a\ndef f(a): a",
    ],
    "returns": ["def f(): return", "def f(): return None", "def f(): return 0", "def f(): pass", "def f(): yield"],
    "bytes are code": ["a", "a\nb'x'", "a\nf'x'", "a\n1"],
}


@pytest.mark.parametrize("sources", DIFFERENT.values(), ids=DIFFERENT)
def test_what_means_something_else_has_another_digest(sources: list[str]) -> None:
    """No change of the program goes unnoticed."""
    assert len({module_digest(source) for source in sources}) == len(sources)


def test_a_digest_is_16_hex_digits() -> None:
    """Digests are short enough to read in a lock file, those of modules and of the whole alike."""
    for digest in (module_digest(""), Code({}).digest):
        assert len(digest) == 16
        assert int(digest, 16)


def test_long_chains_have_a_digest() -> None:
    """Depth that the parser takes is not too deep for the dump."""
    assert module_digest("x = " + "+".join("a" * 900)) != module_digest("x = " + "+".join("a" * 901))


# What a closure holds


IMPORTS = {
    "plain": ("import a", ["a", "main"]),
    "dotted": ("import p.q.r", ["main", "p", "p.q", "p.q.r"]),
    "several": ("import a, p as x", ["a", "main", "p"]),
    "from module": ("from a import name", ["a", "main"]),
    "from package": ("from p import q", ["main", "p", "p.q"]),
    "name of a package": ("from p import name", ["main", "p"]),
    "star": ("from p.q import *", ["main", "p", "p.q"]),
    "star with __all__": ("from starred import *", ["main", "starred", "starred.first"]),
    "namespace package": ("import space.inner.b", ["main", "space.inner.b"]),
    "from namespace package": ("from space.inner import b", ["main", "space.inner.b"]),
    "in a function": ("def f():\n    async def g():\n        import a", ["a", "main"]),
    "in a method": ("class C:\n    def f(self):\n        from p import q", ["main", "p", "p.q"]),
    "in a class body": ("class C:\n    import a", ["a", "main"]),
    "in a try": ("try:\n    import a\nexcept ImportError:\n    import p\nelse:\n    import b", ["a", "b", "main", "p"]),
    "in a match": ("match x:\n    case 1:\n        import a", ["a", "main"]),
    "import_module": ("import importlib\nx = lambda: importlib.import_module('p.q')", ["main", "p", "p.q"]),
    "bare import_module": ("import_module(name='a')", ["a", "main"]),
    "relative import_module": ("import_module('.q', 'p')\nimport_module('.a', package=x)", ["main", "p", "p.q"]),
    "__import__": ("__import__('p.q')", ["main", "p", "p.q"]),
    "computed": ("import_module(a)\n__import__('a' + b)\nimport_module()\nother('a')", ["main"]),
    "of somebody else": ("import json, numpy.linalg\nfrom os import path\nimport_module('a/b')", ["main"]),
    "in a docstring": ("'''import a'''", ["main"]),
    "beyond the top": ("from . import a\nfrom .. import b", ["main"]),
    "member of a module": ("import a.b", ["a", "main"]),
    "other case": ("from p import Q\nimport A", ["main", "p"]),
    "type checking": ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", ["b", "main"]),
    "typing.TYPE_CHECKING": (
        "import typing as t\nif t.TYPE_CHECKING:\n    import a\nelif x:\n    import b",
        ["b", "main"],
    ),
    "type checking within": ("def f():\n    if TYPE_CHECKING:\n        if x:\n            import a", ["main"]),
    "not type checking": ("if not TYPE_CHECKING:\n    import a", ["a", "main"]),
    "condition with more": ("if TYPE_CHECKING or x:\n    import a", ["a", "main"]),
    "cycle": ("import ring", ["main", "ring"]),
}


@pytest.mark.parametrize(("source", "expected"), IMPORTS.values(), ids=IMPORTS)
def test_imports_count_wherever_they_stand(source: str, expected: list[str], tmp_path: Path, write: Write) -> None:
    """Whatever Python would load is in the closure, and nothing else."""
    for path in (
        "a.py",
        "b.py",
        "p/__init__.py",
        "p/q/__init__.py",
        "p/q/r.py",
        "space/inner/b.py",
        "starred/first.py",
    ):
        write(path)
    write("starred/__init__.py", "__all__ = ['first', 'name']")
    write("starred/second.py")
    write("ring.py", "import main\nimport ring")
    write("main.py", source)
    assert names(tmp_path) == expected


RELATIVE = {
    "pkg.sub.mod": ("pkg/sub/mod.py", "from . import x\nfrom .. import y\nfrom ..other import z\nfrom .x import name"),
    "pkg.sub": ("pkg/sub/__init__.py", "from . import x\nfrom .. import y\nfrom ..other import z\nfrom .x import *"),
}


@pytest.mark.parametrize("module", RELATIVE)
def test_relative_imports_of_every_level(module: str, tmp_path: Path, write: Write) -> None:
    """Dots are counted from the package of a module, and from a package itself."""
    for path in ("__init__.py", "y.py", "other/__init__.py", "other/z.py", "sub/__init__.py", "sub/x.py"):
        write(f"pkg/{path}")
    write(*RELATIVE[module])
    expected = {"pkg", "pkg.y", "pkg.other", "pkg.other.z", "pkg.sub", "pkg.sub.x", module}
    assert set(names(tmp_path, module)) == expected


def test_relative_imports_in_a_namespace_package(tmp_path: Path, write: Write) -> None:
    """A folder without `__init__` is a package too."""
    write("tasks/judge.py", "from . import store\nfrom .checks.rules import name")
    write("tasks/store.py")
    write("tasks/checks/rules.py")
    assert names(tmp_path, "tasks.judge") == ["tasks.checks.rules", "tasks.judge", "tasks.store"]


def test_folders_are_searched_in_order(tmp_path: Path, write: Write) -> None:
    """The first folder that has a module wins; a package with `__init__` goes before a module and a namespace."""
    write("one/main.py", "import both, late, space.b")
    write("one/both/__init__.py", "x = 1")
    write("one/both.py", "x = 2")
    write("one/space/a.py")
    write("two/both.py", "x = 3")
    write("two/late.py", "x = 4")
    write("two/space/b.py", "x = 5")
    files = closure(["main"], [tmp_path / "one", tmp_path / "two"]).files
    assert files == {
        "both": module_digest("x = 1"),
        "late": module_digest("x = 4"),
        "main": module_digest("import both, late, space.b"),
        "space.b": module_digest("x = 5"),
    }


def test_a_package_is_not_followed_when_left_out(tmp_path: Path, write: Write) -> None:
    """`without` names top-level packages: neither they nor their children count, a package of a longer name does."""
    write("main.py", "import assay.judges, assayer\nfrom assay import gate\nCHILDREN = ['assay.judges']")
    write("assay/__init__.py")
    write("assay/judges.py")
    write("assay/gate.py")
    write("assayer.py")
    assert names(tmp_path, without=("assay",)) == ["assayer", "main"]
    assert "assay.gate" in names(tmp_path)


def test_what_lies_beside_an_installed_tool_is_not_followed(tmp_path: Path, write: Write) -> None:
    """In an installation third-party packages lie beside the tool: only the packages that are named are its code."""
    write("tool/__init__.py", "")
    write("tool/stage.py", "import tool.part\nimport heavy.numbers\n")
    write("tool/part.py", "X = 1\n")
    write("heavy/__init__.py", "")
    write("heavy/numbers.py", "Y = 2\n")
    assert set(closure(["tool.stage"], [tmp_path], only=("tool",)).files) == {"tool", "tool.part", "tool.stage"}
    assert "heavy.numbers" in closure(["tool.stage"], [tmp_path]).files


def test_children_are_followed(tmp_path: Path, write: Write) -> None:
    """A module that is started with `python -m` counts with its own imports; of a package, `__main__` does."""
    write("main.py", "CHILDREN: tuple[str, ...] = ('pkg.worker.__main__', 'tool', 'space')")
    write("pkg/__init__.py")
    write("pkg/worker/__main__.py", "import deep")
    write("tool/__init__.py")
    write("tool/__main__.py")
    write("space/__main__.py")
    write("deep.py")
    assert names(tmp_path) == [
        "deep", "main", "pkg", "pkg.worker.__main__", "space.__main__", "tool", "tool.__main__"
    ]  # fmt: skip


def test_resources_are_files_below_or_beside_the_module(tmp_path: Path, write: Write) -> None:
    """Globs start at the module's own folder, for a package at the package; `..` and `**` work, byte code is none."""
    write("pkg/__init__.py", "RESOURCES = ['*.md', '../shared/x.txt', '../pkg/prompt.md']")
    write("pkg/mod.py", "RESOURCES: tuple[str, ...] = ('templates/**',)")
    write("pkg/prompt.md", "Judge.")
    write("pkg/templates/a.html")
    write("pkg/templates/deep/b.html")
    write("pkg/templates/__pycache__/c.pyc")
    write("shared/x.txt")
    assert names(tmp_path, "pkg.mod") == [
        "pkg", "pkg.mod", "pkg.mod:templates/a.html", "pkg.mod:templates/deep/b.html",
        "pkg:../pkg/prompt.md", "pkg:../shared/x.txt", "pkg:prompt.md",
    ]  # fmt: skip


def test_a_changed_resource_changes_the_code(tmp_path: Path, write: Write) -> None:
    """One letter of a prompt is a change of the stage, and so is one more template."""
    write("main.py", "RESOURCES = ('*.md',)")
    write("prompt.md", "Judge.")
    digests = [closure(["main"], [tmp_path]).digest]
    write("prompt.md", "Judge!")
    digests.append(closure(["main"], [tmp_path]).digest)
    write("second.md", "Judge!")
    digests.append(closure(["main"], [tmp_path]).digest)
    assert len(set(digests)) == 3


@pytest.mark.parametrize("where", ["def f():\n    {}", "if x:\n    {}", "class A:\n    {}", "A.{}", "# {}"])
def test_declarations_stand_at_the_top_level(where: str, tmp_path: Path, write: Write) -> None:
    """A local name or an attribute that is called RESOURCES declares nothing."""
    write("main.py", where.format("RESOURCES = find()") + "\n" * 2 + "x = 1\nCHILDREN: tuple[str, ...]")
    assert names(tmp_path) == ["main"]


def test_the_digest_of_code_depends_on_names_and_contents_only() -> None:
    """Order does not matter; a renamed module or another content does."""
    code = Code({"a": "1", "b": "2"})
    assert code.digest == Code({"b": "2", "a": "1"}).digest
    assert len({code.digest, Code({"a": "2", "b": "1"}).digest, Code({"a": "1"}).digest, Code({}).digest}) == 4


def test_a_closure_is_the_same_wherever_the_project_lies(tmp_path: Path, write: Write) -> None:
    """No absolute path is part of a fingerprint, nor does a docstring change it."""
    for folder, docstring in (("here", ""), ("there", "'''Docs.'''\n")):
        write(f"{folder}/main.py", f"{docstring}from a import b\nRESOURCES = ('x.md',)")
        write(f"{folder}/a/b.py", docstring)
        write(f"{folder}/x.md", "x")
    assert closure(["main"], [tmp_path / "here"]) == closure(["main"], [tmp_path / "there"])


def test_nothing_is_imported(tmp_path: Path, write: Write) -> None:
    """Modules are read, not run."""
    write("fingerprinted_module.py", "raise RuntimeError('run')")
    assert names(tmp_path, "fingerprinted_module") == ["fingerprinted_module"]
    assert "fingerprinted_module" not in sys.modules
    assert importlib.util.find_spec("fingerprinted_module") is None


def test_other_encodings_are_read(tmp_path: Path) -> None:
    """A byte order mark or an encoding cookie changes how a file is read, not what it says."""
    (tmp_path / "main.py").write_bytes("\ufeffx = 'é'".encode())
    (tmp_path / "other.py").write_bytes("# coding: latin-1\nx = 'é'".encode("latin-1"))
    digests = closure(["main", "other"], [tmp_path]).files.values()
    assert set(digests) == {module_digest("x = 'é'")}


# The cache


@pytest.fixture
def project(tmp_path: Path, write: Write) -> Path:
    """Folder of a small project with everything that a cache remembers."""
    folder = tmp_path / "project"
    write("main.py", "from pkg import *\nfrom pkg.sub import x\nRESOURCES = ('p.md',)\nCHILDREN = ('child',)", folder)
    write("pkg/__init__.py", "__all__ = ['starred']", folder)
    write("pkg/starred.py", "from . import sub", folder)
    write("pkg/sub.py", "x = 1", folder)
    write("child.py", "", folder)
    write("p.md", "prompt", folder)
    return folder


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b"null", b"{}", b'{"format": 1, "python": "3.11", "files": [1]}', b"[" * 100_000],
)
def test_a_damaged_cache_is_rebuilt(content: bytes, project: Path, tmp_path: Path) -> None:
    """Whatever is in the cache file, the result is right and the file is good afterwards."""
    cache = tmp_path / "cache.json"
    cache.write_bytes(content)
    assert closure(["main"], [project], cache=cache) == closure(["main"], [project])
    assert len(json.loads(cache.read_bytes())["files"]) == 5


@pytest.mark.parametrize(
    ("field", "value"),
    [("digest", None), ("stamp", 1), ("imports", "a"), ("imports", [1]), ("children", None), ("resources", {})],
)
def test_a_damaged_entry_is_rebuilt(field: str, value: object, project: Path, tmp_path: Path) -> None:
    """An entry with a field of another type, or without one, is not used."""
    cache = tmp_path / "cache.json"
    expected = closure(["main"], [project], cache=cache)
    content = json.loads(cache.read_bytes())
    for row in content["files"].values():
        row[field] = value
    cache.write_text(json.dumps(content), encoding="utf8")
    assert closure(["main"], [project], cache=cache) == expected
    for row in content["files"].values():
        del row[field]
    cache.write_text(json.dumps(content), encoding="utf8")
    assert closure(["main"], [project], cache=cache) == expected


@pytest.mark.parametrize(("field", "value"), [("format", 0), ("python", "3.10")])
def test_a_cache_of_another_format_or_python_is_rebuilt(
    field: str, value: object, project: Path, tmp_path: Path
) -> None:
    """What another release or another Python has read is read again."""
    cache = tmp_path / "cache.json"
    expected = closure(["main"], [project], cache=cache)
    tamper(cache, project / "pkg/sub.py", **{field: value})
    assert closure(["main"], [project], cache=cache) == expected


def test_a_cache_that_cannot_be_written_is_no_error(project: Path, tmp_path: Path) -> None:
    """Without a place for the cache the result is right all the same, and no temporary file is left."""
    folder = tmp_path / "caches"
    (folder / "cache.json").mkdir(parents=True)
    assert closure(["main"], [project], cache=folder / "cache.json") == closure(["main"], [project])
    assert [path.name for path in folder.iterdir()] == ["cache.json"]


def tamper(cache: Path, file: Path, **header: object) -> None:
    """Mark the cached digest of a file, so that its use can be seen."""
    content = json.loads(cache.read_bytes()) | header
    content["files"][str(file)]["digest"] = "from the cache"
    cache.write_text(json.dumps(content), encoding="utf8")


def test_an_unchanged_file_is_not_read_again(project: Path, tmp_path: Path) -> None:
    """The digest of a file with an entry is taken from the cache, the folders of which are made on the way."""
    cache = tmp_path / "new" / "cache.json"
    first = closure(["main"], [project], cache=cache)
    assert closure(["main"], [project], cache=cache) == first == closure(["main"], [project])
    tamper(cache, project / "pkg/sub.py")
    assert closure(["main"], [project], cache=cache).files == first.files | {"pkg.sub": "from the cache"}


def test_a_changed_file_is_read_again(project: Path, tmp_path: Path, write: Write) -> None:
    """Content of another time or size, and the imports in it, replace the entry."""
    cache = tmp_path / "cache.json"
    before = closure(["main"], [project], cache=cache)
    write("pkg/sub.py", "import child, late", project)
    write("late.py", "", project)
    after = closure(["main"], [project], cache=cache)
    assert after == closure(["main"], [project])
    assert set(after.files) - set(before.files) == {"late"}


def test_a_change_that_keeps_time_and_size_is_seen(project: Path, tmp_path: Path) -> None:
    """A copy that restores time and size of a file (rsync, tar) is no unchanged file."""
    cache, file = tmp_path / "cache.json", project / "pkg/sub.py"
    closure(["main"], [project], cache=cache)
    status = file.stat()
    time.sleep(0.05)  # one tick of the kernel's clock
    file.write_text("x = 2", encoding="utf8")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (file.stat().st_mtime_ns, file.stat().st_size) == (status.st_mtime_ns, status.st_size)
    assert closure(["main"], [project], cache=cache).files["pkg.sub"] == module_digest("x = 2")


def test_a_file_that_was_just_written_is_not_remembered(project: Path, tmp_path: Path) -> None:
    """Two writes within one tick of a file system's clock look alike, so a young file has no entry yet."""
    cache, file = tmp_path / "cache.json", project / "pkg/sub.py"
    file.write_text("x = 3", encoding="utf8")
    closure(["main"], [project], cache=cache)
    paths = json.loads(cache.read_bytes())["files"]
    assert str(file) not in paths
    assert str(project / "main.py") in paths


def test_a_resource_is_never_taken_from_the_cache(project: Path, tmp_path: Path, write: Write) -> None:
    """The contents of resources are read each time."""
    cache = tmp_path / "cache.json"
    before = closure(["main"], [project], cache=cache)
    write("p.md", "Prompt", project)
    after = closure(["main"], [project], cache=cache)
    assert {name for name in after.files if after.files[name] != before.files[name]} == {"main:p.md"}


def test_stages_share_a_cache(project: Path, tmp_path: Path) -> None:
    """Entries of another closure stay, those of deleted files go, and an unchanged cache is not written."""
    cache = tmp_path / "cache.json"
    closure(["main"], [project], cache=cache)
    closure(["child"], [project], cache=cache)
    number = cache.stat().st_ino
    closure(["main"], [project], cache=cache)
    assert cache.stat().st_ino == number
    (project / "main.py").unlink()
    os.utime(project / "child.py", ns=(0, 0))
    closure(["child"], [project], cache=cache)
    assert sorted(json.loads(cache.read_bytes())["files"]) == sorted(
        str(project / path) for path in ("child.py", "pkg/__init__.py", "pkg/starred.py", "pkg/sub.py")
    )


def test_a_file_under_two_names_has_one_entry(project: Path, tmp_path: Path) -> None:
    """Relative imports are resolved by the name that a module has this time."""
    cache = tmp_path / "cache.json"
    closure(["main"], [project], cache=cache)
    assert set(closure(["starred"], [project / "pkg"], cache=cache).files) == {"starred"}
    assert set(closure(["pkg.starred"], [project], cache=cache).files) == {"pkg", "pkg.starred", "pkg.sub"}
