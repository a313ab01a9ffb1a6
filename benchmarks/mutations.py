"""Small changes of a program: the places at which a module can be mutated, and what each would read instead.

The operators of cosmic-ray and mutmut change numbers, comparisons and arithmetic. Most of what this code promises is in
words, defaults, keywords, and the order of arguments and statements, so the operators here are our own. Messages of
raised errors, docstrings, types and the parts of f-strings are left alone: tests assert codes and values, not prose.
"""

import ast
import re
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Any, NamedTuple

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
SWAPPED = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}
UNTYPED = {"annotation", "returns", "decorator_list", "format_spec", "type_params", "bases"}
"""Fields that say no more than a type, or what a text looks like."""
TYPES = {
    "Literal",
    "Annotated",
    "Callable",
    "Mapping",
    "Sequence",
    "Iterable",
    "Iterator",
    "list",
    "dict",
    "tuple",
    "set",
}
WORD = re.compile(r"[A-Za-z][\w.-]*")
LENIENT = {"isinstance", "cast", "getattr", "max", "min", "np.maximum", "np.minimum", "np.clip", "hmac.compare_digest"}
"""Calls whose arguments are no values that could change places, or whose places say nothing."""
DROPPED = ast.AugAssign | ast.Continue | ast.Break

Change = tuple[str, ast.AST]
"""A kind of change, and the node that replaces another."""


class Mutant(NamedTuple):
    """One change of one place of a module."""

    path: str
    function: str
    """The function it lies in, by its qualified name; empty where it is run at import, as in a class."""
    line: int
    kind: str
    old: str
    new: str
    text: str
    """The whole module."""


class Place(NamedTuple):
    """A node, where it hangs in the tree, and what may replace it."""

    function: str
    parent: ast.AST
    field: str
    index: int | None
    node: ast.AST
    kind: str
    new: ast.AST


def places(path: str) -> tuple[ast.Module, list[Place]]:
    """Return a module's tree, and every change of it in the order of the text."""
    tree = ast.parse(Path(path).read_text(encoding="utf8"))
    return tree, list(_walk(tree, "", ""))


def mutant(path: str, tree: ast.Module, place: Place) -> Mutant | None:
    """Return the mutant of one place; none where the program stays what it was, or is none."""
    before = ast.unparse(tree)
    _hang(place, place.new)
    try:
        text = ast.unparse(tree)
        compile(text, path, "exec")
    except (SyntaxError, ValueError):
        text = before
    finally:
        _hang(place, place.node)
    if text == before:
        return None
    line = getattr(place.node, "lineno", getattr(place.parent, "lineno", 0))
    return Mutant(path, place.function, line, place.kind, ast.unparse(place.node), ast.unparse(place.new), text)


def _hang(place: Place, node: ast.AST) -> None:
    if place.index is None:
        setattr(place.parent, place.field, node)
    else:
        getattr(place.parent, place.field)[place.index] = node


def _walk(node: ast.AST, function: str, prefix: str) -> Iterator[Place]:
    """Yield the places below a node; a default is evaluated where its function is defined."""
    outside = function
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        function = f"{prefix}{node.name}"
        prefix = f"{function}.<locals>."
    elif isinstance(node, ast.ClassDef):
        prefix = f"{prefix}{node.name}."
    for field, value in ast.iter_fields(node):
        where = outside if field == "args" else function
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not _is_left_alone(node, field, child):
                for kind, new in _changes(child):
                    yield Place(where, node, field, index, child, kind, new)
                yield from _walk(child, where, prefix)


def _is_left_alone(node: ast.AST, field: str, child: ast.AST) -> bool:
    if field in UNTYPED or isinstance(child, ast.Raise | ast.Assert | ast.Import | ast.ImportFrom):
        return True
    if isinstance(child, ast.Expr):
        return isinstance(child.value, ast.Constant)
    if isinstance(child, ast.If):
        return ast.unparse(child.test) == "TYPE_CHECKING"
    if isinstance(node, ast.JoinedStr):
        return isinstance(child, ast.Constant)
    if isinstance(node, ast.Subscript) and field == "slice":
        return ast.unparse(node.value) in TYPES
    if isinstance(node, ast.Call):
        return ast.unparse(node.func) in ("cast", "TypeVar")
    return isinstance(node, ast.Assign) and isinstance(child, ast.Subscript) and ast.unparse(child.value) in TYPES


