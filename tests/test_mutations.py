"""Small changes of a program, as `python -m benchmarks mutants` makes them: what changes, and what is left alone."""

import ast
import random
from contextlib import chdir
from pathlib import Path

import pytest

from benchmarks.mutants import draw
from benchmarks.mutations import Mutant, mutant, places


def mutants(folder: Path, source: str) -> list[Mutant]:
    """Return every mutant of a module."""
    file = folder / "module.py"
    file.write_text(source, encoding="utf8")
    tree, found = places(str(file))
    made = [mutant(str(file), tree, place) for place in found]
    assert ast.unparse(tree) == ast.unparse(ast.parse(source))
    return [one for one in made if one]


@pytest.mark.parametrize(
    ("source", "changes"),
    [
        ("x = a < b", {"a <= b", "a > b"}),
        ("x = a + 1", {"a - 1", "2"}),
        ("x = a and b", {"a or b", "a", "b"}),
        ("x = not a", {"a"}),
        ("x = a if b else c", {"a if not b else c", "a if True else c", "a if False else c"}),
        ("x = 'word'", {"'xword'"}),
        ("x = True", {"False"}),
        ("x = f(a, b, c=d)", {"f(b, a, c=d)", "f(a, b)"}),
        ("x = sorted(a)", {"list(a)"}),
        ("x = max(a, b)", {"min(a, b)"}),
        ("x = a[b:]", {"b + 1:"}),
        ("x = [a for a in b if c]", {" for a in b"}),
        ("f(a)", {"pass"}),
        ("def f():\n    return a == b", {"return True", "a != b"}),
    ],
)
def test_each_place_has_its_changes(tmp_path: Path, source: str, changes: set[str]) -> None:
    """Comparisons, arithmetic, conditions, constants, arguments, keywords, filters, statements and returned values."""
    assert {one.new for one in mutants(tmp_path, source)} == changes


@pytest.mark.parametrize(
    "source",
    [
        '"""What it is."""',
        "import a",
        "raise E('word', 1)",
        "x = f'a {b} c'",
        "x = 'two words'",
        "x: int",
        "X = Literal['a', 'b']",
        "x = cast('A', b)",
        "T = TypeVar('T')",
        "assert a == 1",
        "if TYPE_CHECKING:\n    x = 1",
    ],
)
def test_prose_and_types_are_left_alone(tmp_path: Path, source: str) -> None:
    """Docstrings, messages, the text of f-strings, types and imports have no mutants."""
    assert mutants(tmp_path, source) == []


@pytest.mark.parametrize("call", ["max(a, b)", "np.maximum(a, b)", "np.clip(a, b, c)", "hmac.compare_digest(a, b)"])
def test_what_has_no_order_keeps_it(tmp_path: Path, call: str) -> None:
    """Arguments whose places say nothing do not change them: no test could tell."""
    assert "arguments swapped" not in {one.kind for one in mutants(tmp_path, f"x = {call}")}


def test_a_mutant_knows_its_function(tmp_path: Path) -> None:
    """By the qualified name that a frame has; what is run at import, defaults among it, has none."""
    inner = "    def f(self, z=3):\n        def g():\n            return 4\n        return g() + 5\n"
    source = f"X = 1\nclass A:\n    y = 2\n{inner}"
    found = {one.old: one.function for one in mutants(tmp_path, source) if one.kind == "constant"}
    assert found == {"1": "", "2": "", "3": "", "4": "A.f.<locals>.g", "5": "A.f"}


def test_a_draw_is_by_lines_and_repeats(tmp_path: Path) -> None:
    """Twice the lines are twice the mutants, at most one a line; the same seed draws the same."""
    with chdir(tmp_path):
        for name, lines in (("long", 40), ("short", 20)):
            Path(f"{name}.py").write_text("".join(f"x{at} = a + {at}\n" for at in range(lines)), encoding="utf8")
        first, again, other = (draw(["long.py", "short.py"], 12, random.Random(seed)) for seed in (1, 1, 2))
    assert [one.path for one in first] == ["long.py"] * 8 + ["short.py"] * 4
    assert len({(one.path, one.line) for one in first}) == 12
    assert first == again != other