def _changes(node: ast.AST) -> Iterator[Change]:
    for kind, changes in CHANGES.items():
        if isinstance(node, kind):
            yield from changes(node)


def _with(node: ast.AST, **fields: object) -> ast.AST:
    new = copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def _without(items: list[Any], place: int) -> list[Any]:
    return [*items[:place], *items[place + 1 :]]


def _compared(node: ast.Compare) -> Iterator[Change]:
    for place, operator in enumerate(node.ops):
        for other in COMPARED[type(operator)]:
            yield "comparison", _with(node, ops=[*node.ops[:place], other(), *node.ops[place + 1 :]])


def _computed(node: ast.BinOp) -> Iterator[Change]:
    texts = any(isinstance(side, ast.JoinedStr) or _is_text(side) for side in (node.left, node.right))
    if type(node.op) in COMPUTED and not texts:
        yield "arithmetic", _with(node, op=COMPUTED[type(node.op)]())


def _combined(node: ast.BoolOp) -> Iterator[Change]:
    yield "and/or", _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for place in range(len(node.values)):
        left = _without(node.values, place)
        yield "operand dropped", _with(node, values=left) if len(left) > 1 else left[0]


def _signed(node: ast.UnaryOp) -> Iterator[Change]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield "not or minus dropped", node.operand


def _branched(node: ast.If | ast.IfExp | ast.While) -> Iterator[Change]:
    yield "condition negated", _with(node, test=ast.UnaryOp(ast.Not(), node.test))
    if not isinstance(node, ast.While):
        yield "condition always true", _with(node, test=ast.Constant(True))
        yield "condition always false", _with(node, test=ast.Constant(False))


def _constant(node: ast.Constant) -> Iterator[Change]:
    value = node.value
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, int | float):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str) and WORD.fullmatch(value):
        yield "word", ast.Constant(f"x{value}")


def _called(node: ast.Call) -> Iterator[Change]:
    name = ast.unparse(node.func)
    if name in SWAPPED:
        yield "builtin", _with(node, func=ast.Name(SWAPPED[name]))
    if len(node.args) > 1 and name not in LENIENT and not any(isinstance(value, ast.Starred) for value in node.args):
        yield "arguments swapped", _with(node, args=[node.args[1], node.args[0], *node.args[2:]])
    for place, keyword in enumerate(node.keywords):
        if keyword.arg:
            yield "keyword dropped", _with(node, keywords=_without(node.keywords, place))


def _returned(node: ast.Return) -> Iterator[Change]:
    match node.value:
        case None | ast.Constant(value=None):
            return
        case ast.List() | ast.ListComp():
            new: ast.expr = ast.List([])
        case ast.Dict() | ast.DictComp():
            new = ast.Dict([], [])
        case ast.Compare() | ast.BoolOp():
            new = ast.Constant(isinstance(node.value, ast.Compare))
        case _:
            new = ast.Constant(None)
    yield "return", _with(node, value=new)


def _filtered(node: ast.comprehension) -> Iterator[Change]:
    for place in range(len(node.ifs)):
        yield "filter dropped", _with(node, ifs=_without(node.ifs, place))


def _stated(node: ast.stmt) -> Iterator[Change]:
    if isinstance(node, DROPPED) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call | ast.Await | ast.Yield)
    ):
        yield "statement dropped", ast.Pass()


def _sliced(node: ast.Slice) -> Iterator[Change]:
    for name in ("lower", "upper"):
        if bound := getattr(node, name):
            yield "slice", _with(node, **{name: ast.BinOp(bound, ast.Add(), ast.Constant(1))})


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


CHANGES = {
    ast.Compare: _compared,
    ast.BinOp: _computed,
    ast.BoolOp: _combined,
    ast.UnaryOp: _signed,
    ast.If | ast.IfExp | ast.While: _branched,
    ast.Constant: _constant,
    ast.Call: _called,
    ast.Return: _returned,
    ast.comprehension: _filtered,
    ast.stmt: _stated,
    ast.Slice: _sliced,
}
